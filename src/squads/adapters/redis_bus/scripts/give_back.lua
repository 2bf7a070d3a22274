-- Have a message delivered again, to whoever reads next.
--
-- KEYS  1 edge  2 lane
-- ARGV  1 group  2 consumer  3 dead  4 'release' (this delivery counts) or 'defer' (it does not)
--       5 reason  6 how many deliveries may fail  7.. the entries of the message, three arguments each
-- Returns 'ok'; 'dead' (it was the last allowed delivery); 'gone' (not in the caller's hands any more).
--
-- Must hold: a message in several entries goes on as one. What is deferred waits where it stood; what was released had
-- a handler that lived to say so, and goes back to the edge. Twice is no error, and counts once.

local mine = held(ARGV[1], ARGV[2], 7)
if #mine == 0 then
  return 'gone'
end
local said = 'ok'
local stream, id = mine[1][1], mine[1][2]
local fields = fields_of(stream, id)
if fields and ARGV[4] == 'defer' then
  append(stream, fields)
elseif fields then
  fields.d = fields.d + 1
  if fields.d >= tonumber(ARGV[6]) then
    lay_out(ARGV[3], KEYS[1], id, fields, fields.d + fields.c, ARGV[5])
    said = 'dead'
  else
    append(KEYS[1], fields)
  end
end
for _, entry in ipairs(mine) do
  finish(ARGV[1], entry)
end
return said
