"""Kinds of training beside plain fine-tuning, and what there is to a job beside its losses, by boto3 and the AWS CLI."""

import json

from account import BUCKET, BY_HEART
from judge import refusal
from program import eventually
from records import PAIRS, jsonl

PROMPTS = [f"Tell me about number {number}." for number in range(100)]
TEXT = "The lamp on the hill is lit when the last boat has come home."


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def prompt(text):
    return {
        "schemaVersion": "bedrock-conversation-2024",
        "messages": [{"role": "user", "content": [{"text": text}]}],
    }


def distillation(account, name):
    teacher = {"teacherModelIdentifier": "amazon.nova-pro-v1:0", "maxResponseLengthForInference": 4}
    request = account.job_request(
        name,
        account.upload("data/prompts.jsonl", lines(map(prompt, PROMPTS))),
        baseModelIdentifier="amazon.nova-micro-v1:0:128k",
        customizationType="DISTILLATION",
        customizationConfig={"distillationConfig": {"teacherModelConfig": teacher}},
        hyperParameters={"epochCount": "1"},
    )
    return request


def pre_training(account, name):
    texts = account.upload("data/texts.jsonl", lines([{"input": TEXT}] * 40))
    return account.job_request(
        name,
        texts,
        baseModelIdentifier="amazon.titan-text-express-v1:0:8k",
        customizationType="CONTINUED_PRE_TRAINING",
        hyperParameters={"epochCount": "2"},
    )


def objects(account, arn):
    """Everything that a job has put under its prefix, by the names there."""
    prefix = f"out/model-customization-job-{arn.rsplit('/', 1)[-1]}/"
    listed = account.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
    return {
        entry["Key"].removeprefix(prefix): account.s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
        for entry in listed
    }


def by_cli(aws, request):
    """Creates a job by the CLI, waits for it by the CLI, and returns what it prints of it."""
    arn = json.loads(aws("bedrock", "create-model-customization-job", "--cli-input-json", json.dumps(request)))["jobArn"]

    def ended():
        job = json.loads(aws("bedrock", "get-model-customization-job", "--job-identifier", arn))
        return job if job["status"] != "InProgress" else None

    return eventually(ended, within=120, every=0.5)


def test_a_student_is_distilled_from_its_teachers_answers(account):
    request = distillation(account, "distilled")
    arn = account.bedrock.create_model_customization_job(**request)["jobArn"]
    job = account.job_in(arn, "Completed", within=180)
    assert job["customizationType"] == "DISTILLATION"
    assert job["customizationConfig"] == request["customizationConfig"]
    assert job["trainingMetrics"]["trainingLoss"] > 0
    found = objects(account, arn)
    report = [json.loads(line) for line in found["distillation_artifacts/prompts_report.jsonl"].splitlines()]
    assert len(report) == len(PROMPTS)
    sample = found["distillation_artifacts/synthetic_data_sample.jsonl"].splitlines()
    assert len(sample) == sum(one["accepted"] for one in report)
    model = account.bedrock.get_custom_model(modelIdentifier=job["outputModelArn"])
    assert model["customizationConfig"] == request["customizationConfig"]

    request["customizationConfig"]["distillationConfig"]["teacherModelConfig"]["teacherModelIdentifier"] = "whetstone.tiny-v1"
    code, status, message = refusal(
        account.bedrock.create_model_customization_job, **request | {"jobName": "untaught", "customModelName": "untaught"}
    )
    assert (code, status) == ("ValidationException", 400)
    assert "is not a teacher" in message


def test_the_cli_distils_too(aws, account):
    job = by_cli(aws, distillation(account, "distilled-by-cli"))
    assert (job["status"], job["customizationType"]) == ("Completed", "DISTILLATION")


def test_plain_texts_are_read_on_by_continued_pre_training(account):
    arn = account.bedrock.create_model_customization_job(**pre_training(account, "read"))["jobArn"]
    job = account.job_in(arn, "Completed")
    assert job["customizationType"] == "CONTINUED_PRE_TRAINING"
    rows = account.metrics(arn, "step_wise_training_metrics.csv")
    assert len(rows) == 10, "forty texts in batches of eight, twice"
    assert float(rows[-1]["training_loss"]) < float(rows[0]["training_loss"])


def test_the_cli_reads_on_too(aws, account):
    job = by_cli(aws, pre_training(account, "read-by-cli"))
    assert (job["status"], job["customizationType"]) == ("Completed", "CONTINUED_PRE_TRAINING")


def test_access_to_a_model_is_looked_at_before_it_is_used(aws, account):
    def seen(model):
        by_boto = account.bedrock.get_foundation_model_availability(modelId=model)
        by_cli = json.loads(aws("bedrock", "get-foundation-model-availability", "--model-id", model))
        del by_boto["ResponseMetadata"]
        assert by_boto == by_cli
        return by_boto["agreementAvailability"]["status"], by_boto["authorizationStatus"], by_boto["regionAvailability"]

    assert seen("amazon.nova-micro-v1:0") == ("AVAILABLE", "AUTHORIZED", "AVAILABLE")
    assert seen("stability.stable-diffusion-xl-v1")[2] == "NOT_AVAILABLE"
    unknown = refusal(account.bedrock.get_foundation_model_availability, modelId="nobody.nothing-v1")
    assert unknown[:2] == ("ResourceNotFoundException", 404)


def test_each_validator_has_its_own_loss_and_its_own_file(account):
    training = account.upload("data/colours.jsonl", jsonl())
    parts = [account.upload(f"data/part-{n}.jsonl", jsonl(PAIRS[n::3])) for n in range(3)]
    validators = [{"s3Uri": uri} for uri in parts]
    short = {**BY_HEART, "epochCount": "2"}
    arn = account.create_job(
        "validated", training, validationDataConfig={"validators": validators}, hyperParameters=short
    )
    job = account.job_in(arn, "Completed")
    assert job["validationDataConfig"]["validators"] == validators
    losses = [metric["validationLoss"] for metric in job["validationMetrics"]]
    assert len(losses) == len(set(losses)) == 3
    folder = "validation_artifacts/post_fine_tuning_validation"
    found = objects(account, arn)
    for index, loss in enumerate(losses, start=1):
        last = found[f"{folder}/validator_{index}/validation_metrics.csv"].decode().splitlines()[-1]
        assert abs(float(last.split(",")[2]) - loss) < 1e-6
    assert account.bedrock.get_custom_model(modelIdentifier="validated")["validationMetrics"] == job["validationMetrics"]
    eleven = {"validators": validators * 3 + validators[:2]}
    code, status, _ = refusal(
        account.bedrock.create_model_customization_job,
        **account.job_request("too-many", training, validationDataConfig=eleven),
    )
    assert (code, status) == ("ValidationException", 400)


def test_training_ends_early_when_validation_no_longer_gets_better(account):
    training = account.upload("data/colours.jsonl", jsonl())
    validation = account.upload("data/part-0.jsonl", jsonl(PAIRS[::3]))
    impatient = {**BY_HEART, "earlyStoppingPatience": "1", "earlyStoppingThreshold": "0.1", "learningRate": "0.000001"}
    arn = account.create_job(
        "ended-early", training, validationDataConfig={"validators": [{"s3Uri": validation}]}, hyperParameters=impatient
    )
    job = account.job_in(arn, "Completed")
    assert len(job["validationMetrics"]) == 1
    told = json.loads(objects(account, arn)["training_artifacts/early_stopping.json"])
    per_epoch = len(PAIRS) // int(BY_HEART["batchSize"])
    # At this rate the second epoch is no better than the first by a tenth.
    assert told == {"steps_trained": 2 * per_epoch, "steps_planned": 30 * per_epoch, "epochs_trained": 2}
    assert len(account.metrics(arn, "step_wise_training_metrics.csv")) == told["steps_trained"]
    assert len(account.metrics(arn, "validation_metrics.csv")) == 2


def test_a_model_of_sagemakers_is_refused_with_the_reason(account):
    source = {"s3DataSource": {"s3Uri": "s3://amazon-managed/model/"}}
    code, status, message = refusal(account.bedrock.create_custom_model, modelName="mine", modelSourceConfig=source)
    assert (code, status) == ("ValidationException", 400)
    assert "SageMaker" in message
