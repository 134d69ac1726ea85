"""Trains with PyTorch, transformers and PEFT what a task file names, and tells the tokens and the seconds of each step.

`trainer` is how people run it: transformers' Trainer, everything at its defaults. The others are loops as an expert writes
them: the output head only where something is predicted, a fused optimizer, and next to no padding, either because the
records of a step are laid end to end and attention alone goes from record to record (`packed`), or because a step's records
are of a like length (`grouped`, and `compiled` by torch.compile).
"""

import json
import random
import sys
import tempfile
import time

import torch
from torch.nn.functional import cross_entropy, scaled_dot_product_attention
from transformers import AttentionInterface, AutoModelForCausalLM

MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
RATE, SEED = 1e-3, 1
IGNORED = -100


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        task = json.load(file)
    torch.set_num_threads(task["threads"])
    torch.manual_seed(SEED)
    packed = {"attn_implementation": "record_by_record"} if task["way"] == "packed" else {}
    base = AutoModelForCausalLM.from_pretrained(task["model"], dtype=torch.float32, **packed)
    model = adapted(base, task["rank"]) if task["approach"] == "lora" else base
    train = trainer if task["way"] == "trainer" else expert
    print(json.dumps(train(task, model.train(), base)))


def adapted(base, rank):
    from peft import LoraConfig, get_peft_model

    settings = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=MODULES, task_type="CAUSAL_LM")
    return get_peft_model(base, settings)


def trainer(task, model, _):
    from transformers import (
        DataCollatorForSeq2Seq,
        PreTrainedTokenizerFast,
        Trainer,
        TrainerCallback,
        TrainingArguments,
    )

    class Clock(TrainerCallback):
        def on_train_begin(self, *_, **__):
            self.stamps = [time.perf_counter()]

        def on_step_end(self, *_, **__):
            self.stamps.append(time.perf_counter())

    tokenizer = PreTrainedTokenizerFast(tokenizer_file=f"{task['model']}/tokenizer.json", pad_token="<|end|>")
    examples = [
        {"input_ids": record["tokens"], "attention_mask": [1] * len(record["tokens"]), "labels": labels(record)}
        for record in task["records"]
    ]
    clock, collate, read = Clock(), DataCollatorForSeq2Seq(tokenizer), []

    def counted(chosen):
        read.append(sum(len(example["input_ids"]) for example in chosen))
        return collate(chosen)

    with tempfile.TemporaryDirectory(prefix="whetstone-bench-") as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=task["batch"],
            num_train_epochs=1,
            learning_rate=RATE,
            save_strategy="no",
            report_to="none",
        )
        run = Trainer(model=model, args=arguments, train_dataset=examples, data_collator=counted, callbacks=[clock])
        run.train()
    seconds = [after - before for before, after in zip(clock.stamps, clock.stamps[1:])]
    return {"tokens": read, "seconds": seconds, "mean_loss": run.state.log_history[-1]["train_loss"]}


def labels(record):
    known = record["learned_from"]
    return [IGNORED] * known + record["tokens"][known:]


def expert(task, model, base):
    free = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(free, lr=RATE, fused=True)
    decoder = torch.compile(base.model, dynamic=True) if task["way"] == "compiled" else base.model
    lay = end_to_end if task["way"] == "packed" else side_by_side
    half = task["precision"] == "bfloat16"
    read, seconds, losses = [], [], []
    for records in batches(task):
        began = time.perf_counter()
        inputs, rows, targets = lay(records)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            hidden = decoder(**inputs, use_cache=False).last_hidden_state
            logits = base.lm_head(hidden.flatten(0, 1)[rows])
        loss = cross_entropy(logits.float(), targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(free, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
        read.append(sum(len(record["tokens"]) for record in records))
        seconds.append(time.perf_counter() - began)
    return {"tokens": read, "seconds": seconds, "mean_loss": sum(losses) / len(losses)}


def batches(task):
    """The records of each step, in an order of chance; those of a step are of a like length unless they are packed."""
    records, batch, draw = list(task["records"]), task["batch"], random.Random(SEED)
    draw.shuffle(records)
    if task["way"] != "packed":
        records.sort(key=lambda record: len(record["tokens"]))
    found = [records[start : start + batch] for start in range(0, len(records), batch)]
    draw.shuffle(found)
    return found


def predictions(records, starts):
    """The rows that predict, when each record begins at its row, and the tokens that they should predict."""
    rows, targets = [], []
    for record, start in zip(records, starts):
        first = record["learned_from"]
        rows += range(start + first - 1, start + len(record["tokens"]) - 1)
        targets += record["tokens"][first:]
    return torch.tensor(rows), torch.tensor(targets)


def side_by_side(records):
    longest = max(len(record["tokens"]) for record in records)
    ids = torch.tensor([record["tokens"] + [0] * (longest - len(record["tokens"])) for record in records])
    # What fills a row up stands behind its tokens, where no token looks.
    return {"input_ids": ids}, *predictions(records, range(0, len(records) * longest, longest))


def end_to_end(records):
    lengths = [len(record["tokens"]) for record in records]
    ids = torch.tensor([[token for record in records for token in record["tokens"]]])
    positions = torch.cat([torch.arange(length) for length in lengths])[None]
    starts = [sum(lengths[:at]) for at in range(len(lengths))]
    inputs = {"input_ids": ids, "position_ids": positions, "lengths": lengths}
    return inputs, *predictions(records, starts)


def record_by_record(_module, query, key, value, _mask, lengths, **_):
    parts = zip(*(tensor.split(lengths, dim=2) for tensor in (query, key, value)))
    attended = [scaled_dot_product_attention(*part, is_causal=True) for part in parts]
    return torch.cat(attended, dim=2).transpose(1, 2), None


AttentionInterface.register("record_by_record", record_by_record)

main()
