//! The order of the records: runs of consecutive ids, in chunks.
//!
//! A file of ten million records that nobody edited is one run. Every insertion, deletion or move
//! splits a few runs in one chunk; an edit of many records passes once over all runs. Chunks are
//! shared between states, so keeping an older order costs what differs.

use std::ops::Range;
use std::sync::Arc;

use super::delta::Delta;
use crate::ids::{IdSet, RecordId};

/// Records with consecutive ids that stand one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub first: RecordId,
    pub len: u32,
}

impl Run {
    /// The part of the run at these places of its own.
    fn part(self, places: Range<u32>) -> Run {
        Run { first: self.first + places.start, len: places.end - places.start }
    }

    pub fn ids(self) -> Range<RecordId> {
        self.first..self.first + self.len
    }
}

/// Above this a chunk is torn in pieces.
const CHUNK_RUNS: usize = 256;
/// An edit with more places than this passes over the whole order at once.
const FEW_PLACES: usize = 32;

#[derive(Debug)]
struct Chunk {
    runs: Vec<Run>,
    records: u64,
}

/// The ids of all records in their order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Order {
    chunks: Vec<Arc<Chunk>>,
    records: u64,
}

impl Order {
    /// The records of a file, as they stand in it.
    pub fn of_file(records: u32) -> Order {
        Order::from_runs([Run { first: 0, len: records }])
    }

    pub fn from_runs(runs: impl IntoIterator<Item = Run>) -> Order {
        let mut builder = Builder::default();
        runs.into_iter().for_each(|run| builder.push(run));
        builder.finish()
    }

    pub fn len(&self) -> u64 {
        self.records
    }

    pub fn get(&self, position: u64) -> Option<RecordId> {
        self.runs(position..position.saturating_add(1)).next().map(|run| run.first)
    }

    /// The runs of a window, the first and the last cut to it.
    pub fn runs(&self, window: Range<u64>) -> impl Iterator<Item = Run> + '_ {
        let end = window.end.min(self.records);
        let mut left = end.saturating_sub(window.start);
        let (chunk, mut skip) = self.chunk_at(window.start);
        let runs = self.chunks[chunk..].iter().flat_map(|chunk| chunk.runs.iter().copied());
        let runs = runs.filter_map(move |run| {
            let skipped = skip.min(u64::from(run.len)) as u32;
            skip -= u64::from(skipped);
            (skipped < run.len).then(|| run.part(skipped..run.len))
        });
        runs.map_while(move |run| {
            let taken = left.min(u64::from(run.len)) as u32;
            left -= u64::from(taken);
            (taken > 0).then(|| run.part(0..taken))
        })
    }

    pub fn all_runs(&self) -> impl Iterator<Item = Run> + '_ {
        self.chunks.iter().flat_map(|chunk| chunk.runs.iter().copied())
    }

    pub fn position_of(&self, id: RecordId) -> Option<u64> {
        let mut position = 0;
        for run in self.all_runs() {
            if run.ids().contains(&id) {
                return Some(position + u64::from(id - run.first));
            }
            position += u64::from(run.len);
        }
        None
    }

    pub fn to_set(&self) -> IdSet {
        let mut set = IdSet::new();
        for run in self.all_runs() {
            set.insert_range(run.first..=run.first + (run.len - 1));
        }
        set
    }

    /// Makes a change, or says that it is one of another order and changes nothing.
    #[must_use]
    pub fn apply(&mut self, delta: &Delta) -> bool {
        let changed = if delta.places() <= FEW_PLACES { self.spliced(delta) } else { self.rebuilt(delta) };
        match changed {
            Some(order) => {
                *self = order;
                true
            }
            None => false,
        }
    }

    fn spliced(&self, delta: &Delta) -> Option<Order> {
        let mut order = self.clone();
        let mut position = 0_u64;
        for place in delta.iter() {
            position = position.checked_add(place.skip)?;
            let removed: u64 = records(place.removed);
            if position.checked_add(removed)? > order.records
                || !same(order.runs(position..position + removed), place.removed)
            {
                return None;
            }
            order.splice(position, removed, place.inserted);
            position += records(place.inserted);
        }
        Some(order)
    }

    /// Puts records in the place of `removed` others.
    fn splice(&mut self, position: u64, removed: u64, inserted: &[Run]) {
        let (first, skip) = self.chunk_at(position);
        let mut builder = Builder::default();
        let mut last = first;
        let mut covered = 0;
        // A piece with few runs takes the next chunk along, so that chunks do not waste away.
        while last < self.chunks.len() && (covered < skip + removed || last == first || self.few_runs(first..last)) {
            covered += self.chunks[last].records;
            last += 1;
        }
        let touched = Order { chunks: self.chunks[first..last].to_vec(), records: covered };
        touched.runs(0..skip).for_each(|run| builder.push(run));
        inserted.iter().for_each(|run| builder.push(*run));
        touched.runs(skip + removed..covered).for_each(|run| builder.push(run));
        let made = builder.finish();
        self.records = self.records - covered + made.records;
        self.chunks.splice(first..last, made.chunks);
    }

    fn few_runs(&self, chunks: Range<usize>) -> bool {
        self.chunks[chunks].iter().map(|chunk| chunk.runs.len()).sum::<usize>() < CHUNK_RUNS / 4
    }

    fn rebuilt(&self, delta: &Delta) -> Option<Order> {
        let mut old = Cursor { runs: self.all_runs(), head: None };
        let mut builder = Builder::default();
        for place in delta.iter() {
            let mut left = place.skip;
            while left > 0 {
                let run = old.take(left)?;
                left -= u64::from(run.len);
                builder.push(run);
            }
            for expected in place.removed {
                let mut expected = *expected;
                while expected.len > 0 {
                    let run = old.take(u64::from(expected.len))?;
                    if run.first != expected.first {
                        return None;
                    }
                    expected = expected.part(run.len..expected.len);
                }
            }
            place.inserted.iter().for_each(|run| builder.push(*run));
        }
        while let Some(run) = old.take(u64::MAX) {
            builder.push(run);
        }
        Some(builder.finish())
    }

    /// The chunk with a position, and how many records of it stand before; the end lies in the last.
    fn chunk_at(&self, position: u64) -> (usize, u64) {
        let mut left = position.min(self.records);
        for (index, chunk) in self.chunks.iter().enumerate() {
            if left < chunk.records || (left == chunk.records && index + 1 == self.chunks.len()) {
                return (index, left);
            }
            left -= chunk.records;
        }
        (0, 0)
    }
}

pub(super) fn records(runs: &[Run]) -> u64 {
    runs.iter().map(|run| u64::from(run.len)).sum()
}

/// Whether two lists of runs mean the same ids, however they are cut.
fn same(runs: impl Iterator<Item = Run>, others: &[Run]) -> bool {
    let mut left = Builder::default();
    let mut right = Builder::default();
    runs.for_each(|run| left.push(run));
    others.iter().for_each(|run| right.push(*run));
    left.finish().all_runs().eq(right.finish().all_runs())
}

/// Runs of which parts are taken from the front.
struct Cursor<I> {
    runs: I,
    head: Option<Run>,
}

impl<I: Iterator<Item = Run>> Cursor<I> {
    /// The next run, or as much of it as is wanted.
    fn take(&mut self, wanted: u64) -> Option<Run> {
        let run = self.head.take().or_else(|| self.runs.next())?;
        if u64::from(run.len) <= wanted {
            return Some(run);
        }
        let wanted = wanted as u32;
        self.head = Some(run.part(wanted..run.len));
        Some(run.part(0..wanted))
    }
}

/// Puts runs together: neighbours become one, chunks stay small.
#[derive(Default)]
struct Builder {
    chunks: Vec<Arc<Chunk>>,
    runs: Vec<Run>,
    records: u64,
    total: u64,
}

impl Builder {
    fn push(&mut self, run: Run) {
        if run.len == 0 {
            return;
        }
        self.records += u64::from(run.len);
        if let Some(last) = self.runs.last_mut()
            && last.first + last.len == run.first
        {
            last.len += run.len;
            return;
        }
        if self.runs.len() == CHUNK_RUNS {
            self.records -= u64::from(run.len);
            self.close();
            self.records = u64::from(run.len);
        }
        self.runs.push(run);
    }

    fn close(&mut self) {
        if !self.runs.is_empty() {
            let runs = std::mem::take(&mut self.runs);
            self.chunks.push(Arc::new(Chunk { runs, records: self.records }));
            self.total += self.records;
            self.records = 0;
        }
    }

    fn finish(mut self) -> Order {
        self.close();
        Order { chunks: self.chunks, records: self.total }
    }
}
