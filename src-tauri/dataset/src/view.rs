//! A choice of records in an order of its own: what a filter let through, what a sort put in order.
//!
//! A view holds ids as runs, so a million neighbours cost nothing and a place in it is found at once.
//! It does not change when the dataset is edited; records that are deleted are left out of its rows.

use std::cmp::Ordering;
use std::ops::Range;

use rayon::prelude::*;

use crate::document::{DocumentError, Order, Row, Run, State};
use crate::filter::FilterInput;
use crate::ids::{IdSet, RecordId};
use crate::watch::Watch;

/// Records that are looked at together, and about how many bytes of them at most.
pub(crate) const BATCH: usize = 4096;
pub(crate) const BATCH_BYTES: usize = 8 << 20;
/// Characters of a text that decide on its place.
const KEY_CHARS: usize = 64;

#[derive(Debug, Clone, Default)]
pub struct View {
    order: Order,
}

/// What a table is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Position,
    Tokens,
    Chars,
    Turns,
    Bytes,
    Prompt,
    Completion,
    System,
}

impl View {
    pub(crate) fn from_runs(runs: impl IntoIterator<Item = Run>) -> View {
        View { order: Order::from_runs(runs) }
    }

    /// All records of a state, in its order.
    pub fn all(state: &State) -> View {
        View { order: state.order().clone() }
    }

    pub fn len(&self) -> u64 {
        self.order.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn id_at(&self, place: u64) -> Option<RecordId> {
        self.order.get(place)
    }

    /// The records at some places.
    pub fn ids(&self, window: Range<u64>) -> Vec<RecordId> {
        self.order.runs(window).flat_map(Run::ids).collect()
    }

    /// Where a record stands in the view.
    pub fn index_of(&self, id: RecordId) -> Option<u64> {
        self.order.position_of(id)
    }

    pub fn to_set(&self) -> IdSet {
        self.order.to_set()
    }

    /// The rows of a window; records that are deleted by now are left out.
    pub fn rows(&self, state: &State, window: Range<u64>) -> Result<Vec<Row>, DocumentError> {
        state.rows_of(&self.ids(window))
    }

    /// The same view without the records that are deleted by now.
    pub fn without_deleted(&self, state: &State) -> View {
        let there = state.all();
        let ids = self.order.all_runs().flat_map(Run::ids).filter(|id| there.contains(*id));
        View::from_runs(ids.map(|id| Run { first: id, len: 1 }))
    }
}

/// By what a record is put in order. Broken lines come first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Broken,
    Number(u64),
    Text(String),
}

/// Puts the records of a view in order. Equal ones keep the order of the table.
pub fn sort(
    state: &State,
    view: &View,
    column: Column,
    descending: bool,
    input: &FilterInput<'_>,
    watch: &dyn Watch,
) -> Result<View, DocumentError> {
    let mut keys: Vec<(Key, RecordId)> = Vec::new();
    let set = view.to_set();
    let total = set.len();
    state.batches_of(&set, BATCH, BATCH_BYTES, |batch| {
        watch.progress(keys.len() as u64, total);
        if watch.cancelled() {
            return Err(DocumentError::Cancelled);
        }
        let made = batch.into_par_iter().map(|(position, id, text)| {
            let row = state.row_of(position, id, text);
            (key(column, &row, input), id)
        });
        keys.extend(made.collect::<Vec<_>>());
        Ok(())
    })?;
    let direction = |order: Ordering| if descending { order.reverse() } else { order };
    keys.par_sort_by(|one, other| direction(one.0.cmp(&other.0)));
    Ok(View::from_runs(keys.into_iter().map(|(_, id)| Run { first: id, len: 1 })))
}

fn key(column: Column, row: &Row, input: &FilterInput<'_>) -> Key {
    let text = |text: &str| Key::Text(text.chars().take(KEY_CHARS).flat_map(char::to_lowercase).collect());
    match (column, &row.record) {
        (Column::Position, _) => Key::Number(row.position),
        (Column::Bytes, _) => Key::Number(row.text.len() as u64),
        (_, Err(_)) => Key::Broken,
        (Column::Tokens, Ok(record)) => Key::Number((input.tokens)(record)),
        (Column::Chars, Ok(record)) => Key::Number(record.chars() as u64),
        (Column::Turns, Ok(record)) => Key::Number(record.turns.len() as u64),
        (Column::Prompt, Ok(record)) => text(&record.prompt()),
        (Column::Completion, Ok(record)) => text(&record.completion()),
        (Column::System, Ok(record)) => text(&record.system().unwrap_or_default()),
    }
}
