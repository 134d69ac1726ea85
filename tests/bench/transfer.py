"""How fast files go to S3 and back, beside the AWS CLI, boto3 (also with its CRT client), rclone and s5cmd.

The store is s3s-fs, which nobody here wrote, on loopback, the same for all; files and store lie in memory where there is
room for them, so that it is the clients that are measured. Every tool is a process of its own with its own defaults, and
rclone once more with as many transfers at once as the others have. The tools take turns; of several runs the quickest
counts. What arrived is compared with what was sent after every run, outside of the time.
"""

import argparse
import filecmp
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EXAMPLES = Path(os.environ["WHETSTONE_EXAMPLES"])
BOTO = Path(__file__).parent / "transfer_parts" / "boto.py"
BUCKET = "measure"
OURS = "whetstone"
PEERS = ["aws-cli", "boto3", "boto3-crt", "rclone", "rclone-16", "s5cmd"]


def say(text):
    print(text, file=sys.stderr, flush=True)


def command(tool, direction, how, local, url):
    """What is run for one transfer; the place in S3 is a file's key or a folder's prefix."""
    key = "one.bin" if how == "one" else "many"
    remote = f"s3://{BUCKET}/{key}"
    many = how == "many"
    if tool == OURS:
        journal = local.with_suffix(".journal")
        line = [EXAMPLES / "transfer", direction, local, remote, "--endpoint", url, "--journal", journal]
        return line + (["--folder"] if many else [])
    if tool == "aws-cli":
        ends = [local, remote] if direction == "up" else [remote, local]
        return ["aws", "--endpoint-url", url, "s3", "cp", *ends, "--only-show-errors"] + (["--recursive"] if many else [])
    if tool.startswith("boto3"):
        kind = "crt" if tool.endswith("crt") else "default"
        return [sys.executable, BOTO, kind, direction, how, local, BUCKET, key]
    if tool.startswith("rclone"):
        there = f"bench:{BUCKET}/{key}"
        ends = [local, there] if direction == "up" else [there, local]
        more = ["--transfers", "16", "--checkers", "16", "--s3-upload-concurrency", "16"] if tool == "rclone-16" else []
        return ["rclone", "copy" if many else "copyto", *ends, *more]
    if tool == "s5cmd":
        if many:
            ends = [f"{local}/", f"{remote}/"] if direction == "up" else [f"{remote}/*", f"{local}/"]
        else:
            ends = [local, remote] if direction == "up" else [remote, local]
        return ["s5cmd", "--endpoint-url", url, "--log", "error", "cp", *ends]
    raise ValueError(tool)


def environment(folder, url):
    # The server speaks plain HTTP; rclone ends where it is told of certificates in AWS's way.
    inherited = {name: value for name, value in os.environ.items() if name != "AWS_CA_BUNDLE"}
    return {
        **inherited,
        "AWS_ACCESS_KEY_ID": "measure",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": url,
        "AWS_CONFIG_FILE": str(folder / "no-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "no-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "RCLONE_CONFIG": str(folder / "rclone.conf"),
        "RCLONE_CONFIG_BENCH_TYPE": "s3",
        "RCLONE_CONFIG_BENCH_PROVIDER": "Other",
        "RCLONE_CONFIG_BENCH_ENDPOINT": url,
        "RCLONE_CONFIG_BENCH_REGION": "us-east-1",
        "RCLONE_CONFIG_BENCH_ACCESS_KEY_ID": "measure",
        "RCLONE_CONFIG_BENCH_SECRET_ACCESS_KEY": "secret",
    }


def run(line, env):
    """Wall seconds, processor seconds and peak memory in MB of one process."""
    with tempfile.TemporaryFile() as out:
        started = time.monotonic()
        process = subprocess.Popen([str(word) for word in line], env=env, stdout=out, stderr=out)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        out.seek(0)
        text = out.read().decode(errors="replace")
    if status != 0:
        raise RuntimeError(f"{line[0]}: status {status}: {text[-800:]}")
    return {
        "seconds": round(seconds, 3),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
        "peak_mb": round(usage.ru_maxrss / 1024, 1),
    }


def make(folder, size, files, each):
    """The files to send: bytes of chance, so that nothing could be spared."""
    chance = random.Random(7)
    one = folder / "one.bin"
    with one.open("wb") as out:
        for _ in range(size // (1 << 20)):
            out.write(chance.randbytes(1 << 20))
    many = folder / "many"
    many.mkdir()
    for number in range(files):
        (many / f"{number:06}.bin").write_bytes(chance.randbytes(each))
    return one, many


def same(sent, arrived, how):
    if how == "one":
        return filecmp.cmp(sent, arrived, shallow=False)
    names = sorted(os.listdir(sent))
    if sorted(os.listdir(arrived)) != names:
        return False
    return filecmp.cmpfiles(sent, arrived, names, shallow=False)[0] == names


def remove(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def parsed():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=2048, help="size of the large file")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--bytes", type=int, default=20_000, help="size of each small file")
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--tools", default=",".join([OURS, *PEERS]))
    parser.add_argument("--only", default="one-up,one-down,many-up,many-down")
    parser.add_argument("--folder", type=Path, help="where files and store lie; in memory by default")
    return parser.parse_args()


def place(asked, wanted):
    if asked:
        return asked
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > wanted else Path(tempfile.gettempdir())


def measure(options, folder):
    store = folder / "store"
    (store / BUCKET).mkdir(parents=True)
    server = subprocess.Popen([str(EXAMPLES / "store"), str(store)], stdout=subprocess.PIPE, text=True)
    try:
        url = server.stdout.readline().strip()
        env = environment(folder, url)
        one, many = make(folder, options.megabytes << 20, options.files, options.bytes)
        figures = {}
        for case in options.only.split(","):
            how, direction = case.split("-")
            sent = one if how == "one" else many
            stored = store / BUCKET / sent.name
            figures[case] = {}
            for number in range(options.runs):
                for tool in options.tools.split(","):
                    arrived = stored if direction == "up" else folder / f"back-{sent.name}"
                    remove(arrived)
                    if direction == "up":
                        # What the store keeps of objects that are gone.
                        for kept in store.glob(".*"):
                            remove(kept)
                    if direction == "down" and not (stored.exists()):
                        run(command(OURS, "up", how, sent, url), env)
                    local = sent if direction == "up" else arrived
                    try:
                        figure = run(command(tool, direction, how, local, url), env)
                    except (RuntimeError, FileNotFoundError) as error:
                        say(f"{case} {tool}: {error}")
                        figures[case].setdefault(tool, {"failed": str(error)[:200]})
                        continue
                    if not same(sent, arrived, how):
                        raise SystemExit(f"{case} {tool}: what arrived is not what was sent")
                    say(f"{case} {tool} run {number + 1}: {figure}")
                    best = figures[case].get(tool)
                    if best is None or figure["seconds"] < best["seconds"]:
                        figures[case][tool] = figure
            remove(folder / f"back-{sent.name}")
        return figures
    finally:
        server.terminate()
        server.wait()


def main():
    options = parsed()
    if "rclone" in options.tools and not shutil.which("rclone"):
        say("rclone is not installed (Debian: apt-get install rclone); its rows will be missing")
    wanted = 4 * (options.megabytes << 20) + 8 * options.files * options.bytes
    folder = Path(tempfile.mkdtemp(prefix="whetstone-transfer-", dir=place(options.folder, wanted)))
    try:
        figures = measure(options, folder)
    finally:
        shutil.rmtree(folder)
    ratios, aims = {}, {}
    for case, rows in figures.items():
        ours = rows.get(OURS)
        if not ours or "failed" in ours:
            continue
        ratios[case] = {
            tool: round(row["seconds"] / ours["seconds"], 2)
            for tool, row in rows.items()
            if tool != OURS and "failed" not in row
        }
        if ratios[case]:
            least = min(ratios[case].values())
            aims[f"{case}_times_as_fast_as_the_quickest_peer"] = {"value": least, "aim": 1.0, "met": least > 1.0}
        aims[f"{case}_peak_mb"] = {"value": ours["peak_mb"], "aim": 150, "met": ours["peak_mb"] < 150}
    print(json.dumps({"bench": "transfer", "figures": figures, "ratios": ratios, "aims": aims}))


main()
