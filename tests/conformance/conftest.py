"""Fixtures: a running sandbox, boto3 clients and an AWS CLI that know it from its own `env` lines, a tuned model.

Nothing is patched or stubbed. A sandbox is shared where tests cannot disturb each other and made anew where
they end it.
"""

import subprocess
from types import SimpleNamespace

import pytest
from account import Account
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


class CommandLine:
    """The AWS CLI from PyPI, in the environment that the sandbox prints."""

    def __init__(self, sandbox):
        self.environment = sandbox.environment()
        self.role = self.environment["WHETSTONE_ROLE_ARN"]

    def __call__(self, *arguments):
        run = subprocess.run(["aws", *arguments], env=self.environment, capture_output=True, text=True)
        assert run.returncode == 0, f"aws {' '.join(arguments)}\n{run.stdout}{run.stderr}"
        return run.stdout


@pytest.fixture(scope="session")
def aws(sandbox):
    return CommandLine(sandbox)
