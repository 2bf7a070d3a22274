-- Make a message a dead letter now.
--
-- KEYS  1 edge  2 lane
-- ARGV  1 group  2 consumer  3 dead  4 reason  5.. the entries of the message, three arguments each
-- Returns 'dead', or 'gone' (not in the caller's hands any more; nothing happened).
--
-- Must hold: its bytes are kept as they came, with where they came from. Twice is no error, and buries once.

local mine = held(ARGV[1], ARGV[2], 5)
if #mine == 0 then
  return 'gone'
end
local stream, id = mine[1][1], mine[1][2]
local fields = fields_of(stream, id)
if fields then
  lay_out(ARGV[3], KEYS[1], id, fields, fields.d + fields.c + 1, ARGV[4])
end
for _, entry in ipairs(mine) do
  finish(ARGV[1], entry)
end
return 'dead'
