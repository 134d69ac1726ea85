//! Words of an answer as the SQuAD evaluation takes them.

use super::{f_measure, is_space, shared, tally};

/// Lower case, without ASCII punctuation and the English articles, single spaces between the words.
pub(super) fn normalised(text: &str) -> String {
    let lower = text.to_lowercase();
    let bare: String = lower.chars().filter(|letter| !letter.is_ascii_punctuation()).collect();
    let words = bare.split(is_space).filter(|word| !word.is_empty() && !["a", "an", "the"].contains(word));
    words.collect::<Vec<_>>().join(" ")
}

pub(super) fn token_f1(reference: &str, prediction: &str) -> f64 {
    let (reference, prediction) = (normalised(reference), normalised(prediction));
    if reference.is_empty() || prediction.is_empty() {
        return f64::from(u8::from(reference == prediction));
    }
    let (wanted, said) = (tally(reference.split(' ')), tally(prediction.split(' ')));
    f_measure(shared(&wanted, &said), said.values().sum(), wanted.values().sum())
}
