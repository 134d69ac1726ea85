"""Profiles of the AWS configuration files, resolved by Whetstone and by botocore: the same key, or both refuse.

Each case is a pair of files. Every profile that either of the two finds in them is asked for its credentials; roles go
through an STS whose keys tell which way was gone (sign_on.py). No answer is written down here: botocore's is the measure.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field

import pytest
from program import PROGRAM
from sign_on import Elsewhere, cached_token

BOTOCORE = """
import json, sys
import botocore.session
def resolved(name):
    try:
        session = botocore.session.Session(profile=name)
        credentials = session.get_credentials()
        key = credentials.get_frozen_credentials().access_key if credentials else None
        if key is None:
            return {"refused": "nothing found"}
        client = session.create_client("bedrock", region_name=session.get_scoped_config().get("region") or "us-east-1")
        return {"key": key[-4:], "region": session.get_scoped_config().get("region"), "endpoint": client.meta.endpoint_url}
    except Exception as error:
        return {"refused": f"{type(error).__name__}: {error}"}
try:
    names = botocore.session.Session().available_profiles
    print(json.dumps({"profiles": {name: resolved(name) for name in names}}))
except Exception as error:
    print(json.dumps({"file": f"{type(error).__name__}: {error}"}))
"""


def keys(tail):
    return f"aws_access_key_id = AKIAEXAMPLE00000{tail}\naws_secret_access_key = s3cret/{tail}\n"


def role(name, *more):
    return "\n".join([f"role_arn = arn:aws:iam::111122223333:role/{name}", *more]) + "\n"


PROCESS = """credential_process = printf '{"Version":1,"AccessKeyId":"AKIAPROCESS00000%s","SecretAccessKey":"s"}' P001\n"""
SESSION = "sso_session = team\nsso_account_id = 111122223333\nsso_role_name = tuner\n"
TEAM = "[sso-session team]\nsso_start_url = https://team.example/start\nsso_region = us-east-1\n"
OLD_WAY = (
    "sso_start_url = https://old.example/start\nsso_region = us-east-1\n"
    "sso_account_id = 111122223333\nsso_role_name = tuner\n"
)


@dataclass
class Case:
    config: str | None
    credentials: str | None = None
    env: dict = field(default_factory=dict)
    tokens: tuple = ()


CASES = {
    # Keys, and which file they stand in.
    "keys-in-credentials": Case(None, "[default]\n" + keys("A001") + "[dev]\n" + keys("A002")),
    "keys-in-config": Case("[default]\n" + keys("B001") + "[profile dev]\n" + keys("B002")),
    "keys-in-both-files": Case("[profile dev]\n" + keys("C001") + "region = eu-west-1\n", "[dev]\n" + keys("C002")),
    "session-token": Case(None, "[dev]\n" + keys("D001") + "aws_session_token = t\n"),
    "old-token-name": Case("[profile dev]\n" + keys("D002") + "aws_security_token = t\n"),
    "id-without-secret": Case(None, "[dev]\naws_access_key_id = AKIAEXAMPLE00000E001\n"),
    "secret-without-id": Case(None, "[dev]\naws_secret_access_key = s\n"),
    "id-in-one-file-secret-in-the-other": Case(
        "[profile dev]\naws_access_key_id = AKIAEXAMPLE00000E002\n", "[dev]\naws_secret_access_key = s\n"
    ),
    "no-files": Case(None),
    "empty-files": Case("", ""),
    "a-profile-with-a-region-only": Case("[profile dev]\nregion = us-west-2\n"),
    "the-environment-does-not-outdo-a-named-profile": Case(
        "[profile dev]\n" + keys("F001"),
        env={"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE00000F002", "AWS_SECRET_ACCESS_KEY": "s"},
    ),
    # Roles and chains.
    "role": Case("[profile a]\n" + role("a", "source_profile = b") + "[profile b]\n" + keys("G001")),
    "role-with-everything": Case(
        "[profile a]\n"
        + role("a", "source_profile = b", "external_id = x-1", "role_session_name = me", "duration_seconds = 1800")
        + "[profile b]\n"
        + keys("G002")
    ),
    "duration-that-is-no-number": Case(
        "[profile a]\n" + role("a", "source_profile = b", "duration_seconds = long") + "[profile b]\n" + keys("G003")
    ),
    "chain-of-three": Case(
        "[profile a]\n" + role("a", "source_profile = b") + "[profile b]\n" + role("b", "source_profile = c")
        + "[profile c]\n" + role("c", "source_profile = d") + "[profile d]\n" + keys("G004")
    ),
    "source-in-the-credentials-file": Case("[profile a]\n" + role("a", "source_profile = b"), "[b]\n" + keys("G005")),
    "role-in-the-credentials-file": Case(None, "[a]\n" + role("a", "source_profile = b") + "[b]\n" + keys("G006")),
    "a-source-that-has-keys-and-a-role": Case(
        "[profile a]\n" + role("a", "source_profile = b") + "[profile b]\n" + role("b", "source_profile = c")
        + keys("G007") + "[profile c]\n" + keys("G008")
    ),
    "a-profile-that-has-keys-and-a-role": Case(
        "[profile a]\n" + role("a", "source_profile = b") + keys("G009") + "[profile b]\n" + keys("G010")
    ),
    "a-profile-that-is-its-own-source": Case("[profile a]\n" + role("a", "source_profile = a") + keys("G011")),
    "its-own-source-without-keys": Case("[profile a]\n" + role("a", "source_profile = a")),
    "a-circle": Case("[profile a]\n" + role("a", "source_profile = b") + "[profile b]\n" + role("b", "source_profile = a")),
    "a-source-that-is-not-there": Case("[profile a]\n" + role("a", "source_profile = nowhere")),
    "a-source-without-credentials": Case("[profile a]\n" + role("a", "source_profile = b") + "[profile b]\nregion = x\n"),
    "a-source-with-half-a-key": Case(
        "[profile a]\n" + role("a", "source_profile = b") + "[profile b]\naws_secret_access_key = s\n"
    ),
    "role-without-source": Case("[profile a]\n" + role("a")),
    "both-kinds-of-source": Case(
        "[profile a]\n" + role("a", "source_profile = b", "credential_source = Environment") + "[profile b]\n" + keys("G012")
    ),
    "a-role-that-is-denied": Case("[profile a]\n" + role("denied", "source_profile = b") + "[profile b]\n" + keys("G013")),
    "a-source-by-process": Case("[profile a]\n" + role("a", "source_profile = b") + "[profile b]\n" + PROCESS),
    "a-source-by-single-sign-on": Case(
        "[profile a]\n" + role("a", "source_profile = b") + "[profile b]\n" + SESSION + TEAM, tokens=(("team", "a-good-token"),)
    ),
    # Named sources.
    "source-environment": Case(
        "[profile a]\n" + role("a", "credential_source = Environment"),
        env={"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE00000H001", "AWS_SECRET_ACCESS_KEY": "s"},
    ),
    "source-environment-that-is-empty": Case("[profile a]\n" + role("a", "credential_source = Environment")),
    "source-container": Case(
        "[profile a]\n" + role("a", "credential_source = EcsContainer"),
        env={"AWS_CONTAINER_CREDENTIALS_FULL_URI": "{url}/container"},
    ),
    "source-instance-that-is-none": Case("[profile a]\n" + role("a", "credential_source = Ec2InstanceMetadata")),
    "source-unknown": Case("[profile a]\n" + role("a", "credential_source = Moon")),
    "source-in-another-case": Case(
        "[profile a]\n" + role("a", "credential_source = environment"),
        env={"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE00000H002", "AWS_SECRET_ACCESS_KEY": "s"},
    ),
    "nothing-named-and-a-container-around": Case(
        "[profile a]\nregion = eu-west-1\n", env={"AWS_CONTAINER_CREDENTIALS_FULL_URI": "{url}/container"}
    ),
    # Processes.
    "process": Case("[profile a]\n" + PROCESS),
    "process-and-keys-in-config": Case("[profile a]\n" + PROCESS + keys("I001")),
    "process-and-keys-in-credentials": Case("[profile a]\n" + PROCESS, "[a]\n" + keys("I002")),
    "process-that-fails": Case("[profile a]\ncredential_process = false\n"),
    "process-of-another-version": Case(
        """[profile a]\ncredential_process = echo '{"Version":2,"AccessKeyId":"AKIAEXAMPLE00000I003","SecretAccessKey":"s"}'\n"""
    ),
    "process-without-a-shell": Case("[profile a]\n" + PROCESS.replace("P001", "P002 ; false")),
    "process-with-an-open-quote": Case("[profile a]\ncredential_process = echo 'open\n"),
    # Single sign-on.
    "session": Case("[profile a]\n" + SESSION + TEAM, tokens=(("team", "a-good-token"),)),
    "session-in-front-of-its-profile": Case(TEAM + "[profile a]\n" + SESSION, tokens=(("team", "a-good-token"),)),
    "session-without-a-sign-in": Case("[profile a]\n" + SESSION + TEAM),
    "session-that-is-over": Case("[profile a]\n" + SESSION + TEAM, tokens=(("team", "a-good-token", "2020-01-01T00:00:00Z"),)),
    "session-that-was-revoked": Case("[profile a]\n" + SESSION + TEAM, tokens=(("team", "an-old-token"),)),
    "session-that-is-not-there": Case("[profile a]\n" + SESSION),
    "session-with-other-words": Case("[profile a]\n" + SESSION + "sso_region = eu-west-1\n" + TEAM, tokens=(("team", "a-good-token"),)),
    "session-without-account": Case("[profile a]\nsso_session = team\nsso_role_name = tuner\n" + TEAM, tokens=(("team", "a-good-token"),)),
    "session-and-keys": Case("[profile a]\n" + SESSION + keys("J001") + TEAM, tokens=(("team", "a-good-token"),)),
    "old-way": Case("[profile a]\n" + OLD_WAY, tokens=(("https://old.example/start", "a-good-token"),)),
    "old-way-without-region": Case("[profile a]\n" + OLD_WAY.replace("sso_region = us-east-1\n", "")),
    # Web identity.
    "web-identity": Case("[profile a]\n" + role("web", "web_identity_token_file = {home}/token")),
    "web-identity-as-source": Case(
        "[profile a]\n" + role("a", "source_profile = w") + "[profile w]\n" + role("web", "web_identity_token_file = {home}/token")
    ),
    "web-identity-without-role": Case("[profile a]\nweb_identity_token_file = {home}/token\n"),
    "web-identity-without-file": Case("[profile a]\n" + role("web", "web_identity_token_file = {home}/nothing")),
    # Spelling.
    "odd-spacing": Case("  [profile   dev]\n  aws_access_key_id=AKIAEXAMPLE00000K001\naws_secret_access_key   :   s\n"),
    "indented-keys": Case("[profile dev]\n   aws_access_key_id = AKIAEXAMPLE00000K002\n   aws_secret_access_key = s\n"),
    "upper-case-keys": Case("[profile dev]\nAWS_ACCESS_KEY_ID = AKIAEXAMPLE00000K003\nAws_Secret_Access_Key = s\n"),
    "comments": Case("# head\n; too\n[profile dev]\n# in between\n" + keys("K004").replace("\n", "\n  ; indented\n", 1)),
    "a-comment-behind-a-value": Case("[profile dev]\naws_access_key_id = AKIAEXAMPLE00000K005 # mine\naws_secret_access_key = s\n"),
    "quoted-name": Case('[profile "my dev"]\n' + keys("K006") + "[profile 'other dev']\n" + keys("K007")),
    "unquoted-name-with-a-space": Case("[profile my dev]\n" + keys("K008")),
    "a-name-with-an-open-quote": Case('[profile "my dev]\n' + keys("K009")),
    "no-prefix-in-config": Case("[dev]\n" + keys("K010") + "[profile fine]\n" + keys("K011")),
    "prefix-in-credentials": Case(None, "[profile dev]\n" + keys("K012")),
    "spaces-next-to-the-brackets": Case("[ profile dev ]\n" + keys("K013") + "[ default ]\n" + keys("K014")),
    "two-defaults": Case("[default]\n" + keys("K015") + "[profile default]\n" + keys("K016")),
    "two-defaults-the-other-way-round": Case("[profile default]\n" + keys("K017") + "[default]\n" + keys("K018")),
    "the-same-profile-in-two-spellings": Case("[profile dev]\n" + keys("K019") + "[profile 'dev']\n" + keys("K020")),
    "values-for-all": Case("[DEFAULT]\n" + keys("K021") + "[profile dev]\nregion = eu-west-1\n"),
    "windows-line-ends": Case("[profile dev]\r\n" + keys("K022").replace("\n", "\r\n")),
    "nested-settings": Case("[profile dev]\ns3 =\n  max_concurrent_requests = 20\n" + keys("K023")),
    "a-value-of-two-lines": Case("[profile dev]\nregion = eu\n  -west-1\n" + keys("K024")),
    "a-value-with-equals": Case("[profile dev]\naws_access_key_id = AKIAEXAMPLE00000K025\naws_secret_access_key = a=b=c\n"),
    # Broken files.
    "a-section-twice": Case("[profile dev]\n" + keys("L001") + "[profile dev]\n" + keys("L002")),
    "a-key-twice": Case("[profile dev]\n" + keys("L003") + "aws_access_key_id = AKIAEXAMPLE00000L004\n"),
    "a-setting-above-all-sections": Case("region = us-east-1\n[profile dev]\n" + keys("L005")),
    "a-line-that-is-nothing": Case("[profile dev]\n" + keys("L006") + "what is this\n"),
    "an-open-bracket": Case("[profile dev\n" + keys("L007")),
    "a-broken-credentials-file": Case("[profile dev]\n" + keys("L008"), "nonsense\n"),
    "a-nested-line-without-equals": Case("[profile dev]\ns3 =\n  nonsense\n" + keys("L009")),
    # Endpoints and Regions.
    "endpoint-of-a-profile": Case("[profile dev]\n" + keys("M001") + "endpoint_url = http://127.0.0.1:9\n"),
    "endpoint-of-a-service": Case(
        "[profile dev]\n" + keys("M002") + "services = here\nendpoint_url = http://127.0.0.1:8\n"
        "[services here]\nbedrock =\n  endpoint_url = http://127.0.0.1:7\n"
    ),
    "endpoint-of-another-service": Case(
        "[profile dev]\n" + keys("M003") + "services = here\n[services here]\ns3 =\n  endpoint_url = http://127.0.0.1:7\n"
    ),
    "endpoint-of-the-environment": Case(
        "[profile dev]\n" + keys("M004") + "endpoint_url = http://127.0.0.1:8\n", env={"AWS_ENDPOINT_URL": "http://127.0.0.1:6"}
    ),
    "endpoint-of-a-service-of-the-environment": Case(
        "[profile dev]\n" + keys("M005") + "endpoint_url = http://127.0.0.1:8\n",
        env={"AWS_ENDPOINT_URL": "http://127.0.0.1:6", "AWS_ENDPOINT_URL_BEDROCK": "http://127.0.0.1:5"},
    ),
    "endpoints-ignored": Case(
        "[profile dev]\n" + keys("M006") + "endpoint_url = http://127.0.0.1:8\nignore_configured_endpoint_urls = true\n"
    ),
    "services-that-are-not-there": Case("[profile dev]\n" + keys("M007") + "services = nowhere\n"),
    "region-of-a-profile": Case("[profile dev]\n" + keys("M008") + "region = eu-central-1\n"),
}


@pytest.fixture
def elsewhere():
    server = Elsewhere()
    yield server
    server.close()


@pytest.mark.parametrize("name", CASES)
def test_a_profile_gives_the_same_key_or_is_refused_by_both(name, tmp_path, elsewhere):
    case = CASES[name]
    env = surroundings(case, tmp_path, elsewhere.url)
    theirs = answer([sys.executable, "-c", BOTOCORE], env)
    ours = answer([PROGRAM, "profiles", "--resolve", "--json"], env)
    if "file" in theirs:
        assert ours["profiles"] == [] and ours["problems"], f"botocore refuses the file ({theirs['file']})"
        assert all(problem["line"] for problem in ours["problems"]), "the line is told"
        return
    assert {profile["name"] for profile in ours["profiles"]} == set(theirs["profiles"])
    for profile in ours["profiles"]:
        other = theirs["profiles"][profile["name"]]
        if "refused" in other:
            assert profile["problem"], f"{profile['name']}: botocore refuses ({other['refused']}), we have {profile}"
            continue
        assert not profile["problem"], f"{profile['name']}: botocore has {other}, we refuse: {profile['problem']}"
        assert profile["keyTail"] == other["key"], profile
        assert profile["region"] == other["region"]
        elsewhere_theirs = other["endpoint"] if "amazonaws" not in other["endpoint"] else None
        assert profile["endpoint"] == elsewhere_theirs


def test_the_table_is_long_enough_to_mean_something():
    assert len(CASES) >= 40


def surroundings(case, home, url):
    """A home of the case's own, and an environment that holds nothing but what the case says."""
    folder = home / ".aws"
    folder.mkdir()
    (home / "token").write_text("a-web-identity-token")
    for name, text in (("config", case.config), ("credentials", case.credentials)):
        if text is not None:
            (folder / name).write_bytes(text.replace("{home}", str(home)).encode())
    for token in case.tokens:
        cached_token(home, *token)
    services = ("STS", "SSO", "SSO_OIDC")
    env = {f"AWS_ENDPOINT_URL_{service}": url for service in services}
    env |= {"HOME": str(home), "PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1"}
    # A connection always has a Region. Without one botocore takes on no role, whatever the files say.
    env["AWS_DEFAULT_REGION"] = "us-east-1"
    return env | {key: value.replace("{url}", url) for key, value in case.env.items()}


def answer(command, env):
    ran = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert ran.stdout.startswith("{"), f"{ran.stdout}\n{ran.stderr}"
    return json.loads(ran.stdout)
