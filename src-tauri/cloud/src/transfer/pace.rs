//! How many requests run at once: found out by measuring.
//!
//! It climbs: one more (a quarter more, when there are many) as long as that moves noticeably more, and back when it moves
//! less than the best that was seen. Where fewer move as much, fewer it is. A service that asks for patience halves it.

use std::time::{Duration, Instant};

/// Long enough to tell a change from noise.
const WINDOW: Duration = Duration::from_millis(300);
/// What counts as noticeably more, and as less.
const BETTER: f64 = 1.04;
const WORSE: f64 = 0.95;
const FORGET: f64 = 0.99;
/// A request costs about as much as this many bytes, whatever it carries.
const REQUEST: u64 = 64 * 1024;
/// What was added and gained nothing is taken back after so many windows.
const PATIENCE: u32 = 8;
/// Where fewer moved as much, still fewer are tried after so many.
const QUICKLY: u32 = 3;

#[derive(Debug)]
pub(super) struct Pace {
    limit: usize,
    most: usize,
    /// Up or down.
    up: bool,
    /// The best rate that was seen.
    best: Option<f64>,
    since: Instant,
    moved: u64,
    finished: u32,
    still: u32,
}

impl Pace {
    pub(super) fn new(begin: usize, most: usize, now: Instant) -> Self {
        let most = most.max(1);
        Self { limit: begin.clamp(1, most), most, up: true, best: None, since: now, moved: 0, finished: 0, still: 0 }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// A request that carried so many bytes came to its end.
    pub(super) fn finished(&mut self, bytes: u64, now: Instant) {
        self.moved += bytes + REQUEST;
        self.finished += 1;
        let elapsed = now.duration_since(self.since);
        // Each request that runs must have had its turn, else the window says more of where it was cut.
        if elapsed < WINDOW || (self.finished as usize) < self.limit {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let rate = self.moved as f64 / elapsed.as_secs_f64();
        self.judge(rate);
        self.measure_anew(now);
    }

    /// The service asked for patience.
    pub(super) fn throttled(&mut self, now: Instant) {
        self.limit = (self.limit / 2).max(1);
        self.up = true;
        self.best = None;
        self.still = 0;
        self.measure_anew(now);
    }

    fn measure_anew(&mut self, now: Instant) {
        (self.since, self.moved, self.finished) = (now, 0, 0);
    }

    fn judge(&mut self, rate: f64) {
        let Some(best) = self.best else {
            self.best = Some(rate);
            return self.change();
        };
        if rate > best * BETTER {
            self.best = Some(rate);
            self.change();
        } else if rate < best * WORSE {
            // The line may have become slower by itself, so the best is forgotten little by little.
            self.best = Some(best * FORGET);
            self.up = !self.up;
            self.change();
        } else {
            self.best = Some(best.max(rate));
            self.still += 1;
            if self.still >= if self.up { PATIENCE } else { QUICKLY } {
                self.up = false;
                self.change();
            }
        }
    }

    /// Up by a quarter, down by an eighth; at either end it turns.
    fn change(&mut self) {
        self.still = 0;
        let wanted = if self.up {
            self.limit + (self.limit / 4).max(1)
        } else {
            self.limit.saturating_sub((self.limit / 8).max(1))
        };
        let wanted = wanted.clamp(1, self.most);
        if wanted == self.limit {
            self.up = !self.up;
        }
        self.limit = wanted;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line on which so many requests at once move the most.
    fn settled(best: usize, most: usize) -> usize {
        let begin = Instant::now();
        let mut now = begin;
        let mut pace = Pace::new(4, most, now);
        for _ in 0..4000 {
            let at_once = pace.limit();
            let speed = at_once.min(best) as f64 - 0.3 * at_once.saturating_sub(best) as f64;
            now += Duration::from_secs_f64(0.1 / speed.max(0.2));
            pace.finished(1_000_000, now);
        }
        pace.limit()
    }

    #[test]
    fn it_finds_about_how_many_are_worth_while() {
        for best in [1, 2, 6, 16, 32] {
            let found = settled(best, 64);
            assert!(found.abs_diff(best) <= 2 + best / 3, "{best}: {found}");
        }
        assert!(settled(1000, 8) >= 6, "memory bounds it");
    }

    #[test]
    fn a_service_that_asks_for_patience_is_given_it() {
        let mut pace = Pace::new(16, 64, Instant::now());
        pace.throttled(Instant::now());
        assert_eq!(pace.limit(), 8);
    }
}
