//! The forward pass.

use super::{LayerTrace, Network, Pass, Rows, fit, linear};
use crate::kernels::attention::{self, HeadRows};
use crate::kernels::rope::Turn;
use crate::kernels::{norm, swiglu};
use crate::product::Into;

impl Network {
    /// Runs all layers over `rows`, keeping in `pass` what the way back needs.
    pub fn forward(&self, weights: &[f32], rows: &Rows, pass: &mut Pass, threads: usize) {
        let mut scratch = std::mem::take(&mut pass.scratch);
        let onward = onward(rows);
        self.run_layers(weights, &rows.tokens, &onward, pass, threads, |_, trace| {
            self.attend(rows, trace, &mut scratch);
        });
        pass.scratch = scratch;
    }

    /// Works out once more what `layer` keeps for the way back, from what entered it.
    pub(super) fn run_again(&self, weights: &[f32], layer: usize, rows: &Rows, pass: &mut Pass, threads: usize) {
        let onward = onward(rows);
        let trace = self.trace(layer, pass);
        let Pass { streams, layers, scratch, .. } = pass;
        let trace = &mut layers[trace];
        self.attention(weights, layer, &streams[layer], &onward, trace, threads, &mut |_, trace| {
            self.attend(rows, trace, scratch);
        });
        self.gate(weights, layer, trace, threads);
    }

    /// Turns and attends, sequence by sequence.
    fn attend(&self, rows: &Rows, trace: &mut LayerTrace, scratch: &mut attention::Scratch) {
        let heads = self.heads();
        let fused_width = self.config.attention_width();
        let query_width = self.config.query_width();
        for sequence in &rows.sequences {
            let fused = &mut trace.fused[sequence.start * fused_width..sequence.end * fused_width];
            for (position, row) in fused.chunks_exact_mut(fused_width).enumerate() {
                let turned = heads.queries + heads.keys;
                self.rotations.turn(row, turned, position, Turn::Forward);
            }
            let part = |start| HeadRows { values: fused, start, stride: fused_width };
            let key_start = query_width;
            let value_start = key_start + heads.keys * heads.width;
            attention::forward(
                heads,
                part(0),
                part(key_start),
                part(value_start),
                sequence.len(),
                0,
                &mut trace.attended[sequence.start * query_width..sequence.end * query_width],
                &mut trace.log_sums[sequence.start * heads.queries..sequence.end * heads.queries],
                scratch,
            );
        }
    }

    /// Runs all layers over `tokens`; after the last attention only the rows in `onward` go on.
    /// `attend` turns a layer's `fused` rows, not yet rotated, into its `attended` rows: training
    /// and generation differ in nothing else.
    pub fn run_layers(
        &self,
        weights: &[f32],
        tokens: &[u32],
        onward: &[usize],
        pass: &mut Pass,
        threads: usize,
        mut attend: impl FnMut(usize, &mut LayerTrace),
    ) {
        let layers = self.config.num_hidden_layers;
        let hidden = self.config.hidden_size;
        pass.streams.resize_with(layers + 1, Vec::new);
        pass.layers.resize_with(if pass.checkpointing { 1 } else { layers }, LayerTrace::default);
        let embedding = &weights[self.layout.embedding.clone()];
        let stream = fit(&mut pass.streams[0], tokens.len() * hidden);
        for (row, token) in stream.chunks_exact_mut(hidden).zip(tokens) {
            let from = *token as usize * hidden;
            row.copy_from_slice(&embedding[from..from + hidden]);
        }
        for layer in 0..layers {
            let trace = self.trace(layer, pass);
            let trace = &mut pass.layers[trace];
            let (before, after) = pass.streams.split_at_mut(layer + 1);
            self.attention(weights, layer, &before[layer], onward, trace, threads, &mut attend);
            self.gate(weights, layer, trace, threads);
            let output = fit(&mut after[0], trace.middle.len());
            output.copy_from_slice(&trace.middle);
            let matrix = &weights[self.layout.layers[layer].down.clone()];
            linear(output, Into::Add, &trace.gated, matrix, trace.middle.len() / hidden, threads);
        }
    }

    /// A layer's first half, from its input to its `middle`.
    #[expect(clippy::too_many_arguments, reason = "a layer's weights, rows and room, and how it attends")]
    fn attention(
        &self,
        weights: &[f32],
        layer: usize,
        input: &[f32],
        onward: &[usize],
        trace: &mut LayerTrace,
        threads: usize,
        attend: &mut dyn FnMut(usize, &mut LayerTrace),
    ) {
        let hidden = self.config.hidden_size;
        let rows = input.len() / hidden;
        self.fuse(weights, layer, input, trace, threads);
        fit(&mut trace.attended, rows * self.config.query_width());
        fit(&mut trace.log_sums, rows * self.config.num_attention_heads);
        attend(layer, trace);
        let matrix = &weights[self.layout.layers[layer].attention_out.clone()];
        if self.is_last(layer) {
            let count = onward.len();
            collect(&trace.attended, onward, fit(&mut trace.onward, count * self.config.query_width()));
            collect(input, onward, fit(&mut trace.middle, count * hidden));
            linear(&mut trace.middle, Into::Add, &trace.onward, matrix, count, threads);
        } else {
            fit(&mut trace.middle, rows * hidden).copy_from_slice(input);
            linear(&mut trace.middle, Into::Add, &trace.attended, matrix, rows, threads);
        }
    }

    /// Normalises a layer's input and makes its fused queries, keys and values.
    fn fuse(&self, weights: &[f32], layer: usize, input: &[f32], trace: &mut LayerTrace, threads: usize) {
        let places = &self.layout.layers[layer];
        let rows = input.len() / self.config.hidden_size;
        norm::forward(
            input,
            &weights[places.attention_norm.clone()],
            self.config.rms_norm_eps,
            fit(&mut trace.attention_normed, input.len()),
            fit(&mut trace.attention_inverse, rows),
        );
        let fused = fit(&mut trace.fused, rows * self.config.attention_width());
        let matrix = &weights[places.attention_in.clone()];
        linear(fused, Into::Replace, &trace.attention_normed, matrix, rows, threads);
        self.finish_heads(weights, layer, trace);
    }

    /// A layer's second half up to the gated unit; what is left is one product.
    fn gate(&self, weights: &[f32], layer: usize, trace: &mut LayerTrace, threads: usize) {
        let places = &self.layout.layers[layer];
        let width = self.config.intermediate_size;
        let middle = &trace.middle;
        let rows = middle.len() / self.config.hidden_size;
        norm::forward(
            middle,
            &weights[places.mlp_norm.clone()],
            self.config.rms_norm_eps,
            fit(&mut trace.mlp_normed, middle.len()),
            fit(&mut trace.mlp_inverse, rows),
        );
        let gate_up = fit(&mut trace.gate_up, rows * 2 * width);
        let matrix = &weights[places.gate_up.clone()];
        linear(gate_up, Into::Replace, &trace.mlp_normed, matrix, rows, threads);
        swiglu::forward(gate_up, width, fit(&mut trace.gated, rows * width));
    }
}

/// The rows from which something is predicted.
fn onward(rows: &Rows) -> Vec<usize> {
    rows.targets.iter().map(|(row, _)| *row).collect()
}

/// Copies the wanted rows, as wide as `into` has room for.
fn collect(from: &[f32], rows: &[usize], into: &mut [f32]) {
    let Some(width) = into.len().checked_div(rows.len()) else {
        return;
    };
    for (row, into) in rows.iter().zip(into.chunks_exact_mut(width)) {
        into.copy_from_slice(&from[row * width..(row + 1) * width]);
    }
}
