local function akin(field, owner, text, most)
    local stored = redis.call('hget', KEYS[1], 'akin' .. field)
    local all, before = stored and cmsgpack.unpack(stored) or {}, {}
    for _, one in ipairs(all) do
        if string.sub(one, 1, 16) == owner then return before end
        before[#before + 1] = one
    end
    if #all < most then
        all[#all + 1] = owner .. text
        redis.call('hset', KEYS[1], 'akin' .. field, cmsgpack.pack(all))
    end
    return before
end
