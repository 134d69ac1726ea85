//! The forward pass.

use super::{LayerTrace, Network, Pass, Rows, fit, linear};
use crate::kernels::attention::{self, HeadRows};
use crate::kernels::rope::Turn;
use crate::kernels::{norm, swiglu};
use crate::product::Into;

impl Network {
    /// Runs all layers over `rows`, keeping in `pass` what the way back needs.
    pub fn forward(&self, weights: &[f32], rows: &Rows, pass: &mut Pass, threads: usize) {
        let heads = self.heads();
        let fused_width = self.config.attention_width();
        let query_width = self.config.query_width();
        let mut scratch = std::mem::take(&mut pass.scratch);
        let onward: Vec<usize> = rows.targets.iter().map(|(row, _)| *row).collect();
        self.run_layers(weights, &rows.tokens, &onward, pass, threads, |_, trace| {
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
                    &mut scratch,
                );
            }
        });
        pass.scratch = scratch;
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
        let rows = tokens.len();
        pass.streams.resize_with(layers + 1, Vec::new);
        pass.layers.resize_with(layers, LayerTrace::default);
        let embedding = &weights[self.layout.embedding.clone()];
        let stream = fit(&mut pass.streams[0], rows * hidden);
        for (row, token) in stream.chunks_exact_mut(hidden).zip(tokens) {
            let from = *token as usize * hidden;
            row.copy_from_slice(&embedding[from..from + hidden]);
        }
        for (layer, trace) in pass.layers.iter_mut().enumerate() {
            let (before, after) = pass.streams.split_at_mut(layer + 1);
            let input = &before[layer];
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
            self.mlp(weights, layer, trace, &mut after[0], threads);
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

    /// A layer's second half, from its `middle` to the next layer's input.
    fn mlp(&self, weights: &[f32], layer: usize, trace: &mut LayerTrace, output: &mut Vec<f32>, threads: usize) {
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
        let gated = fit(&mut trace.gated, rows * width);
        swiglu::forward(gate_up, width, gated);
        let output = fit(output, middle.len());
        output.copy_from_slice(middle);
        linear(output, Into::Add, gated, &weights[places.down.clone()], rows, threads);
    }
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
