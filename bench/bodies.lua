-- wrk script: sends the lines of a file as form bodies. Arguments: FILE once|cycle [authorization].
-- "once": each line is sent exactly once over all threads; a thread stops when its share is used up.
local threads = 0
function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(args)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
  mode = args[2]
  requests, next_one, used_up = {}, 1, false
  local total = tonumber(args[3] or "1")
  local line_number = 0
  for line in io.lines(args[1]) do
    if line_number % total == number then requests[#requests + 1] = wrk.format(nil, nil, nil, line) end
    line_number = line_number + 1
  end
end

function request()
  local r = requests[next_one]
  next_one = next_one + 1
  if next_one > #requests then
    if mode == "once" then wrk.thread:stop() end
    next_one = 1
  end
  return r
end

function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format(
    'JSON {"requests":%d,"duration_us":%d,"mean_us":%d,"p50_us":%d,"p99_us":%d,"p999_us":%d,"max_us":%d,"errors":%d}\n',
    summary.requests, summary.duration, latency.mean, latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    latency.max, e.connect + e.read + e.write + e.status + e.timeout))
end
