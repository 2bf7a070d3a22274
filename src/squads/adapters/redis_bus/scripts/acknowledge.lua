-- Be done with a message.
--
-- KEYS  1 edge  2 lane
-- ARGV  1 group  2 consumer  3.. the entries of the message, three arguments each
-- Returns how many entries were still in the caller's hands.
--
-- Must hold: what is in other hands by now stays there. Twice is no error.

local mine = held(ARGV[1], ARGV[2], 3)
for _, entry in ipairs(mine) do
  finish(ARGV[1], entry)
end
return #mine
