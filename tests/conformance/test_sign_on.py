"""Single sign-on by Whetstone, against an Identity Center of the tests' own, and botocore signed in by it."""

import json
import subprocess
import sys

import pytest
from program import PROGRAM, eventually
from sign_on import Elsewhere
from test_profiles import BOTOCORE, OLD_WAY, SESSION, TEAM, Case, answer, surroundings

PROFILES = {"session": "[profile a]\n" + SESSION + TEAM, "old-way": "[profile a]\n" + OLD_WAY}


@pytest.fixture
def elsewhere():
    server = Elsewhere()
    yield server
    server.close()


@pytest.mark.parametrize("way", PROFILES)
def test_who_signs_in_with_whetstone_is_signed_in_for_botocore(way, tmp_path, elsewhere):
    env = surroundings(Case(PROFILES[way]), tmp_path, elsewhere.url)
    assert "refused" in answer([sys.executable, "-c", BOTOCORE], env)["profiles"]["a"], "nobody is signed in yet"
    signing = subprocess.Popen([PROGRAM, "sign-in", "a"], env=env, stderr=subprocess.PIPE, text=True)
    try:
        assert "/device?user_code=ABCD-EFGH" in signing.stderr.readline()
        assert "ABCD-EFGH" in signing.stderr.readline()
        # It has been told at least once that the person has not answered yet.
        eventually(lambda: [path for path, _ in elsewhere.asked if path == "/token"], within=30)
        elsewhere.let_in.set()
        assert signing.wait(timeout=60) == 0
    finally:
        signing.kill()
    theirs = answer([sys.executable, "-c", BOTOCORE], env)["profiles"]["a"]
    ours = answer([PROGRAM, "profiles", "--resolve", "--json"], env)["profiles"][0]
    assert theirs["key"] == ours["keyTail"]
    (token,) = (tmp_path / ".aws" / "sso" / "cache").glob("*.json")
    assert token.stat().st_mode & 0o777 == 0o600, "nobody else may read it"
    assert json.loads(token.read_text())["accessToken"] == "access-token-of-the-app"
