-- A page of the names of a workspace's keys, from the server that has them, also in a cluster.
--
-- KEYS  1 any key of the workspace
-- ARGV  1 cursor  2 pattern  3 how many to look at
-- Returns {next cursor, names}. It reads no values.

return redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', ARGV[3])
