//! What some models do to queries, keys and values between their projection and their turning: a bias
//! (Qwen2), and a norm over each head's queries and keys (Qwen3).

use std::ops::Range;

use super::{GradientSink, LayerTrace, Network, Pass, add, fit};
use crate::kernels::norm;

impl Network {
    /// The columns of the fused rows that queries take, and those that keys take.
    fn normed_columns(&self) -> [Range<usize>; 2] {
        let queries = self.config.query_width();
        let keys = self.config.num_key_value_heads * self.config.head_dim;
        [0..queries, queries..queries + keys]
    }

    /// Adds the bias, then normalises each head's queries and keys, where the model has either.
    pub(super) fn finish_heads(&self, weights: &[f32], layer: usize, trace: &mut LayerTrace) {
        let places = &self.layout.layers[layer];
        let wide = self.config.attention_width();
        if let Some(place) = &places.attention_bias {
            let bias = &weights[place.clone()];
            trace.fused.chunks_exact_mut(wide).for_each(|row| add(row, bias));
        }
        let Some(gains) = &places.head_norms else { return };
        let columns = self.normed_columns();
        let (narrow, heads) = (columns[1].end, columns[1].end / self.config.head_dim);
        let rows = trace.fused.len() / wide;
        let unnormed = fit(&mut trace.unnormed, rows * narrow);
        let inverse = fit(&mut trace.head_inverse, rows * heads);
        let rows = trace.fused.chunks_exact_mut(wide).zip(unnormed.chunks_exact_mut(narrow));
        for ((fused, unnormed), inverse) in rows.zip(inverse.chunks_exact_mut(heads)) {
            unnormed.copy_from_slice(&fused[..narrow]);
            for (columns, gain) in columns.iter().zip(gains) {
                norm::forward(
                    &unnormed[columns.clone()],
                    &weights[gain.clone()],
                    self.config.rms_norm_eps,
                    &mut fused[columns.clone()],
                    &mut inverse[columns.start / self.config.head_dim..],
                );
            }
        }
    }

    /// From the gradient of what [`Network::finish_heads`] made to that of what it was given, in place.
    pub(super) fn unfinish_heads(&self, weights: &[f32], layer: usize, pass: &mut Pass, sink: &mut dyn GradientSink) {
        let places = &self.layout.layers[layer];
        let wide = self.config.attention_width();
        let (trace, back) = (&pass.layers[self.trace(layer, pass)], &mut pass.back);
        for (columns, gain) in self.normed_columns().iter().zip(places.head_norms.iter().flatten()) {
            let (narrow, first) = (self.normed_columns()[1].end, columns.start / self.config.head_dim);
            let heads = narrow / self.config.head_dim;
            let gain_gradient = sink.vector(gain);
            let rows = back.fused.chunks_exact_mut(wide).zip(trace.unnormed.chunks_exact(narrow));
            for ((slope, unnormed), inverse) in rows.zip(trace.head_inverse.chunks_exact(heads)) {
                let below = fit(&mut back.head, columns.len());
                below.fill(0.0);
                let slope = &mut slope[columns.clone()];
                norm::backward(
                    &unnormed[columns.clone()],
                    &weights[gain.clone()],
                    &inverse[first..],
                    slope,
                    below,
                    gain_gradient,
                );
                slope.copy_from_slice(below);
            }
        }
        if let Some(place) = &places.attention_bias {
            let gradient = sink.vector(place);
            back.fused.chunks_exact(wide).for_each(|row| add(gradient, row));
        }
    }
}
