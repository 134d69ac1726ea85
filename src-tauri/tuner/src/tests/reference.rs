//! The network once more: plain loops in `f64` over one sequence, one row and one number at a time.
//! Slow and obvious on purpose; it shares no code with what it checks but the layout of the weights.

use crate::network::{Network, Rows};

/// The mean loss over the targets.
pub(super) fn loss(network: &Network, weights: &[f64], rows: &Rows) -> f64 {
    let mut sum = 0.0;
    for sequence in &rows.sequences {
        let logits = logits(network, weights, &rows.tokens[sequence.clone()]);
        for (row, target) in rows.targets.iter().filter(|(row, _)| sequence.contains(row)) {
            let logits = &logits[row - sequence.start];
            let total: f64 = logits.iter().map(|logit| logit.exp()).sum();
            sum += total.ln() - logits[*target as usize];
        }
    }
    sum / rows.targets.len() as f64
}

/// The logits after each token of one sequence.
pub(super) fn logits(network: &Network, weights: &[f64], tokens: &[u32]) -> Vec<Vec<f64>> {
    let config = &network.config;
    let tensor = |name: &str| {
        let of_name = |ending: &str| format!("model.{name}{ending}");
        let is_it = |found: &str| found == of_name(".weight") || found == of_name("");
        let found = network.layout.tensors.iter().find(|tensor| is_it(&tensor.name));
        found.map_or(&[][..], |tensor| &weights[tensor.range()])
    };
    let width = config.head_dim;
    let group = config.num_attention_heads / config.num_key_value_heads;
    let embedding: Vec<&[f64]> = tensor("embed_tokens").chunks(config.hidden_size).collect();
    let mut stream: Vec<Vec<f64>> = tokens.iter().map(|token| embedding[*token as usize].to_vec()).collect();
    for layer in 0..config.num_hidden_layers {
        let part = |name: &str| tensor(&format!("layers.{layer}.{name}"));
        let normed: Vec<_> = stream.iter().map(|row| norm(network, row, part("input_layernorm"))).collect();
        let project = |name: &str| -> Vec<Vec<f64>> {
            let bias = part(&format!("{name}.bias"));
            normed
                .iter()
                .map(|row| {
                    let mut projected = apply(part(name), row);
                    add(&mut projected, bias);
                    projected
                })
                .collect()
        };
        let mut queries = project("self_attn.q_proj");
        let mut keys = project("self_attn.k_proj");
        let values = project("self_attn.v_proj");
        for (rows, gain) in [(&mut queries, part("self_attn.q_norm")), (&mut keys, part("self_attn.k_norm"))] {
            if !gain.is_empty() {
                let heads = |row: &Vec<f64>| row.chunks(width).flat_map(|head| norm(network, head, gain)).collect();
                rows.iter_mut().for_each(|row| *row = heads(row));
            }
        }
        for (position, row) in queries.iter_mut().chain(&mut keys).enumerate() {
            rotate(network, row, position % tokens.len());
        }
        for (at, row) in stream.iter_mut().enumerate() {
            let mut attended = Vec::new();
            for head in 0..config.num_attention_heads {
                let own = head * width..(head + 1) * width;
                let shared = head / group * width..(head / group + 1) * width;
                let score =
                    |past: usize| dot(&queries[at][own.clone()], &keys[past][shared.clone()]) / (width as f64).sqrt();
                let chances: Vec<f64> = (0..=at).map(|past| score(past).exp()).collect();
                let total: f64 = chances.iter().sum();
                for column in shared.clone() {
                    let sum: f64 = chances.iter().zip(&values).map(|(chance, row)| chance * row[column]).sum();
                    attended.push(sum / total);
                }
            }
            add(row, &apply(part("self_attn.o_proj"), &attended));
            let normed = norm(network, row, part("post_attention_layernorm"));
            let gate = apply(part("mlp.gate_proj"), &normed);
            let up = apply(part("mlp.up_proj"), &normed);
            let gated: Vec<f64> = gate.iter().zip(up).map(|(gate, up)| gate / (1.0 + (-gate).exp()) * up).collect();
            add(row, &apply(part("mlp.down_proj"), &gated));
        }
    }
    let own = network.layout.tensors.iter().find(|tensor| tensor.name == "lm_head.weight");
    let head = own.map_or(tensor("embed_tokens"), |tensor| &weights[tensor.range()]);
    let finish = |row: &Vec<f64>| apply(head, &norm(network, row, tensor("norm")));
    stream.iter().map(finish).collect()
}

fn apply(matrix: &[f64], row: &[f64]) -> Vec<f64> {
    matrix.chunks(row.len()).map(|weights| dot(weights, row)).collect()
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

fn add(into: &mut [f64], row: &[f64]) {
    for (into, value) in into.iter_mut().zip(row) {
        *into += value;
    }
}

fn norm(network: &Network, row: &[f64], gain: &[f64]) -> Vec<f64> {
    let mean = dot(row, row) / row.len() as f64;
    let root = (mean + f64::from(network.config.rms_norm_eps)).sqrt();
    row.iter().zip(gain).map(|(x, gain)| x / root * gain).collect()
}

fn rotate(network: &Network, row: &mut [f64], position: usize) {
    let width = network.config.head_dim;
    for head in row.chunks_mut(width) {
        for column in 0..width / 2 {
            let speed = f64::from(network.config.rope_theta).powf(-2.0 * column as f64 / width as f64);
            let (sin, cos) = (position as f64 * speed).sin_cos();
            let (a, b) = (head[column], head[column + width / 2]);
            head[column] = a * cos - b * sin;
            head[column + width / 2] = b * cos + a * sin;
        }
    }
}
