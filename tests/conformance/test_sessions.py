"""Roles that a client takes on, by STS and by the profiles that every SDK knows; and the Bedrock API key."""

import json
import subprocess
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from account import Account
from botocore.config import Config
from judge import refusal

READ = {"Effect": "Allow", "Action": ["bedrock:List*", "bedrock:Get*", "s3:ListAllMyBuckets"], "Resource": "*"}


def make_role(account, name, trusted, *statements):
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": "sts:AssumeRole"}]}
    role = account.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    account.iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy)
    return role


@pytest.fixture(scope="module")
def chain(account):
    """Two roles: the user may take on the first, and only whoever is in that the second, which may read."""
    number = account.sts.get_caller_identity()["Account"]
    second = f"arn:aws:iam::{number}:role/Reads"
    first = make_role(account, "Enters", number, {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": second})
    return first, make_role(account, "Reads", first, READ)


def keys(answer):
    given = answer["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


def test_a_chain_of_roles_is_gone_by_sts(sandbox, account, chain):
    first, second = chain
    assert refusal(account.sts.assume_role, RoleArn=second, RoleSessionName="me")[:2] == ("AccessDenied", 403)
    inside = Account(sandbox, **keys(account.sts.assume_role(RoleArn=first, RoleSessionName="me")))
    assert inside.sts.get_caller_identity()["Arn"].endswith(":assumed-role/Enters/me")
    assert refusal(inside.bedrock.list_custom_models)[:2] == ("AccessDeniedException", 403)
    reader = Account(sandbox, **keys(inside.sts.assume_role(RoleArn=second, RoleSessionName="again")))
    assert reader.bedrock.list_foundation_models()["modelSummaries"]
    assert "Buckets" in reader.s3.list_buckets()
    assert refusal(reader.s3.create_bucket, Bucket="not-mine")[:2] == ("AccessDenied", 403)
    request = account.job_request("not-mine", "s3://colours/data/x.jsonl")
    assert refusal(reader.bedrock.create_model_customization_job, **request)[:2] == ("AccessDeniedException", 403)
    cut = keys(account.sts.assume_role(RoleArn=first, RoleSessionName="me")) | {"AWS_SESSION_TOKEN": "c29tZXRoaW5n"}
    assert refusal(Account(sandbox, **cut).bedrock.list_custom_models)[:2] == ("UnrecognizedClientException", 403)


def status_of(address):
    try:
        with urlopen(address) as answer:
            return answer.status
    except HTTPError as error:
        return error.code


def test_a_presigned_address_of_a_session_carries_its_token(sandbox, account, chain):
    trusted = account.sts.get_caller_identity()["Account"]
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::colours/open/*"}
    role = make_role(account, "Shares", trusted, read)
    inside = Account(sandbox, **keys(account.sts.assume_role(RoleArn=role, RoleSessionName="me")))
    for key in ("open/a", "closed/a"):
        account.upload(key, b"x")
    s3 = inside.client("s3", config=Config(signature_version="s3v4"))
    addresses = [
        s3.generate_presigned_url("get_object", Params={"Bucket": "colours", "Key": key}) for key in ("open/a", "closed/a")
    ]
    assert [status_of(address) for address in addresses] == [200, 403]


def test_profiles_chain_roles_for_boto3_and_the_cli(sandbox, account, aws, chain, tmp_path):
    first, second = chain
    config = tmp_path / "config"
    config.write_text(
        f"[profile first]\nrole_arn = {first}\ncredential_source = Environment\n"
        f"[profile second]\nrole_arn = {second}\nsource_profile = first\nrole_session_name = chained\n"
    )
    environment = account.environment | {"AWS_CONFIG_FILE": str(config)}
    command = ["aws", "--profile", "second", "sts", "get-caller-identity"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["Arn"].endswith(":assumed-role/Reads/chained")
    named = Account(sandbox, AWS_CONFIG_FILE=str(config), AWS_PROFILE="second")
    assert named.bedrock.list_foundation_models()["modelSummaries"]
    given = json.loads(aws("sts", "assume-role", "--role-arn", first, "--role-session-name", "by-cli"))
    assert given["Credentials"]["AccessKeyId"].startswith("ASIA")


def test_the_api_key_that_env_prints_opens_bedrock_to_boto3_and_the_cli(sandbox):
    environment = sandbox.environment("--api-key")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del environment[name]
    run = subprocess.run(["aws", "bedrock", "list-custom-models"], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    account = Account(sandbox, AWS_BEARER_TOKEN_BEDROCK=environment["AWS_BEARER_TOKEN_BEDROCK"])
    assert account.bedrock.list_foundation_models()["modelSummaries"]
    count = {"converse": {"messages": [{"role": "user", "content": [{"text": "a"}]}]}}
    assert account.runtime.count_tokens(modelId="whetstone.tiny-v1", input=count)["inputTokens"] > 0
    address = environment["AWS_ENDPOINT_URL"] + "/custom-models"
    wrong = Request(address, headers={"Authorization": "Bearer ABSKc29tZXRoaW5n"})
    with pytest.raises(HTTPError) as refused:
        urlopen(wrong)
    assert refused.value.code == 403
