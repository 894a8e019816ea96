-- wrk script: sends the lines of a file, as form bodies (POST) or as paths (GET).
-- Arguments: FILE MODE THREADS METHOD MEAN_DELAY_MS DEPTH [CAPTURE_FILE PATTERN ...]
--   cycle: the lines in turn, over and over. once: each line once over all threads; then wrk ends at once.
--   shed: as cycle, and answers of status 503 are counted by themselves.
--   A mean delay above 0 makes each connection wait a random time (twice the mean at most) before each request: a load below the capacity.
--   A depth above 1 sends so many requests together on a connection, with mode cycle.
--   With a capture file, what the patterns find in the Location header or the body of each good answer is
--   written there, a line each.
local threads, all_threads = 0, {}
function setup(thread)
  all_threads[#all_threads + 1] = thread
  thread:set("number", threads)
  threads = threads + 1
end

local function end_run() -- wrk sleeps out its time; as Ctrl-C does, this wakes it
  local ffi = require("ffi")
  ffi.cdef("int getpid(void); int kill(int, int);")
  wrk.thread:stop()
  ffi.C.kill(ffi.C.getpid(), 2)
end

local function capture_into(path, patterns)
  local out = io.open(path .. "." .. number, "w")
  out:setvbuf("full", 65536)
  response = function(status, headers, body)
    if status >= 400 then return end
    local found = {}
    for _, pattern in ipairs(patterns) do found[#found + 1] = (headers["Location"] or body):match(pattern) end
    if #found == #patterns then out:write(table.concat(found, " "), "\n") end
  end
  finish_capture = function() out:flush() end
end

local function together(depth)
  local made = {}
  for i = 1, #requests do
    local some = {}
    for j = 0, depth - 1 do some[#some + 1] = requests[(i + j - 1) % #requests + 1] end
    made[i] = table.concat(some)
  end
  return made
end

function init(args)
  mode, wrk.method = args[2], args[4]
  if wrk.method == "POST" then wrk.headers["Content-Type"] = "application/x-www-form-urlencoded" end
  requests, next_one = {}, 1
  local total, line_number = tonumber(args[3]), 0
  for line in io.lines(args[1]) do
    if line_number % total == number then
      requests[#requests + 1] = wrk.method == "GET" and wrk.format(nil, line) or wrk.format(nil, nil, nil, line)
    end
    line_number = line_number + 1
  end
  local mean_ms = tonumber(args[5])
  if mean_ms > 0 then
    math.randomseed(number + 1)
    delay = function() return math.floor(math.random() * 2 * mean_ms + 0.5) end
  end
  refused = 0
  if mode == "shed" then response = function(status) if status == 503 then refused = refused + 1 end end end
  local depth = tonumber(args[6])
  if depth > 1 then requests = together(depth) end
  if args[7] then capture_into(args[7], { unpack(args, 8) }) end
end

local asked = false
function request()
  if not asked then -- wrk asks once to see what a request looks like, and does not send it
    asked = true
    return requests[1]
  end
  if next_one > #requests then
    if mode == "once" then
      if next_one == #requests + 1 then
        next_one = next_one + 1
        if finish_capture then finish_capture() end
        end_run()
      end
      return "" -- sent as nothing
    end
    next_one = 1
  end
  local r = requests[next_one]
  next_one = next_one + 1
  return r
end

function done(summary, latency, _)
  local e, shed = summary.errors, 0
  for _, thread in ipairs(all_threads) do shed = shed + thread:get("refused") end
  io.write(string.format(
    'JSON {"requests":%d,"duration_us":%d,"mean_us":%d,"p50_us":%d,"p99_us":%d,"p999_us":%d,"max_us":%d,"status":%d,"shed":%d,"errors":%d}\n',
    summary.requests, summary.duration, latency.mean, latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    latency.max, e.status, shed, e.connect + e.read + e.write + e.status + e.timeout))
end
