"""What becomes of a sandbox when the computer is at its end, or a client behaves badly: a clear refusal, and it goes on.

A full disk and a folder that cannot be written to are real ones: file systems in memory, mounted for the sandbox alone.
"""

import os
import socket
import subprocess

import load
import pytest
from account import BUCKET, BY_HEART, Account
from judge import refusal
from program import PROGRAM, eventually
from records import jsonl

MOUNTS = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]


@pytest.fixture(scope="module")
def mounts():
    run = subprocess.run([*MOUNTS, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True)
    if run.returncode != 0:
        pytest.skip(f"this system lets nobody mount anything: {run.stderr}")


def on_its_own_disk(sandbox, megabytes):
    """The words to start a sandbox with, so that its folder is a small file system with the keys of the folder before."""
    sandbox.environment()
    script = (
        'keys=$(cat "$1/keys.json") && mount -t tmpfs -o size="$2" none "$1" && chmod 700 "$1"'
        ' && (umask 077; printf %s "$keys" >"$1/keys.json") && shift 2 && exec "$@"'
    )
    return [*MOUNTS, "bash", "-c", script, "bash", str(sandbox.data), f"{megabytes}m"]


def test_a_full_disk_is_told_in_words_and_what_was_there_is_still_there(mounts, new_sandbox):
    sandbox = new_sandbox()
    sandbox.start(inside=on_its_own_disk(sandbox, 24))
    account = Account(sandbox, AWS_MAX_ATTEMPTS="1")
    training = account.upload("data/colours.jsonl", jsonl())
    account.upload("kept", b"first")

    code, status, message = refusal(account.s3.put_object, Bucket=BUCKET, Key="kept", Body=b"x" * (40 << 20))
    assert (code, status) == ("InternalError", 500)
    assert "No space left" in message
    assert account.s3.get_object(Bucket=BUCKET, Key="kept")["Body"].read() == b"first"

    # Less is left than a tuned model takes.
    account.upload("ballast", b"x" * (16 << 20))
    arn = account.create_job("too-big", training, hyperParameters={**BY_HEART, "epochCount": "1"})
    failed = account.job_in(arn, "Failed")
    assert "No space left" in failed["failureMessage"], failed["failureMessage"]

    account.s3.delete_object(Bucket=BUCKET, Key="ballast")
    arn = account.create_job("fits", training, hyperParameters={**BY_HEART, "epochCount": "1"})
    account.job_in(arn, "Completed")


def test_records_that_do_not_fit_any_more_are_refused_and_not_half_kept(mounts, new_sandbox):
    sandbox = new_sandbox()
    sandbox.start(inside=on_its_own_disk(sandbox, 4))
    account = Account(sandbox, AWS_MAX_ATTEMPTS="1")
    account.upload("a", b"x")
    size, pieces = 1 << 20, 0
    while size >= 1024:
        try:
            account.s3.put_object(Bucket=BUCKET, Key=f"ballast/{pieces}", Body=b"x" * size)
            pieces += 1
        except account.s3.exceptions.ClientError:
            size //= 2
    made = []
    error = None
    for number in range(2000):
        trust = '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}}'
        try:
            account.iam.create_role(RoleName=f"role-{number}", AssumeRolePolicyDocument=trust, Description="x" * 900)
            made.append(f"role-{number}")
        except account.iam.exceptions.ClientError as refused:
            error = refused
            break
    assert error is not None and "full" in str(error), error
    names = [role["RoleName"] for page in account.iam.get_paginator("list_roles").paginate() for role in page["Roles"]]
    assert sorted(name for name in names if name.startswith("role-")) == sorted(made)


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
