//! The output head: from the rows that leave the last layer to logits, loss and its gradient.

use std::ops::Range;

use super::{GradientSink, HeadTrace, Network, Pass, Rows, fit, linear};
use crate::kernels::{cross_entropy, norm};
use crate::product::{Into, View, ViewMut, multiply};

/// Rows worked out at a time, which bounds the memory logits take.
pub(crate) const ROWS_AT_ONCE: usize = 256;

impl Network {
    /// The logits that follow each row that went on in the last pass.
    pub fn logits(&self, weights: &[f32], pass: &mut Pass, threads: usize) {
        self.head_norm(weights, pass);
        let rows = pass.head.inverse.len();
        self.head_logits(weights, &mut pass.head, 0..rows, threads);
    }

    /// The summed loss over the targets of the last pass, in nats.
    pub fn loss(&self, weights: &[f32], rows: &Rows, pass: &mut Pass, threads: usize) -> f64 {
        self.head_norm(weights, pass);
        let mut loss = 0.0;
        for part in parts(rows.targets.len()) {
            let wanted: Vec<u32> = rows.targets[part.clone()].iter().map(|(_, token)| *token).collect();
            self.head_logits(weights, &mut pass.head, part, threads);
            loss += cross_entropy::forward(&mut pass.head.logits, self.config.vocab_size, &wanted);
        }
        loss
    }

    /// The summed loss, with the gradient of the rows that left the last layer in `back.stream`.
    pub(super) fn head_backward(
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
        self.head_norm(weights, pass);
        fit(&mut pass.head.slope, rows.targets.len() * hidden);
        let tied = self.layout.head == self.layout.embedding;
        let matrix = View::packed(&weights[self.layout.head.clone()], vocabulary, hidden);
        let mut loss = 0.0;
        for part in parts(rows.targets.len()) {
            let wanted: Vec<u32> = rows.targets[part.clone()].iter().map(|(_, token)| *token).collect();
            self.head_logits(weights, &mut pass.head, part.clone(), threads);
            let head = &mut pass.head;
            loss += cross_entropy::forward_backward(&mut head.logits, vocabulary, &wanted, scale);
            let slopes = View::packed(&head.logits, part.len(), vocabulary);
            let columns = part.start * hidden..part.end * hidden;
            let into = ViewMut::packed(&mut head.slope[columns.clone()], part.len(), hidden);
            multiply(into, Into::Replace, 1.0, slopes, matrix, threads);
            let normed = &head.normed[columns];
            if !tied {
                sink.linear(&self.layout.head, normed, &head.logits, part.len(), threads);
            } else if let Some(gradient) = sink.embedding() {
                let normed = View::packed(normed, part.len(), hidden);
                let into = ViewMut::packed(gradient, vocabulary, hidden);
                multiply(into, Into::Add, 1.0, slopes.transposed(), normed, threads);
            }
        }
        let input = &pass.streams[self.config.num_hidden_layers];
        let stream = fit(&mut pass.back.stream, input.len());
        stream.fill(0.0);
        norm::backward(
            input,
            &weights[self.layout.final_norm.clone()],
            &pass.head.inverse,
            &mut pass.head.slope,
            stream,
            sink.vector(&self.layout.final_norm),
        );
        loss
    }

    fn head_norm(&self, weights: &[f32], pass: &mut Pass) {
        let input = &pass.streams[self.config.num_hidden_layers];
        norm::forward(
            input,
            &weights[self.layout.final_norm.clone()],
            self.config.rms_norm_eps,
            fit(&mut pass.head.normed, input.len()),
            fit(&mut pass.head.inverse, input.len() / self.config.hidden_size),
        );
    }

    fn head_logits(&self, weights: &[f32], head: &mut HeadTrace, part: Range<usize>, threads: usize) {
        let hidden = self.config.hidden_size;
        let logits = fit(&mut head.logits, part.len() * self.config.vocab_size);
        let normed = &head.normed[part.start * hidden..part.end * hidden];
        let matrix = &weights[self.layout.head.clone()];
        linear(logits, Into::Replace, normed, matrix, part.len(), threads);
    }
}

/// The output head's rows in parts of bounded size.
fn parts(count: usize) -> impl Iterator<Item = Range<usize>> {
    (0..count).step_by(ROWS_AT_ONCE).map(move |start| start..(start + ROWS_AT_ONCE).min(count))
}
