-- Accept one message on an edge, once, while there is room.
--
-- KEYS  1 edge  2 lane  3 origin  4 seen
-- ARGV  1 nonce of this call  2 milliseconds for which the id is remembered  3 capacity of edge and lane together
--       4 raw  5 signature  6 key id
-- Returns 'ok', 'dup' or 'full'.
--
-- Must hold: whether it was accepted and whether it is remembered change together, also when the stream is lost. The same call made twice (its answer
-- was lost) is 'ok' twice, and the message is there once. Nothing is ever trimmed to make room.

return accept(KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6])
