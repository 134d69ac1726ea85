//! Cross-entropy of a softmax over the vocabulary.

use super::lanes::{exponentials, highest, widest};

/// Returns the summed loss of all rows, in nats, and replaces each row of `logits` by its gradient
/// times `scale`.
pub(crate) fn forward_backward(logits: &mut [f32], vocabulary: usize, targets: &[u32], scale: f32) -> f64 {
    let rows = logits.chunks_exact_mut(vocabulary).zip(targets);
    rows.map(|(row, target)| {
        let target = *target as usize;
        let loss = widest!({
            let (sum, loss) = raise(row, target);
            let share = scale / sum;
            for value in row.iter_mut() {
                *value *= share;
            }
            loss
        });
        row[target] -= scale;
        loss
    })
    .sum()
}

/// The summed loss alone; what `logits` hold afterwards is not defined.
pub(crate) fn forward(logits: &mut [f32], vocabulary: usize, targets: &[u32]) -> f64 {
    let rows = logits.chunks_exact_mut(vocabulary).zip(targets);
    rows.map(|(row, target)| widest!(raise(row, *target as usize).1)).sum()
}

/// Replaces a row's logits by exponentials; their sum, and the loss.
#[inline(always)]
fn raise(row: &mut [f32], target: usize) -> (f32, f64) {
    let most = highest(row);
    let aimed = row[target] - most;
    let sum = exponentials(row, most);
    (sum, f64::from(sum).ln() - f64::from(aimed))
}
