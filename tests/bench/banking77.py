"""How well a tuned model names the intent of a bank's customer messages it has never seen.

Everything goes the way a user's own code would: boto3 against `whetstone sandbox`, a customization job on the
training rows, a deployment, one Converse call a test message. An answer counts only when it is the intent's name
exactly. Base and tuned models are asked the same messages.
"""

import argparse
import csv
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from account import BASE_MODEL, Account
from program import Sandbox

# As docs/tiny-v1.md recommends, and chosen there on a split of the training rows.
HYPERPARAMETERS = {
    "full": {"epochCount": "6", "batchSize": "16", "learningRate": "0.001", "learningRateWarmupSteps": "60"},
    "lora": {
        "approach": "lora",
        "loraRank": "16",
        "epochCount": "6",
        "batchSize": "16",
        "learningRate": "0.003",
        "learningRateWarmupSteps": "60",
    },
}
AIMS = {"full": 0.86, "lora": 0.80}
TRAINING_SECONDS = 600
THREADS = 2


def rows(folder, name, limit):
    with (folder / "banking77" / name).open(newline="", encoding="utf-8") as file:
        whole = [(row["text"], row["category"]) for row in csv.DictReader(file)]
    # The files are sorted by intent, so a few rows are taken from all over them.
    return whole[:: max(1, len(whole) // limit)][:limit] if limit else whole


def say(text):
    print(text, file=sys.stderr, flush=True)


def ask_all(account, model, questions):
    """Share of the messages answered with the intent's name exactly, and how many were answered a second."""

    def right(question):
        text, category = question
        answer = account.runtime.converse(
            modelId=model,
            messages=[{"role": "user", "content": [{"text": text}]}],
            inferenceConfig={"maxTokens": 24, "temperature": 0.0},
        )
        return answer["output"]["message"]["content"][0]["text"].strip() == category

    started = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        correct = sum(pool.map(right, questions))
    return {
        "exact_match": round(correct / len(questions), 4),
        "answers_per_second": round(len(questions) / (time.monotonic() - started), 1),
    }


def seconds(phase):
    return round((phase["lastModifiedTime"] - phase["creationTime"]).total_seconds(), 1)


def tune(account, approach, training, questions):
    arn = account.create_job(f"banking77-{approach}", training, hyperParameters=HYPERPARAMETERS[approach])
    job = account.job_in(arn, "Completed", within=3600)
    figures = {
        "training_seconds": seconds(job["statusDetails"]["trainingDetails"]),
        "job_seconds": round((job["endTime"] - job["creationTime"]).total_seconds(), 1),
        "training_loss": job["trainingMetrics"]["trainingLoss"],
        "hyperparameters": HYPERPARAMETERS[approach],
    }
    say(f"{approach}: trained in {figures['training_seconds']} s")
    deployment = account.serve(f"banking77-{approach}", job["outputModelArn"])
    return figures | ask_all(account, deployment, questions)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench banking77", description=__doc__)
    parser.add_argument("--rows", type=int, help="train on and ask only so many rows: a quick look, held to no aim")
    parser.add_argument("--only", choices=list(HYPERPARAMETERS), help="one approach only")
    options = parser.parse_args()
    data = os.environ.get("WHETSTONE_REAL_DATA")
    if not data:
        sys.exit("banking77 needs its data: set WHETSTONE_REAL_DATA to the folder that holds banking77/")

    training, questions = rows(Path(data), "train.csv", options.rows), rows(Path(data), "test.csv", options.rows)
    figures = {"training_rows": len(training), "test_rows": len(questions), "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory(prefix="whetstone-bench-") as folder:
        sandbox = Sandbox(folder)
        try:
            account = Account(sandbox.start())
            lines = (json.dumps({"prompt": text, "completion": category}) + "\n" for text, category in training)
            uri = account.upload("banking77.jsonl", "".join(lines).encode())
            figures["base"] = ask_all(account, BASE_MODEL, questions)
            say(f"base: {figures['base']}")
            for approach in [options.only] if options.only else HYPERPARAMETERS:
                figures[approach] = tune(account, approach, uri, questions)
                say(f"{approach}: {figures[approach]}")
        finally:
            sandbox.kill()

    aims = {}
    for approach in AIMS.keys() & figures.keys() if options.rows is None else ():
        accuracy, trained = figures[approach]["exact_match"], figures[approach]["training_seconds"]
        aims[f"{approach}_exact_match"] = aim(accuracy, f">= {AIMS[approach]}", accuracy >= AIMS[approach])
        aims[f"{approach}_training_seconds"] = aim(trained, f"<= {TRAINING_SECONDS}", trained <= TRAINING_SECONDS)
    ratios = {}
    if figures.keys() >= AIMS.keys():
        ratios["lora_to_full_exact_match"] = share(figures["lora"]["exact_match"], figures["full"]["exact_match"])
    print(json.dumps({"bench": "banking77", "figures": figures, "ratios": ratios, "aims": aims}))


def aim(value, wanted, met):
    return {"value": value, "aim": wanted, "met": met}


def share(part, whole):
    return round(part / whole, 3) if whole else None


main()
