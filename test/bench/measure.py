"""measure.py [--dataset NAME --data DIR] -- COMMAND...: runs a command and says what the whole process tree cost, as one line of JSON.

wall in s, cpu in s (user and system, with every child that was waited for), rss in MiB (peak of the largest process), code.
With --dataset the command is a daemon of desktop-rucio over DIR: it is asked for the dataset over HTTP, the clock stops when
the marker `complete` lies on the disk, and it is ended with SIGTERM. The waiting is done here, by looks at the disk, so that
it costs the daemon nothing. The output of the command goes to stderr."""
import json
import os
import signal
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

# xrdcp --parallel was seen to wait for itself for ever, with all its files there.
limit_s = 300
split = sys.argv.index('--')
options = dict(zip(sys.argv[1:split:2], sys.argv[2:split:2]))
command = sys.argv[split + 1:]
dataset, data = options.get('--dataset'), options.get('--data')


def wait_for(look, step_s, pid):
    """What look() gives, once it gives something; ends the child and fails when that takes too long, or when the child ends first."""
    while not (found := look()):
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) or time.monotonic() - started > limit_s:
            os.kill(pid, signal.SIGKILL)
            sys.exit('the daemon ended, or took too long')
        time.sleep(step_s)
    return found


def url():
    try:
        with open(f'{data}/.rucio/owner.json') as file:
            return json.load(file).get('url')
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return None   # not started yet


def posted():
    try:
        ask = urllib.request.Request(f'{base}/ds?ds_name={urllib.parse.quote(dataset, safe="")}', method='POST')
        return urllib.request.urlopen(ask, timeout=10).status == 200
    except (urllib.error.URLError, ConnectionError):
        return False   # starting


started = time.monotonic()
pid = os.posix_spawnp(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, 2, 1)])
if dataset:
    base = wait_for(url, 0.005, pid)
    wait_for(posted, 0.01, pid)
    marker = f'{data}/{dataset}/.rucio/complete'
    wait_for(lambda: os.path.exists(marker), 0.005, pid)
    wall = time.monotonic() - started
    os.kill(pid, signal.SIGTERM)
else:
    signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
    signal.alarm(limit_s)
_, status, usage = os.wait4(pid, 0)
if not dataset:
    wall = time.monotonic() - started
print(json.dumps({'wall': wall, 'cpu': usage.ru_utime + usage.ru_stime, 'rss': usage.ru_maxrss / 1024,
                  'code': os.waitstatus_to_exitcode(status)}))
