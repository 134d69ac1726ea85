"""The same life cycle by the AWS CLI from PyPI. (Version 1 of the CLI has no converse-stream: it leaves out every
operation that answers with an event stream.)"""

import csv
import json

from account import BUCKET, BY_HEART, conversation
from program import eventually
from records import PAIRS, jsonl


def test_the_life_cycle_by_the_aws_command_line(aws, account, tmp_path):
    account.upload("there-is-a-bucket", b"")
    training = tmp_path / "colours.jsonl"
    training.write_bytes(jsonl())
    aws("s3", "cp", str(training), f"s3://{BUCKET}/cli/colours.jsonl")
    assert "colours.jsonl" in aws("s3", "ls", f"s3://{BUCKET}/cli/")

    arn = json.loads(
        aws(
            *("bedrock", "create-model-customization-job", "--job-name", "by-cli", "--custom-model-name", "by-cli"),
            *("--role-arn", aws.role, "--base-model-identifier", "whetstone.tiny-v1"),
            *("--training-data-config", f"s3Uri=s3://{BUCKET}/cli/colours.jsonl"),
            *("--output-data-config", f"s3Uri=s3://{BUCKET}/cli-out"),
            *("--hyper-parameters", ",".join(f"{key}={value}" for key, value in BY_HEART.items())),
        )
    )["jobArn"]

    def ended():
        job = json.loads(aws("bedrock", "get-model-customization-job", "--job-identifier", arn))
        return job if job["status"] != "InProgress" else None

    job = eventually(ended, within=120)
    assert job["status"] == "Completed", job.get("failureMessage")

    out = tmp_path / "out"
    aws("s3", "cp", "--recursive", f"s3://{BUCKET}/cli-out/model-customization-job-{arn.rsplit('/', 1)[-1]}/", str(out))
    (metrics,) = out.rglob("step_wise_training_metrics.csv")
    with metrics.open(newline="") as file:
        losses = [float(row["training_loss"]) for row in csv.DictReader(file)]
    assert losses[-1] < losses[0]

    deployment = json.loads(
        aws(
            *("bedrock", "create-custom-model-deployment", "--model-deployment-name", "by-cli"),
            *("--model-arn", job["outputModelArn"]),
        )
    )["customModelDeploymentArn"]

    def active():
        command = ("bedrock", "get-custom-model-deployment", "--custom-model-deployment-identifier", deployment)
        return json.loads(aws(*command))["status"] == "Active"

    eventually(active)
    prompt, completion = PAIRS[0]
    asked = conversation(prompt)
    answer = json.loads(
        aws(
            *("bedrock-runtime", "converse", "--model-id", deployment, "--messages", json.dumps(asked["messages"])),
            *("--inference-config", json.dumps(asked["inferenceConfig"])),
        )
    )
    assert answer["output"]["message"]["content"][0]["text"].strip() == completion

    body, said = tmp_path / "body.json", tmp_path / "said.json"
    body.write_text(json.dumps({"schemaVersion": "messages-v1", **asked}))
    aws("bedrock-runtime", "invoke-model", "--model-id", deployment, "--body", f"fileb://{body}", str(said))
    assert json.loads(said.read_text())["output"]["message"]["content"][0]["text"].strip() == completion


def test_sync_brings_a_folder_there_and_back(aws, account, tmp_path):
    account.upload("there-is-a-bucket", b"")
    names = ["a.txt", "deeper/b c.txt", "deeper/still/ümlaut.txt"]
    for name in names:
        path = tmp_path / "there" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name * 1000)
    aws("s3", "sync", str(tmp_path / "there"), f"s3://{BUCKET}/sync")
    aws("s3", "sync", f"s3://{BUCKET}/sync", str(tmp_path / "back"))
    for name in names:
        assert (tmp_path / "back" / name).read_text() == name * 1000


def test_the_command_line_reads_stops_and_clears_away(aws, account):
    """What the life cycle above has no need of."""
    aws("bedrock", "list-foundation-models", "--by-output-modality", "TEXT")
    tiny = ("whetstone.tiny-v1",)
    aws("bedrock", "get-foundation-model", "--model-identifier", *tiny)
    aws("bedrock", "get-foundation-model-availability", "--model-id", *tiny)
    training = account.upload("cli/clearing.jsonl", jsonl())
    arn = account.create_job("clearing", training, hyperParameters={"epochCount": "1"})
    model = account.job_in(arn, "Completed")["outputModelArn"]
    deployment = ("--custom-model-deployment-identifier", account.serve("clearing", model))
    aws("bedrock", "list-model-customization-jobs", "--name-contains", "clearing")
    aws("bedrock", "get-custom-model", "--model-identifier", model)
    aws("bedrock", "list-custom-models")
    aws("bedrock", "list-custom-model-deployments")
    aws("bedrock", "update-custom-model-deployment", *deployment, "--model-arn", model)
    aws("bedrock", "delete-custom-model-deployment", *deployment)
    aws("bedrock", "delete-custom-model", "--model-identifier", model)
    doomed = account.create_job("doomed", training, hyperParameters={**BY_HEART, "epochCount": "50"})
    aws("bedrock", "stop-model-customization-job", "--job-identifier", doomed)
    account.job_in(doomed, "Stopped")
    assert aws.refused("bedrock", "get-custom-model", "--model-identifier", model) == "ResourceNotFoundException"
