//! The metrics, in one list.
//!
//! A metric sees a pair at a time and says what it counted there; the value of a whole set is made from
//! the sum of those counts. So a mean, a corpus BLEU and a resampled set are all computed the same way.

mod bleu;
mod chrf;
mod edit;
mod json;
mod refusal;
mod rouge;
mod words;

use std::str::FromStr;

pub use json::fields;
pub use refusal::is_refusal;

/// What can be measured. Every value lies between 0 and 1, and more is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Metric {
    /// The prediction is the reference, character by character.
    ExactMatch,
    /// The same without regard to case, punctuation, articles and spaces, as SQuAD compares answers.
    NormalisedMatch,
    /// The prediction contains the reference.
    Contains,
    /// Words that both have, as SQuAD's F1.
    TokenF1,
    /// Shared words; the F-measure of the rouge-score package without stemming.
    Rouge1,
    /// Shared pairs of words.
    Rouge2,
    /// The longest common subsequence of words.
    RougeL,
    /// Corpus BLEU as sacreBLEU computes it by default: 13a tokens, four orders, exponential smoothing.
    Bleu,
    /// Corpus chrF2 as sacreBLEU computes it by default: six orders of characters, no words.
    Chrf,
    /// One minus the edit distance over the longer length, in characters.
    EditSimilarity,
    /// The prediction is JSON.
    JsonValid,
    /// Members of the reference, which is a JSON object, that the prediction has with the same value.
    JsonFields,
    /// The mean over the references' labels of each label's F1, as scikit-learn computes it for those labels. White space
    /// around a label does not count.
    MacroF1,
}

impl Metric {
    pub const ALL: [Self; 13] = [
        Self::ExactMatch,
        Self::NormalisedMatch,
        Self::Contains,
        Self::TokenF1,
        Self::Rouge1,
        Self::Rouge2,
        Self::RougeL,
        Self::Bleu,
        Self::Chrf,
        Self::EditSimilarity,
        Self::JsonValid,
        Self::JsonFields,
        Self::MacroF1,
    ];

    pub fn id(self) -> &'static str {
        match self {
            Self::ExactMatch => "exact_match",
            Self::NormalisedMatch => "normalised_match",
            Self::Contains => "contains",
            Self::TokenF1 => "token_f1",
            Self::Rouge1 => "rouge1",
            Self::Rouge2 => "rouge2",
            Self::RougeL => "rougeL",
            Self::Bleu => "bleu",
            Self::Chrf => "chrf",
            Self::EditSimilarity => "edit_similarity",
            Self::JsonValid => "json_valid",
            Self::JsonFields => "json_fields",
            Self::MacroF1 => "macro_f1",
        }
    }

    /// In words, as a heading.
    pub fn label(self) -> &'static str {
        match self {
            Self::ExactMatch => "Exact match",
            Self::NormalisedMatch => "Normalised match",
            Self::Contains => "Contains the reference",
            Self::TokenF1 => "Token F1",
            Self::Rouge1 => "ROUGE-1",
            Self::Rouge2 => "ROUGE-2",
            Self::RougeL => "ROUGE-L",
            Self::Bleu => "BLEU",
            Self::Chrf => "chrF",
            Self::EditSimilarity => "Edit similarity",
            Self::JsonValid => "Valid JSON",
            Self::JsonFields => "JSON fields right",
            Self::MacroF1 => "Macro-F1",
        }
    }

    /// Whether each pair is either right or wrong.
    pub fn is_proportion(self) -> bool {
        matches!(self, Self::ExactMatch | Self::NormalisedMatch | Self::Contains | Self::JsonValid)
    }

    /// What one pair adds to the sum. A macro-F1 needs the labels of the whole set: see [`crate::Tally`].
    pub(crate) fn counts(self, reference: &str, prediction: &str) -> Vec<f64> {
        let yes = |is: bool| vec![f64::from(u8::from(is))];
        match self {
            Self::ExactMatch => yes(reference == prediction),
            Self::NormalisedMatch => yes(words::normalised(reference) == words::normalised(prediction)),
            Self::Contains => yes(prediction.contains(reference)),
            Self::TokenF1 => vec![words::token_f1(reference, prediction)],
            Self::Rouge1 => vec![rouge::ngrams(reference, prediction, 1)],
            Self::Rouge2 => vec![rouge::ngrams(reference, prediction, 2)],
            Self::RougeL => vec![rouge::longest(reference, prediction)],
            Self::Bleu => bleu::counts(reference, prediction),
            Self::Chrf => chrf::counts(reference, prediction),
            Self::EditSimilarity => vec![edit::similarity(reference, prediction)],
            Self::JsonValid => yes(serde_json::from_str::<serde::de::IgnoredAny>(prediction).is_ok()),
            Self::JsonFields => json::counts(reference, prediction),
            Self::MacroF1 => Vec::new(),
        }
    }

    /// The value of a set of `pairs` pairs whose counts add up to `sum`.
    pub(crate) fn value(self, sum: &[f64], pairs: usize) -> f64 {
        match self {
            Self::JsonFields => sum.first().copied().unwrap_or(0.0) / sum.get(1).copied().unwrap_or(0.0).max(1.0),
            Self::MacroF1 => {
                let classes = sum.chunks_exact(3).filter(|class| class[0] > 0.0);
                let (count, total) = classes.fold((0, 0.0), |(count, total), class| {
                    (count + 1, total + 2.0 * class[2] / (class[0] + class[1]))
                });
                total / f64::from(count.max(1))
            }
            Self::Bleu => bleu::value(sum),
            Self::Chrf => chrf::value(sum),
            _ => sum.first().copied().unwrap_or(0.0) / pairs.max(1) as f64,
        }
    }
}

impl FromStr for Metric {
    type Err = String;

    fn from_str(id: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|metric| metric.id() == id).ok_or_else(|| {
            let ids: Vec<&str> = Self::ALL.iter().map(|metric| metric.id()).collect();
            format!("there is no metric \"{id}\"; there are {}", ids.join(", "))
        })
    }
}

/// An answer as a label: without the white space around it.
pub fn label(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// How often each thing occurs.
fn tally<T: std::hash::Hash + Eq>(things: impl IntoIterator<Item = T>) -> std::collections::HashMap<T, u64> {
    let mut counts = std::collections::HashMap::new();
    for thing in things {
        *counts.entry(thing).or_default() += 1;
    }
    counts
}

/// What two tallies have in common.
fn shared<T: std::hash::Hash + Eq>(
    one: &std::collections::HashMap<T, u64>,
    other: &std::collections::HashMap<T, u64>,
) -> u64 {
    one.iter().map(|(thing, count)| *count.min(other.get(thing).unwrap_or(&0))).sum()
}

/// The harmonic mean of what was right among what was said and among what should have been said.
fn f_measure(hits: u64, said: u64, wanted: u64) -> f64 {
    if hits == 0 {
        return 0.0;
    }
    let (precision, recall) = (hits as f64 / said as f64, hits as f64 / wanted as f64);
    2.0 * precision * recall / (precision + recall)
}

/// White space as Python's `str.split` has it, which the reference implementations are written in: Unicode's and four
/// separators of ASCII.
fn is_space(letter: char) -> bool {
    letter.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&letter)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;

    fn of(metric: Metric, pairs: &[(&str, &str)]) -> f64 {
        crate::Tally::new(metric, pairs).value()
    }

    #[test]
    fn equal_texts_have_the_highest_value_of_every_metric() {
        let pair = [(r#"{"answer": "a card of four long words"}"#, r#"{"answer": "a card of four long words"}"#)];
        for metric in Metric::ALL {
            assert!((of(metric, &pair) - 1.0).abs() < 1e-12, "{}: {}", metric.id(), of(metric, &pair));
        }
    }

    #[test]
    fn nothing_said_has_the_lowest_value() {
        for metric in Metric::ALL {
            assert_eq!(of(metric, &[("one two three four five", "")]), 0.0, "{}", metric.id());
        }
    }

    #[test]
    fn a_metric_is_known_by_its_name() {
        for metric in Metric::ALL {
            assert_eq!(metric.id().parse::<Metric>().unwrap(), metric);
        }
        assert!("f1".parse::<Metric>().unwrap_err().contains("token_f1"));
    }

    #[test]
    fn values_worked_out_by_hand() {
        assert_eq!(of(Metric::NormalisedMatch, &[("The Card!", " card ")]), 1.0);
        assert_eq!(of(Metric::Contains, &[("card", "a card."), ("card", "cash")]), 0.5);
        // Two of three words said are right, two of four wanted were said.
        assert!((of(Metric::TokenF1, &[("my new red card", "my red cash")]) - 4.0 / 7.0).abs() < 1e-12);
        assert!((of(Metric::Rouge2, &[("my new red card", "my new card")]) - 0.4).abs() < 1e-12);
        assert!((of(Metric::RougeL, &[("my new red card", "my card new")]) - 4.0 / 7.0).abs() < 1e-12);
        assert_eq!(of(Metric::EditSimilarity, &[("kitten", "sitting")]), 1.0 - 3.0 / 7.0);
        // Of two members one is right; a member too many does not count.
        assert_eq!(of(Metric::JsonFields, &[(r#"{"a":[1],"b":null}"#, r#"{"b": null, "a": [2], "c": 1}"#)]), 0.5);
        // "a" was wanted twice and said twice, once rightly; "b" was wanted once and never said.
        assert_eq!(of(Metric::MacroF1, &[("a", "a "), ("a", "c"), ("b", "a")]), 0.25);
        assert_eq!(of(Metric::JsonValid, &[("", "{\"a\": 1}"), ("", "{\"a\": 1")]), 0.5);
    }
}
