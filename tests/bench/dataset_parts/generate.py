"""Conversations for the measurement: seeded, of many sizes, with what real support texts have in them.

Sentences are put together from parts once; a record draws some of them, so that no two records are alike while a
gigabyte is written in well under a minute. One record in three goes over several turns, one in ten has something
beyond ASCII, one in fifty a mail address or a phone number, one in twenty thousand is broken.
"""

import json
import random

RECORD_BYTES = 1000
SENTENCES = 20_000
SYSTEM = "You answer customers of an online shop. Be brief, be friendly, and never promise a date you cannot keep."

SUBJECTS = "the parcel|my order|the invoice|the return label|our account|the replacement|the second payment|the app|the courier|your colleague|the warranty|the gift card|the subscription|the blue jacket|the charger".split("|")
VERBS = "arrived|was cancelled|is still missing|was charged twice|could not be opened|never left the warehouse|came with a crack|was sent to my old address|keeps failing|does not match the picture|should have been refunded|is two sizes too small".split("|")
TIMES = "on {day}|at {clock}|since {date}|for {n} days|last {day}|around {clock} on {date}|after the update|twice this month".split("|")
ASKS = "Could you look into it?|What should I do now?|Please tell me: is there a way to speed this up?|I would like my money back.|Who can help me with that?|Is it true that \"express\" means {n} days?|Can I change it myself?|Do I need the receipt?".split("|")
REPLIES = "I am sorry to hear that|Thank you for writing|I have checked it for you|That should not have happened|Good news|Here is what you can do|As far as I can see|Let me explain".split("|")
STEPS = "open Settings > Orders and choose \"Return\"|send us a photo of the label|wait until {day}, {clock}|keep the box until the refund of {price} is booked|sign out and in again|quote case {case} when you call|check the total: {price} minus {price}|print page {n} of {n}".split("|")
BEYOND = "Mme Lefèvre|São Paulo|naïve|Zürich|the café|Łódź|€ {n}|– as promised –|“final notice”|Ægir Þórsson|東京|Привет|😀".split("|")
DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday".split("|")
PRIVATE = ["My mail is {name}{n}@example.org.", "Call me on +49 30 {n}{n} {case}, please.", "You can reach me at {name}.{name}@mail.example.com."]
NAMES = "anna|jonas|maria|li|omar|sofia|peter|nadia".split("|")


def filled(text, draw):
    return text.format(
        day=draw.choice(DAYS),
        clock=f"{draw.randrange(24)}:{draw.randrange(60):02}",
        date=f"{draw.randrange(1, 29)} {draw.choice(['May', 'June', 'July', 'August'])}"
        if draw.random() < 0.7
        else f"2026-0{draw.randrange(1, 10)}-{draw.randrange(10, 29)}",
        n=draw.randrange(2, 60),
        price=f"{draw.randrange(3, 400)}.{draw.randrange(100):02} EUR",
        case=draw.randrange(10_000, 999_999),
        name=draw.choice(NAMES),
    )


def question(draw):
    text = f"{draw.choice(SUBJECTS).capitalize()} {draw.choice(VERBS)} {draw.choice(TIMES)}"
    if draw.random() < 0.3:
        text += f", and {draw.choice(SUBJECTS)} {draw.choice(VERBS)}"
    if draw.random() < 0.02:
        text += f" ({draw.choice(BEYOND)})"
    text += "."
    return filled(f"{text} {draw.choice(ASKS)}" if draw.random() < 0.4 else text, draw)


def answer(draw):
    text = f"{draw.choice(REPLIES)}: {draw.choice(STEPS)}"
    if draw.random() < 0.5:
        text += f", then {draw.choice(STEPS)}"
    if draw.random() < 0.02:
        text += f" ({draw.choice(BEYOND)})"
    return filled(text + ".", draw)


class Conversations:
    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.questions = [question(self.draw) for _ in range(SENTENCES)]
        self.answers = [answer(self.draw) for _ in range(SENTENCES)]
        self.number = 0

    def said(self, sentences, mean):
        draw = self.draw
        count = max(1, min(60, int(draw.lognormvariate(mean, 0.6))))
        text = (" " if draw.random() < 0.7 else "\n").join(draw.choices(sentences, k=count))
        if draw.random() < 0.01:
            text += " " + filled(draw.choice(PRIVATE), draw)
        return text

    def line(self):
        """One record, without its line break."""
        draw = self.draw
        self.number += 1
        turns = 2 if draw.random() < 0.67 else draw.choice((4, 4, 6))
        mean = {2: 1.55, 4: 0.75, 6: 0.35}[turns]
        messages = []
        for turn in range(turns):
            asked = turn % 2 == 0
            text = self.said(self.questions if asked else self.answers, mean)
            if turn == 0:
                text = f"Order {self.number * 7 + 100_003}: {text}"
            messages.append({"role": "user" if asked else "assistant", "content": [{"text": text}]})
        record = {"schemaVersion": "bedrock-conversation-2024", "system": [{"text": SYSTEM}], "messages": messages}
        line = json.dumps(record, ensure_ascii=False)
        return line[: len(line) // 2] if self.number % 20_000 == 0 else line


def write(path, size, seed=1):
    """Writes a file of about so many bytes and says how many records it has."""
    conversations = Conversations(seed)
    written = 0
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        while written < size:
            lines = "".join(conversations.line() + "\n" for _ in range(1000)).encode()
            file.write(lines)
            written += len(lines)
    partial.rename(path)
    return conversations.number
