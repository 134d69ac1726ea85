//! A change of the order that can be made and taken back: at some places, records go and others come.

use super::order::{Order, Run, records};
use crate::ids::{IdSet, RecordId};

/// Where something changes. Runs stand in [`Delta::runs`], the removed ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// Records that stay, since the place before.
    skip: u64,
    removed: u32,
    inserted: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Delta {
    places: Vec<Place>,
    runs: Vec<Run>,
}

/// One place with its runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change<'a> {
    pub skip: u64,
    pub removed: &'a [Run],
    pub inserted: &'a [Run],
}

impl Delta {
    pub fn push(&mut self, skip: u64, removed: &[Run], inserted: &[Run]) {
        self.places.push(Place { skip, removed: removed.len() as u32, inserted: inserted.len() as u32 });
        self.runs.extend_from_slice(removed);
        self.runs.extend_from_slice(inserted);
    }

    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub fn places(&self) -> usize {
        self.places.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = Change<'_>> {
        let mut at = 0;
        self.places.iter().map(move |place| {
            let middle = at + place.removed as usize;
            let end = middle + place.inserted as usize;
            let change =
                Change { skip: place.skip, removed: &self.runs[at..middle], inserted: &self.runs[middle..end] };
            at = end;
            change
        })
    }

    /// What takes this change back.
    pub fn inverse(&self) -> Delta {
        let mut inverse = Delta::default();
        for change in self.iter() {
            inverse.push(change.skip, change.inserted, change.removed);
        }
        inverse
    }

    /// The first position that it concerns.
    pub fn position(&self) -> Option<u64> {
        self.places.first().map(|place| place.skip)
    }

    pub fn insertion(position: u64, inserted: &[Run]) -> Delta {
        let mut delta = Delta::default();
        delta.push(position, &[], inserted);
        delta
    }

    /// Takes the records of a set out of the order.
    pub fn deletion(order: &Order, set: &IdSet) -> Delta {
        let mut delta = Delta::default();
        let mut skip = 0;
        for run in order.all_runs() {
            let mut next = run.first;
            for gone in runs_within(set, run) {
                skip += u64::from(gone.first - next);
                delta.push(skip, &[gone], &[]);
                skip = 0;
                next = gone.first + gone.len;
            }
            skip += u64::from(run.first + run.len - next);
        }
        delta
    }

    /// Takes the records of a set out and puts others in. Where is counted in the order as it is, and
    /// must not go back.
    pub fn merged(order: &Order, set: &IdSet, inserted: &[(u64, Run)]) -> Delta {
        let mut delta = Delta::default();
        let (mut at, mut end) = (0_u64, 0_u64);
        let mut inserted = inserted.iter().peekable();
        for change in Delta::deletion(order, set).iter() {
            let start = end + change.skip;
            while let Some((place, run)) = inserted.next_if(|(place, _)| *place <= start) {
                let place = (*place).max(at);
                delta.push(place - at, &[], &[*run]);
                at = place;
            }
            delta.push(start - at, change.removed, &[]);
            end = start + records(change.removed);
            at = end;
        }
        for (place, run) in inserted {
            let place = (*place).clamp(at, order.len());
            delta.push(place - at, &[], &[*run]);
            at = place;
        }
        delta
    }

    /// Brings the records of a set together before the record at a position.
    pub fn relocation(order: &Order, set: &IdSet, before: u64) -> Delta {
        let moved: Vec<Run> = order.all_runs().flat_map(|run| runs_within(set, run)).collect();
        let mut delta = Delta::default();
        // Where the last place ends, counted in the order as it was.
        let mut at = 0_u64;
        let mut placed = false;
        let mut end = 0;
        for change in Delta::deletion(order, set).iter() {
            let start = end + change.skip;
            if !placed && before <= start {
                // A place within records that are moved is the one behind them.
                let target = before.max(end);
                delta.push(target - at, &[], &moved);
                at = target;
                placed = true;
            }
            delta.push(start - at, change.removed, &[]);
            end = start + records(change.removed);
            at = end;
        }
        if !placed {
            delta.push(before.clamp(at, order.len()) - at, &[], &moved);
        }
        delta
    }

    /// Puts a new record behind each of a set; the new ids are consecutive, in the order of the table.
    pub fn duplication(order: &Order, set: &IdSet, first: RecordId) -> Delta {
        let mut delta = Delta::default();
        let (mut skip, mut next) = (0, first);
        for run in order.all_runs() {
            let mut from = run.first;
            for id in run_ids(set, run) {
                skip += u64::from(id + 1 - from);
                delta.push(skip, &[], &[Run { first: next, len: 1 }]);
                (skip, from, next) = (0, id + 1, next + 1);
            }
            skip += u64::from(run.first + run.len - from);
        }
        delta
    }

    /// Makes one order into another.
    pub fn between(old: &Order, new: &Order) -> Delta {
        let (mut before, mut after): (Vec<Run>, Vec<Run>) = (old.all_runs().collect(), new.all_runs().collect());
        let alike = before.iter().zip(&after).take_while(|(one, other)| one == other).count();
        let skip = records(&before[..alike]);
        before.drain(..alike);
        after.drain(..alike);
        while before.last().is_some() && before.last() == after.last() {
            before.pop();
            after.pop();
        }
        let mut delta = Delta::default();
        if !before.is_empty() || !after.is_empty() {
            delta.push(skip, &before, &after);
        }
        delta
    }
}

fn run_ids(set: &IdSet, run: Run) -> impl Iterator<Item = RecordId> + '_ {
    set.within(run.first..=run.first + (run.len - 1))
}

/// The ids of a set that lie in a run, as runs.
pub(super) fn runs_within(set: &IdSet, run: Run) -> impl Iterator<Item = Run> + '_ {
    let mut ids = run_ids(set, run).peekable();
    std::iter::from_fn(move || {
        let first = ids.next()?;
        let mut len = 1;
        while ids.next_if_eq(&(first + len)).is_some() {
            len += 1;
        }
        Some(Run { first, len })
    })
}
