"""What the sandbox does not let through: strangers, bad requests, bad data; each with the code that AWS gives it."""

import http.client

import pytest
from account import BASE_MODEL, BUCKET, BY_HEART, Account, conversation
from judge import refusal
from records import PAIRS, jsonl


@pytest.fixture(scope="module")
def training(account):
    return account.upload("data/refusals.jsonl", jsonl())


def refused_by_all(stranger):
    """What each service answers a stranger: code and status. Each has to say it in words, too."""
    answers = [
        refusal(stranger.s3.list_buckets),
        refusal(stranger.bedrock.list_custom_models),
        refusal(stranger.runtime.converse, modelId=BASE_MODEL, **conversation("Hello")),
    ]
    assert all(message for _, _, message in answers), answers
    return [(code, status) for code, status, _ in answers]


def test_a_wrong_secret_is_refused_by_every_service(sandbox):
    assert refused_by_all(Account(sandbox, AWS_SECRET_ACCESS_KEY="x" * 40)) == [
        ("SignatureDoesNotMatch", 403),
        ("InvalidSignatureException", 403),
        ("InvalidSignatureException", 403),
    ]


def test_an_unknown_key_is_refused_by_every_service(sandbox):
    assert refused_by_all(Account(sandbox, AWS_ACCESS_KEY_ID="AKIAAAAAAAAAAAAAAAAA")) == [
        ("InvalidAccessKeyId", 403),
        ("UnrecognizedClientException", 403),
        ("UnrecognizedClientException", 403),
    ]


@pytest.mark.parametrize("path", ["/", "/foundation-models", "/model/whetstone.tiny-v1/converse"])
def test_a_request_without_a_signature_is_refused_on_every_route(sandbox, path):
    assert plain_status(sandbox, path) == 403


def test_a_request_to_another_host_name_is_refused_even_when_it_is_signed(account, sandbox):
    """What a web page could send that has its own name resolve to this computer."""
    account.upload("signed", b"x")
    url = account.s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "signed"})
    path = url.removeprefix(f"http://127.0.0.1:{sandbox.port}")
    assert plain_status(sandbox, path) == 200
    assert plain_status(sandbox, path, Host=f"page.example:{sandbox.port}") == 403
    assert plain_status(sandbox, path.replace("Signature=", "Signature=0")) == 403


def plain_status(sandbox, path, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=10)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    assert response.getheader("Access-Control-Allow-Origin") is None
    return response.status


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("epochCount", "0"),
        ("epochCount", "51"),
        ("epochCount", "three"),
        ("batchSize", "129"),
        ("learningRate", "0.5"),
        ("approach", "sideways"),
        ("colour", "red"),
    ],
)
def test_a_hyperparameter_out_of_range_is_named(account, training, key, value):
    request = account.job_request("out-of-range", training, hyperParameters={**BY_HEART, key: value})
    code, status, message = refusal(account.bedrock.create_model_customization_job, **request)
    assert (code, status) == ("ValidationException", 400)
    assert key in message


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"baseModelIdentifier": "nobody.no-such-model-v1:0"}, "model identifier"),
        ({"roleArn": "arn:aws:iam::123456789012:role/NoSuchRole"}, "NoSuchRole"),
        ({"jobName": "no spaces allowed"}, "jobName"),
        ({"customModelName": "no.dots.allowed"}, "customModelName"),
        ({"customizationType": "REINFORCEMENT_FINE_TUNING"}, "REINFORCEMENT_FINE_TUNING"),
    ],
)
def test_a_request_that_cannot_be_served_is_a_validation_error(account, training, changed, word):
    request = {**account.job_request("cannot-be-served", training), **changed}
    code, status, message = refusal(account.bedrock.create_model_customization_job, **request)
    assert (code, status) == ("ValidationException", 400)
    assert word in message


def test_nothing_that_was_refused_has_left_a_job(account):
    for name in ("out-of-range", "cannot-be-served"):
        listed = account.bedrock.list_model_customization_jobs(nameContains=name)
        assert listed["modelCustomizationJobSummaries"] == []


@pytest.mark.parametrize(
    ("name", "changed", "fragment", "place"),
    [
        (
            "no-bucket",
            {"trainingDataConfig": {"s3Uri": "s3://no-such-bucket/data.jsonl"}},
            "Could not validate GetObject permissions",
            "no-such-bucket",
        ),
        (
            "no-key",
            {"trainingDataConfig": {"s3Uri": f"s3://{BUCKET}/no-such-key.jsonl"}},
            "Could not validate GetObject permissions",
            "no-such-key.jsonl",
        ),
        (
            "no-output",
            {"outputDataConfig": {"s3Uri": "s3://no-such-bucket/out"}},
            "Amazon S3 perms missing (PutObject)",
            "no-such-bucket",
        ),
    ],
)
def test_a_job_that_cannot_reach_its_data_fails_in_validation(account, training, name, changed, fragment, place):
    job = account.job_in(account.create_job(name, training, **changed), "Failed")
    assert fragment in job["failureMessage"]
    assert place in job["failureMessage"]
    assert job["statusDetails"]["validationDetails"]["status"] == "Failed"
    assert job["statusDetails"]["dataProcessingDetails"]["status"] == "NotStarted"


def failed_on_data(account, name, body):
    """The failure message of a job whose data is not what its base model takes."""
    job = account.job_in(account.create_job(name, account.upload(f"data/{name}.jsonl", body)), "Failed")
    assert job["statusDetails"]["dataProcessingDetails"]["status"] == "Failed"
    assert job["statusDetails"]["trainingDetails"]["status"] == "NotStarted"
    assert "outputModelArn" not in job
    return job["failureMessage"]


def test_a_broken_line_fails_the_job_and_is_named(account):
    lines = jsonl(times=2).splitlines(keepends=True)
    lines[40] = b'{"prompt": "half a recor\n'
    message = failed_on_data(account, "broken-line", b"".join(lines))
    assert "Unable to parse Amazon S3 file" in message
    assert "Line 41 of the training data" in message


def test_wrong_keys_fail_the_job_and_say_the_right_ones(account):
    message = failed_on_data(account, "wrong-keys", b'{"input": "a", "output": "b"}\n' * 20)
    assert 'must follow \'{"prompt":' in message
    assert "Line 1 of the training data" in message


def test_too_few_records_fail_the_job(account):
    message = failed_on_data(account, "too-few", jsonl(PAIRS[:7]))
    assert "7" in message
    assert "8" in message


def test_an_unknown_job_model_and_deployment_are_not_found(account):
    arn = f"arn:aws:bedrock:us-east-1:{account.role.split(':')[4]}"
    calls = [
        (account.bedrock.get_model_customization_job, {"jobIdentifier": "never-made"}),
        (account.bedrock.stop_model_customization_job, {"jobIdentifier": "never-made"}),
        (account.bedrock.get_custom_model, {"modelIdentifier": "never-made"}),
        (account.bedrock.get_custom_model_deployment, {"customModelDeploymentIdentifier": "never-made"}),
        (account.bedrock.get_foundation_model, {"modelIdentifier": "nobody.no-such-model-v1:0"}),
        (
            account.runtime.converse,
            {"modelId": f"{arn}:custom-model-deployment/abcdefghijkl", **conversation("Hello")},
        ),
    ]
    for call, arguments in calls:
        assert refusal(call, **arguments)[:2] == ("ResourceNotFoundException", 404), call.__name__


def test_a_missing_object_and_bucket_are_not_found(account):
    account.upload("there", b"x")
    assert refusal(account.s3.get_object, Bucket=BUCKET, Key="not-there")[:2] == ("NoSuchKey", 404)
    assert refusal(account.s3.list_objects_v2, Bucket="no-such-bucket")[:2] == ("NoSuchBucket", 404)


@pytest.mark.parametrize("model", ["whetstone.tiny-v1", "amazon.nova-lite-v1:0"])
@pytest.mark.parametrize(
    "block",
    [
        {"image": {"format": "png", "source": {"bytes": b"\x89PNG" + bytes(3_700_000)}}},
        {"document": {"format": "csv", "name": "rates", "source": {"bytes": b"month,rate\n"}}},
    ],
    ids=["image", "document"],
)
def test_what_is_no_text_is_refused_by_the_model_of_text_that_answers(account, model, block):
    content = [{"text": "What is in it?"}, block]
    for ask in (account.runtime.converse, account.runtime.converse_stream):
        code, status, message = refusal(ask, modelId=model, messages=[{"role": "user", "content": content}])
        assert (code, status) == ("ValidationException", 400)
        assert f"{next(iter(block))} content block" in message


def test_a_custom_model_is_not_served_without_a_deployment(account, tuned):
    model = tuned.job["outputModelArn"]
    code, status, _ = refusal(account.runtime.converse, modelId=model, **conversation("Hello"))
    assert (code, status) == ("ValidationException", 400)
