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
