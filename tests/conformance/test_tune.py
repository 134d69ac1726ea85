"""`whetstone tune`: a recipe run without a window, and what a script learns from it."""

import json
import subprocess

from program import PROGRAM
from records import PAIRS

RECIPE = """
recipe = 1
name = "colours"

[model]
base = "whetstone.tiny-v1"
type = "FINE_TUNING"

[data]
file = "colours.jsonl"
validation_percent = 10
seed = 1

[hyperparameters]
epochCount = "{epochs}"

[job]
name = "colours"
model_name = "colours"
"""


def tune(tmp_path, *options, epochs="1"):
    records = [json.dumps({"prompt": prompt, "completion": answer}) for prompt, answer in PAIRS]
    (tmp_path / "colours.jsonl").write_text("\n".join(records) + "\n")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE.format(epochs=epochs))
    call = [PROGRAM, "tune", recipe, "--data", tmp_path / "home", *options]
    return subprocess.run(call, capture_output=True, text=True, timeout=120)


def test_a_recipe_runs_to_its_model(tmp_path):
    run = tune(tmp_path, "--json")
    assert run.returncode == 0, run.stderr
    job = json.loads(run.stdout)
    assert job["summary"]["status"] == "completed"
    assert job["outputModelArn"].startswith("arn:aws:bedrock:us-east-1:")
    assert job["summary"]["trainingLoss"] > 0 and job["validationRecords"] > 0
    assert "in progress" in run.stderr


def test_the_call_of_a_recipe_is_shown_and_nothing_is_sent(tmp_path):
    run = tune(tmp_path, "--show-call")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["hyperParameters"]["epochCount"] == "1"
    assert not list((tmp_path / "home/jobs").iterdir())


def test_what_stands_in_the_way_is_said_with_status_1(tmp_path):
    run = tune(tmp_path, "--json", epochs="99")
    assert run.returncode == 1
    assert json.loads(run.stdout)["problems"][0]["field"] == "epochCount"


def test_a_broken_recipe_is_status_2(tmp_path):
    (tmp_path / "recipe.toml").write_text("recipe = 7")
    call = [PROGRAM, "tune", tmp_path / "recipe.toml", "--data", tmp_path / "home"]
    run = subprocess.run(call, capture_output=True, text=True, timeout=60)
    assert run.returncode == 2, run.stderr
