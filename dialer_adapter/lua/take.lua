-- Dialer: take up to so many orders, first offered first. ARGV: consumer, limit.
-- Returns {"ok", epoch, business_ms, speed, order (JSON), ...}, or {"no_epoch" or "lost_touch", epoch or "", "", "0"}.
-- The last check before a ring: what is recalled is gone from the queue, what is past ring_by is dropped here.
-- The lease becomes taken, its number leaves Redis, and the link is told: in one step, so never given twice.
local consumer, limit = ARGV[1], tonumber(ARGV[2])
local current = epoch()
if not current then return {'no_epoch', '', '', '0'} end
local now, speed = business()
if not now then return {'lost_touch', current, '', '0'} end
local reply = {'ok', current, digits(now), tostring(speed)}
while #reply - 4 < limit do
  local id = redis.call('ZPOPMIN', P .. ':queue')[1]
  if not id then break end
  local known = redis.call('HMGET', lease_key(id), 'state', 'order', 'ring_by_ms', 'epoch')
  if known[1] == 'queued' and known[4] == current and tonumber(known[3]) > now then
    mark(id, 'state', 'taken', 'consumer', consumer)
    redis.call('SADD', P .. ':held:' .. consumer, id)
    announce(consumer, id .. ':taken', id, 'taken', digits(now), '{}')
    reply[#reply + 1] = known[2]
  else
    lapse(id, known[4] and known[4] ~= current and 'unknown' or 'never_seen')
  end
end
redis.call('PEXPIRE', P .. ':held:' .. consumer, KEPT_MS)
return reply
