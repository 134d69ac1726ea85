"""Every request that the wizard can make, at the edges: for botocore's model of the service, and for the sandbox.

The requests come from `workbench/examples/requests.rs`, through the check and the request of a real start. Creation only:
the data of the jobs is not there, so none of them trains.
"""

import json
import os
import re
import struct
import subprocess
from pathlib import Path

import botocore.session
import pytest
from account import BUCKET
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from program import PROGRAM, eventually

REQUESTS = Path(os.environ.get("WHETSTONE_REQUESTS", PROGRAM.parent / "examples/requests"))
OVER = ("Completed", "Failed", "Stopped")
REINFORCEMENT = "REINFORCEMENT_FINE_TUNING"


@pytest.fixture(scope="module")
def cases(account):
    run = subprocess.run([REQUESTS, account.role, BUCKET], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


@pytest.fixture(scope="module")
def shape():
    session = botocore.session.get_session()
    return session.get_service_model("bedrock").operation_model("CreateModelCustomizationJob").input_shape


@pytest.fixture(scope="module")
def clients(account):
    """A client for each Region: a base model is tuned where it is tuned."""
    account.upload("not/here.jsonl", b"")
    made = {}

    def client(region, checked):
        if (region, checked) not in made:
            # botocore itself would stop a name of no letters before it is sent.
            config = Config(parameter_validation=checked)
            made[region, checked] = account.client("bedrock", region_name=region, config=config)
        return made[region, checked]

    return client


def single(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def broken_constraints(shape, value, path=""):
    """Lengths, ranges, patterns and enums, which botocore knows and leaves to the service."""
    meta = shape.metadata
    size = value if shape.type_name in ("integer", "long", "float", "double") else None
    if size is None and hasattr(value, "__len__") and shape.type_name != "structure":
        size = len(value)
    if shape.type_name == "float":
        # The service's own type holds single precision: a bound is what it is there.
        size, meta = single(size), {name: single(bound) for name, bound in meta.items() if name in ("min", "max")}
    if size is not None and not meta.get("min", size) <= size <= meta.get("max", size):
        yield f"{path}: {size} is not within {meta.get('min')} and {meta.get('max')}"
    if shape.type_name == "string":
        if "enum" in meta and value not in meta["enum"]:
            yield f"{path}: {value} is not one of {meta['enum']}"
        if "pattern" in meta and not re.fullmatch(meta["pattern"], value):
            yield f"{path}: {value!r} does not match {meta['pattern']}"
    elif shape.type_name == "structure":
        for name, inner in value.items():
            yield from broken_constraints(shape.members[name], inner, f"{path}.{name}")
    elif shape.type_name == "list":
        for inner in value:
            yield from broken_constraints(shape.member, inner, path)
    elif shape.type_name == "map":
        for key, inner in value.items():
            yield from broken_constraints(shape.key, key, path)
            yield from broken_constraints(shape.value, inner, path)


def hopeless(case):
    """A distillation whose student has no teacher that still answers: the wizard refuses it whatever else it says."""
    return case["type"] == "DISTILLATION" and not case["teachers"]


def inside(case):
    """Whether the case is meant to be let through, by its name; the wizard's own opinion is what is tested."""
    if hopeless(case):
        return False
    words = case["what"].split()
    return case["what"] == "defaults" or words[1].rstrip(":") in ("least", "most", "option", "inside")


def name_of(case):
    return f"{case['model']} {case['type']} {case['what']}"


def test_all_kinds_of_training_are_there(cases):
    assert {case["type"] for case in cases} == {
        "FINE_TUNING",
        "CONTINUED_PRE_TRAINING",
        "DISTILLATION",
        REINFORCEMENT,
    }
    assert len(cases) > 300


def test_the_wizard_lets_through_what_is_within_bounds_and_nothing_else(cases):
    wrong = [f"{name_of(case)}: {case['problems']}" for case in cases if inside(case) == bool(case["problems"])]
    assert not wrong, "\n".join(wrong)


def test_a_refusal_names_the_field(cases):
    for case in cases:
        if not inside(case) and not hopeless(case):
            assert case["problems"] == [case["what"].split()[0]], name_of(case)


def test_every_request_that_is_let_through_is_valid_for_botocore(cases, shape):
    tried = 0
    for case in cases:
        if inside(case):
            report = ParamValidator().validate(case["request"], shape)
            assert not report.has_errors(), f"{name_of(case)}: {report.generate_report()}"
            assert not list(broken_constraints(shape, case["request"])), name_of(case)
            tried += 1
    print(f"{tried} requests are valid for botocore")


def test_a_name_that_the_wizard_refuses_breaks_the_services_own_pattern(cases, shape):
    for case in cases:
        if case["what"].startswith(("jobName outside", "modelName outside")):
            assert list(broken_constraints(shape, case["request"])), name_of(case)


def test_the_sandbox_is_of_the_wizards_opinion(cases, clients):
    taken = refused = 0
    for case in cases:
        bedrock = clients(case["region"], checked=inside(case))
        if inside(case) and case["type"] != REINFORCEMENT:
            arn = bedrock.create_model_customization_job(**case["request"])["jobArn"]
            # The data is not there, so the job ends by itself; waiting for that keeps within the quota of jobs.
            eventually(lambda: bedrock.get_model_customization_job(jobIdentifier=arn)["status"] in OVER)
            taken += 1
            continue
        with pytest.raises(ClientError) as error:
            bedrock.create_model_customization_job(**case["request"])
        assert error.value.response["Error"]["Code"] == "ValidationException", name_of(case)
        if case["type"] == REINFORCEMENT:
            assert "not available in this sandbox" in str(error.value), name_of(case)
        refused += 1
    print(f"the sandbox took {taken} and refused {refused}")
