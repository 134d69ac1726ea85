"""From the start of the program to a window that can be used, and the memory it then takes, beside a bare Tauri window.

Both are started in turn on a virtual screen of their own. A window counts as usable from the first moment that the
screen looks as it goes on looking; frames are taken every few milliseconds. Memory is the proportional set size of the
program and of the web view's processes, ten seconds later. The first start on an empty data folder is told apart from
those that follow.
"""

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import mss
import numpy
import psutil

ROOT = Path(__file__).parents[2]
WIDTH, HEIGHT = 1280, 800
SAME = 0.995  # A share of pixels: a caret may blink.
SETTLED_S = 3.0
PATIENCE_S = 60.0
IDLE_S = 10.0


def say(text):
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def screen():
    reader, writer = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-nolisten", "tcp"],
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    with os.fdopen(reader) as told:
        number = told.readline().strip()
    try:
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


class Eye:
    """Looks at the screen, and keeps what it saw when something had changed."""

    def __init__(self, display):
        self.camera = mss.mss(display=display)

    def look(self):
        shot = self.camera.grab({"left": 0, "top": 0, "width": WIDTH, "height": HEIGHT})
        return numpy.frombuffer(shot.bgra, dtype=numpy.uint32)


def usable_after(eye, process, began):
    empty = eye.look()
    frames, last = [], empty
    while True:
        if process.poll() is not None:
            sys.exit(f"the program ended with status {process.returncode}")
        now = time.monotonic()
        frame = eye.look()
        if not numpy.array_equal(frame, last):
            frames.append((now, frame))
            last = frame
        if frames and now - frames[-1][0] > SETTLED_S and (frames[-1][1] != empty).mean() > 0.5:
            break
        if now - began > PATIENCE_S:
            sys.exit("the screen does not come to rest")
        time.sleep(0.003)
    final = frames[-1][1]
    return next(at for at, frame in frames if (frame == final).mean() >= SAME) - began


def memory_mb(process):
    family = [psutil.Process(process.pid)]
    family += family[0].children(recursive=True)
    return sum(one.memory_full_info().pss for one in family) / 1e6


def start(command, display, home):
    environment = os.environ | {
        "DISPLAY": display,
        "HOME": str(home),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
    }
    environment.pop("WAYLAND_DISPLAY", None)
    eye = Eye(display)
    began = time.monotonic()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        seconds = usable_after(eye, process, began)
        time.sleep(IDLE_S)
        return seconds, memory_mb(process)
    finally:
        family = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        process.wait(30)
        psutil.wait_procs(family, timeout=10)


def bare_window(target):
    source = ROOT / "tests" / "bench" / "startup_parts" / "bare"
    place = target / "bench-bare"
    subprocess.run(
        ["cargo", "build", "--locked", "--release", "--manifest-path", source / "Cargo.toml", "--target-dir", place],
        check=True,
        stdout=sys.stderr,
    )
    return place / "release" / "bare"


def installer_mb(target):
    packages = (target / "release" / "bundle" / "deb").glob("*.deb")
    return max((package.stat().st_size / 1e6 for package in packages), default=None)


def aim(value, wanted, met):
    return {"value": value if value is None else round(value, 2), "aim": wanted, "met": bool(met)}


def main():
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser = argparse.ArgumentParser(prog="scripts/bench startup", description=__doc__)
    parser.add_argument("--times", type=int, default=5, help="starts of each; the median counts")
    options = parser.parse_args()
    bare = bare_window(target)

    ours, bares = [], []
    with screen() as display, tempfile.TemporaryDirectory(prefix="whetstone-bench-") as folder:
        homes = Path(folder)
        program = [os.environ["WHETSTONE_PROGRAM"], "--data", str(homes / "whetstone" / "folder")]
        for name in ("whetstone", "bare"):
            (homes / name).mkdir()
        first = start(program, display, homes / "whetstone")
        start([bare], display, homes / "bare")
        for turn in range(options.times):
            bares.append(start([bare], display, homes / "bare"))
            ours.append(start(program, display, homes / "whetstone"))
            say(f"{turn + 1}: whetstone {ours[-1][0]:.3f} s, bare window {bares[-1][0]:.3f} s")

    def median(runs, which):
        return statistics.median(run[which] for run in runs)

    installer = installer_mb(target)
    seconds, megabytes = median(ours, 0) / median(bares, 0), median(ours, 1) / median(bares, 1)
    figures = {
        "first_start_s": round(first[0], 3),
        "whetstone_s": round(median(ours, 0), 3),
        "bare_s": round(median(bares, 0), 3),
        "whetstone_mb": round(median(ours, 1), 1),
        "bare_mb": round(median(bares, 1), 1),
        "program_mb": round(Path(program[0]).stat().st_size / 1e6, 1),
        "installer_mb": installer and round(installer, 1),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
    }
    ratios = {"start_to_bare": round(seconds, 2), "memory_to_bare": round(megabytes, 2)}
    aims = {
        "start_to_bare": aim(seconds, "<= 1.3", seconds <= 1.3),
        "memory_to_bare": aim(megabytes, "<= 1.5", megabytes <= 1.5),
        "installer_mb": aim(installer, "<= 30, made by scripts/package", installer is not None and installer <= 30),
    }
    print(json.dumps({"bench": "startup", "figures": figures, "ratios": ratios, "aims": aims}))


if shutil.which("Xvfb") is None:
    sys.exit("Xvfb is missing")
main()
