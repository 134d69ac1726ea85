//! Cross-entropy of a softmax over the vocabulary.

use super::exponential::exp;

/// Returns the summed loss of all rows, in nats, and replaces each row of `logits` by its gradient
/// times `scale`.
pub(crate) fn forward_backward(logits: &mut [f32], vocabulary: usize, targets: &[u32], scale: f32) -> f64 {
    let mut loss = 0.0;
    for (row, target) in logits.chunks_exact_mut(vocabulary).zip(targets) {
        let target = *target as usize;
        let highest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let aimed = row[target] - highest;
        let mut sum = 0.0_f32;
        for value in row.iter_mut() {
            *value = exp(*value - highest);
            sum += *value;
        }
        loss += f64::from(sum).ln() - f64::from(aimed);
        let share = scale / sum;
        for value in row.iter_mut() {
            *value *= share;
        }
        row[target] -= scale;
    }
    loss
}

/// The summed loss alone.
pub(crate) fn forward(logits: &[f32], vocabulary: usize, targets: &[u32]) -> f64 {
    let rows = logits.chunks_exact(vocabulary).zip(targets);
    rows.map(|(row, target)| {
        let highest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f32 = row.iter().map(|value| exp(value - highest)).sum();
        f64::from(sum).ln() - f64::from(row[*target as usize] - highest)
    })
    .sum()
}
