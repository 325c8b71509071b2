if redis.call('get', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('hset', KEYS[1], 'generation', ARGV[1])
redis.call('del', KEYS[2])
return 1
