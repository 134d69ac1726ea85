//! The network: what the forward pass computes, and what it must keep for the way back.
//!
//! A [`Network`] knows shapes and rotations, never weights: those come as one flat slice laid out by
//! [`Layout`], so the same code runs on a base model, on merged adapters and on a checkpoint.
//! Several sequences stand one after another in one set of rows without padding; only attention
//! and positions know where one ends.
//!
//! In the last layer only the rows from which something is predicted go on past the attention: the
//! others can no longer reach the output, and with a loss on short completions they are most rows.

mod backward;
mod forward;
mod head;
mod heads;

use std::ops::Range;

pub(crate) use head::ROWS_AT_ONCE as HEAD_ROWS_AT_ONCE;

use crate::config::ModelConfig;
use crate::kernels::attention::{self, Heads};
use crate::kernels::rope::Rotations;
use crate::layout::Layout;
use crate::product::{Into, View, ViewMut, multiply};

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
    /// Rows whose next token is predicted, and that token; each row at most once.
    pub targets: Vec<(usize, u32)>,
}

/// What one layer keeps between the forward pass and the way back.
#[derive(Default)]
pub(crate) struct LayerTrace {
    pub attention_inverse: Vec<f32>,
    pub attention_normed: Vec<f32>,
    pub fused: Vec<f32>,
    /// With norms on heads: queries and keys before them, and the norms' inverse for each head.
    pub unnormed: Vec<f32>,
    pub head_inverse: Vec<f32>,
    pub log_sums: Vec<f32>,
    pub attended: Vec<f32>,
    /// In the last layer: the rows of `attended` that go on.
    pub onward: Vec<f32>,
    pub middle: Vec<f32>,
    pub mlp_inverse: Vec<f32>,
    pub mlp_normed: Vec<f32>,
    pub gate_up: Vec<f32>,
    pub gated: Vec<f32>,
}

/// The room one pass over some rows needs, reused from pass to pass.
#[derive(Default)]
pub(crate) struct Pass {
    /// What enters each layer, and at the end the rows of targets as they leave the last.
    pub streams: Vec<Vec<f32>>,
    /// What each layer keeps, or one after the other.
    pub layers: Vec<LayerTrace>,
    /// Gradient checkpointing: layers share one trace, which the way back works out again for each from what entered
    /// it. The same numbers, in less memory and more time.
    pub checkpointing: bool,
    pub head: HeadTrace,
    pub scratch: attention::Scratch,
    pub back: BackRoom,
}

/// What the output head needs.
#[derive(Default)]
pub(crate) struct HeadTrace {
    pub inverse: Vec<f32>,
    pub normed: Vec<f32>,
    pub logits: Vec<f32>,
    pub slope: Vec<f32>,
}

/// Gradients on their way back through the layers.
#[derive(Default)]
pub(crate) struct BackRoom {
    pub stream: Vec<f32>,
    pub narrow: Vec<f32>,
    pub attended: Vec<f32>,
    pub spread: Vec<f32>,
    pub fused: Vec<f32>,
    pub head: Vec<f32>,
    pub gated: Vec<f32>,
}

/// Where gradients of weights go: to every weight, or to adapters.
pub(crate) trait GradientSink {
    /// A matrix at `place` turned `rows` rows of `inputs` into rows with gradient `slopes`.
    fn linear(&mut self, place: &Range<usize>, inputs: &[f32], slopes: &[f32], rows: usize, threads: usize);
    /// The gradient of the norm or bias at `place`, to be added to; empty where it stays as it is.
    fn vector(&mut self, place: &Range<usize>) -> &mut [f32];
    /// The gradient of the embedding, all rows, to be added to; none where it stays as it is.
    fn embedding(&mut self) -> Option<&mut [f32]>;
}

impl Network {
    /// The network of a checked configuration.
    pub fn new(config: ModelConfig) -> Network {
        Network {
            layout: Layout::new(&config),
            rotations: Rotations::new(&config.turning_speeds(), config.context()),
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

    /// Where a layer's trace is in the pass.
    fn trace(&self, layer: usize, pass: &Pass) -> usize {
        if pass.checkpointing { 0 } else { layer }
    }

    fn is_last(&self, layer: usize) -> bool {
        layer + 1 == self.config.num_hidden_layers
    }
}

/// Sets a buffer's length; what it holds is not defined.
pub(crate) fn fit(buffer: &mut Vec<f32>, length: usize) -> &mut [f32] {
    buffer.resize(length, 0.0);
    buffer
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

fn add(into: &mut [f32], values: &[f32]) {
    for (into, value) in into.iter_mut().zip(values) {
        *into += value;
    }
}
