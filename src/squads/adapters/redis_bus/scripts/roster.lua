-- Put a roster in the place of exactly the one that was read.
--
-- KEYS  1 roster
-- ARGV  1 SHA-1 of what was read there, empty where there was nothing  2 the new roster
-- Returns 1, or 0 (something else lies there; nothing happened).
--
-- Must hold: two runners that publish at once never take back what the other has published. The same call made twice
-- is answered alike twice.

local lies = redis.call('GET', KEYS[1])
if lies == ARGV[2] then
  return 1
end
if (lies and redis.sha1hex(lies) or '') ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2])
return 1
