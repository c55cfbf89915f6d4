-- Sends each request as another visitor, taken in turn from the file named first; the second word is a prefix.
-- With "fresh" as the third, every URL is one that was never asked before.
local visitors, n, count, fresh, prefix = {}, 0, 0, false, ""

local headers = {
  ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
  ["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  ["Accept-Language"] = "en-US,en;q=0.5",
  ["Accept-Encoding"] = "gzip, deflate, br",
}

local function ask(path, cookie)
  headers["Cookie"] = "theme=dark; gatehouse=" .. cookie
  return wrk.format("GET", prefix .. path, headers)
end

function init(args)
  prefix, fresh = args[2] or "", args[3] == "fresh"
  for line in io.lines(args[1]) do
    local path, cookie = line:match("^(%S+)\t(%S+)$")
    visitors[#visitors + 1] = fresh and { path, cookie } or ask(path, cookie)
  end
end

function request()
  n = n % #visitors + 1
  if not fresh then
    return visitors[n]
  end
  count = count + 1
  return ask(visitors[n][1] .. "/" .. count, visitors[n][2])
end
