"""The AWS SDK for Rust over the sandbox's operations, in a program of its own; see src-tauri/sandbox/examples/rust_sdk."""

import os
import subprocess
from pathlib import Path

import ledger
from program import PROGRAM

RUST_SDK = Path(os.environ.get("WHETSTONE_RUST_SDK", PROGRAM.parent / "examples/rust-sdk"))
# What the SDK calls a service, where botocore calls it otherwise.
NAMES = {"Bedrock Runtime": "bedrock-runtime", "Service Quotas": "service-quotas"}


def test_the_rust_sdk_is_content_with_every_answer(sandbox):
    run = subprocess.run([RUST_SDK], env=sandbox.environment(), capture_output=True, text=True, timeout=120)
    for line in run.stdout.splitlines():
        service, _, operation = line.rpartition(" ")
        ledger.LEDGER.record("Rust SDK", NAMES.get(service, service.lower()), operation)
    assert run.returncode == 0, run.stderr
