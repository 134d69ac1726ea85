//! The way back: from the loss to the gradient of every weight.

use super::{GradientSink, Network, Pass, Rows, add, fit, linear_back};
use crate::kernels::rope::Turn;
use crate::kernels::{attention, norm, swiglu};

impl Network {
    /// The summed loss over the targets of the last pass; adds to `sink` the gradient, times
    /// `scale`, of every weight.
    pub fn backward(
        &self,
        weights: &[f32],
        rows: &Rows,
        pass: &mut Pass,
        scale: f32,
        sink: &mut dyn GradientSink,
        threads: usize,
    ) -> f64 {
        let loss = self.head_backward(weights, rows, pass, scale, sink, threads);
        for layer in (0..self.config.num_hidden_layers).rev() {
            // The last layer's trace is still the one that the forward pass left.
            if pass.checkpointing && !self.is_last(layer) {
                self.run_again(weights, layer, rows, pass, threads);
            }
            self.mlp_backward(weights, layer, pass, sink, threads);
            self.attention_backward(weights, layer, rows, pass, sink, threads);
        }
        let hidden = self.config.hidden_size;
        if let Some(gradient) = sink.embedding() {
            for (slope, token) in pass.back.stream.chunks_exact(hidden).zip(&rows.tokens) {
                let from = *token as usize * hidden;
                add(&mut gradient[from..from + hidden], slope);
            }
        }
        loss
    }

    fn mlp_backward(
        &self,
        weights: &[f32],
        layer: usize,
        pass: &mut Pass,
        sink: &mut dyn GradientSink,
        threads: usize,
    ) {
        let hidden = self.config.hidden_size;
        let width = self.config.intermediate_size;
        let places = &self.layout.layers[layer];
        let trace = self.trace(layer, pass);
        let trace = &mut pass.layers[trace];
        let back = &mut pass.back;
        let rows = back.stream.len() / hidden;
        sink.linear(&places.down, &trace.gated, &back.stream, rows, threads);
        let gated = fit(&mut back.gated, rows * width);
        linear_back(gated, &back.stream, &weights[places.down.clone()], rows, threads);
        swiglu::backward(&mut trace.gate_up, width, gated);
        sink.linear(&places.gate_up, &trace.mlp_normed, &trace.gate_up, rows, threads);
        let normed = fit(&mut back.narrow, rows * hidden);
        linear_back(normed, &trace.gate_up, &weights[places.gate_up.clone()], rows, threads);
        norm::backward(
            &trace.middle,
            &weights[places.mlp_norm.clone()],
            &trace.mlp_inverse,
            normed,
            &mut back.stream,
            sink.vector(&places.mlp_norm),
        );
    }

    fn attention_backward(
        &self,
        weights: &[f32],
        layer: usize,
        rows: &Rows,
        pass: &mut Pass,
        sink: &mut dyn GradientSink,
        threads: usize,
    ) {
        let hidden = self.config.hidden_size;
        let places = &self.layout.layers[layer];
        self.attention_out_backward(weights, layer, rows, pass, sink, threads);
        self.heads_backward(layer, rows, pass);
        self.unfinish_heads(weights, layer, pass, sink);
        let trace = &pass.layers[self.trace(layer, pass)];
        let back = &mut pass.back;
        let count = rows.tokens.len();
        sink.linear(&places.attention_in, &trace.attention_normed, &back.fused, count, threads);
        let normed = fit(&mut back.narrow, count * hidden);
        let matrix = &weights[places.attention_in.clone()];
        linear_back(normed, &back.fused, matrix, count, threads);
        norm::backward(
            &pass.streams[layer],
            &weights[places.attention_norm.clone()],
            &trace.attention_inverse,
            normed,
            &mut back.stream,
            sink.vector(&places.attention_norm),
        );
    }

    /// From the stream's gradient to that of the attended rows, all of them: in the last layer, rows
    /// that did not go on have none.
    fn attention_out_backward(
        &self,
        weights: &[f32],
        layer: usize,
        rows: &Rows,
        pass: &mut Pass,
        sink: &mut dyn GradientSink,
        threads: usize,
    ) {
        let place = &self.layout.layers[layer].attention_out;
        let trace = &pass.layers[self.trace(layer, pass)];
        let back = &mut pass.back;
        let last = self.is_last(layer);
        let input = if last { &trace.onward } else { &trace.attended };
        let count = back.stream.len() / self.config.hidden_size;
        sink.linear(place, input, &back.stream, count, threads);
        let attended = fit(&mut back.attended, input.len());
        linear_back(attended, &back.stream, &weights[place.clone()], count, threads);
        if last {
            for part in [&mut back.attended, &mut back.stream] {
                let width = part.len() / count;
                spread(part, width, rows, &mut back.spread);
                std::mem::swap(part, &mut back.spread);
            }
        }
    }

    /// From the attended rows' gradient to that of the fused queries, keys and values.
    fn heads_backward(&self, layer: usize, rows: &Rows, pass: &mut Pass) {
        let fused_width = self.config.attention_width();
        let query_width = self.config.query_width();
        let heads = self.heads();
        let trace = &pass.layers[self.trace(layer, pass)];
        let attended = &pass.back.attended;
        let gradient = fit(&mut pass.back.fused, rows.tokens.len() * fused_width);
        gradient.fill(0.0);
        for sequence in &rows.sequences {
            let wide = sequence.start * fused_width..sequence.end * fused_width;
            let narrow = sequence.start * query_width..sequence.end * query_width;
            let gradient = &mut gradient[wide.clone()];
            attention::backward(
                heads,
                &trace.fused[wide],
                sequence.len(),
                &trace.attended[narrow.clone()],
                &attended[narrow],
                &trace.log_sums[sequence.start * heads.queries..sequence.end * heads.queries],
                gradient,
                &mut pass.scratch,
            );
            for (position, row) in gradient.chunks_exact_mut(fused_width).enumerate() {
                let turned = heads.queries + heads.keys;
                self.rotations.turn(row, turned, position, Turn::Back);
            }
        }
    }
}

/// Puts rows that went on back to where they came from, among rows of zeros.
fn spread(from: &[f32], width: usize, rows: &Rows, into: &mut Vec<f32>) {
    let into = fit(into, rows.tokens.len() * width);
    into.fill(0.0);
    for ((row, _), from) in rows.targets.iter().zip(from.chunks_exact(width)) {
        into[row * width..(row + 1) * width].copy_from_slice(from);
    }
}
