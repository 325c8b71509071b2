if redis.call('get', KEYS[2]) ~= ARGV[1] then return 0 end
local record, bands = ARGV[2], {unpack(ARGV, 4)}
for _, other in ipairs(alike(bands)) do
    if string.sub(other, 1, 24) == string.sub(record, 1, 24) then return 1 end
end
add(record, bands, tonumber(ARGV[3]))
return 1
