"""Many clients at once, while a job trains: every one of them is answered, and a thing that all ask for is made once."""

from concurrent.futures import ThreadPoolExecutor

import load
import pytest
from account import BUCKET, BY_HEART, Account
from records import jsonl

REQUESTS, CONNECTIONS = 10_000, 64
# What it may take more at its peak than before: answers on their way, and threads. A leak of a kilobyte a request would
# be ten megabytes.
GROWTH = 48 << 20


@pytest.fixture
def training(new_sandbox):
    sandbox = new_sandbox().start()
    account = Account(sandbox)
    uri = account.upload("data/long.jsonl", jsonl(times=40))
    arn = account.create_job("busy", uri, hyperParameters={**BY_HEART, "epochCount": "50"})
    account.training_job(arn)
    return sandbox, account, arn


def test_ten_thousand_requests_from_sixty_four_connections_are_answered_while_a_job_trains(training):
    sandbox, account, arn = training
    before = sandbox.memory()
    control, objects = load.reads(account.environment, arn, BUCKET, "data/long.jsonl")
    figures = load.send(sandbox.port, {"control": control, "objects": objects}, REQUESTS, CONNECTIONS)
    assert figures["statuses"] == {200: REQUESTS}, figures
    assert sandbox.memory() - before < GROWTH, figures
    assert account.job(arn)["status"] == "InProgress", "the load was over before the training was"


def test_fifty_creates_at_once_with_one_token_make_one_job(training):
    _, account, _ = training
    uri = account.upload("data/colours.jsonl", jsonl())
    request = account.job_request("one-of-fifty", uri, clientRequestToken="the-one-token")

    def create(bedrock):
        return bedrock.create_model_customization_job(**request)["jobArn"]

    clients = [account.client("bedrock") for _ in range(50)]
    with ThreadPoolExecutor(len(clients)) as pool:
        arns = set(pool.map(create, clients))
    assert len(arns) == 1
    jobs = account.bedrock.list_model_customization_jobs(nameContains="one-of-fifty")["modelCustomizationJobSummaries"]
    assert [job["jobArn"] for job in jobs] == list(arns)
