-- Make sure that an edge has its group, from the first entry on.
--
-- KEYS  1 edge  2 lane  3 origin
-- ARGV  1 group  2 what to call the origin, should there be none: 16 bytes
-- Returns the origin: another one than before exactly where the stream was lost meanwhile.
--
-- Must hold: work that was sent before the first reader came is read, and is remembered as sent. Twice is no error.

local fresh = redis.call('EXISTS', KEYS[1], KEYS[3]) < 2
for i = 1, 2 do
  local made = redis.pcall('XGROUP', 'CREATE', KEYS[i], ARGV[1], '0', 'MKSTREAM')
  if made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then
    return made
  end
end
if fresh then
  redis.call('SET', KEYS[3], ARGV[2])
end
return redis.call('GET', KEYS[3])
