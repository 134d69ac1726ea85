"""What is still there, and what goes on, when a sandbox was killed; and who may not start beside it."""

import subprocess

import pytest
from account import BUCKET, BY_HEART, Account
from program import PROGRAM, Sandbox, eventually
from records import PAIRS, jsonl


def steps(account, arn):
    rows = account.metrics(arn, "step_wise_training_metrics.csv") or []
    return [int(row["step_number"]) for row in rows]


def moved_on(account, arn, least):
    """How many steps the loss file has once training has gone on by some; it never has fewer than `least`."""
    before = len(steps(account, arn))

    def some_more():
        now = len(steps(account, arn))
        assert now >= least, f"training began again: {least} steps were told, now there are {now}"
        return now if now > before else None

    return eventually(some_more)


@pytest.mark.timeout(400)
def test_a_job_outlives_every_end_of_its_sandbox_and_tells_each_step_once(new_sandbox):
    sandbox = new_sandbox().start()
    account = Account(sandbox)
    training = account.upload("data/colours.jsonl", jsonl(times=4))
    arn = account.create_job("survivor", training, hyperParameters={**BY_HEART, "epochCount": "50"})

    # Only the first end leaves a checkpoint for certain; what was told before it is never trained again.
    told = moved_on(account, arn, least=0)
    for end in (sandbox.terminate, sandbox.kill, sandbox.kill_alone):
        end()
        account = Account(sandbox.start())
        moved_on(account, arn, least=told)

    assert account.job_in(arn, "Completed", within=240)["outputModelArn"]
    per_epoch = 4 * len(PAIRS) // int(BY_HEART["batchSize"])
    assert steps(account, arn) == list(range(50 * per_epoch))


def test_what_was_answered_before_a_kill_is_there_after_it(new_sandbox):
    sandbox = new_sandbox().start()
    before = Account(sandbox)
    uri = before.upload("data/colours.jsonl", jsonl())
    token = {"clientRequestToken": "told-before-the-kill", "hyperParameters": {**BY_HEART, "epochCount": "1"}}
    arn = before.create_job("told", uri, **token)
    sandbox.kill()

    after = Account(sandbox.start())
    assert after.environment == before.environment, "keys and role outlive the program"
    assert after.s3.get_object(Bucket=BUCKET, Key="data/colours.jsonl")["Body"].read() == jsonl()
    assert after.create_job("told", uri, **token) == arn
    job = after.job_in(arn, "Completed")
    listed = after.bedrock.list_custom_models()["modelSummaries"]
    assert [model["modelArn"] for model in listed] == [job["outputModelArn"]]


def refused(sandbox):
    """Standard error of a sandbox that must not start."""
    command = [PROGRAM, "sandbox", "--port", str(sandbox.port), "--data", sandbox.data]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    assert run.returncode != 0
    return run.stderr


def test_two_sandboxes_on_one_folder_are_refused(new_sandbox, tmp_path):
    first = new_sandbox().start()
    second = Sandbox(tmp_path / "sandbox")
    assert second.data == first.data
    assert str(first.data) in refused(second)
    assert first.answers()


def test_a_port_that_is_taken_is_refused(new_sandbox):
    first = new_sandbox("first").start()
    second = new_sandbox("second", port=first.port)
    assert str(first.port) in refused(second)
    assert first.answers()
