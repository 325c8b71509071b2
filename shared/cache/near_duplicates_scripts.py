"""The commands of the near-duplicate index as Lua (twins.py says what they are for).

Keys: hash `index` (band → numbers of four bytes; number → record; `counter`; `akin` and numbers
and key → problems that have them, owner (16) and statement; and `generation` once it is whole), string
`decided` of one problem, string `builder`. A record is owner (16), text, figures, written, key (8 each), shingles.
"""

_COMMON = """
local index = KEYS[1]
local function add(record, bands, most)
    local number = struct.pack('>I4', redis.call('hincrby', index, 'counter', 1))
    redis.call('hset', index, number, record)
    local full = redis.call('hmget', index, unpack(bands))
    for i, band in ipairs(bands) do
        redis.call('hset', index, band, string.sub((full[i] or '') .. number, -4 * most))
    end
end
local function alike(bands)
    local seen, numbers = {}, {}
    for _, full in ipairs(redis.call('hmget', index, unpack(bands))) do
        for at = 1, #(full or ''), 4 do
            local number = string.sub(full, at, at + 3)
            if not seen[number] then
                seen[number] = true
                numbers[#numbers + 1] = number
            end
        end
    end
    if #numbers == 0 then return {} end
    return redis.call('hmget', index, unpack(numbers))
end
"""

ADD = (
    _COMMON
    + """
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
"""
)

_CANDIDATES = """
local function akin(field, owner, text, most)
    local told = redis.call('hget', KEYS[1], 'akin' .. field)
    local all, before = told and cmsgpack.unpack(told) or {}, {}
    for _, one in ipairs(all) do
        if string.sub(one, 1, 16) == owner then return before end
        before[#before + 1] = one
    end
    if #all < most then
        all[#all + 1] = owner .. text
        redis.call('hset', KEYS[1], 'akin' .. field, cmsgpack.pack(all))
    end
    return before
end
"""

CANDIDATES = (
    _CANDIDATES
    + """
if redis.call('hexists', KEYS[1], 'generation') == 0 then return false end
return akin(ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]))
"""
)

RESTORE_CANDIDATES = (
    _CANDIDATES
    + """
if redis.call('get', KEYS[2]) ~= ARGV[1] then return 0 end
akin(ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]))
return 1
"""
)

CLAIM = """
if redis.call('hexists', KEYS[1], 'generation') == 1 then return 0 end
if not redis.call('set', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
redis.call('unlink', KEYS[1])
return 1
"""

HOLD = "return redis.call('get', KEYS[2]) == ARGV[1] and redis.call('pexpire', KEYS[2], ARGV[2]) or 0"

RESTORE = (
    _COMMON
    + """
if redis.call('get', KEYS[2]) ~= ARGV[1] then return 0 end
local record, bands = ARGV[2], {unpack(ARGV, 4)}
for _, other in ipairs(alike(bands)) do
    if string.sub(other, 1, 24) == string.sub(record, 1, 24) then return 1 end
end
add(record, bands, tonumber(ARGV[3]))
return 1
"""
)

OPEN = """
if redis.call('get', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('hset', KEYS[1], 'generation', ARGV[1])
redis.call('del', KEYS[2])
return 1
"""
