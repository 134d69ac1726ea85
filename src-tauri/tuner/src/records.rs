//! Records ready to be trained on, and how a step's records are shared among threads.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use crate::network::Rows;
use crate::tokenizer::{LaidOut, TurnTokenizer};
use crate::{Objective, TunerError, Turn};

/// Rows a thread works on at a time where a run says nothing else; longer records go alone. It bounds the memory of a
/// step with many long records.
pub(crate) const ROWS_AT_ONCE: usize = 4096;

/// Tokenised records.
#[derive(Debug, Default)]
pub(crate) struct Records {
    pub all: Vec<LaidOut>,
    /// Records whose beginning was dropped to fit the context.
    pub shortened: u64,
}

#[derive(Deserialize)]
struct Line {
    turns: Vec<Turn>,
}

impl Records {
    /// Reads JSONL, one `{"turns": …}` a line, leaving empty lines out.
    pub fn read(
        path: &Path,
        tokenizer: &TurnTokenizer,
        objective: Objective,
        context: usize,
    ) -> Result<Records, TunerError> {
        let file = File::open(path).map_err(TunerError::file("could not read", path))?;
        let mut records = Records::default();
        for (index, line) in BufReader::new(file).lines().enumerate() {
            let line = line.map_err(TunerError::file("could not read", path))?;
            if line.trim().is_empty() {
                continue;
            }
            let place = || format!("{}, line {}", path.display(), index + 1);
            let record: Line =
                serde_json::from_str(&line).map_err(|error| TunerError::Data(format!("{}: {error}", place())))?;
            let everything = objective == Objective::AllTokens;
            let laid_out = tokenizer.lay_out(&record.turns, everything)?;
            if !records.push(laid_out, context) {
                let why = "there is nothing for the model to learn";
                return Err(TunerError::Data(format!("{}: {why}", place())));
            }
        }
        Ok(records)
    }

    /// Adds a record, keeping the end of one that is too long. Says no to one without a target.
    pub fn push(&mut self, mut record: LaidOut, context: usize) -> bool {
        let excess = record.tokens.len().saturating_sub(context);
        record.tokens.drain(..excess);
        record.learned.drain(..excess);
        // The first token has nothing before it that could predict it.
        if !record.learned.iter().skip(1).any(|learned| *learned) {
            return false;
        }
        self.shortened += u64::from(excess > 0);
        self.all.push(record);
        true
    }

    /// Tokens of all records.
    pub fn tokens(&self) -> u64 {
        self.all.iter().map(|record| record.tokens.len() as u64).sum()
    }
}

/// The order in which an epoch takes the records: a function of the seed and the epoch alone, so
/// that a resumed run needs no generator's state.
pub(crate) fn epoch_order(count: usize, seed: u64, epoch: u32) -> Vec<u32> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(u64::from(epoch) + 1);
    let mut order: Vec<u32> = (0..count as u32).collect();
    order.shuffle(&mut random);
    order
}

/// The records, by their place in the file, that the first step of a training takes.
pub fn first_records(count: u64, batch_size: u64, seed: u64) -> Vec<u64> {
    let order = epoch_order(usize::try_from(count).unwrap_or(usize::MAX), seed, 0);
    order.into_iter().take(usize::try_from(batch_size).unwrap_or(usize::MAX)).map(u64::from).collect()
}

/// Shares records among `threads`, the longest first to whoever has least, each share in portions
/// of at most `at_once` rows or one record. No share is empty.
pub(crate) fn share_out(records: &[&LaidOut], threads: usize, at_once: usize) -> Vec<Vec<Rows>> {
    let threads = threads.clamp(1, records.len().max(1));
    let mut order: Vec<&LaidOut> = records.to_vec();
    order.sort_by_key(|record| std::cmp::Reverse(record.tokens.len()));
    let mut shares: Vec<(usize, Vec<Rows>)> = vec![(0, Vec::new()); threads];
    for record in order {
        let Some(lightest) = shares.iter_mut().min_by_key(|(load, _)| *load) else {
            continue;
        };
        let length = record.tokens.len();
        lightest.0 += length;
        let portion = lightest.1.pop_if(|last| last.tokens.len() + length <= at_once).unwrap_or_default();
        lightest.1.push(portion.with(record));
    }
    shares.into_iter().map(|(_, portions)| portions).collect()
}

impl Rows {
    fn with(mut self, record: &LaidOut) -> Rows {
        let start = self.tokens.len();
        self.tokens.extend(&record.tokens);
        self.sequences.push(start..self.tokens.len());
        let learned = record.learned.iter().enumerate().skip(1);
        self.targets.extend(
            learned.filter(|(_, learned)| **learned).map(|(index, _)| (start + index - 1, record.tokens[index])),
        );
        self
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step is a failed test")]
mod tests {
    use super::*;

    fn record(length: usize) -> LaidOut {
        LaidOut {
            tokens: (0..length as u32).collect(),
            learned: (0..length).map(|index| index + 2 >= length).collect(),
        }
    }

    #[test]
    fn each_record_is_shared_out_once_with_its_targets() {
        let records: Vec<LaidOut> = [5, 9, 3000, 2, 2000, 7].map(record).to_vec();
        let shares = share_out(&records.iter().collect::<Vec<_>>(), 2, ROWS_AT_ONCE);
        assert_eq!(shares.len(), 2);
        let mut lengths: Vec<usize> = Vec::new();
        for rows in shares.iter().flatten() {
            assert!(rows.tokens.len() <= ROWS_AT_ONCE);
            for sequence in &rows.sequences {
                lengths.push(sequence.len());
                let targets = rows.targets.iter().filter(|(row, _)| sequence.contains(row));
                for (row, token) in targets {
                    assert_eq!(rows.tokens[row + 1], *token);
                    assert!(row + 1 < sequence.end);
                }
            }
        }
        lengths.sort_unstable();
        assert_eq!(lengths, [2, 5, 7, 9, 2000, 3000]);
        let targets: usize = shares.iter().flatten().map(|rows| rows.targets.len()).sum();
        assert_eq!(targets, 2 * 5 + 1);
    }

    #[test]
    fn an_epochs_order_holds_every_record_and_differs_from_the_next() {
        let (first, second) = (epoch_order(100, 7, 0), epoch_order(100, 7, 1));
        assert_ne!(first, second);
        assert_eq!(first, epoch_order(100, 7, 0));
        let mut sorted = first;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<u32>>());
    }

    #[test]
    fn a_record_that_is_too_long_keeps_its_end_and_is_counted() {
        let mut records = Records::default();
        assert!(records.push(record(10), 4));
        assert_eq!(records.all[0].tokens, [6, 7, 8, 9]);
        assert_eq!(records.shortened, 1);
    }

    #[test]
    fn a_broken_line_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data.jsonl");
        let good = r#"{"turns":[{"role":"user","text":"a"},{"role":"assistant","text":"b"}]}"#;
        let tokenizer = TurnTokenizer::learn(["a b"].into_iter(), 300).unwrap();
        for bad in ["{", r#"{"turns":[{"role":"user","text":"a"}]}"#] {
            std::fs::write(&path, format!("{good}\n\n{bad}\n")).unwrap();
            let error = Records::read(&path, &tokenizer, Objective::Completion, 64).unwrap_err();
            assert!(error.to_string().contains("line 3"), "{error}");
        }
    }
}
