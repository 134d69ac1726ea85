//! A line and what becomes of its record: what is patched into it is read back exactly, or refused.
//!
//! The input is a line, a line break, and the line of the record that takes its place.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whetstone_dataset::{Block, Record, Schema};

fuzz_target!(|data: &[u8]| {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else { return };
    let (line, other) = (&data[..end], &data[end + 1..]);
    let Some(schema) = Schema::of_line(line) else { return };
    let Ok(record) = schema.parse(line) else { return };
    let others = Schema::ALL.into_iter().filter_map(|schema| schema.parse(other).ok());
    for changed in others.flat_map(|other| mixtures(&record, other)).chain([longer(&record)]) {
        if let Ok(patched) = schema.patch(line, &changed) {
            assert_eq!(schema.parse(&patched).as_ref(), Ok(&changed));
            assert_eq!(schema.patch(&patched, &changed), Ok(patched));
        }
    }
});

/// The turns of one and the fields of the other, and turns of both in turn.
fn mixtures(record: &Record, other: Record) -> [Record; 4] {
    let turns = Record { turns: other.turns.clone(), extra: record.extra.clone() };
    let fields = Record { turns: record.turns.clone(), extra: other.extra.clone() };
    let mut mixed = record.clone();
    for (at, turn) in other.turns.iter().enumerate() {
        mixed.turns.insert((at * 2 + 1).min(mixed.turns.len()), turn.clone());
    }
    [turns, fields, mixed, other]
}

fn longer(record: &Record) -> Record {
    let mut longer = record.clone();
    for block in longer.turns.iter_mut().flat_map(|turn| &mut turn.content) {
        if let Block::Text(text) = block {
            text.push('"');
        }
    }
    longer
}
