//! Setting validation and hold-out records aside.
//!
//! The same records, the same plan and the same seed give the same split on every machine and in every
//! version: each record draws a number from a ChaCha stream, and the smallest are taken; groups are
//! drawn by their key.

use std::collections::HashMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::record::Record;

/// What a record is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitKind {
    /// The model learns from it.
    Training,
    /// The loss on it is watched during training.
    Validation,
    /// Never seen during training; kept for evaluation.
    HoldOut,
}

impl SplitKind {
    pub const ALL: [SplitKind; 3] = [Self::Training, Self::Validation, Self::HoldOut];

    /// In words, within a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Validation => "validation",
            Self::HoldOut => "hold-out",
        }
    }
}

/// How many records are set aside.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// Of 100, rounded to the nearest whole record.
    Percent(f64),
    Count(u64),
}

impl Share {
    pub const NONE: Share = Share::Count(0);

    fn of(self, records: u64) -> Result<u64, SplitError> {
        match self {
            Self::Count(count) => Ok(count),
            Self::Percent(percent) if (0.0..=100.0).contains(&percent) => {
                Ok((records as f64 * percent / 100.0).round() as u64)
            }
            Self::Percent(percent) => Err(SplitError::Percent { percent }),
        }
    }
}

/// By what records of a split belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitKey {
    /// The first text of the user, capitals and white space aside.
    Prompt,
    System,
    /// The completion, as the name of a class.
    Label,
    /// A member of the record beside its turns, such as a customer's number.
    Member(String),
}

/// How the records to set aside are drawn.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitBy {
    /// Each record by itself.
    #[default]
    Record,
    /// From each value of a key the same share, to the record.
    Stratified(SplitKey),
    /// Records with the same value stay together, so that nothing leaks from one split into another.
    /// The shares are then met as nearly as the groups allow.
    Grouped(SplitKey),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitPlan {
    pub validation: Share,
    pub hold_out: Share,
    pub seed: u64,
    #[serde(default)]
    pub by: SplitBy,
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SplitError {
    #[error("a share must be from 0 to 100 percent, not {percent}")]
    Percent { percent: f64 },
    #[error("{aside} records for validation and hold-out leave none of {records} to train on")]
    NothingLeft { aside: u64, records: u64 },
    #[error("the split was used by {} and stays as it was", jobs.join(", "))]
    Frozen { jobs: Vec<String> },
    #[error("the dataset was not split yet")]
    NotSplit,
}

impl SplitPlan {
    /// How many records validation and hold-out get.
    fn sizes(&self, records: u64) -> Result<(u64, u64), SplitError> {
        let validation = self.validation.of(records)?;
        let hold_out = self.hold_out.of(records)?;
        let aside = validation.saturating_add(hold_out);
        if aside > 0 && aside >= records {
            return Err(SplitError::NothingLeft { aside, records });
        }
        Ok((validation, hold_out))
    }

    /// The key whose values have to be known, if there is one.
    pub fn key(&self) -> Option<&SplitKey> {
        match &self.by {
            SplitBy::Record => None,
            SplitBy::Stratified(key) | SplitBy::Grouped(key) => Some(key),
        }
    }
}

impl SplitKey {
    /// Tells the values of the key from one another.
    pub fn hash(&self, record: &Record) -> u64 {
        let text = match self {
            Self::Prompt => {
                let prompt = record.prompt().to_lowercase();
                prompt.split_whitespace().collect::<Vec<_>>().join(" ")
            }
            Self::System => record.system().unwrap_or_default().into_owned(),
            Self::Label => record.completion().trim().to_owned(),
            Self::Member(name) => match record.extra.get(name) {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => String::new(),
            },
        };
        hash(0, text.as_bytes())
    }
}

/// A number that is the same on every machine and in every version.
pub(crate) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let digest = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(bytes).finalize();
    digest[..8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// What each record is used for, by the values of the plan's key: as many as there are records.
pub fn split(keys: &[u64], plan: &SplitPlan) -> Result<Vec<SplitKind>, SplitError> {
    let (validation, hold_out) = plan.sizes(keys.len() as u64)?;
    let kinds = match plan.by {
        SplitBy::Record => {
            let mut kinds = vec![SplitKind::Training; keys.len()];
            draw(plan.seed, 0..keys.len(), validation, hold_out, &mut kinds);
            kinds
        }
        SplitBy::Stratified(_) => stratified(keys, plan.seed, validation, hold_out),
        SplitBy::Grouped(_) => grouped(keys, plan.seed, validation, hold_out),
    };
    let aside = kinds.iter().filter(|kind| **kind != SplitKind::Training).count();
    if aside > 0 && aside == kinds.len() {
        return Err(SplitError::NothingLeft { aside: aside as u64, records: kinds.len() as u64 });
    }
    Ok(kinds)
}

/// Draws from some of the records: the smallest numbers are hold-out, the next ones validation.
fn draw(seed: u64, records: impl Iterator<Item = usize>, validation: u64, hold_out: u64, kinds: &mut [SplitKind]) {
    let mut whole = [0; 32];
    whole[..8].copy_from_slice(&seed.to_le_bytes());
    let mut numbers = ChaCha8Rng::from_seed(whole);
    // The position settles a tie, so that no sort may decide it.
    let mut drawn: Vec<(u64, usize)> = records.map(|position| (numbers.next_u64(), position)).collect();
    drawn.sort_unstable();
    for (rank, (_, position)) in drawn.into_iter().enumerate().take((validation + hold_out) as usize) {
        kinds[position] = if (rank as u64) < hold_out { SplitKind::HoldOut } else { SplitKind::Validation };
    }
}

/// The positions of each value, in the order in which the values first appear.
fn groups(keys: &[u64]) -> Vec<(u64, Vec<usize>)> {
    let mut places: HashMap<u64, usize> = HashMap::new();
    let mut groups: Vec<(u64, Vec<usize>)> = Vec::new();
    for (position, key) in keys.iter().enumerate() {
        let place = *places.entry(*key).or_insert_with(|| {
            groups.push((*key, Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(position);
    }
    groups
}

fn stratified(keys: &[u64], seed: u64, validation: u64, hold_out: u64) -> Vec<SplitKind> {
    let groups = groups(keys);
    let sizes: Vec<u64> = groups.iter().map(|(_, positions)| positions.len() as u64).collect();
    let held = apportioned(&sizes, hold_out);
    let left: Vec<u64> = sizes.iter().zip(&held).map(|(size, held)| size - held).collect();
    let watched = apportioned(&left, validation);
    let mut kinds = vec![SplitKind::Training; keys.len()];
    for ((key, positions), (validation, hold_out)) in groups.into_iter().zip(watched.into_iter().zip(held)) {
        draw(seed ^ key, positions.into_iter(), validation, hold_out, &mut kinds);
    }
    kinds
}

/// Shares a number out over parts as their sizes are, the largest remainders first.
fn apportioned(sizes: &[u64], number: u64) -> Vec<u64> {
    let all: u128 = sizes.iter().map(|size| u128::from(*size)).sum();
    if all == 0 {
        return vec![0; sizes.len()];
    }
    let exact = |size: &u64| u128::from(*size) * u128::from(number);
    let mut shares: Vec<u64> = sizes.iter().map(|size| (exact(size) / all) as u64).collect();
    let mut remainders: Vec<(std::cmp::Reverse<u128>, usize)> =
        sizes.iter().enumerate().map(|(place, size)| (std::cmp::Reverse(exact(size) % all), place)).collect();
    remainders.sort_unstable();
    let missing = number - shares.iter().sum::<u64>();
    for (_, place) in remainders.into_iter().take(missing as usize) {
        shares[place] += 1;
    }
    shares
}

fn grouped(keys: &[u64], seed: u64, validation: u64, hold_out: u64) -> Vec<SplitKind> {
    let mut groups = groups(keys);
    groups.sort_by_key(|(key, _)| (hash(seed, &key.to_le_bytes()), *key));
    let mut kinds = vec![SplitKind::Training; keys.len()];
    let mut wanted = [(SplitKind::HoldOut, hold_out), (SplitKind::Validation, validation)];
    for (_, positions) in groups {
        let size = positions.len() as u64;
        // A group is taken where it brings the share nearer to what is wanted.
        if let Some((kind, left)) = wanted.iter_mut().find(|(_, left)| *left * 2 >= size && *left > 0) {
            *left = left.saturating_sub(size);
            positions.into_iter().for_each(|position| kinds[position] = *kind);
        }
    }
    kinds
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;

    fn counts(kinds: &[SplitKind]) -> [usize; 3] {
        SplitKind::ALL.map(|kind| kinds.iter().filter(|&&k| k == kind).count())
    }

    fn plan(validation: Share, hold_out: Share, seed: u64) -> SplitPlan {
        SplitPlan { validation, hold_out, seed, by: SplitBy::Record }
    }

    #[test]
    fn the_shares_are_kept_to_the_record() {
        let by_share = plan(Share::Percent(10.0), Share::Percent(5.0), 1);
        assert_eq!(counts(&split(&[0; 10_003], &by_share).unwrap()), [8503, 1000, 500]);
        let by_count = plan(Share::Count(7), Share::Count(1), 1);
        assert_eq!(counts(&split(&[0; 10], &by_count).unwrap()), [2, 7, 1]);
        let nothing = plan(Share::NONE, Share::NONE, 1);
        assert_eq!(counts(&split(&[0; 3], &nothing).unwrap()), [3, 0, 0]);
        assert_eq!(split(&[0; 0], &nothing).unwrap(), []);
    }

    #[test]
    fn a_seed_gives_the_same_split_for_ever() {
        use SplitKind::{HoldOut as H, Training as T, Validation as V};
        let kinds = split(&[0; 12], &plan(Share::Count(3), Share::Count(2), 42)).unwrap();
        assert_eq!(kinds, [V, V, T, V, T, H, T, H, T, T, T, T]);
    }

    #[test]
    fn another_seed_gives_another_split() {
        let of = |seed| split(&[0; 100], &plan(Share::Count(20), Share::NONE, seed)).unwrap();
        assert_ne!(of(1), of(2));
        assert_eq!(of(1), of(1));
    }

    #[test]
    fn a_larger_validation_set_keeps_the_hold_out_records() {
        let held = |validation| {
            let kinds = split(&[0; 100], &plan(Share::Count(validation), Share::Count(10), 3)).unwrap();
            kinds.iter().enumerate().filter(|(_, k)| **k == SplitKind::HoldOut).map(|(i, _)| i).collect::<Vec<_>>()
        };
        assert_eq!(held(0), held(50));
    }

    #[test]
    fn a_plan_that_leaves_nothing_to_train_on_is_refused() {
        let refused = split(&[0; 10], &plan(Share::Percent(50.0), Share::Count(5), 1));
        assert_eq!(refused, Err(SplitError::NothingLeft { aside: 10, records: 10 }));
        assert!(split(&[0; 10], &plan(Share::Percent(-1.0), Share::NONE, 1)).is_err());
        assert!(split(&[0; 10], &plan(Share::Percent(f64::NAN), Share::NONE, 1)).is_err());
        assert!(split(&[0; 10], &plan(Share::Count(u64::MAX), Share::Count(9), 1)).is_err());
    }

    fn by(by: SplitBy, validation: f64, hold_out: f64) -> SplitPlan {
        SplitPlan { by, ..plan(Share::Percent(validation), Share::Percent(hold_out), 5) }
    }

    #[test]
    fn a_stratified_split_takes_the_same_share_of_each_value() {
        // 600, 300 and 100 records of three labels, mixed.
        let keys: Vec<u64> = (0..1000_u64).map(|n| [7, 7, 7, 7, 7, 7, 8, 8, 8, 9][(n % 10) as usize]).collect();
        let kinds = split(&keys, &by(SplitBy::Stratified(SplitKey::Label), 10.0, 5.0)).unwrap();
        for (key, expected) in [(7, [510, 60, 30]), (8, [255, 30, 15]), (9, [85, 10, 5])] {
            let of_key: Vec<SplitKind> =
                keys.iter().zip(&kinds).filter(|(k, _)| **k == key).map(|(_, kind)| *kind).collect();
            assert_eq!(counts(&of_key), expected);
        }
        // Shares that do not come out even are still met to the record over all.
        let odd: Vec<u64> = (0..97).map(|n| n % 13).collect();
        assert_eq!(counts(&split(&odd, &by(SplitBy::Stratified(SplitKey::Label), 10.0, 0.0)).unwrap()), [87, 10, 0]);
    }

    #[test]
    fn a_grouped_split_tears_no_group_apart() {
        let keys: Vec<u64> = (0..1000_u64).map(|n| n * n % 61).collect();
        let kinds = split(&keys, &by(SplitBy::Grouped(SplitKey::Prompt), 20.0, 10.0)).unwrap();
        let mut of_group: HashMap<u64, SplitKind> = HashMap::new();
        for (key, kind) in keys.iter().zip(&kinds) {
            assert_eq!(of_group.entry(*key).or_insert(*kind), kind);
        }
        let [training, validation, hold_out] = counts(&kinds);
        assert!(
            (160..=240).contains(&validation) && (70..=130).contains(&hold_out),
            "{training} {validation} {hold_out}"
        );
    }

    #[test]
    fn one_group_alone_is_not_set_aside() {
        let kinds = split(&[3; 10], &by(SplitBy::Grouped(SplitKey::Prompt), 20.0, 0.0)).unwrap();
        assert_eq!(counts(&kinds), [10, 0, 0]);
        let refused = split(&[3; 10], &by(SplitBy::Grouped(SplitKey::Prompt), 60.0, 0.0));
        assert!(matches!(refused, Err(SplitError::NothingLeft { .. })));
    }
}
