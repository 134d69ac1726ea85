"""`whetstone evaluate` beside the packages that define its metrics, on pairs that are meant to be awkward."""

import json
import random
import subprocess

import pytest
from program import PROGRAM
from rapidfuzz.distance import Levenshtein
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU, CHRF
from sklearn.metrics import accuracy_score, f1_score

WORDS = """card Card arrive, arrived. ist ÜBER straße naïve ﬁne İstanbul 東京 カード 你好 привет 🙂 👩‍👩‍👧 e\u0301 don't
state-of-the-art 3.50 1,000 10-20 $5 50% a/b (yes) "no" [x] <b> &amp; &lt; <skipped> _ ` ~ 2,a a,2 .5 5. -7 \u1c1f""".split()
SPACES = [" ", " ", " ", "  ", "\n", "-\n", "\t", "\u00a0", "\u2003", "\x1d"]


def text(chance, most):
    words = [chance.choice(WORDS) for _ in range(chance.randrange(most))]
    return "".join(word + chance.choice(SPACES) for word in words)


def changed(chance, reference):
    """A prediction that has much in common with its reference."""
    kept = [letter for letter in reference.split(" ") if chance.random() < 0.8]
    return " ".join(kept + text(chance, 3).split(" "))


@pytest.fixture(scope="module")
def pairs():
    chance = random.Random(20)
    made = [("", ""), ("", "a"), ("a", ""), (" ", "\n"), ("…", "…"), ("x " * 4_000, "x y " * 3_000)]
    while len(made) < 1_000:
        reference = text(chance, 30)
        made.append((reference, changed(chance, reference) if chance.random() < 0.7 else text(chance, 30)))
    return made


def measured(folder, pairs):
    path = folder / "pairs.jsonl"
    lines = (json.dumps({"reference": reference, "prediction": prediction}) for reference, prediction in pairs)
    path.write_text("".join(line + "\n" for line in lines))
    call = [PROGRAM, "evaluate", "--pairs", path, "--metrics", "all", "--json"]
    answer = json.loads(subprocess.run(call, check=True, capture_output=True).stdout)
    assert answer["pairs"] == len(pairs)
    for found in answer["metrics"].values():
        assert 0 <= found["low"] <= found["value"] <= found["high"] <= 1
    return {name: found["value"] for name, found in answer["metrics"].items()}


def expected(pairs):
    references = [reference for reference, _ in pairs]
    predictions = [prediction for _, prediction in pairs]
    kinds = ["rouge1", "rouge2", "rougeL"]
    scorer = RougeScorer(kinds, use_stemmer=False)
    scores = [scorer.score(reference, prediction) for reference, prediction in pairs]
    values = {kind: sum(score[kind].fmeasure for score in scores) / len(scores) for kind in kinds}
    values["bleu"] = BLEU().corpus_score(predictions, [references]).score / 100
    values["chrf"] = CHRF().corpus_score(predictions, [references]).score / 100
    values["exact_match"] = accuracy_score(references, predictions)
    similar = (Levenshtein.normalized_similarity(reference, prediction) for reference, prediction in pairs)
    values["edit_similarity"] = sum(similar) / len(pairs)
    values["json_valid"] = sum(is_json(prediction) for prediction in predictions) / len(pairs)
    values["macro_f1"] = macro_f1(references, predictions)
    return values


def is_json(text):
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def macro_f1(references, predictions):
    wanted = [reference.strip() for reference in references]
    said = [prediction.strip() for prediction in predictions]
    return f1_score(wanted, said, labels=sorted(set(wanted)), average="macro", zero_division=0)


def test_labels_have_the_f1_that_scikit_learn_gives_them(tmp_path):
    chance = random.Random(7)
    labels = ["card", "cash", "straße", "a b", "loan"]
    pairs = [(label, chance.choice([label, label, *labels, " " + label, "something else"])) for label in labels * 200]
    references, predictions = zip(*pairs, strict=True)
    found = measured(tmp_path, pairs)
    assert found["macro_f1"] == pytest.approx(macro_f1(references, predictions), abs=1e-6)
    assert found["exact_match"] == pytest.approx(accuracy_score(references, predictions), abs=1e-6)


def test_a_set_has_the_value_that_the_defining_package_gives_it(pairs, tmp_path):
    found = measured(tmp_path, pairs)
    for name, value in expected(pairs).items():
        assert found[name] == pytest.approx(value, abs=1e-6), name


def test_every_pair_by_itself_has_it_too(pairs, tmp_path):
    for pair in pairs[:40]:
        found = measured(tmp_path, [pair])
        for name, value in expected([pair]).items():
            assert found[name] == pytest.approx(value, abs=1e-6), (name, pair)
