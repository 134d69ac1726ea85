//! Corpus chrF: groups of one to six characters without white space, recall weighted twice as much as precision.

use super::{is_space, shared, tally};

const ORDERS: usize = 6;
const BETA: f64 = 2.0;

/// For each order: groups said, groups wanted, groups shared.
pub(super) fn counts(reference: &str, prediction: &str) -> Vec<f64> {
    let letters = |text: &str| text.chars().filter(|letter| !is_space(*letter)).collect::<Vec<char>>();
    let (wanted, said) = (letters(reference), letters(prediction));
    let groups = |letters: &[char], order: usize| (letters.len() + 1).saturating_sub(order) as f64;
    let order = |order: usize| {
        let hits = shared(&tally(said.windows(order)), &tally(wanted.windows(order)));
        // What is said beyond the length of the reference has nothing it could be compared with.
        let counted = if groups(&wanted, order) > 0.0 { groups(&said, order) } else { 0.0 };
        [counted, groups(&wanted, order), hits as f64]
    };
    (1..=ORDERS).flat_map(order).collect()
}

pub(super) fn value(sum: &[f64]) -> f64 {
    let (mut precision, mut recall, mut orders) = (0.0, 0.0, 0.0);
    for order in sum.chunks_exact(3) {
        let (said, wanted, hits) = (order[0], order[1], order[2]);
        if said > 0.0 && wanted > 0.0 {
            precision += hits / said;
            recall += hits / wanted;
            orders += 1.0;
        }
    }
    if precision + recall == 0.0 {
        return 0.0;
    }
    let (precision, recall) = (precision / orders, recall / orders);
    (1.0 + BETA * BETA) * precision * recall / (BETA * BETA * precision + recall)
}
