-- The admission rule of one gate in nginx, run by libnginx-mod-http-lua. headgate-agent prints it
-- with the gate's constants, and what the refused are told (`waiting`), above this line (`snippet nginx`): print it again rather than edit it.
--
-- The share lives in the shared dict `headgate`, which all workers see and a reload keeps; at a
-- start it comes from the share file. What is missing fails closed: without a file or a share
-- nobody is admitted.
local ffi = require "ffi"
local bit = require "bit"

local ngx, pcall, tonumber, tostring = ngx, pcall, tonumber, tostring
local find, sub, format, concat = string.find, string.sub, string.format, table.concat

local BUCKETS = 1048576
local CHECK_FILE_EVERY = 0.25
local TOLD_LATELY = 1
local ANSWER_MS_MAX = 3600 * 1000
local FLUSH_EVERY = 0.1

local dict = ngx.shared.headgate
local STATE = "headgate_" .. C.variable
local WIDTH, RETRY, BORN, TOLD = C.gate .. ":w", C.gate .. ":r", C.gate .. ":b", C.gate .. ":t"
local KEYS = C.gate .. ":k"

-- Another gate may have declared them.
pcall(ffi.cdef, "unsigned long long XXH64(const void *input, size_t length, uint64_t seed);")
pcall(ffi.cdef, "ssize_t getrandom(void *buf, size_t buflen, unsigned int flags);")
pcall(ffi.cdef, "const void *EVP_sha256(void);")
pcall(ffi.cdef, [[unsigned char *HMAC(const void *evp_md, const void *key, int key_len,
  const unsigned char *d, size_t n, unsigned char *md, unsigned int *md_len);]])
local has_xxhash, xxhash = pcall(ffi.load, "libxxhash.so.0")

local has_crypto, crypto = pcall(ffi.load, "libcrypto.so.3")

local M = {}
local trouble = not dict and "lua_shared_dict headgate 1m; is missing in http {}"
  or not has_xxhash and "libxxhash.so.0 cannot be loaded: apt-get install libxxhash0"
  or nil
if trouble then ngx.log(ngx.ERR, "headgate: ", trouble, ": nobody is admitted") end

local function read_file(path, bytes)
  local file = io.open(path, "r")
  if not file then return nil end
  local text = file:read(bytes)
  file:close()
  return text
end

-- Width and retry_after; nothing unless the file says a width.
local function read_share()
  local text = read_file(C.share, 4096)
  if not text then return nil end
  local width = tonumber(text:match("\nadmit_w (%d+)\n"))
  if not width or width > BUCKETS then return nil end
  return width, tonumber(text:match("\nretry_after (%d+)\n")) or 10
end

local function load_share()
  local width, retry = read_share()
  if not width then ngx.log(ngx.ERR, "headgate: ", C.share, " says no share: nobody is admitted") end
  -- `add`: another worker, or the agent, may have been first.
  dict:add(BORN, format("%d-%.3f", ngx.worker.pid(), ngx.now()))
  dict:add(RETRY, retry or 10)
  dict:add(WIDTH, width or 0)
  return dict:get(WIDTH) or 0
end

-- The keys that sign the gate's cookie: the one that signs new ones, and each secret by its id.
-- Without a key cookies are not signed; a file that is lost meanwhile changes nothing.
local keys_text, issuing, secrets = "", nil, {}
-- The bucket of each Cookie header that this worker has read lately, false if it holds no key: to
-- verify one costs more than all else. Thrown away when the keys change, or there are too many.
local KNOWN_MAX, KNOWN_BYTES_MAX = 8192, 512
local known, known_count = {}, 0
local function take_keys(text)
  local found = {}
  for id, secret in text:gmatch("\nk(%d+) (%S+)") do found[id] = ngx.decode_base64(secret) end
  local id = text:match("\nissue (%d+)\n")
  -- Without a key that signs, or the secret of it, it is damaged: the keys that were there stay, and
  -- no made-up cookie becomes one.
  if not id and issuing or id and not found[id] then return false end
  keys_text, secrets, issuing = text, found, id
  known, known_count = {}, 0
  return true
end
local function load_keys()
  if C.key_kind ~= "cookie" or not has_crypto then return end
  local text = read_file(C.keys, 4096)
  if text == keys_text then return end
  -- What the workers before this one went by, should the file be damaged by now.
  local before = keys_text == "" and dict and dict:get(KEYS)
  if before then take_keys(before) end
  if text and take_keys(text) and dict then dict:safe_set(KEYS, text) end
end

local HEX = {}
for byte = 0, 255 do HEX[byte] = format("%02x", byte) end
local function hex_of(bytes, count)
  local hex = {}
  for i = 0, count - 1 do hex[i + 1] = HEX[bytes[i]] end
  return concat(hex)
end

local MAC_BYTES = 16
local mac, mac_size = ffi.new("unsigned char[64]"), ffi.new("unsigned int[1]")
local function mac_of(secret, text)
  crypto.HMAC(crypto.EVP_sha256(), secret, #secret, text, #text, mac, mac_size)
  return hex_of(mac, MAC_BYTES)
end

-- "ID.NAME.MAC"
local function is_signed(cookie)
  local text, id, told = cookie:match("^((%d+)%.[^.]*)%.(%x+)$")
  local secret = id and secrets[id]
  return secret ~= nil and mac_of(secret, text) == told
end

-- What is in the file can always lower: so a lowering reaches workers that the control cannot, old
-- ones beside a new binary, or all of them when no connection is left.
--
-- nginx's time is the wall clock's: after a step back nothing may wait until it has come round again.
local function is_within(age, seconds) return age >= 0 and age < seconds end
local checked = 0
local function follow_file(width, now)
  checked = now
  load_keys()
  if is_within(now - (dict:get(TOLD) or 0), TOLD_LATELY) then return width end
  local low = read_share()
  if low and low < (dict:get(WIDTH) or 0) then
    dict:set(WIDTH, low)
    return low
  end
  return width
end

local function width_now()
  if trouble then return 0 end
  local width = dict:get(WIDTH) or load_share()
  local now = ngx.now()
  if is_within(now - checked, CHECK_FILE_EVERY) then return width end
  return follow_file(width, now)
end

local function bucket_of(key)
  return tonumber(bit.band(xxhash.XXH64(key, #key, 0), 0xFFFFFULL))
end

local key_of
if C.key_kind == "cookie" then
  -- The last one of that name, as HAProxy takes it.
  local name = C.key_name .. "="
  key_of = function()
    local header, key = ngx.var.http_cookie, nil
    local from = header and find(header, name, 1, true)
    while from do
      local before = sub(header, from - 1, from - 1)
      if from == 1 or before == " " or before == ";" then
        local to = find(header, ";", from, true) or #header + 1
        key = sub(header, from + #name, to - 1)
      end
      from = find(header, name, from + 1, true)
    end
    if not key or key == "" or issuing and not is_signed(key) then return nil end
    return key
  end
elseif C.key_kind == "header" then
  local variable = "http_" .. C.key_name:lower():gsub("-", "_")
  key_of = function()
    local key = ngx.var[variable]
    return key ~= "" and key or nil
  end
else
  key_of = function() return ngx.var.remote_addr end
end

local bucket_of_request
if C.key_kind == "cookie" then
  bucket_of_request = function()
    local header = ngx.var.http_cookie
    if not header then return nil end
    local bucket = known[header]
    if bucket ~= nil then return bucket end
    local key = key_of()
    bucket = key and has_xxhash and bucket_of(key) or false
    if #header > KNOWN_BYTES_MAX then return bucket end
    if known_count >= KNOWN_MAX then known, known_count = {}, 0 end
    known[header], known_count = bucket, known_count + 1
    return bucket
  end
else
  bucket_of_request = function()
    local key = key_of()
    return key and has_xxhash and bucket_of(key)
  end
end

-- Counted by this worker and not told yet; timers tell it to all.
local counts = {admitted = 0, answered = 0, http_5xx = 0, connection_errors = 0, refused = 0,
  new_cookies_refused = 0, bypassed = 0, bypassed_5xx = 0}
for _, ms in ipairs(C.slow_ms) do counts["slow_" .. ms] = 0 end
local SLOWEST = #C.slow_ms
local slow_keys = {}
for i, ms in ipairs(C.slow_ms) do slow_keys[i] = "slow_" .. ms end

local function flush()
  for name, count in pairs(counts) do
    if count > 0 then
      counts[name] = 0
      dict:incr(C.gate .. ":" .. name, count, 0)
    end
  end
end
local is_flushing = false
local function begin_flushing()
  is_flushing = true
  ngx.timer.every(FLUSH_EVERY, flush)
end

local function is_navigation()
  if ngx.req.get_method() ~= "GET" then return false end
  local mode = ngx.var.http_sec_fetch_mode
  if mode then return mode == "navigate" end
  local accept = ngx.var.http_accept
  return accept ~= nil and find(accept:lower(), "text/html", 1, true) ~= nil
end

local random = ffi.new("unsigned char[16]")
-- One more new cookie for this address, of IPv6 for its /64: beyond the limit of a minute? A dict that
-- is full of addresses takes no more of them (`safe_add`), rather than forget the share for them.
local MAPPED = ("\0"):rep(10) .. "\255\255"
local function is_beyond_limit()
  if C.new_cookies == 0 or not dict then return false end
  local address = ngx.var.binary_remote_addr
  if #address == 16 then
    -- Of an IPv4 address on an IPv6 socket the last four bytes, of IPv6 the /64.
    local is_mapped = sub(address, 1, 12) == MAPPED
    address = is_mapped and sub(address, 13) or sub(address, 1, 8)
  end
  local minute = math.floor(ngx.now() / 60)
  local key = C.gate .. ":n" .. minute .. address
  dict:safe_add(key, 0, 120)
  local count = dict:incr(key, 1)
  return count ~= nil and count > C.new_cookies
end

-- On navigations only: a cookie for an image or a script would belong to nobody's page. True: this
-- address gets no other one for a while.
local function give_cookie()
  if C.key_kind ~= "cookie" or not is_navigation() then return end
  if is_beyond_limit() then return true end
  if ffi.C.getrandom(random, 16, 0) ~= 16 then return end
  local hex = hex_of(random, 16)
  local value = format("%s-%s-%s-%s-%s",
    sub(hex, 1, 8), sub(hex, 9, 12), sub(hex, 13, 16), sub(hex, 17, 20), sub(hex, 21))
  if issuing then
    value = issuing .. "." .. value
    value = value .. "." .. mac_of(secrets[issuing], value)
  end
  ngx.header["Set-Cookie"] = format("%s=%s; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly%s",
    C.key_name, value, ngx.var.scheme == "https" and "; Secure" or "")
  ngx.header["Cache-Control"] = "private"
end

local function answer(status, kind, body)
  ngx.status = status
  ngx.header["X-Headgate-Gate"] = C.gate
  ngx.header["Content-Type"] = kind
  ngx.header["Cache-Control"] = "no-store"
  ngx.header["Content-Length"] = #body
  ngx.var[STATE] = "own"
  ngx.print(body)
  return ngx.exit(status)
end

-- Also of the cookie that is being given: its place is known from now on.
local function bucket_of_refused()
  local key = has_xxhash and (key_of() or C.key_kind == "cookie"
    and tostring(ngx.header["Set-Cookie"] or ""):match("=([^;]+)"))
  return key and bucket_of(key) or nil
end

local function waiting_page()
  local base, bucket = dict and dict:get(RETRY) or 10, bucket_of_refused()
  -- Only the place was missing, which is given with this answer.
  local is_soon = bucket and bucket < width_now()
  -- Spread by half of itself, so that people do not come back as one.
  local retry = is_soon and waiting.SOON
    or tostring(math.max(1, math.floor(base * (1 + math.random() / 2))))
  ngx.header["Retry-After"] = retry
  return answer(503, waiting.answer(ngx.var.http_accept, ngx.var.http_accept_language, bucket,
    retry, ngx.time(), is_soon))
end

local function refuse()
  counts.refused = counts.refused + 1
  return waiting_page()
end

local function refuse_new_cookie()
  counts.refused, counts.new_cookies_refused = counts.refused + 1, counts.new_cookies_refused + 1
  ngx.header["Retry-After"] = C.limited_retry
  return answer(C.limited_status, "text/plain", C.limited)
end

-- As it was sent, without its query: `uri` is what nginx makes of it, and would take
-- "/checkout/..%2fhealthz" for "/healthz", which the application is not asked for.
local function path_of_request()
  local uri = ngx.var.request_uri
  local query = find(uri, "?", 1, true)
  return query and sub(uri, 1, query - 1) or uri
end

function M.access()
  -- An internal redirect comes by again, with another path: it was decided at first.
  if ngx.var[STATE] ~= "" then return end
  if not is_flushing and dict then begin_flushing() end
  if C.has_paths and C.paths[path_of_request()] or C.has_networks and ngx.var[STATE .. "_net"] == "1" then
    ngx.var[STATE] = "bypass"
    return
  end
  local width = width_now()
  local bucket = bucket_of_request()
  local is_limited = not bucket and give_cookie()
  if width >= BUCKETS or bucket and not trouble and bucket < width then
    ngx.var[STATE] = "in"
    counts.admitted = counts.admitted + 1
    return
  end
  if is_limited then return refuse_new_cookie() end
  return refuse()
end

function M.log()
  local state = ngx.var[STATE]
  if state == "own" then return end
  local status = ngx.status
  if state == "bypass" then
    counts.bypassed = counts.bypassed + 1
    if status >= 500 then counts.bypassed_5xx = counts.bypassed_5xx + 1 end
  end
  counts.answered = counts.answered + 1
  if status >= 500 then
    counts.http_5xx = counts.http_5xx + 1
    -- No header from the application: nobody answered, or too late.
    local header_time = (status == 502 or status == 504) and ngx.var.upstream_header_time
    if header_time and find(header_time, "-", 1, true) then
      counts.connection_errors = counts.connection_errors + 1
    end
  end
  if SLOWEST == 0 or state == "bypass" then return end
  local ms = (ngx.now() - ngx.req.start_time()) * 1000
  -- No answer takes so long: the clock was stepped meanwhile.
  if ms > ANSWER_MS_MAX then return end
  for i = 1, SLOWEST do
    if ms < C.slow_ms[i] then return end
    counts[slow_keys[i]] = counts[slow_keys[i]] + 1
  end
end

-- Two requests of the agent's, just inside and just outside, are decided by the same rule.
function M.probe()
  local width = width_now()
  -- The agent signs with the newest key, which this worker may not have looked for yet.
  load_keys()
  local probed = C.key_kind ~= "header" and ngx.var.http_x_headgate_probe_key
  local key = probed or key_of()
  local bucket = key and has_xxhash and bucket_of(key)
  local is_in = width >= BUCKETS or bucket and bucket < width
  return answer(is_in and 200 or 503, "text/plain",
    format("bucket=%s width=%d slow=%s\n", bucket or "", width, concat(C.slow_ms, ",")))
end

-- Whoever asks for the page itself is not refused, and refutes nothing.
function M.refuse() return waiting_page() end

local token = read_file(C.token, 256)
token = token and token:match("^(%x+)%s*$")

local number = ngx.config.nginx_version
local VERSION = format("%d.%d.%d", number / 1000000, number / 1000 % 1000, number % 1000)

local function number_of(text) return tostring(xxhash.XXH64(text, #text, 0)):match("%d+") end

local function lines_of_state()
  local lines = {"nginx " .. VERSION, "gate " .. C.gate}
  if trouble or not token then
    lines[3] = "trouble " .. (trouble or C.token .. " cannot be read")
    return lines
  end
  lines[3] = "width " .. width_now()
  lines[4] = "retry_after " .. (dict:get(RETRY) or 10)
  lines[5] = "instance " .. (dict:get(BORN) or "none")
  if C.key_kind == "cookie" and has_crypto then
    load_keys()
    -- Which keys, without saying them.
    lines[6] = "cookie_keys " .. number_of(keys_text)
  end
  -- Which file it takes its share from at a start.
  lines[#lines + 1] = "share_file " .. number_of(C.share)
  flush()
  for name in pairs(counts) do
    lines[#lines + 1] = name .. " " .. (dict:get(C.gate .. ":" .. name) or 0)
  end
  return lines
end

-- GET tells, POST ?admit_w=…&retry_after=… sets and tells.
function M.control()
  if not token or ngx.var.http_x_headgate_token ~= token then
    return answer(403, "text/plain", "only the agent with this gate's token may ask\n")
  end
  if ngx.req.get_method() == "POST" then
    local width, retry = tonumber(ngx.var.arg_admit_w), tonumber(ngx.var.arg_retry_after)
    local fits = width and retry and width >= 0 and width <= BUCKETS and width % 1 == 0
      and retry >= 1 and retry <= 3600 and retry % 1 == 0
    if not fits then return answer(400, "text/plain", "admit_w 0..1048576, retry_after 1..3600\n") end
    if not trouble then
      if not dict:get(WIDTH) then load_share() end
      dict:set(TOLD, ngx.now())
      dict:set(WIDTH, width)
      dict:set(RETRY, retry)
    end
  end
  return answer(200, "text/plain", concat(lines_of_state(), "\n") .. "\n")
end

package.loaded["headgate." .. C.gate] = M
return M
