-- Link: what is known of leases; changes nothing. ARGV: lease ids.
-- Returns state and result per lease: never_seen, queued, taken, ringing, ended, recalled or unknown.
local current, born_ms = epoch()
local answers = {}
for _, id in ipairs(ARGV) do
  local known = redis.call('HMGET', lease_key(id), 'state', 'result', 'epoch', 'answer')
  local state = known[1] or traceless(id, born_ms)
  if state == 'queued' and known[3] ~= current then state = 'unknown' end
  if state == 'recalled' and known[4] == 'unknown' then state = 'unknown' end
  answers[#answers + 1] = state
  answers[#answers + 1] = known[2] or ''
end
return answers
