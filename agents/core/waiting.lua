-- What a refused person or program is told: shared by nginx's Lua and Envoy's. Above this line stands
-- W: `pages` by language and by what is known, their `default`, `problems`, and the path of the
-- forecast, which the agent writes. It is read once a second at most, and only for a refused
-- request. Whatever is wrong with it, "not known yet" is said.
local waiting = {}
do
  local BUCKETS = 1048576
  -- A row is good for 60 s when it is written: one that says more was of another clock.
  local LEFT_MAX = 120
  local looked, rows = nil, {}

  local function read_rows()
    local found = {}
    local file = io.open(W.forecast, "r")
    local text = file and file:read(16384) or ""
    if file then file:close() end
    for first, last, percent, time, zone, ratio, instant, till in text:gmatch(
      "(%d+):(%d+) (%d+)|([%d:-]+)|([%w+-]+)|([%d.]+)|([%w:-]+)|(%d+)\n") do
      found[#found + 1] = {first = tonumber(first), last = tonumber(last), percent = percent,
        time = time, zone = zone, ratio = ratio, instant = instant, till = tonumber(till)}
    end
    return found
  end

  local function row_of(bucket, now)
    if looked ~= now then
      looked, rows = now, read_rows()
    end
    for i = 1, #rows do
      local row = rows[i]
      if bucket >= row.first and bucket <= row.last then
        local left = row.till - now
        return left > 0 and left <= LEFT_MAX and row or nil
      end
    end
  end

  local function page_for(header)
    local best, best_quality = W.pages[W.default], 0
    for range in (header or ""):lower():gmatch("[^,]+") do
      -- Of "de-at;q=0.9" the "de".
      local language = (range .. ";"):match("^%s*(%a+)[-;%s]")
      local page = language and W.pages[language]
      local quality = tonumber(range:match("q=([%d.]+)")) or 1
      if page and quality > best_quality then best, best_quality = page, quality end
    end
    return best
  end

  waiting.SOON = "1"

  -- `bucket`: nil where there is none; `retry`: seconds, as text, SOON where the next look decides;
  -- `now`: whole seconds of the wall clock. Returns the kind and the text.
  function waiting.answer(accept, accept_language, bucket, retry, now, is_soon)
    local known, words = "nothing", {retry_after = retry}
    if is_soon then
      known = "soon"
    elseif bucket then
      local row = row_of(bucket, now)
      local own = math.floor(bucket * 100 / BUCKETS) + 1
      known, words.share = "share", row and row.percent or tostring(own)
      words.ratio = row and row.ratio or own .. "e-2"
      if row and row.time ~= "-" then
        known, words.time, words.zone, words.instant = "time", row.time, row.zone, row.instant
      end
    end
    accept = (accept or ""):lower()
    local wants_json = accept:find("application/json", 1, true)
      or accept:find("application/problem+json", 1, true)
    local is_problem = wants_json and not accept:find("text/html", 1, true)
    local text = is_problem and W.problems[known] or page_for(accept_language)[known]
    text = text:gsub("{{([%w_]+)}}", words)
    return is_problem and "application/problem+json" or "text/html; charset=utf-8", text
  end
end
