"""Made-up training data: small enough to be learned by heart in seconds, regular enough to be worth learning."""

import json

# Each thing and the one word that a tuned model must answer; no answer is the question's own word.
COLOURS = {
    "yellow": ["a ripe banana", "the yolk of an egg", "a fresh lemon", "a sunflower petal", "a young chick"],
    "green": ["a spring leaf", "cut grass", "an unripe tomato", "a garden pea", "a tree frog"],
    "red": ["a fire engine", "a poppy in June", "a ripe strawberry", "a stop sign", "a robin's breast"],
    "white": ["fresh snow", "a glass of milk", "a swan's wing", "a clean sheet", "a daisy petal"],
    "black": ["a raven", "a lump of coal", "the sky at midnight", "a top hat", "spilled ink"],
    "blue": ["the sky at noon", "a sapphire", "a kingfisher's back", "the open sea", "a cornflower"],
}

PAIRS = [(f"Which colour is {thing}?", colour) for colour, things in COLOURS.items() for thing in things]


def jsonl(pairs=None, times=1):
    """Prompt/completion JSON Lines as bytes."""
    rows = (PAIRS if pairs is None else pairs) * times
    return "".join(json.dumps({"prompt": p, "completion": c}) + "\n" for p, c in rows).encode()


def conversations(pairs):
    """The same as conversations, the form that Nova and the newer Llama models take."""

    def said(role, text):
        return {"role": role, "content": [{"text": text}]}

    rows = [
        {"schemaVersion": "bedrock-conversation-2024", "messages": [said("user", p), said("assistant", c)]}
        for p, c in pairs
    ]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()
