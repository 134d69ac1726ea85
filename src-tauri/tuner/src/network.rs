//! The network: what the forward pass computes, and what it must keep for the way back.
//!
//! A [`Network`] knows shapes and rotations, never weights: those come as one flat slice laid out by
//! [`Layout`], so the same code runs on a base model, on merged adapters and on a checkpoint.
//! Several sequences stand one after another in one set of rows without padding; only attention
//! and positions know where one ends.

use std::ops::Range;

use crate::config::ModelConfig;
use crate::kernels::attention::{self, HeadRows, Heads};
use crate::kernels::rope::{Rotations, Turn};
use crate::kernels::{cross_entropy, norm, swiglu};
use crate::layout::Layout;
use crate::product::{Into, View, ViewMut, multiply};

/// Rows of the output head worked out at a time, which bounds the memory logits take.
const HEAD_ROWS: usize = 256;

/// A model's shape with all that follows from it.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    pub config: ModelConfig,
    pub layout: Layout,
    pub rotations: Rotations,
}

/// Sequences laid end to end, and the tokens that are to be predicted.
#[derive(Debug, Default, Clone)]
pub(crate) struct Rows {
    /// All tokens.
    pub tokens: Vec<u32>,
    /// The rows of each sequence; they cover all rows in order.
    pub sequences: Vec<Range<usize>>,
    /// Rows whose next token is predicted, and that token.
    pub targets: Vec<(usize, u32)>,
}

/// What one layer keeps between the forward pass and the way back.
#[derive(Default)]
pub(crate) struct LayerTrace {
    pub attention_inverse: Vec<f32>,
    pub attention_normed: Vec<f32>,
    pub fused: Vec<f32>,
    pub log_sums: Vec<f32>,
    pub attended: Vec<f32>,
    pub middle: Vec<f32>,
    pub mlp_inverse: Vec<f32>,
    pub mlp_normed: Vec<f32>,
    pub gate_up: Vec<f32>,
    pub gated: Vec<f32>,
}

/// The room one pass over some rows needs, reused from pass to pass.
#[derive(Default)]
pub(crate) struct Pass {
    /// What enters each layer, and at the end what leaves the last.
    pub streams: Vec<Vec<f32>>,
    pub layers: Vec<LayerTrace>,
    pub head: HeadTrace,
    pub scratch: attention::Scratch,
    pub back: BackRoom,
}

/// What the output head needs.
#[derive(Default)]
pub(crate) struct HeadTrace {
    pub input: Vec<f32>,
    pub inverse: Vec<f32>,
    pub normed: Vec<f32>,
    pub logits: Vec<f32>,
    pub slope: Vec<f32>,
    pub input_slope: Vec<f32>,
}

/// Gradients on their way back through the layers.
#[derive(Default)]
pub(crate) struct BackRoom {
    pub stream: Vec<f32>,
    pub narrow: Vec<f32>,
    pub attended: Vec<f32>,
    pub fused: Vec<f32>,
    pub gated: Vec<f32>,
}

/// Where gradients of weights go: to every weight, or to adapters.
pub(crate) trait GradientSink {
    /// A matrix at `place` turned `rows` rows of `inputs` into rows with gradient `slopes`.
    fn linear(&mut self, place: &Range<usize>, inputs: &[f32], slopes: &[f32], rows: usize, threads: usize);
    /// The gradient of the norm at `place`, to be added to.
    fn norm(&mut self, place: &Range<usize>) -> &mut [f32];
    /// The gradient of the embedding, all rows, to be added to.
    fn embedding(&mut self) -> &mut [f32];
}

/// Sets a buffer's length; what it holds is not defined.
pub(crate) fn fit(buffer: &mut Vec<f32>, length: usize) -> &mut [f32] {
    buffer.resize(length, 0.0);
    buffer
}

impl Network {
    /// The network of a checked configuration.
    pub fn new(config: ModelConfig) -> Network {
        Network {
            layout: Layout::new(&config),
            rotations: Rotations::new(config.head_dim, config.max_position_embeddings, config.rope_theta),
            config,
        }
    }

    /// How heads lie in the fused rows.
    pub fn heads(&self) -> Heads {
        Heads {
            queries: self.config.num_attention_heads,
            keys: self.config.num_key_value_heads,
            width: self.config.head_dim,
        }
    }

    /// Runs all layers over `rows`, keeping in `pass` what the way back needs.
    pub fn forward(&self, weights: &[f32], rows: &Rows, pass: &mut Pass, threads: usize) {
        let heads = self.heads();
        let fused_width = self.config.attention_width();
        let query_width = self.config.query_width();
        let mut scratch = std::mem::take(&mut pass.scratch);
        self.run_layers(weights, &rows.tokens, pass, threads, |_, trace| {
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

    /// Runs all layers over `tokens`. `attend` turns a layer's `fused` rows, not yet rotated, into
    /// its `attended` rows: training and generation differ in nothing else.
    pub fn run_layers(
        &self,
        weights: &[f32],
        tokens: &[u32],
        pass: &mut Pass,
        threads: usize,
        mut attend: impl FnMut(usize, &mut LayerTrace),
    ) {
        let config = &self.config;
        let hidden = config.hidden_size;
        let rows = tokens.len();
        pass.streams.resize_with(config.num_hidden_layers + 1, Vec::new);
        pass.layers.resize_with(config.num_hidden_layers, LayerTrace::default);
        let embedding = &weights[self.layout.embedding.clone()];
        let stream = fit(&mut pass.streams[0], rows * hidden);
        for (row, token) in stream.chunks_exact_mut(hidden).zip(tokens) {
            let from = *token as usize * hidden;
            row.copy_from_slice(&embedding[from..from + hidden]);
        }
        for (layer, (places, trace)) in self.layout.layers.iter().zip(&mut pass.layers).enumerate() {
            let (before, after) = pass.streams.split_at_mut(layer + 1);
            let input = &before[layer];
            norm::forward(
                input,
                &weights[places.attention_norm.clone()],
                config.rms_norm_eps,
                fit(&mut trace.attention_normed, rows * hidden),
                fit(&mut trace.attention_inverse, rows),
            );
            let fused = fit(&mut trace.fused, rows * config.attention_width());
            let matrix = &weights[places.attention_in.clone()];
            linear(fused, Into::Replace, &trace.attention_normed, matrix, rows, threads);
            fit(&mut trace.attended, rows * config.query_width());
            fit(&mut trace.log_sums, rows * config.num_attention_heads);
            attend(layer, trace);
            let middle = fit(&mut trace.middle, rows * hidden);
            middle.copy_from_slice(input);
            let matrix = &weights[places.attention_out.clone()];
            linear(middle, Into::Add, &trace.attended, matrix, rows, threads);
            norm::forward(
                middle,
                &weights[places.mlp_norm.clone()],
                config.rms_norm_eps,
                fit(&mut trace.mlp_normed, rows * hidden),
                fit(&mut trace.mlp_inverse, rows),
            );
            let width = config.intermediate_size;
            let gate_up = fit(&mut trace.gate_up, rows * 2 * width);
            let matrix = &weights[places.gate_up.clone()];
            linear(gate_up, Into::Replace, &trace.mlp_normed, matrix, rows, threads);
            let gated = fit(&mut trace.gated, rows * width);
            swiglu::forward(gate_up, width, gated);
            let output = fit(&mut after[0], rows * hidden);
            output.copy_from_slice(middle);
            let matrix = &weights[places.down.clone()];
            linear(output, Into::Add, gated, matrix, rows, threads);
        }
    }

    /// The logits that follow row `row` of the last pass.
    pub fn logits(&self, weights: &[f32], pass: &mut Pass, row: usize, threads: usize) {
        self.gather(weights, pass, std::iter::once(row));
        self.head_logits(weights, &mut pass.head, 0..1, threads);
    }

    /// The summed loss over the targets of the last pass, in nats.
    pub fn loss(&self, weights: &[f32], rows: &Rows, pass: &mut Pass, threads: usize) -> f64 {
        self.gather(weights, pass, rows.targets.iter().map(|(row, _)| *row));
        let mut loss = 0.0;
        for part in parts(rows.targets.len()) {
            let wanted: Vec<u32> = rows.targets[part.clone()].iter().map(|(_, t)| *t).collect();
            self.head_logits(weights, &mut pass.head, part, threads);
            loss += cross_entropy::forward(&pass.head.logits, self.config.vocab_size, &wanted);
        }
        loss
    }

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
            self.mlp_backward(weights, layer, pass, sink, threads);
            self.attention_backward(weights, layer, rows, pass, sink, threads);
        }
        let hidden = self.config.hidden_size;
        let gradient = sink.embedding();
        for (slope, token) in pass.back.stream.chunks_exact(hidden).zip(&rows.tokens) {
            let from = *token as usize * hidden;
            add(&mut gradient[from..from + hidden], slope);
        }
        loss
    }

    fn head_backward(
        &self,
        weights: &[f32],
        rows: &Rows,
        pass: &mut Pass,
        scale: f32,
        sink: &mut dyn GradientSink,
        threads: usize,
    ) -> f64 {
        let hidden = self.config.hidden_size;
        let vocabulary = self.config.vocab_size;
        self.gather(weights, pass, rows.targets.iter().map(|(row, _)| *row));
        fit(&mut pass.head.slope, rows.targets.len() * hidden);
        let embedding = View::packed(&weights[self.layout.embedding.clone()], vocabulary, hidden);
        let mut loss = 0.0;
        for part in parts(rows.targets.len()) {
            let wanted: Vec<u32> = rows.targets[part.clone()].iter().map(|(_, t)| *t).collect();
            self.head_logits(weights, &mut pass.head, part.clone(), threads);
            let head = &mut pass.head;
            loss += cross_entropy::forward_backward(&mut head.logits, vocabulary, &wanted, scale);
            let slopes = View::packed(&head.logits, part.len(), vocabulary);
            let columns = part.start * hidden..part.end * hidden;
            let into = ViewMut::packed(&mut head.slope[columns.clone()], part.len(), hidden);
            multiply(into, Into::Replace, 1.0, slopes, embedding, threads);
            let normed = View::packed(&head.normed[columns], part.len(), hidden);
            let into = ViewMut::packed(sink.embedding(), vocabulary, hidden);
            multiply(into, Into::Add, 1.0, slopes.transposed(), normed, threads);
        }
        let head = &mut pass.head;
        fit(&mut head.input_slope, rows.targets.len() * hidden).fill(0.0);
        norm::backward(
            &head.input,
            &weights[self.layout.final_norm.clone()],
            &head.inverse,
            &head.slope,
            &mut head.input_slope,
            sink.norm(&self.layout.final_norm),
        );
        let stream = fit(&mut pass.back.stream, rows.tokens.len() * hidden);
        stream.fill(0.0);
        for ((row, _), slope) in rows.targets.iter().zip(head.input_slope.chunks_exact(hidden)) {
            add(&mut stream[row * hidden..(row + 1) * hidden], slope);
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
        let trace = &mut pass.layers[layer];
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
            sink.norm(&places.mlp_norm),
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
        let fused_width = self.config.attention_width();
        let query_width = self.config.query_width();
        let heads = self.heads();
        let places = &self.layout.layers[layer];
        let trace = &pass.layers[layer];
        let back = &mut pass.back;
        let count = rows.tokens.len();
        sink.linear(&places.attention_out, &trace.attended, &back.stream, count, threads);
        let attended = fit(&mut back.attended, count * query_width);
        let matrix = &weights[places.attention_out.clone()];
        linear_back(attended, &back.stream, matrix, count, threads);
        let gradient = fit(&mut back.fused, count * fused_width);
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
        sink.linear(&places.attention_in, &trace.attention_normed, gradient, count, threads);
        let normed = fit(&mut back.narrow, count * hidden);
        let matrix = &weights[places.attention_in.clone()];
        linear_back(normed, gradient, matrix, count, threads);
        norm::backward(
            &pass.streams[layer],
            &weights[places.attention_norm.clone()],
            &trace.attention_inverse,
            normed,
            &mut back.stream,
            sink.norm(&places.attention_norm),
        );
    }

    /// Collects and normalises the rows that the output head reads.
    fn gather(&self, weights: &[f32], pass: &mut Pass, rows: impl ExactSizeIterator<Item = usize>) {
        let hidden = self.config.hidden_size;
        let last = &pass.streams[self.config.num_hidden_layers];
        let head = &mut pass.head;
        let count = rows.len();
        let input = fit(&mut head.input, count * hidden);
        for (row, into) in rows.zip(input.chunks_exact_mut(hidden)) {
            into.copy_from_slice(&last[row * hidden..(row + 1) * hidden]);
        }
        norm::forward(
            input,
            &weights[self.layout.final_norm.clone()],
            self.config.rms_norm_eps,
            fit(&mut head.normed, count * hidden),
            fit(&mut head.inverse, count),
        );
    }

    fn head_logits(&self, weights: &[f32], head: &mut HeadTrace, part: Range<usize>, threads: usize) {
        let hidden = self.config.hidden_size;
        let logits = fit(&mut head.logits, part.len() * self.config.vocab_size);
        let normed = &head.normed[part.start * hidden..part.end * hidden];
        let embedding = &weights[self.layout.embedding.clone()];
        linear(logits, Into::Replace, normed, embedding, part.len(), threads);
    }
}

/// `output = input · matrixᵀ`, or added to it.
fn linear(output: &mut [f32], into: Into, input: &[f32], matrix: &[f32], rows: usize, threads: usize) {
    if rows == 0 {
        return;
    }
    let (outputs, inputs) = (output.len() / rows, input.len() / rows);
    let right = View::packed(matrix, outputs, inputs).transposed();
    let left = View::packed(input, rows, inputs);
    multiply(ViewMut::packed(output, rows, outputs), into, 1.0, left, right, threads);
}

/// The gradient of a linear's input, from that of its output.
fn linear_back(input: &mut [f32], output: &[f32], matrix: &[f32], rows: usize, threads: usize) {
    if rows == 0 {
        return;
    }
    let (outputs, inputs) = (output.len() / rows, input.len() / rows);
    let left = View::packed(output, rows, outputs);
    let right = View::packed(matrix, outputs, inputs);
    let into = ViewMut::packed(input, rows, inputs);
    multiply(into, Into::Replace, 1.0, left, right, threads);
}

/// The output head's rows in parts of bounded size.
fn parts(count: usize) -> impl Iterator<Item = Range<usize>> {
    (0..count).step_by(HEAD_ROWS).map(move |start| start..(start + HEAD_ROWS).min(count))
}

fn add(into: &mut [f32], values: &[f32]) {
    for (into, value) in into.iter_mut().zip(values) {
        *into += value;
    }
}
