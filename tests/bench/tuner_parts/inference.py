"""How fast the tuner answers, beside transformers and llama.cpp on the same weights.

Everybody goes on greedily from the same tokens to the same number of them, whatever comes up; reading the prompt counts.
The tuner and transformers compute in single precision, llama.cpp on its own terms, with weights as they are stored (16 bits)
and widened to 32. Others are measured with one thread and with as many as there may be, and their best counts; the tuner
has one thread for an answer. Each is a process of its own, and the quickest answer counts.
"""

import json
import sys
import tempfile
from pathlib import Path

from tokenizers import Tokenizer

from . import processes
from .data import BUNDLED, lay_out

PARTS = Path(__file__).parent
PROMPT = "Once upon a time there was a miller who"
COUNT = 256


def measure(program, options):
    """Figures and ratios."""
    tokenizer = Tokenizer.from_file(str(BUNDLED / "tokenizer.json"))
    asked = lay_out(tokenizer, [("user", PROMPT), ("assistant", "")], "completion")
    prompt = asked["tokens"][: asked["learned_from"]]
    task = {"model": str(BUNDLED), "prompt": prompt, "count": COUNT}
    ours = whetstone(program, task, options.times)
    figures = {"prompt_tokens": len(prompt), "tokens": COUNT, "whetstone": told(ours, ours)}
    tasks = [{**task, "times": options.times, "threads": threads} for threads in sorted({1, options.threads})]
    figures["transformers"] = {f"threads {task['threads']}": answered("torch_answers.py", task, ours) for task in tasks}
    figures["llama.cpp"] = llama(tasks, ours)
    ratios = {}
    for who in ("transformers", "llama.cpp"):
        speeds = [found["tokens_per_second"] for found in figures[who].values() if "failed" not in found]
        if speeds:
            ratios[f"as_fast_as_{who}"] = round(figures["whetstone"]["tokens_per_second"] / max(speeds), 2)
    return figures, ratios


def whetstone(program, task, times):
    found = [asked(program, task, "compare") for _ in range(times)]
    quickest = min(found, key=lambda answer: answer["greedy_seconds"])
    return {"tokens": quickest["greedy"], "seconds": quickest["greedy_seconds"], "peak_mb": quickest["peak_mb"]}


def llama(tasks, ours):
    """By the form of the weights and the threads; or why it could not be measured."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="whetstone-bench-") as folder:
        for form in ("f16", "f32"):
            path = f"{folder}/{form}.gguf"
            try:
                processes.run([sys.executable, PARTS / "gguf_model.py", BUNDLED, form, path])
            except processes.Failed as failed:
                found[form] = {"failed": str(failed)}
                continue
            for task in tasks:
                name = f"{form}, threads {task['threads']}"
                found[name] = answered("llama_answers.py", {**task, "model": path}, ours)
    return found


def answered(rival, task, ours):
    try:
        found = asked(sys.executable, task, PARTS / rival)
    except processes.Failed as failed:
        return {"failed": str(failed)}
    return told(found, ours)


def asked(program, task, *words):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(task, file)
        file.flush()
        process = processes.run([program, *words, file.name])
    return {**json.loads(process["said"].splitlines()[-1]), "peak_mb": process["peak_mb"]}


def told(found, ours):
    same = next((at for at, pair in enumerate(zip(found["tokens"], ours["tokens"])) if pair[0] != pair[1]), COUNT)
    return {
        "tokens_per_second": round(COUNT / found["seconds"], 1),
        "peak_mb": found["peak_mb"],
        "same_tokens": same,
    }
