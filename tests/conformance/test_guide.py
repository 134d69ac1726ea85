"""The guide's five steps from end to end, for each family that it names: four are tuned, two are refused."""

import csv
import io

import guide
import pytest
from account import Account
from judge import refusal

CASES = [(name, approach) for name, family in guide.FAMILIES.items() for approach in family.approaches]


@pytest.fixture(scope="module")
def west(sandbox):
    """The guide works in us-west-2, so its bucket is there."""
    account = Account(sandbox, AWS_REGION=guide.REGION, AWS_DEFAULT_REGION=guide.REGION)
    account.s3.create_bucket(Bucket="your-bucket", CreateBucketConfiguration={"LocationConstraint": guide.REGION})
    return account


def losses(s3, output, job_id):
    prefix = f"{output}model-customization-job-{job_id.rsplit('/', 1)[-1]}/training_artifacts/"
    (entry,) = s3.list_objects_v2(Bucket="your-bucket", Prefix=prefix)["Contents"]
    text = s3.get_object(Bucket="your-bucket", Key=entry["Key"])["Body"].read().decode()
    return [float(row["training_loss"]) for row in csv.DictReader(io.StringIO(text))]


@pytest.mark.parametrize(("name", "approach"), CASES, ids=lambda value: value or "instruction")
def test_the_guide_leads_to_a_tuned_model_that_answers(aws, west, tmp_path, name, approach):
    bedrock = west.bedrock
    family = guide.FAMILIES[name]
    job_name = f"{name}-{approach}" if approach else name
    folder = f"s3://your-bucket/fine-tuning-data/{job_name}"
    data = guide.prepare(family, tmp_path / "data.jsonl")
    training = guide.upload(aws, data, f"{folder}/training_data.jsonl")
    validation = guide.upload(aws, data, f"{folder}/validation_data.jsonl")
    arguments = (family, job_name, west.role, training, validation, "s3://your-bucket/fine-tuning-output/")
    if approach:
        job_id = guide.create(bedrock, *arguments, approach=approach)
    else:
        job_id = guide.create_by_command_line(aws, *arguments)

    job = guide.follow(bedrock, job_id)
    assert job["status"] == "Completed", job.get("failureMessage")
    assert job["trainingMetrics"]["trainingLoss"] > 0
    assert job["validationMetrics"][0]["validationLoss"] > 0
    curve = losses(west.s3, "fine-tuning-output/", job_id)
    assert curve[-1] < curve[0], "three epochs must bring the loss down"

    served = guide.serve(bedrock, job_name, job["outputModelArn"])
    response, answer = guide.use(west.runtime, family, served, "How can I reset my password?")
    assert answer.strip()
    told = response["ResponseMetadata"]["HTTPHeaders"]
    assert told["x-whetstone-stand-in"] == "whetstone.tiny-v1", "a stand-in answers, and says so"
    bedrock.delete_provisioned_model_throughput(provisionedModelId=served)
    bedrock.delete_custom_model(modelIdentifier=job_name)


@pytest.mark.parametrize(
    ("base", "why"),
    [
        ("ai21.j2-ultra-v1", "AI21 Jurassic models cannot be customized"),
        ("stability.stable-diffusion-xl-v1", "Stability AI's models cannot be customized"),
    ],
)
def test_the_families_that_cannot_be_tuned_are_refused_with_the_reason(west, base, why):
    family = guide.Family(base, guide.prompt_completion, {}, body=None, answer=None)
    uri = "s3://your-bucket/fine-tuning-data/any.jsonl"
    told = refusal(guide.create, west.bedrock, family, "refused", west.role, uri, uri, "s3://your-bucket/out/")
    assert told[:2] == ("ValidationException", 400)
    assert why in told[2]


def test_the_guides_own_data_is_not_what_the_service_reads(aws, west, tmp_path):
    """One document with `examples`: the job fails, and says on which line of what form."""
    data = tmp_path / "training_data.json"
    data.write_text('{\n  "examples": [\n    {"input": "User query", "output": "Desired response"}\n  ]\n}\n')
    uri = guide.upload(aws, data, "s3://your-bucket/fine-tuning-data/training_data.json")
    family = guide.FAMILIES["titan"]
    output = "s3://your-bucket/fine-tuning-output/"
    job_id = guide.create(west.bedrock, family, "document", west.role, uri, uri, output)
    job = guide.follow(west.bedrock, job_id)
    assert job["status"] == "Failed"
    assert "line 1 of the training data" in job["failureMessage"].lower()
