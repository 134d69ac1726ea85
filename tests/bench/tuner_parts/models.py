"""Small random models of every architecture that is taken, written by transformers as it writes any model."""

import shutil
from pathlib import Path

import torch
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

BUNDLED = Path(__file__).resolve().parents[3] / "src-tauri" / "tuner" / "models" / "tiny-v1"
VOCABULARY = 4096
COMMON = {
    "vocab_size": VOCABULARY,
    "hidden_size": 48,
    "intermediate_size": 80,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "bos_token_id": None,
    "eos_token_id": 0,
    "pad_token_id": None,
}
LLAMA_3 = {
    "rope_type": "llama3",
    "rope_theta": 500000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}

# name: (class, configuration, how it is stored, the largest shard)
MODELS = {
    "llama-2": (LlamaForCausalLM, LlamaConfig(**COMMON, tie_word_embeddings=False), torch.float32, "5GB"),
    "llama-3": (LlamaForCausalLM, LlamaConfig(**COMMON, rope_parameters=LLAMA_3), torch.bfloat16, "300KB"),
    "smollm": (LlamaForCausalLM, LlamaConfig(**COMMON, tie_word_embeddings=True), torch.float16, "5GB"),
    "mistral": (MistralForCausalLM, MistralConfig(**COMMON, head_dim=16, sliding_window=None), torch.float32, "5GB"),
    "mistral-window": (MistralForCausalLM, MistralConfig(**COMMON, sliding_window=128), torch.float32, "5GB"),
    "qwen2": (Qwen2ForCausalLM, Qwen2Config(**COMMON, tie_word_embeddings=True), torch.bfloat16, "5GB"),
    "qwen3": (Qwen3ForCausalLM, Qwen3Config(**COMMON, head_dim=16), torch.float32, "300KB"),
}


def write(name, folder):
    """A folder of the model, and the model itself in single precision."""
    kind, config, stored, shard = MODELS[name]
    torch.manual_seed(sum(map(ord, name)))
    model = kind(config)
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            # Fresh norms and biases are all one or zero, with which a mistake would not show.
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * 0.3)
            elif "embed" not in parameter_name:
                parameter.mul_(4)
    model.to(stored).save_pretrained(folder, max_shard_size=shard)
    shutil.copy(BUNDLED / "tokenizer.json", folder)
    return load(folder)


def load(folder):
    """The model in a folder, ready to be compared."""
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
