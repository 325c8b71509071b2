if redis.call('hexists', KEYS[1], 'generation') == 0 then return false end
return akin(ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]))
