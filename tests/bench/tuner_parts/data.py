"""What is trained on: two kinds of records, as the tuner's own lines of JSON and as the tokens that others are given.

Completions are short messages, of which the name of an intent is to be predicted: banking77 where the environment variable
WHETSTONE_REAL_DATA names a folder that has it, generated messages otherwise. Texts are stretches of prose, of which every
token is to be predicted, from the same folder or generated.
"""

import csv
import json
import os
import random
from pathlib import Path

from dataset_parts import generate
from tokenizers import Tokenizer

BUNDLED = Path(__file__).resolve().parents[3] / "src-tauri" / "tuner" / "models" / "tiny-v1"
# name: (what the tuner calls the objective, steps)
KINDS = {"completions": ("completion", 100), "texts": ("all_tokens", 30)}
TEXT = 500


class Records:
    """Records of one kind, enough for so many steps."""

    def __init__(self, kind, batch, steps=None):
        self.kind, self.batch = kind, batch
        self.objective, usual = KINDS[kind]
        self.steps = steps or usual
        count = batch * self.steps
        self.source, self.turns = messages(count) if kind == "completions" else texts(count)
        tokenizer = Tokenizer.from_file(str(BUNDLED / "tokenizer.json"))
        tokenizer.encode_special_tokens = True
        self.laid_out = [lay_out(tokenizer, turns, self.objective) for turns in self.turns]
        self.tokens = sum(len(record["tokens"]) for record in self.laid_out)

    def write(self, path):
        """As the tuner reads them."""
        lines = (json.dumps({"turns": [{"role": role, "text": text} for role, text in turns]}) for turns in self.turns)
        path.write_text("".join(f"{line}\n" for line in lines))

    def told(self):
        predicted = sum(len(record["tokens"]) - record["learned_from"] for record in self.laid_out)
        lengths = [len(record["tokens"]) for record in self.laid_out]
        return {
            "source": self.source,
            "records": len(lengths),
            "batch": self.batch,
            "tokens": self.tokens,
            "longest": max(lengths),
            "predicted": predicted,
        }


def lay_out(tokenizer, turns, objective):
    """A record's tokens as docs/tiny-v1.md says, and the first that is to be predicted."""
    tokens, answer = [], None
    for role, text in turns:
        tokens.append(tokenizer.token_to_id(f"<|{role}|>"))
        answer = len(tokens)
        tokens += tokenizer.encode(f" {text}", add_special_tokens=False).ids
    tokens.append(tokenizer.token_to_id("<|end|>"))
    return {"tokens": tokens, "learned_from": answer if objective == "completion" else 1}


def real(*names):
    """A file of the real data, where there is one."""
    folder = os.environ.get("WHETSTONE_REAL_DATA")
    path = Path(folder, *names) if folder else None
    return path if path and path.is_file() else None


def messages(count):
    path = real("banking77", "train.csv")
    if path is None:
        draw = random.Random(3)
        rows = [(generate.question(draw), draw.choice(generate.SUBJECTS).replace(" ", "_")) for _ in range(count)]
    else:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [(row["text"], row["category"]) for row in csv.DictReader(file)]
    # The file is sorted by intent, so rows are taken from all over it.
    chosen = spread(rows, count)
    return "banking77" if path else "generated", [[("user", text), ("assistant", name)] for text, name in chosen]


def texts(count):
    path = real("text", "books.txt")
    if path is None:
        draw = random.Random(4)
        whole = " ".join(generate.answer(draw) for _ in range(count * TEXT // 40))
    else:
        whole = " ".join(path.read_text(encoding="utf-8").split())
    pieces = [whole[start : start + TEXT] for start in range(0, len(whole) - TEXT, TEXT)]
    return "prose" if path else "generated", [[("assistant", text)] for text in spread(pieces, count)]


def spread(rows, count):
    if len(rows) < count:
        raise SystemExit(f"there are {len(rows)} records and {count} are needed: take fewer steps")
    return rows[:: len(rows) // count][:count]
