-- Asks Gatehouse whether a request may pass, and tells the application who it is.
--
--     http-request lua.gatehouse <host> <proxy secret>
--
-- Whatever goes wrong is a refusal: HAProxy would go on with the next line of its configuration.

local EDGE = "http://edge:8001/auth/validate/forward"
-- Milliseconds for one attempt. HAProxy 2.6 makes four before it gives up; later ones can be told `httpclient.retries 0`.
local TIMEOUT = 1500
-- What the edge reads. One that came twice could be read differently by the application, so there may be one of each.
local READ = {
  "accept", "authorization", "cookie", "mcp-method", "mcp-name", "mcp-protocol-version", "origin", "sec-fetch-mode",
  "sec-websocket-key", "x-api-key", "x-requested-with",
}
local JOINED = { accept = ", ", cookie = "; " }
local IDENTITY = {
  "x-user-email", "x-user-id", "x-user-name", "x-user-groups", "x-user-groups-truncated", "x-auth-assertion",
}
local UNAVAILABLE = { status = 503, body = "This cannot be judged now.\n" }
local TOLD = { "location", "www-authenticate", "x-auth-reason", "cache-control" }

-- HAProxy counts the values of a header from 0.
local function values(headers, name)
  local found = {}
  local sent = headers[name]
  local place = 0
  while sent and sent[place] do
    found[#found + 1] = sent[place]
    place = place + 1
  end
  return found
end

local function refuse(txn, refusal)
  local reply = txn:reply({ status = refusal.status })
  for _, name in ipairs(TOLD) do
    for _, value in ipairs(values(refusal.headers or {}, name)) do
      reply:add_header(name, value)
    end
  end
  reply:set_body(refusal.body or "")
  txn:done(reply)
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

-- Returns the refusal, or nothing if the request may pass.
local function gatehouse(txn, host, secret)
  local sent = txn.http:req_get_headers()
  local asked = {
    ["x-proxy-secret"] = { secret },
    ["x-forwarded-method"] = { txn.f:method() },
    ["x-forwarded-proto"] = { values(sent, "x-forwarded-proto")[1] },
    ["x-forwarded-host"] = { host },
    ["x-forwarded-uri"] = { txn.f:pathq() },
    ["x-forwarded-for"] = { txn.f:src() },
  }
  for _, name in ipairs(READ) do
    local found = values(sent, name)
    if #found > 1 and not JOINED[name] then
      return { status = 400, body = "The header " .. name .. " came twice.\n" }
    end
    if #found > 0 then
      asked[name] = { table.concat(found, JOINED[name]) }
    end
  end

  local answer = core.httpclient():get({ url = EDGE, headers = asked, timeout = TIMEOUT })
  if not answer or not answer.status or answer.status == 0 or answer.status >= 500 then
    return UNAVAILABLE
  end
  if answer.status ~= 200 then
    return answer
  end

  for _, name in ipairs(IDENTITY) do
    local value = values(answer.headers, name)[1] or ""
    if value == "" then
      txn.http:req_del_header(name)
    else
      txn.http:req_set_header(name, value)
    end
  end
  -- The session cookie and our API keys are not the application's.
  local cookie = without_session(asked["cookie"] and asked["cookie"][1] or "")
  if cookie == "" then
    txn.http:req_del_header("cookie")
  else
    txn.http:req_set_header("cookie", cookie)
  end
  if asked["authorization"] and asked["authorization"][1]:lower():find("^%s*bearer%s+ghk_") then
    txn.http:req_del_header("authorization")
  end
  if asked["x-api-key"] and asked["x-api-key"][1]:find("^%s*ghk_") then
    txn.http:req_del_header("x-api-key")
  end
end

core.register_action("gatehouse", { "http-req" }, function(txn, host, secret)
  local good, refusal = pcall(gatehouse, txn, host, secret)
  if not good then
    core.Alert("gatehouse: " .. tostring(refusal))
    refusal = UNAVAILABLE
  end
  -- Outside of pcall, for txn.done ends by an error that nobody may catch.
  if refusal then
    refuse(txn, refusal)
  end
end, 2)
