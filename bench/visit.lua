-- Sends each request as another visitor, taken in turn from the file named on the command line.
local visitors, n = {}, 0

function init(args)
  for line in io.lines(args[1]) do
    local path, cookie = line:match("^(%S+)\t(%S+)$")
    visitors[#visitors + 1] = wrk.format("GET", (args[2] or "") .. path, {
      ["Cookie"] = "theme=dark; gatehouse=" .. cookie,
      ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
      ["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
      ["Accept-Language"] = "en-US,en;q=0.5",
      ["Accept-Encoding"] = "gzip, deflate, br",
    })
  end
end

function request()
  n = n % #visitors + 1
  return visitors[n]
end
