-- Link: these events are safely ours. ARGV: event id, then its stream id ("" if not known), per event.
-- They leave the stream, and their consumers are told. A lost ack is harmless: the consumer tells again.
for i = 1, #ARGV, 2 do
  local event_id, place = ARGV[i], ARGV[i + 1]
  local told = redis.call('HGET', P .. ':told', event_id)
  if told then
    local consumer
    place, consumer = string.match(told, '^(%S+) (.*)$')
    local acks = P .. ':acks:' .. consumer
    redis.call('HDEL', P .. ':told', event_id)
    redis.call('SADD', acks, event_id)
    redis.call('PEXPIRE', acks, KEPT_MS)
    if redis.call('SCARD', acks) > 10000 then redis.call('SPOP', acks) end
  end
  if place ~= '' then redis.call('XDEL', P .. ':events', place) end
end
return #ARGV / 2
