"""Answers that go wrong because a file says so, as boto3 sees them: its own retries are the judge of the retryable ones."""

import pytest
from account import Account
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, IncompleteReadError, ResponseStreamingError
from judge import refusal
from program import Sandbox

ONCE = Config(retries={"total_max_attempts": 1})

FAULTS = """
[[fault]]
operation = "ListCustomModels"
nth = [1, 2]
kind = "throttling"

[[fault]]
operation = "ListModelCustomizationJobs"
kind = "unavailable"

[[fault]]
operation = "GetCustomModel"
kind = "access-denied"

[[fault]]
operation = "ListRoles"
kind = "expired-token"

[[fault]]
operation = "GetCallerIdentity"
kind = "clock-skew"

[[fault]]
operation = "ListFoundationModels"
kind = "reset"

[[fault]]
operation = "GetFoundationModel"
nth = [1]
kind = "latency"
milliseconds = 700

[[fault]]
operation = "PutObject"
resource = "*/slow/*"
kind = "throttling"

[[fault]]
operation = "GetObject"
nth = [1]
kind = "truncated"

[[fault]]
operation = "HeadObject"
kind = "internal"
"""


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faulty")
    (folder / "faults.toml").write_text(FAULTS)
    sandbox = Sandbox(folder)
    try:
        yield Account(sandbox.start("--faults", folder / "faults.toml"))
    finally:
        sandbox.kill()


def once(faulty, service):
    return faulty.client(service, config=ONCE)


def test_throttling_goes_by_when_a_client_asks_again(faulty):
    assert refusal(once(faulty, "bedrock").list_custom_models)[:2] == ("ThrottlingException", 429)
    answer = faulty.bedrock.list_custom_models()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1


def test_errors_come_in_the_words_of_each_service(faulty):
    bedrock, s3 = once(faulty, "bedrock"), once(faulty, "s3")
    with pytest.raises(AssertionError, match="none of its errors"):
        bedrock.list_model_customization_jobs()  # The model declares no such error, and the judge says so.
    assert refusal(bedrock.get_custom_model, modelIdentifier="any")[:2] == ("AccessDeniedException", 403)
    assert refusal(once(faulty, "iam").list_roles)[:2] == ("ExpiredToken", 403)
    assert refusal(once(faulty, "sts").get_caller_identity)[:2] == ("SignatureDoesNotMatch", 403)
    s3.create_bucket(Bucket="faulty")
    assert refusal(s3.put_object, Bucket="faulty", Key="slow/a", Body=b"x")[:2] == ("SlowDown", 503)
    s3.put_object(Bucket="faulty", Key="quick/a", Body=b"x" * 1000)
    assert s3.list_objects_v2(Bucket="faulty")["KeyCount"] == 1, "what was refused was not done"


def test_a_connection_is_cut_before_and_in_the_midst_of_an_answer(faulty):
    with pytest.raises(ConnectionClosedError):
        once(faulty, "bedrock").list_foundation_models()
    s3 = once(faulty, "s3")
    s3.create_bucket(Bucket="cut")
    s3.put_object(Bucket="cut", Key="a", Body=b"x" * 1000)
    with pytest.raises((IncompleteReadError, ResponseStreamingError)):
        s3.get_object(Bucket="cut", Key="a")["Body"].read()
    assert s3.get_object(Bucket="cut", Key="a")["Body"].read() == b"x" * 1000


def test_latency_is_waited_for_and_the_answer_is_true(faulty):
    answer = faulty.bedrock.get_foundation_model(modelIdentifier="whetstone.tiny-v1")
    assert answer["modelDetails"]["modelId"] == "whetstone.tiny-v1"


def test_a_file_of_faults_that_cannot_be_read_is_refused(new_sandbox, tmp_path):
    (tmp_path / "wrong.toml").write_text('[[fault]]\nkind = "flood"\n')
    with pytest.raises(AssertionError, match="flood"):
        new_sandbox().start("--faults", tmp_path / "wrong.toml")
