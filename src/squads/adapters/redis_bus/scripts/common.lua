-- What the other scripts share; `scripts.py` puts it before each of them.
-- Entries are told apart by three arguments each: the index in KEYS of the stream it stands in, its id, and how often
-- it had been delivered when the caller got it.

local RAW_BYTES_MAX = 131072 -- of a dead letter: twice what any message may have, so that too much still looks like it

-- Those of the entries from ARGV[first] on that are still in the caller's hands, as {stream, id};
-- and whether a group is gone, and with it what anybody had in hand.
local function held(group, consumer, first)
  local mine, lost = {}, false
  for i = first, #ARGV - 2, 3 do
    local stream, id = KEYS[tonumber(ARGV[i])], ARGV[i + 1]
    local pending = redis.pcall('XPENDING', stream, group, id, id, 1, consumer)
    if pending.err then
      if not string.find(pending.err, 'NOGROUP', 1, true) then error(pending.err) end
      lost = true
    elseif pending[1] and pending[1][4] == tonumber(ARGV[i + 2]) then
      mine[#mine + 1] = { stream, id }
    end
  end
  return mine, lost
end

local function finish(group, entry)
  redis.call('XACK', entry[1], group, entry[2])
  redis.call('XDEL', entry[1], entry[2])
end

-- Accept a message, once: 'ok' also for the caller's own message whose answer it did not get, 'dup' for one that was
-- accepted from somebody else or in another call, 'full' when there is no room.
-- What is remembered holds for the stream that the message went to: where that was lost and begun anew, its origin is
-- another one, and the message is accepted again. Origins and nonces have 16 bytes each.
local function accept(edge, lane, origin_key, seen, nonce, ttl_ms, capacity, raw, signature, key_id)
  local origin = redis.call('GET', origin_key)
  if not origin or redis.call('EXISTS', edge) == 0 then
    origin = nonce
    redis.call('SET', origin_key, origin)
  end
  local was = redis.call('GET', seen)
  if was and string.sub(was, 1, #origin) == origin then
    return was == origin .. nonce and 'ok' or 'dup'
  end
  if redis.call('XLEN', edge) + redis.call('XLEN', lane) >= tonumber(capacity) then
    return 'full'
  end
  redis.call('XADD', edge, '*', 'b', raw, 's', signature, 'k', key_id, 'd', '0', 'c', '0')
  redis.call('SET', seen, origin .. nonce, 'PX', ttl_ms)
  return 'ok'
end

-- A count that stands in a field anybody with access to the stream could have written.
local function count_of(text)
  local number = tonumber(text)
  if number == nil or number ~= number or number < 0 then
    return 0
  end
  return math.floor(math.min(number, 1000000))
end

-- The fields of an entry; nil when it is not there any more. What lacks its bytes is kept as what it has instead.
local function fields_of(stream, id)
  local found = redis.call('XRANGE', stream, id, id)[1]
  if not found then
    return nil
  end
  local fields = {}
  for i = 1, #found[2] - 1, 2 do
    fields[found[2][i]] = found[2][i + 1]
  end
  return {
    b = fields.b or string.sub(table.concat(found[2], '\n'), 1, RAW_BYTES_MAX),
    s = fields.s or '', k = fields.k or '', d = count_of(fields.d), c = count_of(fields.c),
  }
end

local function append(stream, fields)
  redis.call('XADD', stream, '*', 'b', fields.b, 's', fields.s, 'k', fields.k,
    'd', string.format('%d', fields.d), 'c', string.format('%d', fields.c))
end

-- The key of the dead letters comes as an argument: a role may write there and not read, and a server demands both for
-- what stands in KEYS. `edge` is where it was sent, also for what stood in the lane: the signature is for that.
local function lay_out(dead, edge, id, fields, deliveries, reason)
  redis.call('XADD', dead, '*', 'b', string.sub(fields.b, 1, RAW_BYTES_MAX), 's', string.sub(fields.s, 1, 1024),
    'k', string.sub(fields.k, 1, 1024), 'edge', edge, 'entry', id,
    'deliveries', string.format('%d', deliveries), 'reason', reason)
end
