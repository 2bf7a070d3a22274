-- Give back what a consumer that closes has in hand, as if it had not been delivered, and take its name off the list:
-- one page of it.
--
-- KEYS  1 edge  2 lane
-- ARGV  1 group  2 consumer  3 how many entries at most
-- Returns {given back, 1 when there is more}.
--
-- Must hold: the name is removed only with nothing in hand: removing it would lose what it has. Twice is no error.

local page, given, more = tonumber(ARGV[3]), 0, 0
for i = 1, 2 do
  local pending = redis.pcall('XPENDING', KEYS[i], ARGV[1], '-', '+', page, ARGV[2])
  if pending.err then
    if not string.find(pending.err, 'NOGROUP', 1, true) then error(pending.err) end
  else
    for _, entry in ipairs(pending) do
      local fields = fields_of(KEYS[i], entry[1])
      if fields then
        append(KEYS[i], fields)
        given = given + 1
      end
      finish(ARGV[1], { KEYS[i], entry[1] })
    end
    page = page - #pending
    if page == 0 then
      more = 1
      break
    end
    redis.call('XGROUP', 'DELCONSUMER', KEYS[i], ARGV[1], ARGV[2])
  end
end
return { given, more }
