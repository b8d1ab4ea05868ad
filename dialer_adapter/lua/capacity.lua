-- Link: how much the living consumers want. Returns {orders wanted, orders waiting, consumers alive}.
local wanted, alive, wall = 0, 0, wall_ms()
local wants = redis.call('HGETALL', P .. ':wants')
for i = 1, #wants, 2 do
  local count, till = string.match(wants[i + 1], '^(%d+) (%d+)$')
  if count and tonumber(till) > wall then
    wanted, alive = wanted + count, alive + 1
  else
    redis.call('HDEL', P .. ':wants', wants[i])
  end
end
return {wanted, redis.call('ZCARD', P .. ':queue'), alive}
