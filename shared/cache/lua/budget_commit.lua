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
