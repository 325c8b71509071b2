if redis.call('hexists', spent, 'generation') == 1 then return 0 end
for i = 2, #ARGV, 2 do redis.call('hincrby', spent, ARGV[i], ARGV[i + 1]) end
redis.call('hset', spent, 'generation', ARGV[1])
return 1
