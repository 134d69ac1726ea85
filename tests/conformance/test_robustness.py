"""What becomes of a sandbox when the computer is at its end, or a client behaves badly: a clear refusal, and it goes on.

A full disk and a folder that cannot be written to are real ones: file systems in memory, mounted for the sandbox alone.
"""

import os
import socket
import subprocess

import load
import pytest
from account import Account
from program import PROGRAM, eventually

MOUNTS = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]


@pytest.fixture(scope="module")
def mounts():
    run = subprocess.run([*MOUNTS, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True)
    if run.returncode != 0:
        pytest.skip(f"this system lets nobody mount anything: {run.stderr}")


def test_a_folder_that_cannot_be_written_to_is_refused_by_name(mounts, new_sandbox):
    sandbox = new_sandbox()
    sandbox.environment()
    script = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'
    command = [PROGRAM, "sandbox", "--port", str(sandbox.port), "--data", sandbox.data]
    run = subprocess.run(
        [*MOUNTS, "bash", "-c", script, "bash", str(sandbox.data), *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert run.returncode == 1
    assert str(sandbox.data) in run.stderr
    assert "Read-only" in run.stderr


def test_who_asks_and_goes_away_or_stalls_is_nobodys_trouble(new_sandbox):
    sandbox = new_sandbox().start()
    account = Account(sandbox)
    whole = load.signed(account.environment, "bedrock", "/foundation-models")
    connections = []
    for part in [b"", b"GET", whole[:-10], whole, whole[:-2] + b"Content-Length: 1000\r\n\r\n{"] * 20:
        stream = socket.create_connection(("127.0.0.1", sandbox.port))
        stream.sendall(part)
        connections.append(stream)
    for stream in connections[::2]:
        stream.close()
    assert account.bedrock.list_foundation_models()["modelSummaries"]
    assert eventually(sandbox.answers)
    for stream in connections:
        stream.close()
