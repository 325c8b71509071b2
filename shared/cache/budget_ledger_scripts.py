"""The treasury's commands as Lua (budget.py says what they are for).

Keys: hashes `spent` and `reserved` (unit/model → sum; `spent` also holds the means by kind, and `generation`), hash
`open` (reservation → what it holds), sorted set `until` (reservation → when it runs out, in milliseconds).
"""

_COMMON = """
local spent, reserved, open, until_ = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function text(n) return string.format('%.0f', n + 0) end
local function count(hash, field) return tonumber(redis.call('hget', hash, field) or 0) end
local function add(hash, model, tokens, nano)
    for _, scope in ipairs({'all', model}) do
        redis.call('hincrby', hash, 'tokens/' .. scope, text(tokens))
        redis.call('hincrby', hash, 'nano/' .. scope, text(nano))
    end
end
local function hold(id, tokens, nano, model, ms)
    if redis.call('hsetnx', open, id, text(tokens) .. ' ' .. text(nano) .. ' ' .. model) == 1 then
        add(reserved, model, tokens, nano)
    end
    redis.call('zadd', until_, now + ms, id)
end
local function drop(id)
    local held = redis.call('hget', open, id)
    if not held then return end
    local tokens, nano, model = string.match(held, '^(%d+) (%d+) (.+)$')
    redis.call('hdel', open, id)
    redis.call('zrem', until_, id)
    add(reserved, model, -tokens, -nano)
end
"""

RESERVE = (
    _COMMON
    + """
local id, model, kind, ms = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if redis.call('hexists', spent, 'generation') == 0 then return {'lost'} end
for _, dead in ipairs(redis.call('zrangebyscore', until_, '-inf', now)) do drop(dead) end
local guess = {tokens = tonumber(ARGV[5]), nano = tonumber(ARGV[6])}
local calls = count(spent, 'mean/calls/' .. kind)
local known = calls >= tonumber(ARGV[7])
if known then
    for unit in pairs(guess) do guess[unit] = math.ceil(count(spent, 'mean/' .. unit .. '/' .. kind) / calls) end
end
local answer, wait = {'reserved'}, false
for i = 8, #ARGV, 3 do
    local scope, unit, limit = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
    local gone = count(spent, unit .. '/' .. scope)
    answer[#answer + 1] = gone
    if not known then guess[unit] = math.min(guess[unit], math.max(limit - gone, 0)) end
    if gone >= limit or gone + guess[unit] > limit then return {'over', scope, unit, gone, guess[unit]} end
end
for i = 8, #ARGV, 3 do
    local scope, unit, limit = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
    local gone, under_way = count(spent, unit .. '/' .. scope), count(reserved, unit .. '/' .. scope)
    if under_way > 0 and gone + under_way + guess[unit] > limit then wait = true end
end
if wait and redis.call('hexists', open, id) == 0 then return {'wait'} end
hold(id, guess.tokens, guess.nano, model, ms)
answer[#answer + 1] = guess.tokens
answer[#answer + 1] = guess.nano
return answer
"""
)

SETTLE = (
    _COMMON
    + """
local id, model, kind, tokens, nano = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
drop(id)
if not redis.call('set', KEYS[5], 1, 'NX', 'EX', ARGV[6]) then return end
if not nano then
    nano = 0
    for _, scope in ipairs({'all', model}) do redis.call('hincrby', spent, 'unpriced/' .. scope, 1) end
end
add(spent, model, tokens, nano)
if ARGV[7] == '1' then
    redis.call('hincrby', spent, 'mean/calls/' .. kind, 1)
    redis.call('hincrby', spent, 'mean/tokens/' .. kind, text(tokens))
    redis.call('hincrby', spent, 'mean/nano/' .. kind, text(nano))
end
"""
)

GIVE_BACK = _COMMON + "drop(ARGV[1])"

BEAT = (
    _COMMON
    + """
for i = 2, #ARGV, 4 do hold(ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), ARGV[i + 3], ARGV[1]) end
"""
)

OPEN = (
    _COMMON
    + """
if redis.call('hexists', spent, 'generation') == 1 then return 0 end
for i = 2, #ARGV, 2 do redis.call('hincrby', spent, ARGV[i], ARGV[i + 1]) end
redis.call('hset', spent, 'generation', ARGV[1])
return 1
"""
)
