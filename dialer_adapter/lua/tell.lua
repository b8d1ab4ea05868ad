-- Dialer: tell events. ARGV: consumer, then event id, lease id, kind, at_ms (business; "" = now), body (JSON) per
-- event. Returns how many were new. Telling one again is harmless: do so until it is acknowledged.
-- A lease only goes forward, taken to ringing to ended; what a dialer says it holds is not offered to another.
local RANK = {taken = 1, ringing = 2, answered = 2, connected = 2, key = 2, intent = 2, hung_up = 2, ended = 3}
local STATE = {'taken', 'ringing', 'ended'}
local consumer, fresh = ARGV[1], 0
local held = P .. ':held:' .. consumer
local now = business()
for i = 2, #ARGV, 5 do
  local event_id, id, kind, at_ms, body = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  if at_ms == '' and now then at_ms = digits(now) end
  if announce(consumer, event_id, id, kind, at_ms, body) then fresh = fresh + 1 end
  local rank = RANK[kind]
  if rank and id ~= '' and rank > (RANK[redis.call('HGET', lease_key(id), 'state')] or 0) then
    mark(id, 'state', STATE[rank], 'consumer', consumer)
    if rank < 3 then redis.call('SADD', held, id) end
  end
  if rank == 3 and id ~= '' then
    local read, said = pcall(cjson.decode, body)
    if read and type(said) == 'table' then redis.call('HSETNX', lease_key(id), 'result', tostring(said.result)) end
    redis.call('SREM', held, id)
  end
end
redis.call('PEXPIRE', held, KEPT_MS)
return fresh
