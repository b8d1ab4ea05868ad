-- Link: keep the clock, and drop orders past ring_by together with their numbers.
-- ARGV: business_ms, wall_ms, speed, fresh_ms. wall_ms is this server's own TIME, read before business_ms:
-- however late this script arrives, the clock is never behind. Returns how many orders were dropped.
local told = redis.call('HMGET', P .. ':clock', 'wall_ms', 'speed')
if told[1] and tonumber(told[1]) > tonumber(ARGV[2]) and tonumber(told[1]) <= wall_ms() then return 0 end
redis.call('HSET', P .. ':clock', 'business_ms', ARGV[1], 'wall_ms', ARGV[2], 'speed', ARGV[3], 'fresh_ms', ARGV[4])
local now, speed = business()
if not now then return 0 end
local late = redis.call('ZRANGEBYSCORE', P .. ':due', '-inf', digits(now))
for _, id in ipairs(late) do
  lapse(id, 'never_seen')
end
if told[2] ~= ARGV[3] then -- the wall time that is left has changed with the speed
  for _, id in ipairs(redis.call('ZRANGE', P .. ':due', 0, -1)) do
    redis.call('PEXPIRE', lease_key(id), wall_left(redis.call('ZSCORE', P .. ':due', id), now, speed))
  end
end
return #late
