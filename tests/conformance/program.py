"""The real program under test: `whetstone sandbox` in a process group of its own, on a folder and a free port.

Whatever a client knows of a sandbox, it knows from the lines that `whetstone sandbox env` prints: a client's
environment holds those, a search path, an empty home, and nothing else.
"""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

PROGRAM = Path(os.environ.get("WHETSTONE_PROGRAM", Path(__file__).parents[2] / "target/debug/whetstone"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(check, within=60, every=0.1):
    """The first true value of `check()`, which is asked again and again until the time is up."""
    deadline = time.monotonic() + within
    while True:
        value = check()
        if value:
            return value
        assert time.monotonic() < deadline, f"not so within {within} s; last answer: {value!r}"
        time.sleep(every)


class Sandbox:
    """One `whetstone sandbox`, and what it prints about itself."""

    def __init__(self, folder, port=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = self.folder / "data"
        self.home = self.folder / "home"
        self.home.mkdir(exist_ok=True)
        self.port = port or free_port()
        self.process = None

    def start(self, *more, inside=()):
        """Starts it, as the last words of the command `inside` where that is given."""
        log = (self.folder / "sandbox.log").open("ab")
        self.process = subprocess.Popen(
            [*inside, PROGRAM, "sandbox", "--port", str(self.port), "--data", self.data, *more],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        eventually(self.answers, within=30, every=0.02)
        return self

    def answers(self):
        assert self.process.poll() is None, f"the sandbox ended by itself:\n{self.log()}"
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False

    def memory(self):
        """Bytes that it holds in memory, without what it only maps from files."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("RssAnon:"))

    def log(self):
        return (self.folder / "sandbox.log").read_text(errors="replace")

    def terminate(self):
        """SIGTERM, as a system sends it that shuts down; waits for the end."""
        self.process.terminate()
        assert self.process.wait(timeout=60) == 0, self.log()

    def kill(self):
        """SIGKILL for the whole group, trainers included: no chance to tidy up."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def kill_alone(self):
        """SIGKILL for the sandbox only, which leaves its trainer an orphan."""
        self.process.kill()
        self.process.wait()

    def environment(self, *more):
        """What a shell holds after `eval "$(whetstone sandbox env ...)"`, having held next to nothing before."""
        bare = {"PATH": os.environ["PATH"], "HOME": str(self.home)}
        command = 'lines=$("$0" sandbox env --port "$1" --data "$2" "${@:3}") || exit; eval "$lines"; env -0'
        shell = ["bash", "-c", command, str(PROGRAM), str(self.port), str(self.data), *more]
        output = subprocess.run(shell, env=bare, check=True, capture_output=True, text=True).stdout
        return dict(line.split("=", 1) for line in output.split("\0") if line)
