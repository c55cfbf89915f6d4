-- Asks whether people are in groups: the people of a file in turn, each about two dozen groups as a page does.
-- With "new" as the last word, no two questions are the same.
local PEOPLE, GROUPS, MOST = 100, 24, 5000
local emails, asked, n, new = {}, {}, 0, false

local function ask(email, group)
  return wrk.format("POST", nil, nil, string.format('{"user_id": "%s", "group_id": "group-%d"}', email, group))
end

function init(args)
  wrk.headers["Authorization"] = "Bearer " .. args[2]
  wrk.headers["Content-Type"] = "application/json"
  new = args[3] == "new"
  for line in io.lines(args[1]) do
    emails[#emails + 1] = line
  end
  for person = 1, PEOPLE do
    for group = 1, GROUPS do
      asked[#asked + 1] = ask(emails[person], person * GROUPS + group)
    end
  end
end

function request()
  n = n + 1
  if not new then
    return asked[n % #asked + 1]
  end
  return ask(emails[n % #emails + 1], math.floor(n / #emails) % MOST + 1)
end
