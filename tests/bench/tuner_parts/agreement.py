"""Holds the tuner to PyTorch, transformers and PEFT: logits, gradients layer by layer, a curve of fifty steps, greedy
tokens, and adapters that go from one to the other and back."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model

from . import models

STEPS = 50
RATE = 3e-3
# The optimizer of every run, as src-tauri/tuner/src/worker.rs has it.
BETAS, EPSILON, DECAY, CLIP = (0.9, 0.98), 1e-8, 0.01, 1.0
GREEDY = 24
# Single precision, summed in another order.
LOGITS, GRADIENT, CURVE = 1e-3, 1e-3, 1e-3


def measure(program, architecture=None):
    """Figures of each architecture, or of one, and what they are held to."""
    if architecture and architecture not in models.MODELS:
        sys.exit(f"{architecture}: known are {', '.join(models.MODELS)}")
    torch.set_num_threads(1)
    figures = {}
    for name in [architecture] if architecture else models.MODELS:
        with tempfile.TemporaryDirectory(prefix="whetstone-bench-") as folder:
            figures[name] = compare(name, program, Path(folder))
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
    return figures, aims


def below(value, aim):
    return {"value": value, "aim": f"<= {aim}", "met": value <= aim}


def ask(program, folder, **task):
    """What the tuner says of the model in a folder."""
    file = Path(folder) / "task.json"
    file.write_text(json.dumps({"model": str(folder), **task}))
    answer = subprocess.run([program, "compare", str(file)], check=True, capture_output=True, text=True)
    return json.loads(answer.stdout)


def sequences(count, seed, longest=90):
    """Sequences of different lengths, one longer than a block of attention."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(5, longest, (count,), generator=generator).tolist()
    return [torch.randint(4, models.VOCABULARY, (length,), generator=generator).tolist() for length in lengths]


def mean_loss(model, batch):
    """Mean cross-entropy over all tokens that are predicted in the batch."""
    summed, predicted = 0, 0
    for tokens in batch:
        ids = torch.tensor([tokens])
        logits = model(ids).logits[0, :-1]
        summed = summed + torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="sum")
        predicted += len(tokens) - 1
    return summed / predicted


def forward_and_back(model, program, folder):
    """How far logits are apart at most, and the gradient of each tensor relative to its length."""
    batch = sequences(3, 1)
    found = ask(program, folder, sequences=batch)
    with torch.no_grad():
        logits = torch.cat([model(torch.tensor([tokens])).logits[0] for tokens in batch])
    apart = (torch.tensor(found["logits"]) - logits).abs().max().item()
    model.zero_grad()
    mean_loss(model, batch).backward()
    gradients = {}
    for name, parameter in model.named_parameters():
        mine = torch.tensor(found["gradients"][name]).view_as(parameter)
        gradients[name] = ((mine - parameter.grad).norm() / parameter.grad.norm()).item()
    model.zero_grad()
    return apart, gradients


def curve(model, program, folder):
    """The losses of fifty steps, and how far the tuner's are from them at most."""
    # Ten batches that come again, so that there is something to learn.
    batches = [sequences(4, 100 + step % 10, 40) for step in range(STEPS)]
    found = ask(program, folder, batches=batches, rate=RATE, threads=2)["curve"]
    decayed = [parameter for parameter in model.parameters() if parameter.dim() > 1]
    others = [parameter for parameter in model.parameters() if parameter.dim() == 1]
    groups = [{"params": decayed, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=RATE, betas=BETAS, eps=EPSILON)
    losses = []
    for batch in batches:
        loss = mean_loss(model, batch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        losses.append(loss.item())
    return max(abs(a - b) for a, b in zip(found, losses)), losses[0], losses[-1]


def greedy(model, prompt):
    """The likeliest tokens after a prompt; whether and when the model would end counts for nothing here."""
    tokens = list(prompt)
    with torch.no_grad():
        for _ in range(GREEDY):
            tokens.append(model(torch.tensor([tokens])).logits[0, -1].argmax().item())
    return tokens[len(prompt) :]


def adapters_out(program, folder, work):
    """Tunes adapters here; PEFT and transformers must say the same with them and with the merged model."""
    work.mkdir()
    turns = [{"role": "user", "text": "Which door?"}, {"role": "assistant", "text": "The green one."}]
    (work / "train.jsonl").write_text(json.dumps({"turns": turns}) + "\n")
    run = {
        "model": str(folder),
        "training": "train.jsonl",
        "validation": [],
        "objective": "completion",
        "approach": {"lora": {"rank": 4}},
        "epochs": 12,
        "batch_size": 1,
        "learning_rate": 0.01,
        "warmup_steps": 0,
        "seed": 1,
        "threads": 1,
        "validate_every": None,
        "early_stopping": None,
        "checkpoint_every_seconds": 3600,
    }
    (work / "run.json").write_text(json.dumps(run))
    subprocess.run([program, "train", str(work)], check=True, capture_output=True)
    tuned = work / "model"
    prompt = sequences(1, 5)[0]
    mine = ask(program, tuned, prompt=prompt, count=GREEDY)["greedy"]
    merged = greedy(models.load(tuned), prompt)
    base = models.load(folder)
    before = greedy(base, prompt)
    on_base = greedy(PeftModel.from_pretrained(base, tuned / "adapter").eval(), prompt)
    return mine == merged and mine == on_base and mine != before


def adapters_in(program, folder, work):
    """Makes an adapter with PEFT; a folder with it beside the base model must say here what PEFT says."""
    base = models.load(folder)
    torch.manual_seed(9)
    config = LoraConfig(r=5, lora_alpha=15, use_rslora=True, target_modules=["q_proj", "v_proj", "down_proj"])
    adapted = get_peft_model(base, config).eval()
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.2)
    prompt = sequences(1, 6)[0]
    expected = greedy(adapted, prompt)
    work.mkdir()
    for file in Path(folder).iterdir():
        (work / file.name).write_bytes(file.read_bytes())
    adapted.save_pretrained(work)
    mine = ask(program, work, prompt=prompt, count=GREEDY)["greedy"]
    plain = ask(program, folder, prompt=prompt, count=GREEDY)["greedy"]
    return mine == expected and mine != plain


def compare(name, program, work):
    """Everything about one architecture."""
    folder = work / name
    folder.mkdir()
    model = models.write(name, folder)
    logits, gradients = forward_and_back(model, program, folder)
    prompt = sequences(1, 4)[0]
    same_tokens = ask(program, folder, prompt=prompt, count=GREEDY)["greedy"] == greedy(model, prompt)
    apart, first, last = curve(model, program, folder)
    worst = max(gradients, key=gradients.get)
    return {
        "logits_apart": logits,
        "worst_gradient": [worst, gradients[worst]],
        "tensors": len(gradients),
        "curve_apart": apart,
        "curve": [first, last],
        "same_greedy_tokens": same_tokens,
        "adapters_of_ours_in_peft": adapters_out(program, folder, work / f"{name}-out"),
        "adapters_of_peft_here": adapters_in(program, folder, work / f"{name}-in"),
    }
