"""How soon the sandbox is there and how little it takes, beside moto's server and MiniStack; and how it bears a load.

Every server is a process of its own on a folder of its own, started the same way, and ready when it gives its first HTTP
answer. Memory is the resident set of the process and its children after two idle seconds, before any model is loaded.
Of several starts the quickest counts, and the servers take turns. The load is 10,000 reads over 64 connections while a
job trains; transfers go through boto3's transfer manager, and what comes back is compared.
"""

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from socket import create_connection

import boto3
import load
from account import BUCKET, BY_HEART, Account
from program import PROGRAM, Sandbox, free_port
from records import jsonl

ALONE = PROGRAM.with_name("whetstone-sandbox")
BIN = Path(sys.executable).parent
READY_SECONDS, IDLE_MB = 0.1, 15
IDLE_AFTER = 2


def say(text):
    print(text, file=sys.stderr, flush=True)


def servers():
    """Each with its command on a port and a folder, and what its environment needs."""
    return {
        "whetstone": lambda port, data: ([ALONE, "--port", str(port), "--data", data], {}),
        # The same through the program that also has a window.
        "whetstone_sandbox": lambda port, data: ([PROGRAM, "sandbox", "--port", str(port), "--data", data], {}),
        "moto": lambda port, data: ([BIN / "moto_server", "-H", "127.0.0.1", "-p", str(port)], {}),
        "ministack": lambda port, data: ([BIN / "ministack"], {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port)}),
    }


class Server:
    def __init__(self, make, folder):
        self.port = free_port()
        data = Path(folder) / "data"
        command, environment = make(self.port, data)
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def ready(self):
        """Seconds until the first answer to anything."""
        while True:
            if self.process.poll() is not None:
                sys.exit(f"{self.process.args[0]} ended by itself")
            try:
                with create_connection(("127.0.0.1", self.port), timeout=30) as stream:
                    stream.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nConnection: close\r\n\r\n".encode())
                    if stream.recv(5) == b"HTTP/":
                        return time.monotonic() - self.began
            except OSError:
                pass
            time.sleep(0.001)

    def resident_mb(self):
        """Of the process and of those that it started."""
        family = subprocess.run(["pgrep", "-s", str(self.process.pid)], capture_output=True, text=True).stdout.split()
        return sum(resident(int(one)) for one in family) / (1 << 20)

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def resident(process):
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines() if ":" in line)
    return int(fields.get("VmRSS", "0 kB").split()[0]) << 10


def starts(times):
    runs = {name: [] for name in servers()}
    for _ in range(times):
        for name, make in servers().items():
            with tempfile.TemporaryDirectory(prefix="whetstone-bench-") as folder:
                server = Server(make, folder)
                try:
                    ready = server.ready()
                    time.sleep(IDLE_AFTER)
                    runs[name].append((ready, server.resident_mb()))
                finally:
                    server.kill()
        say(", ".join(f"{name} {runs[name][-1][0]:.3f} s {runs[name][-1][1]:.1f} MB" for name in runs))
    return {
        name: {
            "ready_seconds": round(min(ready for ready, _ in found), 3),
            "idle_mb": round(min(memory for _, memory in found), 1),
            "runs": [round(ready, 3) for ready, _ in found],
        }
        for name, found in runs.items()
    }


def under_load(requests, connections):
    with tempfile.TemporaryDirectory(prefix="whetstone-bench-") as folder:
        sandbox = Sandbox(folder)
        try:
            account = Account(sandbox.start())
            uri = account.upload("data/long.jsonl", jsonl(times=40))
            arn = account.create_job("busy", uri, hyperParameters={**BY_HEART, "epochCount": "50"})
            account.training_job(arn)
            control, objects = load.reads(account.environment, arn, BUCKET, "data/long.jsonl")
            figures = load.send(sandbox.port, {"control": control, "objects": objects}, requests, connections)
            figures["resident_mb"] = round(resident(sandbox.process.pid) / (1 << 20), 1)
            if account.job(arn)["status"] != "InProgress":
                sys.exit("the training was over before the load was")
            return figures
        finally:
            sandbox.kill()


def digest(path):
    with path.open("rb") as body:
        return hashlib.file_digest(body, "sha256").hexdigest()


def there_and_back(s3, folder, size):
    """Seconds up and down of a file of so many bytes of chance, and whether it came back as it went."""
    sent, received = Path(folder) / "sent", Path(folder) / "received"
    with sent.open("wb") as out:
        for at in range(0, size, 1 << 20):
            out.write(os.urandom(min(1 << 20, size - at)))
    s3.create_bucket(Bucket="transfers")
    began = time.monotonic()
    s3.upload_file(str(sent), "transfers", "large", ExtraArgs={"ChecksumAlgorithm": "CRC32"})
    up = time.monotonic() - began
    began = time.monotonic()
    s3.download_file("transfers", "large", str(received))
    down = time.monotonic() - began
    if digest(sent) != digest(received):
        sys.exit("what came back is not what was sent")
    return {"up_mb_per_second": round(size / up / 1e6), "down_mb_per_second": round(size / down / 1e6)}


def transfers(size):
    figures = {}
    for name in ("whetstone", "moto", "ministack"):
        with tempfile.TemporaryDirectory(prefix="whetstone-bench-") as folder:
            environment = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
            if name == "whetstone":
                environment = Sandbox(folder, 1).environment()
            server = Server(servers()[name], folder)
            try:
                server.ready()
                s3 = boto3.client(
                    "s3",
                    endpoint_url=f"http://127.0.0.1:{server.port}",
                    region_name="us-east-1",
                    aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
                    aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
                )
                figures[name] = there_and_back(s3, folder, size)
                figures[name]["resident_mb_after"] = round(server.resident_mb(), 1)
            finally:
                server.kill()
        say(f"{name}: {figures[name]}")
    return figures


def aim(value, wanted, met):
    return {"value": value, "aim": wanted, "met": met}


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench sandbox", description=__doc__)
    parser.add_argument("--times", type=int, default=5, help="starts of each server")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--megabytes", type=int, default=1000, help="of the file that goes up and down; 0 for none")
    options = parser.parse_args()

    figures = {"start": starts(options.times), "cores": os.cpu_count(), "program": str(ALONE.parent.name)}
    figures["load"] = under_load(options.requests, 64)
    say(f"load: {figures['load']}")
    if options.megabytes:
        figures["transfer"] = transfers(options.megabytes * 1_000_000)
    figures["load_average"] = os.getloadavg()[0]

    own = figures["start"]["whetstone"]
    ratios = {}
    for peer in ("moto", "ministack"):
        ratios[f"{peer}_to_whetstone_ready"] = round(figures["start"][peer]["ready_seconds"] / own["ready_seconds"], 1)
        ratios[f"{peer}_to_whetstone_idle"] = round(figures["start"][peer]["idle_mb"] / own["idle_mb"], 1)
    errors = options.requests - figures["load"]["statuses"].get(200, 0)
    aims = {
        "ready_seconds": aim(own["ready_seconds"], f"< {READY_SECONDS}", own["ready_seconds"] < READY_SECONDS),
        "idle_mb": aim(own["idle_mb"], f"< {IDLE_MB}", own["idle_mb"] < IDLE_MB),
        "errors_under_load": aim(errors, "0", errors == 0),
    }
    print(json.dumps({"bench": "sandbox", "figures": figures, "ratios": ratios, "aims": aims}))


main()
