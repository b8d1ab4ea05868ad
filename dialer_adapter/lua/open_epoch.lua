-- Link: say which epoch is in force; open a new one after a flush or a restart.
-- ARGV: token, born_ms (business), wire version. Returns {epoch, "1" if new}.
-- A restart may bring back orders whose taking was not saved: the new epoch drops all that were queued.
local current = epoch()
if current then return {current, '0'} end
for _, id in ipairs(redis.call('ZRANGE', P .. ':queue', 0, -1)) do
  lapse(id, 'unknown')
end
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
redis.call('HSET', P .. ':epoch', 'token', ARGV[1], 'run_id', run_id, 'born_ms', ARGV[2], 'wire', ARGV[3])
return {epoch(), '1'}
