"""The tuner beside PyTorch, transformers and PEFT, on the same small random models of every architecture it takes.

Logits, gradients tensor by tensor, the losses of fifty steps, greedy tokens, and adapters saved by one and loaded by the
other. The environment is large (several gigabytes: PyTorch's wheel brings its CUDA libraries), so this is no lane of the
tests.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import torch
from tuner_parts import agreement, models

# Single precision, summed in another order.
LOGITS, GRADIENT, CURVE = 1e-3, 1e-3, 1e-3


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench tuner", description=__doc__)
    parser.add_argument("--only", choices=list(models.MODELS), help="one architecture only")
    options = parser.parse_args()
    program = Path(os.environ["WHETSTONE_EXAMPLES"]) / "agreement"
    torch.set_num_threads(1)
    figures = {}
    for name in [options.only] if options.only else models.MODELS:
        with tempfile.TemporaryDirectory(prefix="whetstone-bench-") as folder:
            figures[name] = agreement.compare(name, program, Path(folder))
        print(f"{name}: {figures[name]}", file=sys.stderr, flush=True)

    found = figures.values()
    aims = {
        "logits_apart": below(max(one["logits_apart"] for one in found), LOGITS),
        "worst_gradient_apart": below(max(one["worst_gradient"][1] for one in found), GRADIENT),
        "curve_apart": below(max(one["curve_apart"] for one in found), CURVE),
    }
    for name in ["same_greedy_tokens", "adapters_of_ours_in_peft", "adapters_of_peft_here"]:
        same = all(one[name] for one in found)
        aims[name] = {"value": same, "aim": "true", "met": same}
    print(json.dumps({"bench": "tuner", "figures": figures, "ratios": {}, "aims": aims}))
    sys.exit(0 if all(aim["met"] for aim in aims.values()) else 1)


def below(value, aim):
    return {"value": value, "aim": f"<= {aim}", "met": value <= aim}


main()
