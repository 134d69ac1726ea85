//! The gated unit between the two halves of a layer's second block: `silu(gate) · up`.

use super::exponential::sigmoid;
use super::lanes::widest;

/// Each row of `gate_up` holds the gate's columns, then as many of up's.
pub(crate) fn forward(gate_up: &[f32], width: usize, output: &mut [f32]) {
    widest!({
        for (row, out) in gate_up.chunks_exact(2 * width).zip(output.chunks_exact_mut(width)) {
            let (gate, up) = row.split_at(width);
            for ((out, gate), up) in out.iter_mut().zip(gate).zip(up) {
                *out = gate * sigmoid(*gate) * up;
            }
        }
    });
}

/// Replaces `gate_up` by its gradient, given that of the output.
pub(crate) fn backward(gate_up: &mut [f32], width: usize, output_gradient: &[f32]) {
    widest!({
        for (row, above) in gate_up.chunks_exact_mut(2 * width).zip(output_gradient.chunks_exact(width)) {
            let (gate, up) = row.split_at_mut(width);
            for ((gate, up), dy) in gate.iter_mut().zip(up).zip(above) {
                let open = sigmoid(*gate);
                let passed = *gate * open;
                let slope = open + passed * (1.0 - open);
                (*gate, *up) = (dy * *up * slope, dy * passed);
            }
        }
    });
}
