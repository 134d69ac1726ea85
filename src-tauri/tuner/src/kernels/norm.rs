//! Root-mean-square normalisation with a gain per column.

use super::lanes::{dot, widest};

/// Writes `gain · row / rms(row)` for each row and keeps `1 / rms` for the way back.
pub(crate) fn forward(input: &[f32], gain: &[f32], epsilon: f32, output: &mut [f32], inverse: &mut [f32]) {
    let width = gain.len();
    widest!({
        let rows = input.chunks_exact(width).zip(output.chunks_exact_mut(width));
        for ((row, out), inverse) in rows.zip(inverse.iter_mut()) {
            *inverse = 1.0 / (dot(row, row) / width as f32 + epsilon).sqrt();
            for ((out, x), gain) in out.iter_mut().zip(row).zip(gain) {
                *out = x * *inverse * gain;
            }
        }
    });
}

/// Adds to `input_gradient` and `gain_gradient` what `output_gradient`, which is used up, says about them. Where the
/// gains stay as they are, `gain_gradient` is empty.
pub(crate) fn backward(
    input: &[f32],
    gain: &[f32],
    inverse: &[f32],
    output_gradient: &mut [f32],
    input_gradient: &mut [f32],
    gain_gradient: &mut [f32],
) {
    let width = gain.len();
    widest!({
        let rows = input.chunks_exact(width).zip(output_gradient.chunks_exact_mut(width));
        for (((row, above), below), inverse) in rows.zip(input_gradient.chunks_exact_mut(width)).zip(inverse) {
            for ((x, dy), sum) in row.iter().zip(above.iter()).zip(&mut *gain_gradient) {
                *sum += dy * x * inverse;
            }
            for (dy, gain) in above.iter_mut().zip(gain) {
                *dy *= gain;
            }
            let along = dot(row, above) * inverse * inverse / width as f32;
            for ((x, dy), below) in row.iter().zip(above.iter()).zip(below) {
                *below += inverse * (dy - x * along);
            }
        }
    });
}
