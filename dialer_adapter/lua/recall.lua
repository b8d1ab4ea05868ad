-- Link: want orders back. ARGV: lease ids. Returns a word per lease: recalled, taken, never_seen or unknown.
-- What was not taken gets a tombstone: an offer of it that arrives later is refused. Asking again answers the same.
local current, born_ms = epoch()
local answers = {}
for i, id in ipairs(ARGV) do
  local known = redis.call('HMGET', lease_key(id), 'state', 'answer', 'epoch')
  local state, answer = known[1], 'taken'
  if state == 'recalled' then answer = known[2]
  elseif state == 'queued' and known[3] == current then answer = 'recalled'
  elseif state == 'queued' then answer = 'unknown'
  elseif not state then answer = traceless(id, born_ms)
  end
  if answer ~= 'taken' then withdraw(id, answer) end
  answers[i] = answer
end
return answers
