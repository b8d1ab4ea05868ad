-- Dialer: a sign of life, about once a second. ARGV: consumer, orders it wants to find waiting, wall ms for which
-- that counts, then event ids whose ack it has seen.
-- Returns {epoch or "", business_ms or "", speed, event id acknowledged, ...}: up to 500 acks.
local consumer = ARGV[1]
local acks = P .. ':acks:' .. consumer
redis.call('HSET', P .. ':wants', consumer, ARGV[2] .. ' ' .. digits(wall_ms() + ARGV[3]))
for i = 4, #ARGV do redis.call('SREM', acks, ARGV[i]) end
local now, speed = business()
local reply = {epoch() or '', now and digits(now) or '', tostring(speed or 0)}
for _, event_id in ipairs(redis.call('SRANDMEMBER', acks, 500)) do reply[#reply + 1] = event_id end
return reply
