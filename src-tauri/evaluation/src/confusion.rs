//! Which label was taken for which.

use std::collections::{BTreeMap, HashMap};

use crate::metrics::label;

/// More labels than this are no classification that anyone reads a picture of.
const MOST_LABELS: usize = 200;
const LONGEST_LABEL: usize = 80;

/// The labels of a set with how often each is wanted, the commonest first; `None` where the references are no labels:
/// many, long, or hardly ever the same twice.
pub fn labels_of<S: AsRef<str>>(references: &[S]) -> Option<Vec<(String, usize)>> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for reference in references {
        *counts.entry(label(reference.as_ref())).or_default() += 1;
    }
    let fits = counts.len() >= 2
        && counts.len() <= MOST_LABELS
        && counts.len() * 2 <= references.len()
        && counts.keys().all(|name| !name.is_empty() && name.chars().count() <= LONGEST_LABEL);
    fits.then(|| {
        let mut labels: Vec<(String, usize)> =
            counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
        labels.sort_by(|(a, one), (b, other)| other.cmp(one).then_with(|| a.cmp(b)));
        labels
    })
}

/// How often each label was answered where another was wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    pub labels: Vec<String>,
    /// A row a wanted label, a column an answered one; the last column is any other answer.
    pub counts: Vec<Vec<usize>>,
}

impl Confusion {
    /// Counts pairs of a reference and a prediction. Pairs whose reference is none of the labels are left out.
    pub fn new<S: AsRef<str>>(labels: &[String], pairs: &[(S, S)]) -> Self {
        let places: HashMap<&str, usize> = labels.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        let mut counts = vec![vec![0; labels.len() + 1]; labels.len()];
        for (reference, prediction) in pairs {
            if let Some(wanted) = places.get(label(reference.as_ref())) {
                let said = places.get(label(prediction.as_ref())).copied().unwrap_or(labels.len());
                counts[*wanted][said] += 1;
            }
        }
        Self { labels: labels.to_vec(), counts }
    }

    /// What was taken for what most often: wanted, answered, how often. An answer that is no label has no name.
    pub fn commonest(&self, most: usize) -> Vec<(&str, Option<&str>, usize)> {
        let mut mistakes: Vec<(usize, usize, usize)> = Vec::new();
        for (wanted, row) in self.counts.iter().enumerate() {
            mistakes.extend(
                row.iter()
                    .enumerate()
                    .filter(|(said, n)| *said != wanted && **n > 0)
                    .map(|(said, n)| (*n, wanted, said)),
            );
        }
        mistakes.sort_by_key(|(count, wanted, said)| (std::cmp::Reverse(*count), *wanted, *said));
        let name = |at: usize| self.labels.get(at).map(String::as_str);
        mistakes
            .into_iter()
            .take(most)
            .map(|(count, wanted, said)| (name(wanted).unwrap_or_default(), name(said), count))
            .collect()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;

    #[test]
    fn repeated_short_answers_are_labels_and_free_text_is_not() {
        let labels = labels_of(&["card", "cash", "card ", "card"]).unwrap();
        assert_eq!(labels, [("card".to_owned(), 3), ("cash".to_owned(), 1)]);
        assert_eq!(labels_of(&["one", "two", "three"]), None);
        assert_eq!(labels_of(&["card", "card"]), None);
        assert_eq!(labels_of(&["", "", "a", "a"]), None);
    }

    #[test]
    fn what_was_taken_for_what() {
        let labels = ["card".to_owned(), "cash".to_owned()];
        let pairs = [("card", "card"), ("card", "cash"), ("card", " cash"), ("cash", "a bank"), ("loan", "card")];
        let found = Confusion::new(&labels, &pairs);
        assert_eq!(found.counts, [vec![1, 2, 0], vec![0, 0, 1]]);
        assert_eq!(found.commonest(5), [("card", Some("cash"), 2), ("cash", None, 1)]);
    }
}
