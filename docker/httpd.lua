-- Asks Gatehouse whether a request to Apache may pass, and tells the application who it is.
--
-- An error in a hook is a refusal (500). Whatever else goes wrong is one as well.

local http = require("socket.http")
local ltn12 = require("ltn12")

local EDGE = "http://edge:8001/auth/validate/forward"
local CHAT = "chat.example.com" -- the host that is judged; never the one that a client wrote
local PROXY_SECRET = "CHANGE-ME-proxy-secret"
local CHAT_SECRET = "CHANGE-ME-chat-secret" -- the application's own (PROXY_SECRET of Atlas UI 3)
local SECONDS = 5

local READ = {
  "Accept", "Authorization", "Cookie", "Mcp-Method", "Mcp-Name", "Mcp-Protocol-Version", "Origin", "Sec-Fetch-Mode",
  "Sec-WebSocket-Key", "X-Api-Key", "X-Requested-With",
}
local IDENTITY = {
  "X-User-Email", "X-User-Id", "X-User-Name", "X-User-Groups", "X-User-Groups-Truncated", "X-Auth-Assertion",
}
local TOLD = { "Location", "WWW-Authenticate", "X-Auth-Reason", "Cache-Control" }
-- Whatever an application may take for the proxy's word: who it is, from where, and what is asked.
local OURS = {
  "^x%-user%-email$", "^x%-user%-id$", "^x%-user%-name$", "^x%-user%-groups$", "^x%-user%-groups%-truncated$",
  "^x%-auth%-request%-", "^x%-auth%-assertion$", "^x%-auth%-reason$", "^x%-auth%-expires$", "^authz%-revision$",
  "^remote%-", "^x%-remote%-", "^x%-email$", "^x%-user$", "^x%-webauth%-", "^x%-forwarded%-", "^forwarded$",
  "^x%-original%-", "^x%-rewrite%-url$", "^x%-http%-method$", "^x%-http%-method%-override$", "^x%-method%-override$",
  "^x%-proxy%-secret$", "^x%-real%-ip$", "client%-ip$", "^cf%-connecting%-ip$", "^http2%-settings$",
  "[^a-z0-9-]", -- names that others could take for a known one: X_User_Email, X.User.Email
}

local function is_ours(name)
  for _, pattern in ipairs(OURS) do
    if name:lower():find(pattern) then
      return true
    end
  end
  return false
end

-- Take away what is not the client's to say. A WebSocket handshake is the only upgrade, and whoever names a header in
-- Connection wants it dropped.
local function clean(r, websockets)
  local names = {}
  for name in pairs(r:headers_in_table()) do
    names[#names + 1] = name
  end
  for _, name in ipairs(names) do
    if is_ours(name) then
      r.headers_in[name] = nil
    end
  end
  local sent = r.headers_in
  local upgrades = r.method == "GET" and (sent["Upgrade"] or ""):lower() == "websocket" and sent["Sec-WebSocket-Key"]
  if upgrades and r.uri:find(websockets) then
    r.headers_in["Connection"] = "Upgrade"
  else
    r.headers_in["Upgrade"] = nil
    r.headers_in["Sec-WebSocket-Key"] = nil
    local closes = ("," .. (sent["Connection"] or "") .. ","):lower():find(",%s*close%s*,")
    r.headers_in["Connection"] = closes and "close" or nil
  end
  r.headers_in["X-Real-IP"] = r.useragent_ip
  r.headers_in["X-Forwarded-For"] = r.useragent_ip
  r.headers_in["X-Forwarded-Host"] = sent["Host"]
  r.headers_in["X-Forwarded-Proto"] = r.is_https and "https" or "http"
end

-- A Cookie header without our session cookie; nothing if it is there after all.
local function without_session(cookie)
  local kept = {}
  for part in cookie:gmatch("[^;]+") do
    part = part:match("^%s*(.-)%s*$")
    local name = part:match("^([^=]*)"):gsub("^__Host%-", ""):gsub("^__Secure%-", "")
    if part ~= "" and name ~= "gatehouse" then
      kept[#kept + 1] = part
    end
  end
  local left = table.concat(kept, "; ")
  return left:find("gatehouse=", 1, true) and "" or left
end

local function filled(text)
  return text and text ~= "" and text or nil
end

function guarded(r)
  if r.unparsed_uri:sub(1, 1) ~= "/" then
    return 400 -- a whole URL in the request line may name another host than the one that is judged
  end
  clean(r, "^/ws$")
  local asked = {
    ["X-Proxy-Secret"] = PROXY_SECRET,
    ["X-Forwarded-Method"] = r.method,
    ["X-Forwarded-Proto"] = r.is_https and "https" or "http",
    ["X-Forwarded-Host"] = CHAT,
    ["X-Forwarded-Uri"] = r.unparsed_uri,
    ["X-Forwarded-For"] = r.useragent_ip,
  }
  for _, name in ipairs(READ) do
    asked[name] = r.headers_in[name]
    -- Apache has joined the lines of a header that came twice; of the two tools only one would be judged.
    if name:find("^Mcp%-") and (asked[name] or ""):find(",") then
      return 400
    end
  end

  http.TIMEOUT = SECONDS
  local said = {}
  local good, status, headers = http.request({
    url = EDGE, headers = asked, sink = ltn12.sink.table(said), redirect = false,
  })
  if not good or type(status) ~= "number" or status >= 500 then
    return 503
  end
  if status ~= 200 then
    for _, name in ipairs(TOLD) do
      if headers[name:lower()] then
        r.err_headers_out[name] = headers[name:lower()]
      end
    end
    return status
  end

  for _, name in ipairs(IDENTITY) do
    r.headers_in[name] = filled(headers[name:lower()])
  end
  r.headers_in["X-Proxy-Secret"] = CHAT_SECRET
  -- The session cookie and our API keys are not the application's.
  r.headers_in["Cookie"] = filled(without_session(asked["Cookie"] or ""))
  if (asked["Authorization"] or ""):lower():find("^%s*bearer%s+ghk_") then
    r.headers_in["Authorization"] = nil
  end
  if (asked["X-Api-Key"] or ""):find("^%s*ghk_") then
    r.headers_in["X-Api-Key"] = nil
  end
  return apache2.DECLINED
end

function portal(r)
  -- What services and proxies ask, they ask on the private network.
  for _, private in ipairs({ "auth", "validate", "api", "scim" }) do
    if (r.uri .. "/"):sub(1, #private + 2) == "/" .. private .. "/" and r.uri ~= "/api/v1/tickets" then
      return 404
    end
  end
  clean(r, "^/ws/")
  r.headers_in["X-Proxy-Secret"] = PROXY_SECRET
  return apache2.DECLINED
end
