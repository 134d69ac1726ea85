//! ROUGE over lower-case words of ASCII letters and digits, as the rouge-score package has it without a stemmer.

use super::{f_measure, shared, tally};

fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    lower
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The F-measure of shared groups of `order` words.
pub(super) fn ngrams(reference: &str, prediction: &str, order: usize) -> f64 {
    let (reference, prediction) = (words(reference), words(prediction));
    let (wanted, said) = (tally(reference.windows(order)), tally(prediction.windows(order)));
    f_measure(shared(&wanted, &said), said.values().sum(), wanted.values().sum())
}

/// The F-measure of the longest common subsequence.
pub(super) fn longest(reference: &str, prediction: &str) -> f64 {
    let (reference, prediction) = (words(reference), words(prediction));
    f_measure(common(&reference, &prediction), prediction.len() as u64, reference.len() as u64)
}

/// Length of the longest common subsequence, a row of the table at a time.
fn common(one: &[String], other: &[String]) -> u64 {
    let mut row = vec![0_u64; other.len() + 1];
    for word in one {
        let mut corner = 0;
        for (column, candidate) in other.iter().enumerate() {
            let above = row[column + 1];
            row[column + 1] = if word == candidate { corner + 1 } else { above.max(row[column]) };
            corner = above;
        }
    }
    row[other.len()]
}
