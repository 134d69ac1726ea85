//! Corpus BLEU over "13a" tokens with exponential smoothing, one reference a prediction.

use std::sync::LazyLock;

use regex::Regex;

use super::{is_space, shared, tally};

const ORDERS: usize = 4;

/// Words of the prediction, words of the reference, shared groups of each order, groups said of each order.
pub(super) fn counts(reference: &str, prediction: &str) -> Vec<f64> {
    let (reference, prediction) = (tokens(reference), tokens(prediction));
    let mut counts = vec![prediction.len() as f64, reference.len() as f64];
    for order in 1..=ORDERS {
        let hits = shared(&tally(prediction.windows(order)), &tally(reference.windows(order)));
        counts.push(hits as f64);
    }
    counts.extend((1..=ORDERS).map(|order| (prediction.len() + 1).saturating_sub(order) as f64));
    counts
}

pub(super) fn value(sum: &[f64]) -> f64 {
    let [said, wanted, numbers @ ..] = sum else { return 0.0 };
    let (hits, groups) = numbers.split_at(ORDERS.min(numbers.len()));
    if hits.iter().all(|hits| *hits == 0.0) {
        return 0.0;
    }
    let brevity = if said < wanted { (1.0 - wanted / said).exp() } else { 1.0 };
    let (mut logs, mut smoothing) = (0.0, 1.0);
    for (hits, groups) in hits.iter().zip(groups) {
        if *groups == 0.0 {
            // Predictions too short for this order: the geometric mean is taken to be nothing.
            return 0.0;
        }
        // An order without any hit counts half as much as the one before it would have with a single hit.
        let precision = if *hits == 0.0 {
            smoothing *= 2.0;
            1.0 / (smoothing * groups)
        } else {
            hits / groups
        };
        logs += precision.ln();
    }
    brevity * (logs / ORDERS as f64).exp()
}

/// The tokens of the mteval-v13a script: punctuation apart, but not within numbers.
fn tokens(text: &str) -> Vec<String> {
    static RULES: LazyLock<[(Option<Regex>, &str); 4]> = LazyLock::new(|| {
        [
            (Regex::new(r"([{-~\[-` -&(-+:-@/])").ok(), " ${1} "),
            (Regex::new(r"([^0-9])([.,])").ok(), "${1} ${2} "),
            (Regex::new(r"([.,])([^0-9])").ok(), " ${1} ${2}"),
            (Regex::new(r"([0-9])(-)").ok(), "${1} ${2} "),
        ]
    });
    let text = text.trim_end_matches(is_space);
    let mut text = text.replace("<skipped>", "").replace("-\n", "").replace('\n', " ");
    for (entity, letter) in [("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")] {
        text = text.replace(entity, letter);
    }
    text = format!(" {text} ");
    for (rule, with) in RULES.iter() {
        if let Some(rule) = rule {
            text = rule.replace_all(&text, *with).into_owned();
        }
    }
    text.split(is_space).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_stands_apart_but_not_within_numbers() {
        assert_eq!(
            tokens("It costs $3.50, or 1,000-2,000!"),
            ["It", "costs", "$", "3.50", ",", "or", "1,000", "-", "2,000", "!"]
        );
        assert_eq!(
            tokens("state-of-the-art (a/b) &quot;x&quot;"),
            ["state-of-the-art", "(", "a", "/", "b", ")", "\"", "x", "\""]
        );
    }
}
