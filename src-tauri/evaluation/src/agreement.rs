//! How far those who rate the same things agree, beyond what chance alone would make of it.
//!
//! Cohen's kappa (1960) for two, Fleiss' (1971) for more. Both are 1 where all agree always, 0 where they agree as often as
//! chance would, and not defined where all of them say the same of everything.

use std::collections::BTreeMap;

/// Raters of the same things.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// Things that all of them rated.
    pub things: usize,
    /// How often two of them say the same.
    pub share: f64,
    /// `None` where it is not defined.
    pub kappa: Option<f64>,
}

/// Of each thing what each of the raters says, in the order of the raters; all have as many. `None` for fewer than two
/// raters, or nothing that they rated.
pub fn agreement<C: Ord + Copy>(things: &[Vec<C>]) -> Option<Agreement> {
    let raters = things.first()?.len();
    if raters < 2 || things.iter().any(|thing| thing.len() != raters) {
        return None;
    }
    let count = things.len() as f64;
    let pairs = (raters * (raters - 1)) as f64;
    let agreed = |thing: &Vec<C>| {
        let counts = counted(thing.iter().copied());
        counts.values().map(|count| count * (count - 1.0)).sum::<f64>() / pairs
    };
    let share = things.iter().map(agreed).sum::<f64>() / count;
    let by_chance = if raters == 2 {
        // Each of the two keeps a habit of their own.
        let habit = |rater: usize| counted(things.iter().map(|thing| thing[rater]));
        let (one, other) = (habit(0), habit(1));
        one.iter().map(|(said, times)| times * other.get(said).copied().unwrap_or(0.0)).sum::<f64>() / (count * count)
    } else {
        let all = counted(things.iter().flatten().copied());
        all.values().map(|times| (times / (count * raters as f64)).powi(2)).sum()
    };
    let kappa = (by_chance < 1.0 - 1e-12).then(|| (share - by_chance) / (1.0 - by_chance));
    Some(Agreement { things: things.len(), share, kappa })
}

fn counted<C: Ord>(said: impl Iterator<Item = C>) -> BTreeMap<C, f64> {
    let mut counts = BTreeMap::new();
    for one in said {
        *counts.entry(one).or_insert(0.0) += 1.0;
    }
    counts
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;

    #[test]
    fn cohens_kappa_as_it_is_published() {
        // Fifty proposals: both say yes 20 times, both no 15 times; the first alone yes 5 times, the second alone 10 times.
        let things: Vec<Vec<char>> = [("yy", 20), ("yn", 5), ("ny", 10), ("nn", 15)]
            .into_iter()
            .flat_map(|(said, times)| std::iter::repeat_n(said.chars().collect(), times))
            .collect();
        let found = agreement(&things).unwrap();
        assert_eq!((found.things, found.share), (50, 0.7));
        assert!((found.kappa.unwrap() - 0.4).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn fleiss_kappa_as_it_is_published() {
        let table = [
            [0, 0, 0, 0, 14],
            [0, 2, 6, 4, 2],
            [0, 0, 3, 5, 6],
            [0, 3, 9, 2, 0],
            [2, 2, 8, 1, 1],
            [7, 7, 0, 0, 0],
            [3, 2, 6, 3, 0],
            [2, 5, 3, 2, 2],
            [6, 5, 2, 1, 0],
            [0, 2, 2, 3, 7],
        ];
        let things: Vec<Vec<usize>> = table
            .iter()
            .map(|row| row.iter().enumerate().flat_map(|(said, times)| std::iter::repeat_n(said, *times)).collect())
            .collect();
        let kappa = agreement(&things).unwrap().kappa.unwrap();
        assert!((kappa - 0.210).abs() < 5e-4, "{kappa}");
    }

    #[test]
    fn what_cannot_be_said_is_not_said() {
        assert_eq!(agreement::<u8>(&[]), None);
        assert_eq!(agreement(&[vec![1], vec![2]]), None);
        assert_eq!(agreement(&[vec![1, 2], vec![1]]), None);
        let same = agreement(&[vec![1, 1], vec![1, 1]]).unwrap();
        assert_eq!((same.share, same.kappa), (1.0, None));
    }
}
