//! Which of two answers is preferred: by people who compared them blind, or by a model that judged them.
//!
//! A record counts once, however many looked at it: votes on the same record say the same thing again, and counting them
//! apart would make the interval narrower than it is. Records on which neither is preferred are told, and are no part of the
//! win rate; its interval is Wilson's, its test the sign test.

use crate::Estimate;
use crate::compare::{SIGNIFICANCE, sign_test};
use crate::interval::wilson;

/// Of two answers to the same record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Preference {
    First,
    Second,
    Neither,
}

/// With fewer records that choose a side, even a unanimous choice is one that chance makes too often.
pub const FEWEST_DECIDED: u64 = 6;

/// How often the second answer is preferred, among the records on which one is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WinRate {
    pub won: u64,
    pub lost: u64,
    pub neither: u64,
    /// `None` while no record chooses a side.
    pub share: Option<Estimate>,
    /// How often two equally good models would be told apart as clearly.
    pub p: f64,
}

/// What a win rate shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    NotEnough,
    NotClear,
    Preferred,
    NotPreferred,
}

impl Preference {
    /// What most of them prefer; neither where as many prefer one as the other.
    pub fn of_most(all: impl IntoIterator<Item = Self>) -> Self {
        let balance: i64 = all
            .into_iter()
            .map(|one| match one {
                Self::First => -1,
                Self::Second => 1,
                Self::Neither => 0,
            })
            .sum();
        match balance {
            0 => Self::Neither,
            1.. => Self::Second,
            _ => Self::First,
        }
    }
}

impl WinRate {
    pub fn of(preferences: impl IntoIterator<Item = Preference>) -> Self {
        let (mut won, mut lost, mut neither) = (0, 0, 0);
        for preference in preferences {
            match preference {
                Preference::First => lost += 1,
                Preference::Second => won += 1,
                Preference::Neither => neither += 1,
            }
        }
        let decided = won + lost;
        let share = (decided > 0).then(|| {
            let value = won as f64 / decided as f64;
            let (low, high) = wilson(value, decided);
            Estimate { value, low, high }
        });
        let p = sign_test(won, lost);
        Self { won: won as u64, lost: lost as u64, neither, share, p }
    }

    /// What it shows, once its `p` was corrected for how many models were looked at.
    pub fn standing(&self, corrected_p: f64) -> Standing {
        if self.won + self.lost < FEWEST_DECIDED {
            Standing::NotEnough
        } else if corrected_p > SIGNIFICANCE {
            Standing::NotClear
        } else if self.won > self.lost {
            Standing::Preferred
        } else {
            Standing::NotPreferred
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn most_decide_and_a_balance_is_neither() {
        use Preference::{First, Neither, Second};
        assert_eq!(Preference::of_most([First, Second, Second]), Second);
        assert_eq!(Preference::of_most([First, Neither]), First);
        assert_eq!(Preference::of_most([First, Second, Neither]), Neither);
        assert_eq!(Preference::of_most([]), Neither);
    }

    #[test]
    fn five_to_nothing_is_not_enough_and_six_to_nothing_is() {
        let rate = |won, lost| {
            let all = std::iter::repeat_n(Preference::Second, won).chain(std::iter::repeat_n(Preference::First, lost));
            WinRate::of(all)
        };
        let of = |won, lost| {
            let found = rate(won, lost);
            found.standing(found.p)
        };
        assert_eq!(of(5, 0), Standing::NotEnough);
        assert_eq!(of(6, 0), Standing::Preferred);
        assert_eq!(of(0, 6), Standing::NotPreferred);
        assert_eq!(of(6, 1), Standing::NotClear);
        assert_eq!(rate(9, 3).standing(0.2), Standing::NotClear);
        assert_eq!(WinRate::of([Preference::Neither]).share, None);
        let share = rate(9, 3).share.unwrap();
        assert!((share.value - 0.75).abs() < 1e-12 && share.low > 0.4 && share.high < 0.95, "{share:?}");
    }

    #[test]
    fn two_equal_models_are_seldom_told_apart() {
        const TRIALS: usize = 2_000;
        for records in [8, 30, 150] {
            let mut chance = ChaCha8Rng::seed_from_u64(records);
            let alarms = (0..TRIALS).filter(|_| {
                let found = WinRate::of((0..records).map(|_| match chance.random_range(0..5) {
                    0 | 1 => Preference::First,
                    2 | 3 => Preference::Second,
                    _ => Preference::Neither,
                }));
                matches!(found.standing(found.p), Standing::Preferred | Standing::NotPreferred)
            });
            let share = alarms.count() as f64 / TRIALS as f64;
            assert!(share <= 0.05, "{records} records: {share}");
        }
    }
}
