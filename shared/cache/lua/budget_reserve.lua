local id, model, kind, ms = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if redis.call('hexists', spent, 'generation') == 0 then return {'lost'} end
for _, expired in ipairs(redis.call('zrangebyscore', until_, '-inf', now)) do drop(expired) end
local estimate = {tokens = tonumber(ARGV[5]), nano = tonumber(ARGV[6])}
local calls = count(spent, 'mean/calls/' .. kind)
local has_mean = calls >= tonumber(ARGV[7])
if has_mean then
    for unit in pairs(estimate) do estimate[unit] = math.ceil(count(spent, 'mean/' .. unit .. '/' .. kind) / calls) end
end
local reply, wait = {'reserved'}, false
for i = 8, #ARGV, 3 do
    local scope, unit, limit = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
    local total = count(spent, unit .. '/' .. scope)
    reply[#reply + 1] = total
    if not has_mean then estimate[unit] = math.min(estimate[unit], math.max(limit - total, 0)) end
    if total >= limit or total + estimate[unit] > limit then return {'over', scope, unit, total, estimate[unit]} end
end
for i = 8, #ARGV, 3 do
    local scope, unit, limit = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
    local total, in_flight = count(spent, unit .. '/' .. scope), count(reserved, unit .. '/' .. scope)
    if in_flight > 0 and total + in_flight + estimate[unit] > limit then wait = true end
end
if wait and redis.call('hexists', open, id) == 0 then return {'wait'} end
hold(id, estimate.tokens, estimate.nano, model, ms)
reply[#reply + 1] = estimate.tokens
reply[#reply + 1] = estimate.nano
return reply
