//! Setting validation and hold-out records aside.
//!
//! The same number of records, the same plan and the same seed give the same split on every machine
//! and in every version: each record draws a number from a ChaCha stream, and the smallest are taken.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde::{Deserialize, Serialize};

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

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SplitPlan {
    pub validation: Share,
    pub hold_out: Share,
    pub seed: u64,
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SplitError {
    #[error("a share must be from 0 to 100 percent, not {percent}")]
    Percent { percent: f64 },
    #[error("{aside} records for validation and hold-out leave none of {records} to train on")]
    NothingLeft { aside: u64, records: u64 },
}

/// What each of `records` records is used for.
pub fn split(records: u64, plan: &SplitPlan) -> Result<Vec<SplitKind>, SplitError> {
    let validation = plan.validation.of(records)?;
    let hold_out = plan.hold_out.of(records)?;
    let aside = validation.saturating_add(hold_out);
    if aside > 0 && aside >= records {
        return Err(SplitError::NothingLeft { aside, records });
    }
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&plan.seed.to_le_bytes());
    let mut numbers = ChaCha8Rng::from_seed(seed);
    // The position settles a tie, so that no sort may decide it.
    let mut drawn: Vec<(u64, usize)> = (0..records as usize).map(|position| (numbers.next_u64(), position)).collect();
    drawn.sort_unstable();
    let mut kinds = vec![SplitKind::Training; drawn.len()];
    for (rank, (_, position)) in drawn.into_iter().enumerate().take(aside as usize) {
        kinds[position] = if (rank as u64) < hold_out { SplitKind::HoldOut } else { SplitKind::Validation };
    }
    Ok(kinds)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;

    fn counts(kinds: &[SplitKind]) -> [usize; 3] {
        SplitKind::ALL.map(|kind| kinds.iter().filter(|&&k| k == kind).count())
    }

    fn plan(validation: Share, hold_out: Share, seed: u64) -> SplitPlan {
        SplitPlan { validation, hold_out, seed }
    }

    #[test]
    fn the_shares_are_kept_to_the_record() {
        let by_share = plan(Share::Percent(10.0), Share::Percent(5.0), 1);
        assert_eq!(counts(&split(10_003, &by_share).unwrap()), [8503, 1000, 500]);
        let by_count = plan(Share::Count(7), Share::Count(1), 1);
        assert_eq!(counts(&split(10, &by_count).unwrap()), [2, 7, 1]);
        let nothing = plan(Share::NONE, Share::NONE, 1);
        assert_eq!(counts(&split(3, &nothing).unwrap()), [3, 0, 0]);
        assert_eq!(split(0, &nothing).unwrap(), []);
    }

    #[test]
    fn a_seed_gives_the_same_split_for_ever() {
        use SplitKind::{HoldOut as H, Training as T, Validation as V};
        let kinds = split(12, &plan(Share::Count(3), Share::Count(2), 42)).unwrap();
        assert_eq!(kinds, [V, V, T, V, T, H, T, H, T, T, T, T]);
    }

    #[test]
    fn another_seed_gives_another_split() {
        let of = |seed| split(100, &plan(Share::Count(20), Share::NONE, seed)).unwrap();
        assert_ne!(of(1), of(2));
        assert_eq!(of(1), of(1));
    }

    #[test]
    fn a_larger_validation_set_keeps_the_hold_out_records() {
        let held = |validation| {
            let kinds = split(100, &plan(Share::Count(validation), Share::Count(10), 3)).unwrap();
            kinds.iter().enumerate().filter(|(_, k)| **k == SplitKind::HoldOut).map(|(i, _)| i).collect::<Vec<_>>()
        };
        assert_eq!(held(0), held(50));
    }

    #[test]
    fn a_plan_that_leaves_nothing_to_train_on_is_refused() {
        let refused = split(10, &plan(Share::Percent(50.0), Share::Count(5), 1));
        assert_eq!(refused, Err(SplitError::NothingLeft { aside: 10, records: 10 }));
        assert!(split(10, &plan(Share::Percent(-1.0), Share::NONE, 1)).is_err());
        assert!(split(10, &plan(Share::Percent(f64::NAN), Share::NONE, 1)).is_err());
        assert!(split(10, &plan(Share::Count(u64::MAX), Share::Count(9), 1)).is_err());
    }
}
