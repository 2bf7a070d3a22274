-- Take what a dead consumer had in hand away from it: one page of it.
--
-- KEYS  1 edge  2 lane  3 heartbeat of the owner
-- ARGV  1 group  2 owner  3 dead  4 milliseconds that a heartbeat can promise at most
--       5 '1' where what it had is tried alone from now on  6 how many crashes alone are allowed
--       7 reason for a dead letter  8 how many entries at most
-- Returns {'alive' or 'dead', moved, buried, 1 when there is more}.
--
-- Must hold: an owner whose heart beats keeps everything. Only who was alone with a message and died is
-- evidence against it. A name is removed only with nothing in hand: removing it would lose what it has.
-- Twice is no error: nothing is moved twice.

-- A key that stands for longer than any beat can was left behind when the server's clock was set back.
local stands_ms = redis.call('PTTL', KEYS[3])
if stands_ms >= 0 and stands_ms <= tonumber(ARGV[4]) then
  return { 'alive', 0, 0, 0 }
end
local group, owner, page = ARGV[1], ARGV[2], tonumber(ARGV[8])
local moved, buried = 0, 0

local function take(stream, id)
  local fields = fields_of(stream, id)
  if fields then
    local alone = stream == KEYS[2]
    fields.c = fields.c + (alone and 1 or 0)
    if alone and fields.c >= tonumber(ARGV[6]) then
      lay_out(ARGV[3], KEYS[1], id, fields, fields.d + fields.c, ARGV[7])
      buried = buried + 1
    else
      append(ARGV[5] == '1' and KEYS[2] or KEYS[1], fields)
      moved = moved + 1
    end
  end
  finish(group, { stream, id })
end

local more = 0
for i = 1, 2 do
  local pending = redis.pcall('XPENDING', KEYS[i], group, '-', '+', page, owner)
  if pending.err then
    if not string.find(pending.err, 'NOGROUP', 1, true) then error(pending.err) end
  else
    for _, entry in ipairs(pending) do
      take(KEYS[i], entry[1])
    end
    page = page - #pending
    if page == 0 then
      more = 1
      break
    end
    redis.call('XGROUP', 'DELCONSUMER', KEYS[i], group, owner)
  end
end
return { 'dead', moved, buried, more }
