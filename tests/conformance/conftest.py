"""Fixtures: a running sandbox, boto3 clients and an AWS CLI that know it from its own `env` lines, a tuned model.

Nothing is patched or stubbed, and every answer is judged (see judge.py). A sandbox is shared where tests cannot disturb each other and made anew where
they end it.
"""

import subprocess
from types import SimpleNamespace

import pytest
from account import Account
from command_line import CommandLine
from program import Sandbox, eventually
from records import PAIRS, jsonl


@pytest.fixture
def new_sandbox(tmp_path):
    """Makes sandboxes that the test starts itself; each is killed when the test is over."""
    made = []

    def make(folder="sandbox", port=None):
        made.append(Sandbox(tmp_path / folder, port))
        return made[-1]

    yield make
    for sandbox in made:
        sandbox.kill()


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory):
    running = Sandbox(tmp_path_factory.mktemp("shared"))
    try:
        yield running.start()
    finally:
        running.kill()


@pytest.fixture(scope="session")
def account(sandbox):
    return Account(sandbox)


@pytest.fixture(scope="session")
def tuned(account):
    """A job run to its end by boto3, and its deployed model, shared by the tests that look at them."""
    training = account.upload("data/colours.jsonl", jsonl())
    validation = account.upload("data/validation.jsonl", jsonl(PAIRS[::3]))
    arn = account.create_job("colours", training, validationDataConfig={"validators": [{"s3Uri": validation}]})
    seen = []

    def ended():
        job = account.job(arn)
        phases = {name: detail["status"] for name, detail in job["statusDetails"].items()}
        if not seen or seen[-1] != phases:
            seen.append(phases)
        return job if job["status"] != "InProgress" else None

    job = eventually(ended, within=120, every=0.05)
    assert job["status"] == "Completed", job.get("failureMessage")
    return SimpleNamespace(job=job, phases=seen, deployment=account.serve("colours", job["outputModelArn"]))


@pytest.fixture(scope="session")
def aws(sandbox):
    return CommandLine(sandbox)


@pytest.fixture(scope="session")
def rclone(account):
    """`rclone(command, …)` runs a command that must succeed, with the sandbox as `box:`, and returns what it printed."""
    environment = {
        **account.environment,
        "RCLONE_CONFIG_BOX_TYPE": "s3",
        "RCLONE_CONFIG_BOX_PROVIDER": "Other",
        "RCLONE_CONFIG_BOX_ENV_AUTH": "true",
        "RCLONE_CONFIG_BOX_ENDPOINT": account.environment["AWS_ENDPOINT_URL"],
        "RCLONE_CONFIG_BOX_REGION": account.environment["AWS_REGION"],
        "RCLONE_S3_UPLOAD_CUTOFF": "5Mi",
        "RCLONE_S3_CHUNK_SIZE": "5Mi",
    }

    def run(*arguments):
        done = subprocess.run(["rclone", *arguments], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"rclone {' '.join(arguments)}\n{done.stderr}"
        return done.stdout

    return run


def pytest_collection_modifyitems(items):
    """What looks back on the whole run comes last."""
    items.sort(key=lambda item: item.path.name == "test_operations.py")
