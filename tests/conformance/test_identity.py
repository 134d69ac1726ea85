"""Who is asking, what a role may do, what there may be of a thing, and what it costs: STS, IAM, quotas and prices.

A role's policies are not only kept: the jobs here are allowed and refused by them.
"""

import json

import pytest
from account import BUCKET, Account
from judge import refusal
from records import jsonl

S3_FULL = "arn:aws:iam::aws:policy/AmazonS3FullAccess"


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(**condition):
    statement = {"Effect": "Allow", "Principal": {"Service": "bedrock.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return document({**statement, **({"Condition": condition} if condition else {})})


def allow(actions, *resources, effect="Allow"):
    return {"Effect": effect, "Action": actions, "Resource": list(resources)}


READ = allow(["s3:GetObject", "s3:ListBucket"], f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*")
WRITE = allow(["s3:PutObject"], f"arn:aws:s3:::{BUCKET}/out/*")


def make_role(account, name, policy=None, trusts=None):
    role = account.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusts or trust())["Role"]
    if policy:
        account.iam.put_role_policy(RoleName=name, PolicyName="data", PolicyDocument=policy)
    return role["Arn"]


def test_the_caller_is_the_folders_one_user(account, aws):
    who = account.sts.get_caller_identity()
    assert who["Account"] == account.role.split(":")[4]
    assert json.loads(aws("sts", "get-caller-identity"))["Arn"] == who["Arn"]


def test_a_role_is_kept_shown_changed_and_deleted(account):
    iam = account.iam
    made = iam.create_role(
        RoleName="kept", AssumeRolePolicyDocument=trust(), Description="a role", Tags=[{"Key": "for", "Value": "tests"}]
    )["Role"]
    role = iam.get_role(RoleName="kept")["Role"]
    assert role == made
    assert role["AssumeRolePolicyDocument"] == json.loads(trust())
    assert role["Tags"] == [{"Key": "for", "Value": "tests"}]
    assert refusal(iam.create_role, RoleName="kept", AssumeRolePolicyDocument=trust())[:2] == ("EntityAlreadyExists", 409)
    iam.update_assume_role_policy(
        RoleName="kept", PolicyDocument=trust(StringEquals={"aws:SourceAccount": "123456789012"})
    )
    iam.put_role_policy(RoleName="kept", PolicyName="data", PolicyDocument=document(READ, WRITE))
    assert iam.list_role_policies(RoleName="kept")["PolicyNames"] == ["data"]
    inline = iam.get_role_policy(RoleName="kept", PolicyName="data")
    assert inline["PolicyDocument"] == json.loads(document(READ, WRITE))
    assert refusal(iam.delete_role, RoleName="kept")[:2] == ("DeleteConflict", 409)
    iam.delete_role_policy(RoleName="kept", PolicyName="data")
    iam.delete_role(RoleName="kept")
    assert refusal(iam.get_role, RoleName="kept")[:2] == ("NoSuchEntity", 404)


def test_roles_are_listed_page_by_page(account):
    for number in range(3):
        make_role(account, f"listed-{number}")
    pages = account.iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 2})
    names = [role["RoleName"] for page in pages for role in page["Roles"]]
    assert {f"listed-{number}" for number in range(3)} <= set(names)
    assert len(names) == len(set(names))
    assert account.role.rsplit("/", 1)[-1] in names


def test_a_managed_policy_is_attached_and_detached(account):
    iam = account.iam
    arn = make_role(account, "managed")
    policy = iam.create_policy(PolicyName="reading", PolicyDocument=document(READ))["Policy"]
    assert refusal(iam.create_policy, PolicyName="reading", PolicyDocument=document(READ))[0] == "EntityAlreadyExists"
    for one in (policy["Arn"], S3_FULL):
        iam.attach_role_policy(RoleName="managed", PolicyArn=one)
    attached = iam.list_attached_role_policies(RoleName="managed")["AttachedPolicies"]
    assert [one["PolicyArn"] for one in attached] == [policy["Arn"], S3_FULL]
    assert iam.get_policy(PolicyArn=policy["Arn"])["Policy"]["AttachmentCount"] == 1
    version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId="v1")["PolicyVersion"]
    assert version["Document"] == json.loads(document(READ))
    decided = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["s3:DeleteObject"])
    assert decided["EvaluationResults"][0]["EvalDecision"] == "allowed"
    assert refusal(iam.delete_policy, PolicyArn=policy["Arn"])[:2] == ("DeleteConflict", 409)
    iam.detach_role_policy(RoleName="managed", PolicyArn=policy["Arn"])
    iam.delete_policy(PolicyArn=policy["Arn"])
    assert refusal(iam.get_policy, PolicyArn=policy["Arn"])[:2] == ("NoSuchEntity", 404)


@pytest.mark.parametrize(
    "wrong",
    [
        "not json",
        document(),
        document({"Effect": "Allow", "Action": "s3:GetObject"}),
        document({**READ, "Principal": "*"}),
        document({**READ, "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}),
    ],
)
def test_a_policy_that_cannot_be_evaluated_is_refused(account, wrong):
    account.iam.list_roles()
    try:
        make_role(account, "malformed")
    except account.iam.exceptions.EntityAlreadyExistsException:
        pass
    put = account.iam.put_role_policy
    assert refusal(put, RoleName="malformed", PolicyName="p", PolicyDocument=wrong)[:2] == (
        "MalformedPolicyDocument",
        400,
    )


def test_a_simulation_decides_as_the_policies_do(account):
    arn = make_role(account, "simulated", document(READ, WRITE, allow("s3:*", "arn:aws:s3:::*/locked/*", effect="Deny")))

    def decision(action, resource):
        asked = {"PolicySourceArn": arn, "ActionNames": [action], "ResourceArns": [resource]}
        return account.iam.simulate_principal_policy(**asked)["EvaluationResults"][0]["EvalDecision"]

    assert decision("s3:GetObject", f"arn:aws:s3:::{BUCKET}/train.jsonl") == "allowed"
    assert decision("s3:GetObject", "arn:aws:s3:::other/train.jsonl") == "implicitDeny"
    assert decision("s3:GetObject", f"arn:aws:s3:::{BUCKET}/locked/a") == "explicitDeny"
    assert decision("s3:PutObject", f"arn:aws:s3:::{BUCKET}/train.jsonl") == "implicitDeny"
    refused = refusal(account.iam.simulate_principal_policy, PolicySourceArn=arn + "x", ActionNames=["s3:GetObject"])
    assert refused[:2] == ("NoSuchEntity", 404)


@pytest.fixture(scope="module")
def training(account):
    return account.upload("data/identity.jsonl", jsonl())


def test_a_job_runs_with_a_role_that_has_just_what_it_needs(account, training):
    own = account.role.split(":")[4]
    jobs = f"arn:aws:bedrock:us-east-1:{own}:model-customization-job/*"
    trusts = trust(StringEquals={"aws:SourceAccount": own}, ArnEquals={"aws:SourceArn": jobs})
    role = make_role(account, "AmazonBedrockJust", document(READ, WRITE), trusts)
    arn = account.create_job("just-enough", training, roleArn=role, hyperParameters={"epochCount": "1"})
    account.job_in(arn, "Completed")


@pytest.mark.parametrize(
    ("name", "policy", "fragment", "action"),
    [
        ("no-policy", None, "Could not validate GetObject permissions", "s3:ListBucket"),
        ("no-reading", document(allow("s3:ListBucket", "*"), WRITE), "Could not validate GetObject", "s3:GetObject"),
        ("no-listing", document(allow("s3:GetObject", "*"), WRITE), "Could not validate GetObject", "s3:ListBucket"),
        ("no-writing", document(READ), "Amazon S3 perms missing (PutObject)", "s3:PutObject"),
        (
            "denied",
            document(READ, WRITE, allow("s3:PutObject", "*", effect="Deny")),
            "Amazon S3 perms missing (PutObject)",
            "explicit deny",
        ),
    ],
)
def test_a_job_whose_role_lacks_something_fails_and_says_what(account, training, name, policy, fragment, action):
    role = make_role(account, f"AmazonBedrock-{name}", policy)
    job = account.job_in(account.create_job(name, training, roleArn=role), "Failed")
    assert fragment in job["failureMessage"]
    assert action in job["failureMessage"]
    assert job["statusDetails"]["validationDetails"]["status"] == "Failed"


@pytest.mark.parametrize(
    ("name", "trusts"),
    [
        ("another-account", trust(StringEquals={"aws:SourceAccount": "210987654321"})),
        ("another-region", trust(ArnLike={"aws:SourceArn": "arn:aws:bedrock:eu-west-1:*:model-customization-job/*"})),
        (
            "another-service",
            document({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}),
        ),
    ],
)
def test_a_role_that_does_not_trust_bedrock_is_refused_at_creation(account, training, name, trusts):
    role = make_role(account, name, document(READ, WRITE), trusts)
    request = account.job_request(name, training, roleArn=role)
    code, status, message = refusal(account.bedrock.create_model_customization_job, **request)
    assert (code, status) == ("ValidationException", 400)
    assert name in message


def test_the_sandboxes_own_role_stays_as_it_is(account):
    name = account.role.rsplit("/", 1)[-1]
    assert account.iam.get_role(RoleName=name)["Role"]["Arn"] == account.role
    assert refusal(account.iam.delete_role, RoleName=name)[:2] == ("UnmodifiableEntity", 400)


def test_quotas_are_listed_and_found_by_their_code(account):
    pages = account.quotas.get_paginator("list_service_quotas")
    quotas = [
        quota
        for page in pages.paginate(ServiceCode="bedrock", PaginationConfig={"PageSize": 2})
        for quota in page["Quotas"]
    ]
    scheduled = next(quota for quota in quotas if "Scheduled customization jobs" in quota["QuotaName"])
    assert scheduled["Value"] == 10
    found = account.quotas.get_service_quota(ServiceCode="bedrock", QuotaCode=scheduled["QuotaCode"])["Quota"]
    assert found == scheduled
    assert refusal(account.quotas.get_service_quota, ServiceCode="bedrock", QuotaCode="L-00000000")[0] == (
        "NoSuchResourceException"
    )
    assert refusal(account.quotas.list_service_quotas, ServiceCode="ec2")[0] == "NoSuchResourceException"


def test_prices_are_rows_with_their_source_and_date(account):
    def rows(*filters, **options):
        asked = [{"Type": kind, "Field": field, "Value": value} for kind, field, value in filters]
        pages = account.pricing.get_paginator("get_products").paginate(
            ServiceCode="AmazonBedrock", Filters=asked, **options
        )
        return [json.loads(row) for page in pages for row in page["PriceList"]]

    everything = rows(PaginationConfig={"PageSize": 3})
    assert len(everything) > 3
    virginia = rows(("TERM_MATCH", "regionCode", "us-east-1"), ("CONTAINS", "usagetype", "Customization-Training"))
    micro = next(row for row in virginia if row["product"]["attributes"]["usagetype"].startswith("USE1-NovaMicro-"))
    (offer,) = micro["terms"]["OnDemand"].values()
    (rate,) = offer["priceDimensions"].values()
    assert (rate["unit"], float(rate["pricePerUnit"]["USD"])) == ("1K tokens", 0.001)
    for row in everything:
        assert row["product"]["attributes"]["source"]
        assert row["product"]["attributes"]["seen"]
    assert refusal(account.pricing.get_products, ServiceCode="AmazonEC2")[0] == "NotFoundException"


def test_strangers_are_refused_in_each_services_own_words(sandbox):
    wrong = Account(sandbox, AWS_SECRET_ACCESS_KEY="x" * 40)
    unknown = Account(sandbox, AWS_ACCESS_KEY_ID="AKIAAAAAAAAAAAAAAAAA")
    assert refusal(wrong.sts.get_caller_identity)[:2] == ("SignatureDoesNotMatch", 403)
    assert refusal(wrong.iam.list_roles)[:2] == ("SignatureDoesNotMatch", 403)
    assert refusal(wrong.quotas.list_service_quotas, ServiceCode="bedrock")[0] == "InvalidSignatureException"
    assert refusal(unknown.iam.list_roles)[:2] == ("InvalidClientTokenId", 403)
    assert refusal(unknown.pricing.get_products, ServiceCode="AmazonBedrock")[0] == "UnrecognizedClientException"


def test_an_operation_that_is_not_there_is_said_to_be_unknown(account):
    assert refusal(account.iam.list_users)[:2] == ("InvalidAction", 400)
    assert refusal(account.quotas.list_services)[0] == "UnknownOperationException"


def test_the_command_line_finds_its_way_through_iam_quotas_and_prices(aws):
    trusts, policy = trust(), document(READ)
    aws("iam", "create-role", "--role-name", "by-cli", "--assume-role-policy-document", trusts)
    aws("iam", "get-role", "--role-name", "by-cli")
    aws("iam", "list-roles")
    aws("iam", "update-assume-role-policy", "--role-name", "by-cli", "--policy-document", trusts)
    inline = ("--role-name", "by-cli", "--policy-name", "data")
    aws("iam", "put-role-policy", *inline, "--policy-document", policy)
    assert json.loads(aws("iam", "get-role-policy", *inline))["PolicyDocument"] == json.loads(policy)
    aws("iam", "list-role-policies", "--role-name", "by-cli")
    aws("iam", "delete-role-policy", *inline)
    arn = json.loads(aws("iam", "create-policy", "--policy-name", "by-cli", "--policy-document", policy))["Policy"]["Arn"]
    aws("iam", "get-policy", "--policy-arn", arn)
    aws("iam", "get-policy-version", "--policy-arn", arn, "--version-id", "v1")
    aws("iam", "attach-role-policy", "--role-name", "by-cli", "--policy-arn", arn)
    aws("iam", "list-attached-role-policies", "--role-name", "by-cli")
    role = json.loads(aws("iam", "get-role", "--role-name", "by-cli"))["Role"]["Arn"]
    decided = aws("iam", "simulate-principal-policy", "--policy-source-arn", role, "--action-names", "s3:GetObject")
    assert json.loads(decided)["EvaluationResults"][0]["EvalDecision"] == "implicitDeny"
    aws("iam", "detach-role-policy", "--role-name", "by-cli", "--policy-arn", arn)
    aws("iam", "delete-policy", "--policy-arn", arn)
    aws("iam", "delete-role", "--role-name", "by-cli")
    aws("service-quotas", "list-service-quotas", "--service-code", "bedrock")
    aws("service-quotas", "get-service-quota", "--service-code", "bedrock", "--quota-code", "L-0406044C")
    aws("pricing", "get-products", "--service-code", "AmazonBedrock")
    assert aws.refused("iam", "get-role", "--role-name", "by-cli") == "NoSuchEntity"
