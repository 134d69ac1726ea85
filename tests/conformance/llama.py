"""A Llama folder as Hugging Face lays it out, made with the `safetensors` package, and the model computed plainly.

The weights are random, so what the model says is nonsense; that the sandbox says the same nonsense is what counts. The
computation here is numpy's, one position after the other, and shares nothing with the sandbox's.
"""

import json

import numpy as np
from safetensors.numpy import save_file

HIDDEN, INNER, LAYERS, HEADS, KEYS, WIDTH = 32, 48, 2, 4, 2, 8
BYTES = 256
BEGIN, END, START = 256, 257, 258
VOCABULARY = 260
THETA = 500000.0
SCALING = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
TEMPLATE = (
    "{{- bos_token }}{% for message in messages %}<|start|>{{ message['role'] }}: {{ message['content'] | trim }}"
    "<|end|>{% endfor %}{% if add_generation_prompt %}<|start|>{% endif %}"
)


def tensors(seed=7):
    random = np.random.default_rng(seed)

    def made(*shape):
        return (random.standard_normal(shape) * 0.4).astype(np.float16)

    weights = {"model.embed_tokens.weight": made(VOCABULARY, HIDDEN), "model.norm.weight": made(HIDDEN) + 1}
    # An output head of its own, which says no special token.
    weights["lm_head.weight"] = made(VOCABULARY, HIDDEN)
    for layer in range(LAYERS):
        name = f"model.layers.{layer}"
        weights |= {
            f"{name}.input_layernorm.weight": made(HIDDEN) + 1,
            f"{name}.post_attention_layernorm.weight": made(HIDDEN) + 1,
            f"{name}.self_attn.q_proj.weight": made(HEADS * WIDTH, HIDDEN),
            f"{name}.self_attn.k_proj.weight": made(KEYS * WIDTH, HIDDEN),
            f"{name}.self_attn.v_proj.weight": made(KEYS * WIDTH, HIDDEN),
            f"{name}.self_attn.o_proj.weight": made(HIDDEN, HEADS * WIDTH),
            f"{name}.mlp.gate_proj.weight": made(INNER, HIDDEN),
            f"{name}.mlp.up_proj.weight": made(INNER, HIDDEN),
            f"{name}.mlp.down_proj.weight": made(HIDDEN, INNER),
        }
    return weights


def alphabet():
    """GPT-2's spelling of every byte as one printable character, in the order of the bytes."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in kept else chr(next(others)) for byte in range(256)]


def write(folder):
    """The folder, in two shards with an index."""
    weights = tensors()
    names = sorted(weights)
    shards = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
    for file, inside in shards.items():
        save_file({name: weights[name] for name in inside}, folder / file, metadata={"format": "pt"})
    index = {name: file for file, inside in shards.items() for name in inside}
    save(folder / "model.safetensors.index.json", {"metadata": {}, "weight_map": index})
    save(folder / "config.json", {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": VOCABULARY, "hidden_size": HIDDEN,
        "intermediate_size": INNER, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
        "num_key_value_heads": KEYS, "head_dim": WIDTH, "max_position_embeddings": 512, "rms_norm_eps": 1e-5,
        "rope_theta": THETA, "rope_scaling": SCALING, "tie_word_embeddings": False, "eos_token_id": [END],
        "bos_token_id": BEGIN, "torch_dtype": "float16",
    })  # fmt: skip
    special = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    save(folder / "tokenizer.json", {
        "version": "1.0", "truncation": None, "padding": None, "normalizer": None, "pre_tokenizer": level,
        "decoder": level, "post_processor": None,
        "added_tokens": [
            {"id": token, "content": text, **special}
            for token, text in [(BEGIN, "<|begin|>"), (END, "<|end|>"), (START, "<|start|>")]
        ],
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
            "vocab": {letter: byte for byte, letter in enumerate(alphabet())}, "merges": [],
        },
    })  # fmt: skip
    save(folder / "tokenizer_config.json", {
        "chat_template": TEMPLATE, "bos_token": "<|begin|>", "eos_token": {"content": "<|end|>"},
    })  # fmt: skip


def save(path, document):
    path.write_text(json.dumps(document), encoding="utf-8")


def asked(question):
    """The tokens of one question in the folder's own chat template."""
    return [BEGIN, START, *f"user: {question}".encode(), END, START]


def answer(tokens, most):
    """The likeliest continuation as bytes."""
    tokens, said = list(tokens), []
    weights = {name: tensor.astype(np.float64) for name, tensor in tensors().items()}
    while len(said) < most:
        best = int(np.argmax(logits(weights, tokens)))
        if best == END:
            break
        said.append(best)
        tokens.append(best)
    return bytes(token for token in said if token < BYTES)


def logits(weights, tokens):
    """What follows the tokens, all of them read at once."""
    stream = weights["model.embed_tokens.weight"][tokens]
    positions = np.arange(len(tokens))
    blocked = np.triu(np.full((len(tokens), len(tokens)), -np.inf), 1)
    for layer in range(LAYERS):
        part = {
            name.split(".", 3)[3].removesuffix(".weight"): tensor
            for name, tensor in weights.items()
            if name.startswith(f"model.layers.{layer}.")
        }
        normed = norm(stream, part["input_layernorm"])
        split = {name: (normed @ part[f"self_attn.{name}_proj"].T).reshape(len(tokens), -1, WIDTH) for name in "qkv"}
        queries, keys = turned(split["q"], positions), turned(split["k"], positions)
        heads = []
        for head in range(HEADS):
            shared = head * KEYS // HEADS
            scores = queries[:, head] @ keys[:, shared].T / np.sqrt(WIDTH) + blocked
            chances = np.exp(scores - scores.max(axis=1, keepdims=True))
            heads.append(chances / chances.sum(axis=1, keepdims=True) @ split["v"][:, shared])
        stream = stream + np.concatenate(heads, axis=1) @ part["self_attn.o_proj"].T
        normed = norm(stream, part["post_attention_layernorm"])
        gate = normed @ part["mlp.gate_proj"].T
        gated = gate / (1 + np.exp(-gate)) * (normed @ part["mlp.up_proj"].T)
        stream = stream + gated @ part["mlp.down_proj"].T
    return weights["lm_head.weight"] @ norm(stream[-1], weights["model.norm.weight"])


def norm(rows, gain):
    return rows / np.sqrt((rows**2).mean(axis=-1, keepdims=True) + 1e-5) * gain


def speeds():
    """Llama 3.1's turning speeds, by the three cases in which its paper's code writes them."""
    plain = THETA ** (-np.arange(0, WIDTH, 2) / WIDTH)
    length = SCALING["original_max_position_embeddings"]
    low, high = SCALING["low_freq_factor"], SCALING["high_freq_factor"]
    scaled = []
    for speed in plain:
        wave = 2 * np.pi / speed
        if wave < length / high:
            scaled.append(speed)
        elif wave > length / low:
            scaled.append(speed / SCALING["factor"])
        else:
            share = (length / wave - low) / (high - low)
            scaled.append((1 - share) * speed / SCALING["factor"] + share * speed)
    return np.array(scaled)


def turned(rows, positions):
    angles = positions[:, None, None] * speeds()
    first, second = rows[..., : WIDTH // 2], rows[..., WIDTH // 2 :]
    sines, cosines = np.sin(angles), np.cos(angles)
    return np.concatenate([first * cosines - second * sines, second * cosines + first * sines], axis=-1)
