"""How fast the tuner trains and in how much memory, beside PyTorch as people run it and as an expert tunes it.

Everybody trains the bundled model in single precision on the same records, as many a step, with as many threads, once
through; in full, and with adapters of the same rank on the same matrices. Each is a process of its own. The seconds of
the first steps are left out, in which others compile and fill their caches; memory is the peak of the whole process.
"""

import json
import statistics
import sys
import tempfile
from pathlib import Path

from . import operations, processes
from .data import BUNDLED, Records

APPROACHES = ("full", "lora")
RANK = 16
MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
# Steps that are not timed, and those by which the expert's ways are told apart.
FIRST, TRIED = 5, 25
COMPILING = 300
RIVALS = Path(__file__).parent / "torch_training.py"
# glibc hands large blocks back to the kernel each time they are freed; whoever tunes PyTorch for a processor stops that.
KEEP = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(1 << 30)}
AIMS = {"trainer": 3, "expert": 2}
SIXTH = 1 / 6


def say(text):
    print(text, file=sys.stderr, flush=True)


def measure(program, options):
    """Figures, ratios and aims of each kind of records."""
    figures, ratios, aims = {}, {}, {}
    for kind in options.data:
        records = Records(kind, options.batch, options.steps)
        found = figures[kind] = {"data": records.told(), **rounds(program, records, options)}
        ratios[kind] = {approach: compared(found[approach]) for approach in APPROACHES}
        for approach, ratio in ratios[kind].items():
            aims |= held(f"{kind}_{approach}", ratio)
    return figures, ratios, aims


def rounds(program, records, options):
    """Everyone in turn, again and again, so that whatever else the machine does falls on all; the quickest run counts."""
    ways, tried = {}, {}
    for approach in APPROACHES:
        ways[approach], tried[approach] = quickest_way(records, approach, options)
    found = {approach: {} for approach in APPROACHES}
    peak = 0
    for _ in range(options.times):
        for approach in APPROACHES:
            peak = max(peak, json.loads(processes.run([program, "peak", options.threads])["said"])["flops"])
            runs = {
                "whetstone": whetstone(program, records, approach, options.threads),
                "trainer": rival(records, approach, options.threads, {"way": "trainer"}),
                "expert": rival(records, approach, options.threads, ways[approach]),
            }
            for who, run in runs.items():
                say(f"{records.kind} {approach} {who}: {run}")
                before = found[approach].get(who)
                found[approach][who] = run if before is None else better(before, run)
    config = json.loads((BUNDLED / "config.json").read_text())
    for approach in APPROACHES:
        needed = operations.of_training(config, records.laid_out, approach, RANK) / records.tokens
        for run in found[approach].values():
            run["share_of_peak"] = round(run["tokens_per_second"] * needed / peak, 3)
    return {"gemm_peak_gflops": round(peak / 1e9, 1), "expert_ways": tried, **found}


def better(one, other):
    first, second = sorted((one, other), key=lambda run: -run["tokens_per_second"])
    return {**first, "runs": one["runs"] + other["runs"], "peak_mb": max(first["peak_mb"], second["peak_mb"])}


def quickest_way(records, approach, options):
    """The quickest of what an expert would try, and what each came to."""
    tried = {}

    def attempt(way, precision):
        try:
            chosen = {"way": way, "precision": precision}
            run = rival(records, approach, options.threads, chosen, steps=min(TRIED, records.steps), within=COMPILING)
            tried[f"{way}, {precision}"] = {key: run[key] for key in ("tokens_per_second", "first_steps_seconds")}
        except processes.Failed as failed:
            tried[f"{way}, {precision}"] = {"failed": str(failed)}
        say(f"{records.kind} {approach} {way}, {precision}: {tried[f'{way}, {precision}']}")

    def quickest():
        return max(tried, key=lambda way: tried[way].get("tokens_per_second", 0)).split(", ")[0]

    for way in ("packed", "grouped", "compiled"):
        attempt(way, "float32")
    attempt(quickest(), "bfloat16")
    name = max(tried, key=lambda way: tried[way].get("tokens_per_second", 0))
    return dict(zip(("way", "precision"), name.split(", "))), tried


def timed(told, process):
    """What a run comes to, from the tokens and the seconds of its steps."""
    steps = list(zip(told["tokens"], told["seconds"]))
    later = steps[min(FIRST, len(steps) - 1) :]
    tokens, seconds = (sum(column) for column in zip(*later))
    per_second = round(tokens / seconds, 1)
    return {
        "tokens_per_second": per_second,
        "peak_mb": process["peak_mb"],
        "first_steps_seconds": round(sum(told["seconds"]) - seconds, 2),
        "process_seconds": process["seconds"],
        "mean_loss": round(told["mean_loss"], 3),
        "runs": [per_second],
    }


def whetstone(program, records, approach, threads):
    """The tuner itself, as its worker runs: a folder with records and settings in, a tuned model out."""
    adapters = {"lora": {"rank": RANK, "targets": MODULES}}
    settings = {
        "model": str(BUNDLED),
        "training": "train.jsonl",
        "validation": [],
        "objective": records.objective,
        "approach": "full" if approach == "full" else adapters,
        "epochs": 1,
        "batch_size": records.batch,
        "learning_rate": 1e-3,
        "decay": "linear",
        "warmup_steps": 0,
        "seed": 1,
        "threads": threads,
        "validate_every": None,
        "early_stopping": None,
        "checkpoint_every_seconds": 3600,
    }
    with tempfile.TemporaryDirectory(prefix="whetstone-bench-") as name:
        folder = Path(name)
        records.write(folder / "train.jsonl")
        (folder / "run.json").write_text(json.dumps(settings))
        process = processes.run([program, "train", folder])
    events = [json.loads(line) for line in process["said"].splitlines()]
    read = next(event["tokens_per_epoch"] for event in events if event["event"] == "started")
    if read != records.tokens:
        raise SystemExit(f"the tuner read {read} tokens, and others are given {records.tokens}")
    steps = [event for event in events if event["event"] == "step"]
    told = {
        "tokens": [step["tokens"] for step in steps],
        "seconds": [step["tokens"] / step["tokens_per_second"] for step in steps],
        "mean_loss": statistics.mean(step["loss"] for step in steps),
    }
    return timed(told, process)


def rival(records, approach, threads, way, steps=None, within=900):
    task = {
        "model": str(BUNDLED),
        "approach": approach,
        "rank": RANK,
        "batch": records.batch,
        "threads": threads,
        "records": records.laid_out[: records.batch * steps] if steps else records.laid_out,
        **way,
    }
    tuned = {} if way["way"] == "trainer" else KEEP
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(task, file)
        file.flush()
        process = processes.run([sys.executable, RIVALS, file.name], within, **tuned)
    return timed(json.loads(process["said"].splitlines()[-1]), process)


def compared(found):
    ours = found["whetstone"]
    others = {who: found[who] for who in AIMS}
    speeds = {
        f"as_fast_as_{who}": round(ours["tokens_per_second"] / run["tokens_per_second"], 2)
        for who, run in others.items()
    }
    memory = {f"memory_of_{who}": round(ours["peak_mb"] / run["peak_mb"], 3) for who, run in others.items()}
    return speeds | memory


def held(name, ratio):
    aims = {}
    for who, wanted in AIMS.items():
        value = ratio[f"as_fast_as_{who}"]
        aims[f"{name}_as_fast_as_{who}"] = {"value": value, "aim": f">= {wanted}", "met": value >= wanted}
    share = max(ratio[f"memory_of_{who}"] for who in AIMS)
    aims[f"{name}_memory"] = {"value": share, "aim": "<= 1/6 of either", "met": share <= SIXTH}
    return aims
