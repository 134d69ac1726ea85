"""The code tabs of the playground: each program is run as it is shown, and prints what the model answers.

The programs come from `workbench/examples/snippets.rs`, through the code that writes the tabs. What they lean on is put
under target/snippets by `scripts/test`; nothing is fetched here. No model here can see, so a program that sends a picture
speaks to a server that writes down what it hears; the one in JavaScript, which wants HTTP/2, to the sandbox.
"""

import base64
import hashlib
import http.server
import json
import os
import subprocess
import threading
from pathlib import Path

import pytest
from account import BASE_MODEL
from program import PROGRAM

# Three programs are compiled before the first of them can be run.
pytestmark = pytest.mark.timeout(600)
SNIPPETS = Path(os.environ.get("WHETSTONE_SNIPPETS", PROGRAM.parent / "examples/snippets"))
KITS = Path(os.environ.get("WHETSTONE_SNIPPET_KITS", PROGRAM.parents[1] / "snippets"))
# What would be something else in one of the four languages, if it were written there as it is.
AWKWARD = "Which colour is \"cut grass\"? It's `ls`, $HOME, ${x}, {y}, %s, \\n and \\\n\tüß 🙂 </script>"
PROMPTS = {
    "question": {"turns": [("user", "Which colour is cut grass?")]},
    "conversation": {
        "turns": [("user", "Which colour is a raven?"), ("assistant", "black"), ("user", AWKWARD)],
        "system": "Answer in a word, don't \"explain\".",
        "topK": 5,
        "topP": 0.95,
        "stopSequences": ["END", "it's\n"],
    },
    "text": {"turns": [("user", f"{AWKWARD} The colour is")], "mode": "completion", "temperature": 0.0},
}

PICTURE, TABLE = b"\x89PNG\r\n\x1a\n\x00 not UTF-8: \xff", b"month,rate\n1,2\n"
SEEN = {
    "output": {"message": {"role": "assistant", "content": [{"text": "a raven"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
    "metrics": {"latencyMs": 1},
}


def request(model, given, attachments=()):
    usual = {"mode": "chat", "system": None, "temperature": 0.0, "topP": 1.0, "topK": None, "stopSequences": []}
    turns = [{"role": role, "text": text, "attachments": []} for role, text in given["turns"]]
    turns[-1]["attachments"] = list(attachments)
    return {"request": "code", "modelId": model, "maxTokens": 24, **usual, **given, "turns": turns}


def expected(account, prompt):
    """What boto3 is answered, asked by this test."""
    if prompt["mode"] == "completion":
        body = {"prompt": prompt["turns"][-1]["text"], "max_gen_len": 24, "temperature": 0.0, "top_p": 1.0}
        answer = account.runtime.invoke_model(modelId=prompt["modelId"], body=json.dumps(body))
        return json.load(answer["body"])["generation"]
    more = {}
    if prompt["system"]:
        more["system"] = [{"text": prompt["system"]}]
    if prompt["topK"]:
        more["additionalModelRequestFields"] = {"inferenceConfig": {"topK": prompt["topK"]}}
    settings = {"maxTokens": 24, "temperature": 0.0, "topP": prompt["topP"]}
    if prompt["stopSequences"]:
        settings["stopSequences"] = prompt["stopSequences"]
    messages = [{"role": turn["role"], "content": [{"text": turn["text"]}]} for turn in prompt["turns"]]
    answer = account.runtime.converse(
        modelId=prompt["modelId"], messages=messages, inferenceConfig=settings, **more
    )
    return answer["output"]["message"]["content"][0]["text"]


def written(endpoint, folder, prompts):
    """The programs of each prompt, by language."""
    call = [SNIPPETS, BASE_MODEL, endpoint, folder]
    lines = "".join(json.dumps(prompt) + "\n" for prompt in prompts)
    run = subprocess.run(call, input=lines, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


@pytest.fixture(scope="module")
def programs(account, tuned):
    """The programs of each prompt, and the prompt itself."""
    prompts = [request(tuned.deployment, given) for given in PROMPTS.values()]
    codes = written(account.environment["AWS_ENDPOINT_URL"], "none", prompts)
    return {name: (prompt, code) for name, prompt, code in zip(PROMPTS, prompts, codes, strict=True)}


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    """Where attachments are kept, in a folder whose name is no plain word anywhere, and the attachments."""
    folder = tmp_path_factory.mktemp("kept") / "it's a \"folder\", {of} [mine]"
    folder.mkdir()
    attached = []
    for name, kind, form, content in [("Raven.png", "image", "png", PICTURE), ("a_b.csv", "document", "csv", TABLE)]:
        copy = f"{hashlib.sha256(content).hexdigest()}.{form}"
        (folder / copy).write_bytes(content)
        attached.append({"id": copy, "name": name, "kind": kind, "format": form, "bytes": len(content)})
    return folder, attached


@pytest.fixture(scope="module")
def listener():
    """A server that answers as a model would, and keeps what it was sent."""
    heard = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            answer = json.dumps(SEEN).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", heard
    server.shutdown()


@pytest.fixture(scope="module")
def looking(listener, copies):
    """The programs that show a picture and a table."""
    folder, attached = copies
    return written(listener[0], folder, [request("amazon.nova-lite-v1:0", PROMPTS["conversation"], attached)])[0]


@pytest.fixture(scope="module")
def compiled(programs, looking):
    """The Rust programs, compiled together; the folder that they are in."""
    kit = KITS / "rust"
    (kit / "src/bin").mkdir(exist_ok=True)
    for name, code in [("looking", looking), *((name, code) for name, (_, code) in programs.items())]:
        (kit / f"src/bin/{name}.rs").write_text(code["rust"])
    environment = {**os.environ, "CARGO_TARGET_DIR": str(kit / "target")}
    build = ["cargo", "build", "--offline", "--locked", "--quiet", "--bins"]
    run = subprocess.run(build, cwd=kit, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "warning" not in run.stderr, run.stderr
    return kit / "target/debug"


def printed(account, command, folder):
    run = subprocess.run(command, env=account.environment, cwd=folder, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, f"{run.stdout}{run.stderr}"
    return run.stdout.strip()


@pytest.fixture(scope="module", params=list(PROMPTS))
def case(request, account, programs):
    prompt, code = programs[request.param]
    answer = expected(account, prompt).strip()
    assert answer, "a model that says nothing proves nothing"
    return request.param, code, answer


def test_the_question_is_answered_as_the_model_was_tuned(account, programs):
    assert expected(account, programs["question"][0]) == "green"


def test_the_command_line_prints_the_answer(account, case, tmp_path):
    name, code, answer = case
    (tmp_path / "ask.sh").write_text(code["cli"])
    said = printed(account, ["bash", "ask.sh"], tmp_path)
    if name == "text":
        said = json.JSONDecoder().raw_decode(said)[0]["generation"].strip()
    assert said == answer


def test_python_prints_the_answer(account, case, tmp_path):
    _, code, answer = case
    (tmp_path / "ask.py").write_text(code["python"])
    assert printed(account, ["python3", "ask.py"], tmp_path) == answer


def test_node_prints_the_answer(account, case):
    name, code, answer = case
    (KITS / f"node/{name}.mjs").write_text(code["javascript"])
    assert printed(account, ["node", f"{name}.mjs"], KITS / "node") == answer


def test_rust_prints_the_answer(account, compiled, case):
    name, _, answer = case
    said = printed(account, [compiled / name], compiled)
    if name == "text":
        said = json.loads(said)["generation"].strip()
    assert said == answer


def sent(text):
    return base64.b64encode(text).decode()


def test_what_is_attached_is_read_from_its_copy_and_sent(account, listener, looking, compiled, tmp_path):
    (tmp_path / "look.sh").write_text(looking["cli"])
    (tmp_path / "look.py").write_text(looking["python"])
    for command in (["bash", "look.sh"], ["python3", "look.py"], [compiled / "looking"]):
        listener[1].clear()
        assert printed(account, command, tmp_path) == "a raven"
        turns = listener[1][-1]["messages"]
        assert [turn["content"][0]["text"] for turn in turns] == [text for _, text in PROMPTS["conversation"]["turns"]]
        assert turns[-1]["content"][1:] == [
            {"image": {"format": "png", "source": {"bytes": sent(PICTURE)}}},
            {"document": {"format": "csv", "name": "a-b", "source": {"bytes": sent(TABLE)}}},
        ]


def test_node_shows_the_picture_to_a_model_that_cannot_see_and_says_so(account, copies):
    folder, attached = copies
    prompt = request("amazon.nova-lite-v1:0", PROMPTS["conversation"], attached)
    code = written(account.environment["AWS_ENDPOINT_URL"], folder, [prompt])[0]
    (KITS / "node/looking.mjs").write_text(code["javascript"])
    command = ["node", "looking.mjs"]
    run = subprocess.run(
        command, env=account.environment, cwd=KITS / "node", capture_output=True, text=True, timeout=60
    )
    assert run.returncode != 0
    assert "ValidationException" in run.stderr and "image content block" in run.stderr
