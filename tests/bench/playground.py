"""What the sandbox adds to bare generation, and its generation beside transformers on the same weights.

Speed: the bundled model goes on from openings of stories, greedily, streamed to boto3, one after another and then four at
once; what the sandbox adds is what an answer took beyond the time that the endpoint measured for it (`latencyMs`).
transformers goes on from the same tokens, on one thread like the sandbox. Agreement: a model is tuned with adapters in the
sandbox, which merges them; transformers loads the merged folder as it is and must say the same to fifty prompts. The
environment is large (several gigabytes: PyTorch's wheel brings its CUDA libraries).
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from account import BASE_MODEL, BY_HEART, Account
from program import Sandbox, eventually
from records import PAIRS, jsonl
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

BUNDLED = Path(__file__).resolve().parents[2] / "src-tauri/tuner/models/tiny-v1"
OPENINGS = [
    "Once upon a time there was a miller who",
    "The old house stood at the end of",
    "It was late in the evening when",
    "She opened the letter and read",
    "The ship had been at sea for",
    "Nobody in the village knew why",
    "In the spring of that year",
    "He had never seen such a",
]
# Adapters, and gently: answers are still long, so that many tokens can differ.
ADAPTERS = {**BY_HEART, "approach": "lora", "epochCount": "2", "learningRate": "0.0005"}
AGREE = 50
COLUMNS = 4


def say(text):
    print(text, file=sys.stderr, flush=True)


def asked(runtime, model, prompt, most):
    """Text, tokens, milliseconds to the first piece and to the end, and the endpoint's own measure."""
    began = time.perf_counter()
    answer = runtime.converse_stream(
        modelId=model,
        messages=[{"role": "user", "content": [{"text": prompt}]}],
        inferenceConfig={"maxTokens": most, "temperature": 0.0},
    )
    text, first, told = "", None, {}
    for event in answer["stream"]:
        if "contentBlockDelta" in event:
            first = first or time.perf_counter() - began
            text += event["contentBlockDelta"]["delta"]["text"]
        told.update(event.get("metadata", {}))
    total = time.perf_counter() - began
    return {
        "text": text,
        "tokens": told["usage"]["outputTokens"],
        "first_ms": (first or total) * 1000,
        "total_ms": total * 1000,
        "own_ms": told["metrics"]["latencyMs"],
    }


class Beside:
    """transformers with the weights of a folder, on one thread; prompts are laid out as docs/tiny-v1.md says."""

    def __init__(self, folder):
        self.tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.end, self.user, self.assistant = (
            self.tokenizer.convert_tokens_to_ids(mark) for mark in ("<|end|>", "<|user|>", "<|assistant|>")
        )

    def ask(self, prompt, most):
        tokens = self.tokenizer.encode(f" {prompt}", add_special_tokens=False)
        ids = torch.tensor([[self.user, *tokens, self.assistant]])
        stamps = Stamps()
        began = time.perf_counter()
        with torch.no_grad():
            found = self.model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=most,
                do_sample=False,
                eos_token_id=self.end,
                pad_token_id=self.end,
                streamer=stamps,
            )
        total = time.perf_counter() - began
        new = found[0, ids.shape[1] :].tolist()
        said = self.tokenizer.decode([token for token in new if token != self.end], skip_special_tokens=False)
        # A turn's text has a space before it in the model's layout, which is none of the text.
        said = said.removeprefix(" ")
        first = (stamps.first or time.perf_counter()) - began
        return {"text": said, "tokens": len(new), "first_ms": first * 1000, "total_ms": total * 1000}


class Stamps:
    """When the first new token was there: `generate` puts the prompt first."""

    def __init__(self):
        self.puts, self.first = 0, None

    def put(self, _):
        self.puts += 1
        if self.puts == 2:
            self.first = time.perf_counter()

    def end(self):
        pass


def summed_up(answers):
    speeds = [(one["tokens"] - 1) * 1000 / (one["total_ms"] - one["first_ms"]) for one in answers if one["tokens"] > 1]
    return {
        "first_token_ms": round(statistics.median(one["first_ms"] for one in answers), 2),
        "tokens_per_second": round(statistics.median(speeds), 1),
    }


def tuned(account, data):
    """A deployment of a model that was tuned with adapters, and the folder with its merged weights."""
    training = account.upload("data/colours.jsonl", jsonl())
    arn = account.create_job("colours", training, hyperParameters=ADAPTERS)
    job = eventually(lambda: (job := account.job(arn))["status"] != "InProgress" and job, within=300)
    if job["status"] != "Completed":
        sys.exit(job.get("failureMessage"))
    (folder,) = [path.parent for path in data.glob("models/*/config.json")]
    return account.serve("colours", job["outputModelArn"]), folder


def agreement(account, data):
    deployment, folder = tuned(account, data)
    beside = Beside(folder)
    prompts = [question for question, _ in PAIRS] + [f"{opening}?" for opening in OPENINGS]
    prompts += [f"Tell me of {question.removeprefix('Which colour is ').rstrip('?')}" for question, _ in PAIRS]
    same, tokens = 0, 0
    for prompt in prompts[:AGREE]:
        mine, theirs = asked(account.runtime, deployment, prompt, 32), beside.ask(prompt, 32)
        if (mine["text"], mine["tokens"]) == (theirs["text"], theirs["tokens"]):
            same += 1
            tokens += mine["tokens"]
        else:
            say(f"{prompt!r}: here {mine['text']!r}, transformers {theirs['text']!r}")
    return same, {"tokens": tokens, "adapters_merged": (folder / "adapter").is_dir()}


def speed(account, times, most):
    prompts = OPENINGS * times
    asked(account.runtime, BASE_MODEL, OPENINGS[0], most)
    alone = [asked(account.runtime, BASE_MODEL, prompt, most) for prompt in prompts]
    clients = [account.client("bedrock-runtime") for _ in range(COLUMNS)]
    with ThreadPoolExecutor(COLUMNS) as columns:
        began = time.perf_counter()
        together = list(columns.map(lambda at: asked(clients[at % COLUMNS], BASE_MODEL, prompts[at], most), range(COLUMNS)))
        took = time.perf_counter() - began
    beside = Beside(BUNDLED)
    beside.ask(OPENINGS[0], most)
    theirs = [beside.ask(prompt, most) for prompt in prompts]
    added = [one["total_ms"] - one["own_ms"] for one in alone]
    return {
        "sandbox": {**summed_up(alone), "added_ms_an_answer": round(statistics.median(added), 2)},
        "four_at_once": {
            "tokens_per_second_together": round(sum(one["tokens"] for one in together) / took, 1),
            "slowest_first_token_ms": round(max(one["first_ms"] for one in together), 2),
        },
        "transformers": summed_up(theirs),
        "same_stories": sum(a["text"] == b["text"] for a, b in zip(alone, theirs)),
        "stories": len(prompts),
    }


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench playground", description=__doc__)
    parser.add_argument("--times", type=int, default=3, help="rounds over the openings")
    parser.add_argument("--tokens", type=int, default=96, help="at most, of each answer")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="whetstone-bench-") as folder:
        sandbox = Sandbox(folder)
        try:
            account = Account(sandbox.start())
            figures = speed(account, options.times, options.tokens)
            say(str(figures))
            same, figures["agreement"] = agreement(account, sandbox.data)
        finally:
            sandbox.kill()
    figures["load_average"] = os.getloadavg()[0]
    here, there = figures["sandbox"], figures["transformers"]
    ratios = {
        "tokens_per_second_to_transformers": round(here["tokens_per_second"] / there["tokens_per_second"], 2),
        "first_token_to_transformers": round(here["first_token_ms"] / there["first_token_ms"], 2),
    }
    aims = {"same_as_transformers": {"value": same, "aim": f"{AGREE} of {AGREE}", "met": same == AGREE}}
    print(json.dumps({"bench": "playground", "figures": figures, "ratios": ratios, "aims": aims}))
    sys.exit(0 if same == AGREE else 1)


main()
