"""wrk as the generator of loads, where it is installed: it takes less of the machine than ours.

Only for what it can do and judge as well: the same request again and again, with one right answer that is compared to
the letter. Tokens that change with each answer, pauses, and hashes, of which it would drop those under way at the end,
are for `benchmarks.load`.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from benchmarks.conversation import Answer, Load, Outcome, Request, WrongAnswer

_HOST = "127.0.0.1"
# Threads have a state each, and tell it at the end.
_SCRIPT = """
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init(args) fault = nil end
function request() return REQUEST end
function response(status, headers, body)
  if fault == nil and (status ~= STATUS or body ~= BODY) then
    fault = "has status " .. status .. " and says " .. string.sub(body, 1, 300)
    wrk.thread:stop()
  end
end
function done(summary, latency, requests)
  local out = io.open(OUTPUT, "w")
  for _, thread in ipairs(threads) do
    local fault = thread:get("fault")
    if fault ~= nil then out:write("fault ", fault, "\\n") out:close() return end
  end
  local errors = summary.errors
  out:write("errors ", errors.connect + errors.read + errors.write + errors.timeout, "\\n")
  out:write("seconds ", summary.duration / 1e6, "\\n")
  for place = 1, #latency do
    local value, count = latency(place)
    out:write("latency ", value, " ", count, "\\n")
  end
  out:close()
end
"""


def suits(load: Load) -> bool:
    """Whether wrk is there, and can carry the load out."""
    requests = {request for client in load.clients for request in map(_key, client.requests)}
    is_plain = (
        len(requests) == 1
        and all(client.requests[0].is_always_the_same for client in load.clients)
        and len(load.right) == 1
        and load.right[0].body is not None
    )
    return is_plain and not load.pause and not load.starts_at and shutil.which("wrk") is not None


def carried_out(load: Load) -> Outcome:
    """What came of a load that suits.

    Raises: WrongAnswer.
    """
    request, (right,) = load.clients[0].requests[0], load.right
    with tempfile.TemporaryDirectory() as folder:
        script, output = Path(folder) / "script.lua", Path(folder) / "output"
        script.write_text(_script(request, right, output))
        clients = str(len(load.clients))
        # A thread for each connection: on one that answers wrongly the others need not wait.
        command = ["wrk", "-t", clients, "-c", clients, "-d", f"{max(1, round(load.seconds))}s", "-s", str(script)]
        command += ["--timeout", "30s", f"http://{_HOST}:{load.port}/"]
        ran = subprocess.run(command, check=False, capture_output=True, text=True)
        if ran.returncode != 0 or not output.exists():
            message = f"wrk failed: {(ran.stderr or ran.stdout).strip()[-500:]}"
            raise WrongAnswer(message)
        return _read(output.read_text(), right, f"{request.method} {request.path.partition('?')[0]}")


def _key(request: Request) -> bytes:
    return request.encoded(_HOST, 0, "")


def _script(request: Request, right: Answer, output: Path) -> str:
    # Of what JSON and Lua take alike, all but \\u: and that ensure_ascii=False does without.
    values = {
        "REQUEST": _quoted(request.encoded(_HOST, 0, "").decode()),
        "STATUS": str(right.status),
        "BODY": _quoted(right.body or ""),
        "OUTPUT": _quoted(str(output)),
    }
    script = _SCRIPT
    for name, value in values.items():
        script = script.replace(name, value)
    return script


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _read(output: str, right: Answer, what: str) -> Outcome:
    seconds, microseconds = 0.0, list[int]()
    for line in output.splitlines():
        kind, _, rest = line.partition(" ")
        match kind:
            case "fault":
                message = f"{what}: the answer {rest}"
                raise WrongAnswer(message)
            case "errors" if rest != "0":
                message = f"{what}: {rest} requests got no answer"
                raise WrongAnswer(message)
            case "seconds":
                seconds = float(rest)
            case "latency":
                value, _, times = rest.partition(" ")
                microseconds += [int(value)] * int(times)
    return Outcome(seconds=seconds, microseconds={right.status: microseconds})
