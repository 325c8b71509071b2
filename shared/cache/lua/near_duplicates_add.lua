local owner, record, near, similar, variants = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local bands = {unpack(ARGV, 8)}
if redis.call('hexists', index, 'generation') == 0 then return {'lost'} end
local decided = redis.call('get', KEYS[2])
if decided then return cmsgpack.unpack(decided) end

local mine, size = {}, 0
for at = 49, #record, 4 do mine[string.sub(record, at, at + 3)] = true; size = size + 1 end
local function common(other)
    local both, all = 0, size
    for at = 49, #other, 4 do
        if mine[string.sub(other, at, at + 3)] then both = both + 1 else all = all + 1 end
    end
    return both / all
end
local function same(other, first, last) return string.sub(other, first, last) == string.sub(record, first, last) end

local rank = {new = 0, variant = 1, near_repeat = 2, ['repeat'] = 3}
local kind, twin, best, family, known = 'new', '', 0, 0, false
for _, other in ipairs(alike(bands)) do
    local score = common(other)
    local is = 'new'
    if score >= similar then is, family = 'variant', family + 1 end
    if score >= near and same(other, 25, 32) and (same(other, 41, 48) or not same(other, 33, 40)) then
        is = 'near_repeat'
    end
    if same(other, 17, 24) then is = 'repeat' end
    if string.sub(other, 1, 16) == owner then known = true
    elseif rank[is] > rank[kind] or is == kind and score > best then
        kind, twin, best = is, string.sub(other, 1, 16), score
    end
end
if known or kind == 'new' or kind == 'variant' and family <= variants then
    if not known then add(record, bands, tonumber(ARGV[6])) end
    kind, twin, best = 'new', '', 0
end
local decision = {kind, twin, string.format('%.3f', best)}
redis.call('set', KEYS[2], cmsgpack.pack(decision), 'PX', ARGV[7])
return decision
