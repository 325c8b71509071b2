local outcome = redis.call('get', KEYS[1])
if outcome == '' then
    local letter = redis.call('get', KEYS[5])
    if ARGV[3] == '' or not letter or letter == ARGV[3] then return {outcome, false, {}, {}, 0} end
    redis.call('del', KEYS[1], KEYS[5])  -- a replay of the dead letter
    outcome = false
end
local holder = redis.call('set', KEYS[2], ARGV[1], 'NX', 'GET', 'PX', ARGV[2])
local attempts, calls = redis.call('smembers', KEYS[3]), redis.call('hgetall', KEYS[4])
local is_first = #attempts == 0 or #attempts == 1 and attempts[1] == ARGV[4]  -- a client may send the script twice
if ARGV[4] == '' or outcome or holder and holder ~= ARGV[1] or not is_first then
    return {outcome, holder, attempts, calls, 0}
end
redis.call('sadd', KEYS[3], ARGV[4])
redis.call('expire', KEYS[3], ARGV[5])
return {outcome, holder, {}, calls, 1}
