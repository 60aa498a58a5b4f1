"""terminal.py < JSON: runs a program at a terminal of its own, types what it is told to, and prints as JSON what was seen there.

{"argv": [...], "env": {...}, "steps": [{"wait": REGEX, "send": TEXT}, ...], "seconds": N}
Each step waits until REGEX matches what the program has written since the step before, then types TEXT. Printed: "output", all that
stood on the terminal; "echo", whether the terminal showed what was typed, at each step; "same", whether the terminal's settings are
afterwards what they were; "code", negative for a signal; "missed", the regex that did not come in time, or null.
"""

import fcntl
import json
import os
import pty
import re
import select
import signal
import sys
import termios
import time

asked = json.load(sys.stdin)
ours, theirs = pty.openpty()
before = termios.tcgetattr(theirs)
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(theirs, fd)
    os.closerange(3, 100)
    os.execve(asked["argv"][0], asked["argv"], asked["env"])

end = time.monotonic() + asked["seconds"]
output, seen, echo, missed = "", 0, [], None


def read(seconds):
    global output
    if select.select([ours], [], [], seconds)[0]:
        output += os.read(ours, 65536).decode("utf8", "replace")


for step in asked["steps"]:
    while not (match := re.compile(step["wait"]).search(output, seen)):
        if time.monotonic() > end:
            missed = step["wait"]
            break
        read(0.1)
    if missed is not None:
        break
    seen = match.end()
    if "send" in step:
        echo.append(bool(termios.tcgetattr(theirs)[3] & termios.ECHO))
        os.write(ours, step["send"].encode())

status = None
while status is None and time.monotonic() < end:
    read(0.05)
    done, found = os.waitpid(pid, os.WNOHANG)
    status = found if done else None
if status is None:
    missed = missed or "its end"
    os.killpg(pid, signal.SIGKILL)
    status = os.waitpid(pid, 0)[1]
read(0.1)
print(json.dumps({
    "output": output,
    "echo": echo,
    "same": termios.tcgetattr(theirs) == before,
    "code": os.waitstatus_to_exitcode(status),
    "missed": missed,
}))
