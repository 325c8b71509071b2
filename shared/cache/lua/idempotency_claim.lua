local outcome = redis.call('get', KEYS[1])
if outcome == '' then
    local letter = redis.call('get', KEYS[5])
    if ARGV[3] == '' or not letter or letter == ARGV[3] then return {outcome, false, {}, {}} end
    redis.call('del', KEYS[1], KEYS[5])  -- a replay of the dead letter
    outcome = false
end
local holder = redis.call('set', KEYS[2], ARGV[1], 'NX', 'GET', 'PX', ARGV[2])
return {outcome, holder, redis.call('smembers', KEYS[3]), redis.call('hgetall', KEYS[4])}
