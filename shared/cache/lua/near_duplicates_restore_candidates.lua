if redis.call('get', KEYS[2]) ~= ARGV[1] then return 0 end
akin(ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]))
return 1
