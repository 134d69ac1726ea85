"""The sandbox on data that nobody wrote for it."""

import csv
import json
import os
from pathlib import Path

import pytest
from program import eventually

pytestmark = pytest.mark.real_data


def test_ten_thousand_bank_messages_pass_the_data_phase_and_train(account):
    folder = Path(os.environ["WHETSTONE_REAL_DATA"]) / "banking77"
    with (folder / "train.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10_003
    body = "".join(json.dumps({"prompt": row["text"], "completion": row["category"]}) + "\n" for row in rows)
    arn = account.create_job("bank-messages", account.upload("data/banking77.jsonl", body.encode()), hyperParameters={})
    account.training_job(arn)
    losses = eventually(lambda: account.metrics(arn, "step_wise_training_metrics.csv"))
    assert float(losses[0]["training_loss"]) > 0
    account.bedrock.stop_model_customization_job(jobIdentifier=arn)
    account.job_in(arn, "Stopped")
