local index = KEYS[1]
local function add(record, bands, most)
    local number = struct.pack('>I4', redis.call('hincrby', index, 'counter', 1))
    redis.call('hset', index, number, record)
    local members = redis.call('hmget', index, unpack(bands))
    for i, band in ipairs(bands) do
        redis.call('hset', index, band, string.sub((members[i] or '') .. number, -4 * most))
    end
end
local function alike(bands)
    local seen, numbers = {}, {}
    for _, members in ipairs(redis.call('hmget', index, unpack(bands))) do
        for at = 1, #(members or ''), 4 do
            local number = string.sub(members, at, at + 3)
            if not seen[number] then
                seen[number] = true
                numbers[#numbers + 1] = number
            end
        end
    end
    if #numbers == 0 then return {} end
    return redis.call('hmget', index, unpack(numbers))
end
