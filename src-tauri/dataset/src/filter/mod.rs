//! The filter language: which records of a dataset to show.
//!
//! Terms side by side must all hold; `or` and round brackets join them otherwise, a `-` before one
//! turns it round. A term is a word or a text in quotes, found anywhere in the texts of a record, or a
//! field with what is asked of it: `role:assistant tokens>500 completion~/refund/i -has:image`.
//!
//! Functions of a text and a [`State`]; what was found by rules and what is selected is given by the
//! caller, as sets of records.

mod complete;
mod evaluate;
mod field;
mod parse;

use std::collections::BTreeMap;
use std::ops::Range;

use rayon::prelude::*;

use crate::document::{DocumentError, Run, State};
use crate::ids::IdSet;
use crate::record::Record;
use crate::view::{BATCH, BATCH_BYTES, View};
use crate::watch::Watch;

pub use complete::{Completion, Completions, complete};
use evaluate::Facts;
use parse::Expression;

/// What a filter may ask beside the record itself.
#[derive(Clone, Copy)]
pub struct FilterInput<'a> {
    /// Tokens of a record, counted or estimated for the base model at hand.
    pub tokens: &'a (dyn Fn(&Record) -> u64 + Sync),
    /// The records in which a rule found something, by the rule's id, and by `error`, `warning`, `note`.
    pub findings: &'a BTreeMap<String, IdSet>,
    pub selected: Option<&'a IdSet>,
}

impl std::fmt::Debug for FilterInput<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FilterInput").field("findings", self.findings).finish_non_exhaustive()
    }
}

/// Why a text is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FilterError {
    /// The bytes of the text that it is about.
    pub at: Range<usize>,
    pub message: String,
    pub hint: String,
}

/// A filter that was understood.
#[derive(Debug, Clone)]
pub struct Filter {
    expression: Expression,
}

impl Filter {
    /// Reads a filter. An empty text lets every record through.
    pub fn parse(text: &str) -> Result<Filter, FilterError> {
        Ok(Filter { expression: parse::parse(text)? })
    }

    /// Whether every record passes, whatever it is.
    pub fn is_empty(&self) -> bool {
        matches!(&self.expression, Expression::All(parts) if parts.is_empty())
    }

    /// The records that pass, in the order of the table.
    pub fn run(&self, state: &State, input: &FilterInput<'_>, watch: &dyn Watch) -> Result<View, DocumentError> {
        let duplicates = if self.expression.asks_for_duplicates() { duplicates(state, watch)? } else { IdSet::new() };
        let facts = Facts { state, input, duplicates: &duplicates };
        let mut kept = Vec::new();
        if !self.expression.reads_records() {
            for run in state.runs() {
                if watch.cancelled() {
                    return Err(DocumentError::Cancelled);
                }
                let ids = run.ids().filter(|id| self.expression.holds_by_id(*id, &facts));
                kept.extend(ids.map(|id| Run { first: id, len: 1 }));
            }
            return Ok(View::from_runs(kept));
        }
        let total = state.len();
        let mut seen = 0;
        state.batches_of(&state.all(), BATCH, BATCH_BYTES, |batch| {
            watch.progress(seen, total);
            if watch.cancelled() {
                return Err(DocumentError::Cancelled);
            }
            seen += batch.len() as u64;
            let passing = batch.into_par_iter().filter_map(|(position, id, text)| {
                let passes = !self.expression.rules_out(&text)
                    && self.expression.holds(&state.row_of(position, id, text), &facts);
                passes.then_some(Run { first: id, len: 1 })
            });
            kept.extend(passing.collect::<Vec<Run>>());
            Ok(())
        })?;
        Ok(View::from_runs(kept))
    }
}

/// The records whose turns another record has too.
fn duplicates(state: &State, watch: &dyn Watch) -> Result<IdSet, DocumentError> {
    let mut hashes = Vec::new();
    state.batches_of(&state.all(), BATCH, BATCH_BYTES, |batch| {
        if watch.cancelled() {
            return Err(DocumentError::Cancelled);
        }
        let hashed = batch.into_par_iter().map(|(position, id, text)| {
            let row = state.row_of(position, id, text);
            (evaluate::hash_of(&row), id)
        });
        hashes.extend(hashed.collect::<Vec<_>>());
        Ok(())
    })?;
    hashes.par_sort_unstable();
    let alike = hashes.chunk_by(|one, other| one.0 == other.0).filter(|group| group.len() > 1);
    Ok(alike.flatten().map(|(_, id)| *id).collect())
}
