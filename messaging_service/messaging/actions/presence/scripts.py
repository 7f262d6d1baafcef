"""What Redis does with leases in one step of its own."""

from typing import Final

_NOW: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

# KEYS: who is due, then the leases of each person. ARGV: a Lease for each, see leases.py.
HOLD: Final = f"""{_NOW}
local came = {{}}
for i = 2, #KEYS do
    local at = (i - 2) * 4
    local user, connection, shortens = ARGV[at + 1], ARGV[at + 2], ARGV[at + 4] == '1'
    local ends = now + tonumber(ARGV[at + 3])
    local before = tonumber(redis.call('ZSCORE', KEYS[i], connection) or 0)
    if not shortens or before > ends then
        if tonumber(redis.call('ZSCORE', KEYS[1], user) or 0) <= now then
            came[#came + 1] = user
        end
        redis.call('ZADD', KEYS[i], ends, connection)
        redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now)
        local latest = redis.call('ZRANGE', KEYS[i], -1, -1, 'WITHSCORES')[2]
        redis.call('ZADD', KEYS[1], latest, user)
        redis.call('PEXPIREAT', KEYS[i], latest + 60000)
    end
end
return came
"""

# A process is heard of again once it asks with the mark it was given after the silence: it holds
# everything again before it does.
LAPSE: Final = f"""{_NOW}
local due, clock, processes = KEYS[1], KEYS[2], KEYS[3]
local silence, grace, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local most, leases, process, known = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local since, asked, resumed = unpack(redis.call('HMGET', clock, 'since', 'asked', 'resumed'))
if not since then
    since = now
    redis.call('HSET', clock, 'since', since)
end
if not asked or math.abs(now - asked) > silence then
    redis.call('ZREMRANGEBYSCORE', processes, '-inf', (asked or now) - silence)
    resumed = now
    redis.call('HSET', clock, 'resumed', resumed)
end
local mark = tostring(since) .. ':' .. tostring(resumed)
if known == mark then
    redis.call('ZADD', processes, now, process)
end
local waited = now - resumed
local is_calm = waited >= grace
    and (waited >= longest or redis.call('ZCOUNT', processes, '-inf', '(' .. resumed) == 0)
redis.call('HSET', clock, 'asked', now, 'calm', is_calm and 1 or 0)
if not is_calm then
    return {{mark, {{}}}}
end
redis.call('ZREMRANGEBYSCORE', processes, '-inf', now - longest)
local gone = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, most)
for _, user in ipairs(gone) do
    redis.call('ZREM', due, user)
    redis.call('DEL', leases .. user)
end
return {{mark, gone}}
"""
