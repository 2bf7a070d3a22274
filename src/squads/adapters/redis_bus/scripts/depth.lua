-- How many entries wait or are out, of any streams of one workspace.
--
-- KEYS  streams
-- Returns their lengths in the same order; 0 for one that is not there.

local lengths = {}
for i, stream in ipairs(KEYS) do
  lengths[i] = redis.call('XLEN', stream)
end
return lengths
