local outcome = redis.call('get', KEYS[1])
if outcome == '' then return {outcome, false, {}, {}} end
local holder = redis.call('set', KEYS[2], ARGV[1], 'NX', 'GET', 'PX', ARGV[2])
return {outcome, holder, redis.call('smembers', KEYS[3]), redis.call('hgetall', KEYS[4])}
