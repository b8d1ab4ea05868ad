-- Link: offer orders, best first. ARGV: the epoch they are meant for, then lease id, ring_by_ms, order per order.
-- Returns a word per order: queued or queued_already; refused: old_epoch, lost_touch, too_late, taken, ringing,
-- ended, recalled.
local current = epoch()
local now, speed = business()
local answers = {}
for i = 2, #ARGV, 3 do
  local id, ring_by = ARGV[i], tonumber(ARGV[i + 1])
  local state = redis.call('HGET', lease_key(id), 'state')
  local answer = 'queued'
  if current ~= ARGV[1] then answer = 'old_epoch'
  elseif state == 'queued' then answer = 'queued_already'
  elseif state then answer = state
  elseif not now then answer = 'lost_touch'
  elseif ring_by <= now then answer = 'too_late'
  else
    redis.call('HSET', lease_key(id), 'state', 'queued', 'ring_by_ms', ARGV[i + 1], 'epoch', current,
      'order', ARGV[i + 2])
    redis.call('PEXPIRE', lease_key(id), wall_left(ring_by, now, speed))
    redis.call('ZADD', P .. ':queue', redis.call('INCR', P .. ':turn'), id)
    redis.call('ZADD', P .. ':due', ARGV[i + 1], id)
  end
  answers[#answers + 1] = answer
end
return answers
