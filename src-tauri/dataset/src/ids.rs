//! Sets of records: what is selected, what a rule found, what a bulk edit concerns.
//!
//! A set holds ids, not positions, so it outlives filters, edits and moves. It is compact: a million
//! neighbours cost a few hundred bytes, a million scattered ids about two megabytes.

use std::ops::{BitAnd, BitOr, RangeInclusive, Sub};

use roaring::RoaringBitmap;

/// Stays with a record through every edit. The records of the file are numbered from 0 in its order;
/// added ones have [`FIRST_ADDED`] and above, in the order of their making. None is given twice.
pub type RecordId = u32;

/// The lowest id of a record that was added in the editor.
pub const FIRST_ADDED: RecordId = 1 << 31;

/// A set of records.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IdSet(RoaringBitmap);

impl IdSet {
    pub fn new() -> IdSet {
        IdSet::default()
    }

    pub fn insert(&mut self, id: RecordId) -> bool {
        self.0.insert(id)
    }

    pub fn insert_range(&mut self, ids: RangeInclusive<RecordId>) {
        self.0.insert_range(ids);
    }

    pub fn remove(&mut self, id: RecordId) -> bool {
        self.0.remove(id)
    }

    pub fn contains(&self, id: RecordId) -> bool {
        self.0.contains(id)
    }

    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// How many ids are in both.
    pub fn intersection_len(&self, other: &IdSet) -> u64 {
        self.0.intersection_len(&other.0)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In ascending order of the ids, which is not the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = RecordId> + '_ {
        self.0.iter()
    }

    /// The ids of the set between two, both included, in ascending order.
    pub fn within(&self, ids: RangeInclusive<RecordId>) -> impl Iterator<Item = RecordId> + '_ {
        self.0.range(ids)
    }
}

impl FromIterator<RecordId> for IdSet {
    fn from_iter<T: IntoIterator<Item = RecordId>>(ids: T) -> IdSet {
        IdSet(ids.into_iter().collect())
    }
}

impl Extend<RecordId> for IdSet {
    fn extend<T: IntoIterator<Item = RecordId>>(&mut self, ids: T) {
        self.0.extend(ids);
    }
}

impl BitOr for &IdSet {
    type Output = IdSet;

    fn bitor(self, other: &IdSet) -> IdSet {
        IdSet(&self.0 | &other.0)
    }
}

impl BitAnd for &IdSet {
    type Output = IdSet;

    fn bitand(self, other: &IdSet) -> IdSet {
        IdSet(&self.0 & &other.0)
    }
}

impl Sub for &IdSet {
    type Output = IdSet;

    fn sub(self, other: &IdSet) -> IdSet {
        IdSet(&self.0 - &other.0)
    }
}
