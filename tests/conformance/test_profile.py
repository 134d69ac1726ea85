"""`whetstone sandbox env --write-profile`: a profile that the AWS CLI finds its way by."""

import subprocess

from program import PROGRAM

BEFORE = "[default]\nregion = eu-west-1"


def write(sandbox, config, *more):
    command = [PROGRAM, "sandbox", "env", "--port", str(sandbox.port), "--data", sandbox.data, "--write-profile", "box"]
    return subprocess.run(
        [*command, *more], env={"AWS_CONFIG_FILE": str(config)}, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )


def test_a_profile_is_added_and_the_command_line_finds_its_way_by_it(sandbox, aws, tmp_path):
    config = tmp_path / "config"
    config.write_text(BEFORE)
    asked = write(sandbox, config)
    assert asked.returncode == 1
    assert "--yes" in asked.stderr
    assert config.read_text() == BEFORE, "nothing happens that nobody agreed to"

    done = write(sandbox, config, "--yes")
    assert done.returncode == 0, done.stderr
    secret = sandbox.environment()["AWS_SECRET_ACCESS_KEY"]
    assert secret not in done.stderr + done.stdout
    text = config.read_text()
    assert text.startswith(BEFORE + "\n")
    assert write(sandbox, config, "--yes").returncode == 0, "our own profile is made anew"
    assert config.read_text() == text

    bare = {name: aws.environment[name] for name in ("PATH", "HOME")}
    run = subprocess.run(
        ["aws", "--profile", "box", "sts", "get-caller-identity"],
        env={**bare, "AWS_CONFIG_FILE": str(config)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert aws.role.split(":")[4] in run.stdout


def test_someone_elses_profile_is_left_alone(sandbox, tmp_path):
    config = tmp_path / "config"
    config.write_text("[profile box]\nregion = x\n")
    refused = write(sandbox, config, "--yes")
    assert refused.returncode == 1
    assert "box" in refused.stderr
    assert config.read_text() == "[profile box]\nregion = x\n"
