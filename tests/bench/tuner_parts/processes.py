"""Runs what is measured, each in a process of its own.

Linux counts what a process holds when it starts another into the other's peak, so a small process, this very file, stands
between the one that measures and the one that is measured.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path


class Failed(Exception):
    """A process that did not do what was asked, with the last that it said."""


def run(command, within=900, **environment):
    """Wall and processor seconds, peak memory in MB, and what the process wrote to standard output."""
    with tempfile.TemporaryDirectory(prefix="whetstone-bench-") as folder:
        report, errors = Path(folder, "report.json"), Path(folder, "errors.txt")
        words = [sys.executable, "-I", "-S", __file__, report, within, *command]
        with errors.open("wb") as file:
            between = subprocess.run(
                [str(word) for word in words], stdout=subprocess.PIPE, stderr=file, env={**os.environ, **environment}
            )
        # Where the command could not even be started, there is no report.
        found = json.loads(report.read_text()) if report.exists() else {"status": between.returncode}
        lines = errors.read_text(errors="replace").strip().splitlines()
    if (status := found.pop("status")) is None:
        raise Failed(f"it took longer than {within} s")
    if status != 0:
        raise Failed(f"status {status}: {lines[-1] if lines else 'it said nothing'}"[:300])
    return {**found, "said": between.stdout.decode()}


def stand_between():
    report, within, *command = sys.argv[1:]
    began = time.monotonic()
    process = subprocess.Popen(command)
    status, usage = ended(process, began + float(within))
    found = {
        "status": status,
        "seconds": round(time.monotonic() - began, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mb": round(usage.ru_maxrss / 1024, 1),
    }
    Path(report).write_text(json.dumps(found))


def ended(process, until):
    """The status of a process, None for one that was killed because its time was over, and what it used."""
    while time.monotonic() < until:
        found, status, usage = os.wait4(process.pid, os.WNOHANG)
        if found:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage
        time.sleep(0.02)
    process.kill()
    _, _, usage = os.wait4(process.pid, 0)
    return None, usage


if __name__ == "__main__":
    stand_between()
