-- Send the answer to a message and be done with the message: both, or neither.
--
-- KEYS  1 edge  2 lane  3 origin  of what is answered;  4 edge  5 lane  6 origin  7 seen  of the answer
-- ARGV  1 group  2 consumer  3 origin as it was when the message was fetched
--       4 nonce  5 milliseconds for which the answer's id is remembered  6 capacity  7 raw  8 signature  9 key id
--       10.. the entries of the message, three arguments each
-- Returns 'ok'; 'dup' (the answer had been accepted before; the message is done with);
--         'lost' (the answer is accepted, but the message was not there to be done with: it may come once more);
--         'full' (nothing happened); 'gone' (not in the caller's hands any more; nothing happened).
--
-- Must hold: an answer is accepted only from who has the message in hand, with the count it was delivered with.
-- Only where the stream itself was lost, and nobody can have it, is the answer taken all the same: it was paid for, and
-- its id sees to it that it counts once. The same call made twice sends once.

local mine, lost = held(ARGV[1], ARGV[2], 10)
if #mine == 0 then
  if string.sub(redis.call('GET', KEYS[7]) or '', -#ARGV[4]) == ARGV[4] then
    return 'lost'
  end
  if not lost and redis.call('GET', KEYS[3]) == ARGV[3] then
    return 'gone'
  end
end
local said = accept(KEYS[4], KEYS[5], KEYS[6], KEYS[7], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9])
if said == 'full' then
  return said
end
for _, entry in ipairs(mine) do
  finish(ARGV[1], entry)
end
return #mine == 0 and 'lost' or said
