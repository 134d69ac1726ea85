"""The tuner beside PyTorch, transformers, PEFT and llama.cpp.

Agreement: logits, gradients tensor by tensor, the losses of fifty steps, greedy tokens, and adapters saved by one and loaded
by the other, on small random models of every architecture it takes. Speed: tokens a second and peak memory of training the
bundled model, in full and with adapters, and the share of the machine's matrix products that a step reaches. Inference:
tokens a second of an answer. The environment is large (several gigabytes: PyTorch's wheel brings its CUDA libraries), and
llama.cpp is compiled for it, so this is no lane of the tests.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from tuner_parts import data, inference, speed

PARTS = ("speed", "inference", "agreement")


def asked():
    parser = argparse.ArgumentParser(prog="scripts/bench tuner", description=__doc__)
    parser.add_argument("--only", choices=PARTS, help="one part only")
    parser.add_argument("--architecture", help="agreement alone, on one architecture")
    parser.add_argument(
        "--data", type=kinds, default=list(data.KINDS), help=f"speed on these only: {','.join(data.KINDS)}"
    )
    parser.add_argument("--times", type=int, default=3, help="runs of each; the quickest counts")
    parser.add_argument("--steps", type=int, help="of a training, for a quick look")
    parser.add_argument("--batch", type=int, default=16, help="records a step")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    return parser.parse_args()


def kinds(text):
    chosen = text.split(",")
    if unknown := set(chosen) - set(data.KINDS):
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: known are {', '.join(data.KINDS)}")
    return chosen


def main():
    options = asked()
    program = Path(os.environ["WHETSTONE_EXAMPLES"]) / "agreement"
    parts = ["agreement"] if options.architecture else [options.only] if options.only else PARTS
    figures, ratios, aims = {"cores": os.cpu_count(), "threads": options.threads, "load": os.getloadavg()[0]}, {}, {}
    if "speed" in parts:
        figures["speed"], ratios["speed"], aims = speed.measure(program, options)
    if "inference" in parts:
        figures["inference"], ratios["inference"] = inference.measure(program, options)
    agreed = True
    if "agreement" in parts:
        # PyTorch stays out of this process until there is nothing to be measured beside it.
        from tuner_parts import agreement

        figures["agreement"], held = agreement.measure(program, options.architecture)
        agreed = all(aim["met"] for aim in held.values())
        aims |= held
    figures["load_after"] = os.getloadavg()[0]
    print(json.dumps({"bench": "tuner", "figures": figures, "ratios": ratios, "aims": aims}))
    # A speed may fall short of its aim; an answer may not differ.
    sys.exit(0 if agreed else 1)


main()
