-- Send a dead letter again: it leaves the dead letters and stands on its edge, or neither.
--
-- KEYS  1 dead  2 edge  3 lane  4 origin  5 seen
-- ARGV  1 id of the dead letter  2 nonce of this call  3 milliseconds for which the message's id is remembered
--       4 capacity of edge and lane together  5 raw  6 signature  7 key id
-- Returns 'ok', 'full' (nothing happened) or 'gone' (there is no such dead letter any more; nothing happened).
--
-- Must hold: the id was seen before, or it would not be dead; that is forgotten and remembered anew in the same moment,
-- so a message that is sent again meanwhile is dropped. The same call made twice is 'ok' twice, and sends once.

if #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0 then
  local was = redis.call('GET', KEYS[5]) or ''
  return string.sub(was, -#ARGV[2]) == ARGV[2] and 'ok' or 'gone'
end
if redis.call('XLEN', KEYS[2]) + redis.call('XLEN', KEYS[3]) >= tonumber(ARGV[4]) then
  return 'full'
end
redis.call('DEL', KEYS[5])
accept(KEYS[2], KEYS[3], KEYS[4], KEYS[5], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7])
redis.call('XDEL', KEYS[1], ARGV[1])
return 'ok'
