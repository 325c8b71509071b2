if redis.call('hexists', KEYS[1], 'generation') == 1 then return 0 end
if not redis.call('set', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
redis.call('unlink', KEYS[1])
return 1
