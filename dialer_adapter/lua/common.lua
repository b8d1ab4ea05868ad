-- Stands in front of every script. KEYS[1] is the queue's prefix P = "ringeliste:{<queue>}": the braces keep all
-- keys of a queue in one cluster slot, so the scripts may build the other names from it.
--
--   P:epoch       hash    token, run_id, born_ms, wire: valid while run_id is this server's own
--   P:clock       hash    business_ms was true at this server's wall_ms and runs at speed; trusted for fresh_ms
--   P:queue       zset    lease ids waiting, by turn (P:turn counts)
--   P:due         zset    the same lease ids, by ring_by_ms
--   P:lease:<id>  hash    state: queued, taken, ringing, ended or recalled; order (JSON with the number) while
--                         queued only; ring_by_ms, epoch; consumer; result; answer (of a recall)
--   P:events      stream  event_id, lease_id, kind, at_ms, body, consumer: what is not acknowledged yet
--   P:told        hash    event id -> "<stream id> <consumer>" while the event waits in P:events
--   P:acks:<c>    set     event ids acknowledged, until the consumer has seen it
--   P:held:<c>    set     lease ids a consumer has taken and not ended
--   P:wants       hash    consumer -> "<orders wanted> <wall ms until when it counts>"
--   P:scripts     hash    name -> text of the scripts that dialers run
local P = KEYS[1]
local KEPT_MS = 86400000 -- marks without a number stay a day of wall time, for reconciliation

local function wall_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + time[2] / 1000
end

local function digits(number)
  return string.format('%.0f', number)
end

-- Business time in ms and its speed; nil when the link has not told it lately: then nothing may ring.
local function business()
  local clock = redis.call('HMGET', P .. ':clock', 'business_ms', 'wall_ms', 'speed', 'fresh_ms')
  if not clock[1] then return nil end
  local age = wall_ms() - clock[2]
  if age < -1000 or age > tonumber(clock[4]) then return nil end
  return clock[1] + math.max(age, 0) * clock[3], tonumber(clock[3])
end

-- The epoch in force and the business ms of its birth; nil after a flush or restart until the link opens one.
local function epoch()
  local key = redis.call('HMGET', P .. ':epoch', 'token', 'run_id', 'born_ms')
  local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  if not key[1] or key[2] ~= run_id then return nil end
  return key[1] .. '.' .. run_id, tonumber(key[3])
end

local function lease_key(id)
  return P .. ':lease:' .. id
end

local function leave_queue(id)
  redis.call('ZREM', P .. ':queue', id)
  redis.call('ZREM', P .. ':due', id)
end

-- Wall ms until ring_by, when the number must be gone from here; a day when the clock (almost) stands still.
local function wall_left(ring_by, now, speed)
  if speed <= 0 then return KEPT_MS end
  return math.max(1, math.min(KEPT_MS, math.ceil((ring_by - now) / speed)))
end

-- Replace whatever is known of a lease by a mark: never a number, never the order.
local function mark(id, ...)
  leave_queue(id)
  redis.call('HDEL', lease_key(id), 'order')
  redis.call('HSET', lease_key(id), ...)
  redis.call('PEXPIRE', lease_key(id), KEPT_MS)
end

-- Take an order out of the queue for good: its tombstone keeps the answer that a recall of it gets.
local function withdraw(id, answer)
  mark(id, 'state', 'recalled', 'answer', answer)
end

-- The same for what nobody took: its key may have expired, but what was taken stays taken.
local function lapse(id, answer)
  local state = redis.call('HGET', lease_key(id), 'state')
  if state and state ~= 'queued' then leave_queue(id) else withdraw(id, answer) end
end

-- What no trace of a lease means. Its id carries the business ms of its making: one made before this epoch
-- began may have been taken by a dialer whose mark was lost with the last epoch.
local function traceless(id, born_ms)
  if not born_ms then return 'unknown' end
  local made_ms = tonumber(string.sub(id, 1, 8) .. string.sub(id, 10, 13), 16)
  if not made_ms or made_ms < born_ms then return 'unknown' end
  return 'never_seen'
end

-- Append an event unless it already waits to be acknowledged. True when it is new.
local function announce(consumer, event_id, lease_id, kind, at_ms, body)
  if redis.call('HEXISTS', P .. ':told', event_id) == 1 then return false end
  local place = redis.call('XADD', P .. ':events', '*', 'event_id', event_id, 'lease_id', lease_id,
    'kind', kind, 'at_ms', at_ms, 'body', body, 'consumer', consumer)
  redis.call('HSET', P .. ':told', event_id, place .. ' ' .. consumer)
  return true
end

