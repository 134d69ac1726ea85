//! Cross-entropy of a softmax over the vocabulary.

use super::exponential::exp;
use super::lanes::{exponentials, highest, widest};

/// Returns the summed loss of all rows, in nats, and replaces each row of `logits` by its gradient
/// times `scale`.
pub(crate) fn forward_backward(logits: &mut [f32], vocabulary: usize, targets: &[u32], scale: f32) -> f64 {
    let rows = logits.chunks_exact_mut(vocabulary).zip(targets);
    rows.map(|(row, target)| {
        let target = *target as usize;
        let loss = widest(|| {
            let most = highest(row);
            let aimed = row[target] - most;
            let sum = exponentials(row, most);
            let share = scale / sum;
            for value in row.iter_mut() {
                *value *= share;
            }
            f64::from(sum).ln() - f64::from(aimed)
        });
        row[target] -= scale;
        loss
    })
    .sum()
}

/// The summed loss alone.
pub(crate) fn forward(logits: &[f32], vocabulary: usize, targets: &[u32]) -> f64 {
    let rows = logits.chunks_exact(vocabulary).zip(targets);
    rows.map(|(row, target)| {
        let most = highest(row);
        let sum: f32 = row.iter().map(|value| exp(value - most)).sum();
        f64::from(sum).ln() - f64::from(row[*target as usize] - most)
    })
    .sum()
}
