//! Root-mean-square normalisation with a gain per column.

/// Writes `gain · row / rms(row)` for each row and keeps `1 / rms` for the way back.
pub(crate) fn forward(input: &[f32], gain: &[f32], epsilon: f32, output: &mut [f32], inverse: &mut [f32]) {
    let width = gain.len();
    let rows = input.chunks_exact(width).zip(output.chunks_exact_mut(width));
    for ((row, out), inverse) in rows.zip(inverse) {
        let squares: f32 = dot(row, row);
        *inverse = 1.0 / (squares / width as f32 + epsilon).sqrt();
        for ((out, x), gain) in out.iter_mut().zip(row).zip(gain) {
            *out = x * *inverse * gain;
        }
    }
}

/// Adds to `input_gradient` and `gain_gradient` what `output_gradient` says about them.
pub(crate) fn backward(
    input: &[f32],
    gain: &[f32],
    inverse: &[f32],
    output_gradient: &[f32],
    input_gradient: &mut [f32],
    gain_gradient: &mut [f32],
) {
    let width = gain.len();
    let rows =
        input.chunks_exact(width).zip(output_gradient.chunks_exact(width)).zip(input_gradient.chunks_exact_mut(width));
    for (((row, above), below), inverse) in rows.zip(inverse) {
        let mut along = 0.0;
        for (((x, dy), gain), sum) in row.iter().zip(above).zip(gain).zip(&mut *gain_gradient) {
            let pull = dy * x * inverse;
            *sum += pull;
            along += pull * gain;
        }
        let along = along * inverse / width as f32;
        for (((x, dy), gain), below) in row.iter().zip(above).zip(gain).zip(below) {
            *below += inverse * (dy * gain - x * along);
        }
    }
}

/// The sum of products, in sixteen partial sums so that it can be worked out in parallel lanes.
pub(crate) fn dot(left: &[f32], right: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0.0_f32; LANES];
    let (left, left_rest) = left.as_chunks::<LANES>();
    let (right, right_rest) = right.as_chunks::<LANES>();
    for (left, right) in left.iter().zip(right) {
        for ((sum, a), b) in sums.iter_mut().zip(left).zip(right) {
            *sum += a * b;
        }
    }
    let rest: f32 = left_rest.iter().zip(right_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}
