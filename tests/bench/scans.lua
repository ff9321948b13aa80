-- One phone scan a request, each new: residents, products and tokens are drawn; bodies differ by target (ours or floor H).
local target = os.getenv("BENCH_TARGET")
local tokens = {}
if target == "ours" then
  for line in io.lines(os.getenv("BENCH_TOKENS")) do tokens[#tokens + 1] = line end
end
local codes = {}
for line in io.lines(os.getenv("BENCH_CODES")) do codes[#codes + 1] = line end
local thread = 0
function setup(t) thread = thread + 1; t:set("id", thread) end
function init(args) math.randomseed(os.time() * 100 + id); number = 0 end
function request()
  number = number + 1
  local code = codes[math.random(#codes)]
  local headers = { ["Content-Type"] = "application/json" }
  if target == "ours" then
    headers["Authorization"] = "Bearer " .. tokens[math.random(#tokens)]
    local scan = string.format("%08x-%04x-7%03x-8%03x-%012x", math.random(0, 0x7fffffff), math.random(0, 0xffff),
      math.random(0, 0xfff), id, number)
    return wrk.format("POST", "/api/resident/v1/scans", headers,
      '{"scan_id":"' .. scan .. '","code":"' .. code .. '","symbology":"EAN_13"}')
  end
  return wrk.format("POST", "/scans", headers,
    '{"resident":' .. math.random(0, 199999) .. ',"code":"' .. code .. '","points":' .. math.random(1, 50) .. '}')
end
local bad = 0
function response(status) if status ~= 201 then bad = bad + 1; wrk.thread:set("bad", bad) end end
