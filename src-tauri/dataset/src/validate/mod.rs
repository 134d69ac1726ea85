//! Holding a dataset of any size to its base model's rules.
//!
//! Lines stream through [`whetstone_scan`] on every core; most are acquitted by their facts without being parsed, the
//! rest are parsed and judged. What is kept of a record is a digest of some twenty bytes, from which duplicates, leaks
//! and outliers are told once all have been seen. The lines come from a file ([`FileSource`]) or from whatever else
//! implements [`LineSource`], an opened dataset's [`StateSource`] among them; there is one engine for all.
//!
//! The registry of rules is [`crate::rules`]'s; the loop, the sums and the [`Report`] are owned here. Deliberately
//! absent: near duplicates, which are a pass of their own, and any second way of checking a dataset.

mod encounters;
mod gather;
mod histogram;
mod judge;
mod look;
mod report;
mod source;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use histogram::Histogram;
pub(crate) use judge::facts_of;
pub use report::{Report, RuleCount};
pub use source::{Batch, FileSource, LineSource, Splits, StateSource};

use crate::document::DocumentError;
use crate::error::ReadError;
use crate::formats::Schema;
use crate::rules::Intent;
use crate::watch::Watch;
use gather::Gatherer;
use judge::Judge;
use look::{Looker, Part};

const TOLD_EVERY: Duration = Duration::from_millis(500);

/// How to validate.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// So many findings of each rule are kept with their words; all are counted, and their records marked.
    pub kept_per_rule: usize,
    pub threads: usize,
    /// The lines themselves are what is uploaded: rules about their shape hold too.
    pub as_uploaded: bool,
}

impl Default for Options {
    fn default() -> Options {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Options { kept_per_rule: 100, threads, as_uploaded: true }
    }
}

/// Why a dataset could not be validated to its end.
#[derive(Debug, thiserror::Error)]
pub enum ValidateError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error("the check was cancelled")]
    Cancelled,
}

impl ValidateError {
    /// What the person can do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Read(error) => error.hint(),
            Self::Document(error) => error.hint(),
            Self::Cancelled => "Start it again to see what is wrong with the data.",
        }
    }
}

/// Validates the lines of some sources together: a training and a validation file, or one opened dataset. The watch is
/// asked from any of the threads.
pub fn validate(
    sources: Vec<Box<dyn LineSource + '_>>,
    schema: &Schema,
    intent: &Intent,
    options: &Options,
    watch: &dyn Watch,
) -> Result<Report, ValidateError> {
    validate_telling(sources, schema, intent, options, watch, None)
}

/// The same, and tells about twice a second what the records that were read so far break by themselves.
pub fn validate_telling(
    sources: Vec<Box<dyn LineSource + '_>>,
    schema: &Schema,
    intent: &Intent,
    options: &Options,
    watch: &dyn Watch,
    tell: Option<&(dyn Fn(Report) + Sync)>,
) -> Result<Report, ValidateError> {
    let judge = Judge::new(schema, intent, options);
    let numbered = sources.iter().map(|source| source.has_line_numbers()).collect();
    let total = sources.iter().map(|source| source.total()).sum();
    let work = Work {
        reading: Mutex::new(Reading { sources, current: 0, sequence: 0, failed: None }),
        gatherer: Mutex::new(Gatherer::new(&judge, numbered)),
        stopped: AtomicBool::new(false),
        total,
        watch,
        tell,
        told: Mutex::new(Instant::now()),
    };
    std::thread::scope(|scope| {
        for _ in 1..options.threads {
            scope.spawn(|| work.run(&judge));
        }
        work.run(&judge);
    });
    let Work { reading, gatherer, stopped, .. } = work;
    if let Some(error) = into_inner(reading).failed {
        return Err(error);
    }
    if stopped.into_inner() {
        return Err(ValidateError::Cancelled);
    }
    Ok(into_inner(gatherer).report())
}

/// What the threads share.
struct Work<'a> {
    reading: Mutex<Reading<'a>>,
    gatherer: Mutex<Gatherer<'a>>,
    stopped: AtomicBool,
    total: u64,
    watch: &'a dyn Watch,
    tell: Option<&'a (dyn Fn(Report) + Sync)>,
    told: Mutex<Instant>,
}

/// The sources, read one after the other by whichever thread has nothing to do.
struct Reading<'a> {
    sources: Vec<Box<dyn LineSource + 'a>>,
    current: usize,
    sequence: u64,
    failed: Option<ValidateError>,
}

impl Work<'_> {
    fn run(&self, judge: &Judge) {
        let mut looker = Looker::new(judge);
        let mut batch = Batch::default();
        while !self.stopped.load(Ordering::Relaxed) {
            let next = locked(&self.reading).next(&mut batch);
            let Some(Next { sequence, source, done }) = next else { break };
            let mut part = Part::new(source);
            looker.look(&mut batch, &mut part);
            locked(&self.gatherer).take(sequence, part);
            self.tell_so_far();
            self.watch.progress(done, self.total);
            if self.watch.cancelled() {
                self.stopped.store(true, Ordering::Relaxed);
            }
        }
        locked(&self.gatherer).sum_up(looker.into_sums());
    }

    fn tell_so_far(&self) {
        let Some(tell) = self.tell else { return };
        let mut told = locked(&self.told);
        if told.elapsed() >= TOLD_EVERY {
            *told = Instant::now();
            drop(told);
            let so_far = locked(&self.gatherer).so_far();
            tell(so_far);
        }
    }
}

/// Which batch it is, of which source, and how far the sources have been read with it.
struct Next {
    sequence: u64,
    source: usize,
    done: u64,
}

impl Reading<'_> {
    fn next(&mut self, batch: &mut Batch) -> Option<Next> {
        while self.failed.is_none() {
            let source = self.sources.get_mut(self.current)?;
            batch.bytes.clear();
            match source.fill(batch) {
                Ok(true) => {
                    let sequence = self.sequence;
                    self.sequence += 1;
                    let done = self.sources.iter().map(|source| source.done()).sum();
                    return Some(Next { sequence, source: self.current, done });
                }
                Ok(false) => self.current += 1,
                Err(error) => self.failed = Some(error),
            }
        }
        None
    }
}

/// A thread that panicked has broken nothing that the others read; its panic is passed on by the scope.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests;
