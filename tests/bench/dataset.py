"""How fast a dataset is held to every rule, beside tools that merely count its lines or parse them.

A file of generated conversations is made once for each size and kept under target/. Every tool is a process of its
own, run on a warm page cache; of several runs the quickest counts, and the tools take turns, so that whatever else
the machine does falls on all of them. The aims are for a gigabyte, about a million records.
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

sys.path.insert(0, str(Path(__file__).parent / "dataset_parts"))

import generate  # noqa: E402
from peers import PEERS  # noqa: E402

MODEL = "amazon.nova-lite-v1:0:300k"
ROOT = Path(__file__).parents[2]
LARGE = 5_000_000_000
# Peers that take minutes are run once.
SLOW = {"json", "pydantic", "polars", "orjson"}


def say(text):
    print(text, file=sys.stderr, flush=True)


def size(text):
    units = {"k": 10**3, "M": 10**6, "G": 10**9}
    return int(float(text[:-1]) * units[text[-1]]) if text[-1] in units else int(text)


def data_file(folder, bytes_wanted):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"conversations-{bytes_wanted}.jsonl"
    if not path.exists():
        say(f"writing {path}")
        generate.write(path, bytes_wanted)
    return path


def without_broken(file):
    """The same file without its broken lines, for those that end at the first."""
    path = file.with_suffix(".whole.jsonl")
    if not path.exists():
        with file.open("rb") as lines, path.open("wb") as out:
            out.writelines(line for line in lines if line.endswith(b"]}\n"))
    with path.open("rb") as body:
        while body.read(1 << 24):
            pass
    return path


@contextlib.contextmanager
def large_file(folder, body):
    """Five gigabytes: the same lines again and again. The file is gone afterwards."""
    free = shutil.disk_usage(folder).free
    if free < LARGE + 10**9:
        sys.exit(f"the file of 5 GB does not fit into {folder}: {free // 10**6} MB are free; --no-editor leaves it out")
    with body.open("rb") as file:
        block = file.read(1 << 26)
    block = block[: block.rindex(b"\n") + 1]
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".jsonl") as out:
        written = 0
        while written < LARGE:
            before = written
            written += out.write(block)
            if written // 10**9 > before // 10**9:
                say(f"{written // 10**9} of {LARGE // 10**9} GB are written")
        out.flush()
        yield Path(out.name)


def run(command, seconds=3600):
    """Runs a process; wall seconds, processor seconds, peak memory in MB, and the last line it wrote."""
    with tempfile.TemporaryFile() as out:
        started = time.monotonic()
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        lines = out.read().decode(errors="replace").splitlines()
    # The program itself says by 1 that there are findings of severity error, which there are.
    if process.returncode not in ((0, 1) if "--json" in command else (0,)):
        sys.exit(f"{command[0]} failed with {process.returncode}")
    cpu = usage.ru_utime + usage.ru_stime
    return {"seconds": wall, "cpu": cpu, "peak_mb": usage.ru_maxrss / 1024, "said": lines[0] if lines else ""}


def best(runs):
    return {
        "seconds": round(min(r["seconds"] for r in runs), 3),
        "cpu_seconds": round(min(r["cpu"] for r in runs), 3),
        "peak_mb": round(max(r["peak_mb"] for r in runs), 1),
        "runs": [round(r["seconds"], 3) for r in runs],
    }


def measure(commands, times):
    runs = {name: [] for name in commands}
    for turn in range(times):
        for name, command in commands.items():
            if turn == 0 or name not in SLOW:
                runs[name].append(run(command))
                say(f"{name}: {runs[name][-1]['seconds']:.3f} s, {runs[name][-1]['cpu']:.3f} s of processor")
    return runs


def counted(said):
    try:
        return json.loads(said)["records"]
    except (ValueError, KeyError, TypeError):
        return None


def editor(program, file):
    runs = []
    for _ in range(3):
        with tempfile.TemporaryDirectory(prefix="whetstone-bench-") as folder:
            runs.append(json.loads(run([program, str(file), MODEL, f"{folder}/dataset"])["said"]))
    return {key: min(one[key] for one in runs) for key in runs[0]}


def aim(value, wanted, met):
    return {"value": value, "aim": wanted, "met": met}


def main():
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    built = Path(os.environ.get("WHETSTONE_EXAMPLES", target / "release" / "examples"))
    parser = argparse.ArgumentParser(prog="scripts/bench dataset", description=__doc__)
    parser.add_argument("--size", type=size, default=size("1G"), help="of the file: 100M, 1G (default)")
    parser.add_argument("--times", type=int, default=5, help="runs of each tool; of those that take minutes, one")
    parser.add_argument("--program", help="called as PROGRAM validate FILE --model ID --json, in place of the example")
    parser.add_argument("--only", help="peers to measure, by commas; none for none")
    parser.add_argument("--no-editor", action="store_true", help="leave out the file of 5 GB")
    options = parser.parse_args()

    folder = target / "bench-data"
    file = data_file(folder, options.size)
    with file.open("rb") as body:
        while body.read(1 << 24):
            pass
    whetstone = [options.program, "validate"] if options.program else [str(built / "validate")]
    commands = {
        "wc": ["wc", "-l", str(file)],
        "whetstone": [*whetstone, str(file), "--model", MODEL, "--json"],
    }
    if not options.program:
        commands["one_thread"] = [*commands["whetstone"], "--threads", "1"]
    wanted = PEERS if options.only is None else [p for p in options.only.split(",") if p in PEERS]
    peers = Path(__file__).parent / "dataset_parts" / "peers.py"
    whole = {"polars": without_broken(file)} if "polars" in wanted else {}
    commands |= {name: [sys.executable, str(peers), name, str(whole.get(name, file))] for name in wanted}

    runs = measure(commands, options.times)
    figures = {name: best(of) for name, of in runs.items()}
    figures["file"] = {"bytes": file.stat().st_size, "records": int(runs["wc"][0]["said"].split()[0])}
    figures["cores"] = os.cpu_count()
    figures["load"] = os.getloadavg()[0]
    records = counted(runs["whetstone"][0]["said"])
    if records is not None and records != figures["file"]["records"]:
        sys.exit(f"{records} records were seen of {figures['file']['records']}")

    ours, lines = figures["whetstone"], figures["wc"]
    ratios = {f"{name}_to_whetstone": round(figures[name]["seconds"] / ours["seconds"], 2) for name in wanted}
    pairs = zip(runs["whetstone"], runs["wc"])
    ratios["whetstone_to_wc"] = round(ours["seconds"] / lines["seconds"], 2)
    ratios["whetstone_to_wc_median_of_pairs"] = round(statistics.median(a["seconds"] / b["seconds"] for a, b in pairs), 2)
    ratios["whetstone_to_wc_cpu"] = round(ours["cpu_seconds"] / lines["cpu_seconds"], 2)
    aims = {
        "validate_to_wc": aim(ratios["whetstone_to_wc"], "<= 4", ratios["whetstone_to_wc"] <= 4),
        "validate_to_wc_stretch": aim(ratios["whetstone_to_wc"], "<= 2", ratios["whetstone_to_wc"] <= 2),
        "peak_mb": aim(ours["peak_mb"], "< 300", ours["peak_mb"] < 300),
    }
    for name in wanted:
        aims[f"faster_than_{name}"] = aim(ratios[f"{name}_to_whetstone"], "> 1", ratios[f"{name}_to_whetstone"] > 1)
    if not options.no_editor:
        with large_file(folder, file) as large:
            seen = editor(str(built / "editor"), large)
        figures["editor_5_gb"] = seen
        aims["first_rows_seconds"] = aim(seen["first_rows_seconds"], "< 0.5", seen["first_rows_seconds"] < 0.5)
        aims["keystroke_ms"] = aim(seen["keystroke_ms"], "< 16", seen["keystroke_ms"] < 16)
    print(json.dumps({"bench": "dataset", "figures": figures, "ratios": ratios, "aims": aims}))


main()
