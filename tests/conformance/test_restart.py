"""What is still there, and what goes on, when a sandbox was killed; and who may not start beside it."""

import subprocess

import pytest
from account import BUCKET, BY_HEART, Account
from judge import ask
from program import PROGRAM, Sandbox, eventually
from records import PAIRS, jsonl


def steps(account, arn):
    rows = account.metrics(arn, "step_wise_training_metrics.csv") or []
    return [int(row["step_number"]) for row in rows]


def goes_on(new_sandbox, times, may_kill, *, group):
    """Kills a sandbox in the middle of a training, and sees the job through to its end by another one."""
    sandbox = new_sandbox().start()
    account = Account(sandbox)
    training = account.upload("data/colours.jsonl", jsonl(times=times))
    arn = account.create_job("survivor", training, hyperParameters={**BY_HEART, "epochCount": "50"})
    eventually(lambda: may_kill(sandbox, account, arn))
    account.training_job(arn)
    sandbox.kill(group=group)

    account = Account(sandbox.start())
    written = steps(account, arn)
    assert written, "what was trained before the kill is still to be read"
    job = account.job_in(arn, "Completed", within=240)
    assert job["outputModelArn"]
    per_epoch = times * len(PAIRS) // int(BY_HEART["batchSize"])
    assert steps(account, arn) == list(range(50 * per_epoch)), "each step once, and none is missing"


@pytest.mark.timeout(400)
def test_after_a_kill_of_sandbox_and_trainer_the_job_goes_on_from_its_last_checkpoint(new_sandbox):
    def a_checkpoint_was_kept(sandbox, _account, _arn):
        return list(sandbox.data.glob("jobs/*/checkpoint"))

    goes_on(new_sandbox, 12, a_checkpoint_was_kept, group=True)


@pytest.mark.timeout(400)
def test_a_trainer_whose_sandbox_was_killed_ends_and_the_job_goes_on(new_sandbox):
    def steps_were_told(_sandbox, account, arn):
        return steps(account, arn)

    goes_on(new_sandbox, 2, steps_were_told, group=False)


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
    listed = ask(after.bedrock, "list_custom_models")["modelSummaries"]
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
