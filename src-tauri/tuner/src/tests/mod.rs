//! Tests of the network as a whole: against a slow, plain reference, and against itself.

#[expect(clippy::unwrap_used, reason = "a failed step is a failed test")]
mod folder;
mod generation;
#[expect(clippy::unwrap_used, reason = "a failed step is a failed test")]
mod gradients;
mod reference;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::config::ModelConfig;
use crate::network::{Network, Rows};

/// A network small enough for finite differences, with every part: more query heads than key heads,
/// two layers, widths that differ.
fn tiny_network() -> Network {
    Network::new(ModelConfig {
        architectures: vec!["LlamaForCausalLM".to_string()],
        model_type: "llama".to_string(),
        vocab_size: 23,
        hidden_size: 12,
        intermediate_size: 20,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        num_key_value_heads: 2,
        head_dim: 4,
        max_position_embeddings: 128,
        sliding_window: None,
        use_sliding_window: None,
        rms_norm_eps: 1e-5,
        rope_theta: 10_000.0,
        rope_scaling: None,
        tie_word_embeddings: true,
        hidden_act: "silu".to_string(),
        attention_bias: false,
        mlp_bias: false,
        bos_token_id: None,
        eos_token_id: None,
        torch_dtype: None,
    })
}

/// The same with an output head of its own.
fn untied_network() -> Network {
    let tied = tiny_network();
    Network::new(ModelConfig { tie_word_embeddings: false, ..tied.config })
}

/// One network of every kind: tied, with a head of its own, with biases, with norms on heads.
fn networks() -> [Network; 4] {
    [tiny_network(), untied_network(), of_kind("qwen2"), of_kind("qwen3")]
}

fn of_kind(kind: &str) -> Network {
    let plain = tiny_network();
    Network::new(ModelConfig { model_type: kind.to_string(), ..plain.config })
}

/// Weights large enough for attention and gates to be far from their flat beginnings.
fn random_values(count: usize, seed: u64) -> Vec<f32> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| random.random_range(-0.9..0.9)).collect()
}

/// Three sequences, one longer than a block of attention, with targets here and there.
fn some_rows() -> Rows {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut rows = Rows::default();
    for length in [7, 70, 1] {
        let start = rows.tokens.len();
        rows.tokens.extend((0..length).map(|_| random.random_range(0..23_u32)));
        rows.sequences.push(start..start + length);
    }
    rows.targets = [2, 3, 6, 7, 20, 69, 75, 77].map(|row| (row, random.random_range(0..23))).to_vec();
    rows
}
