local lost = {}
for at = 1, #KEYS, 2 do
    local lease, outcome, holder = KEYS[at], KEYS[at + 1], ARGV[(at + 3) / 2]
    local held = redis.call('get', lease)
    local done = redis.call('exists', outcome) == 1 and redis.call('strlen', outcome) == 0
    if held == holder or not held and not done then
        redis.call('set', lease, holder, 'PX', ARGV[1])
    else
        lost[#lost + 1] = holder
    end
end
return lost
