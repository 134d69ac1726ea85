//! Any file as lines of JSONL: what a dataset is kept in that could not be opened where it is.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use super::reader::read_items;
use super::{Item, PROBLEM_CAP, ReadOptions, RecordReader, Schema};
use crate::error::{ReadError, ReadProblem};

/// What came of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// What the lines follow.
    pub schema: Schema,
    pub records: u64,
    /// The first [`PROBLEM_CAP`] problems.
    pub problems: Vec<ReadProblem>,
    /// How many there are in all. What could not be read has no line.
    pub problem_count: u64,
    pub notes: Vec<String>,
}

/// Writes a line for each record of a file. Lines, and objects of a schema, keep the bytes of their
/// texts and numbers; columns become prompt and completion, with the further columns beside them.
pub fn import_jsonl(
    path: &Path,
    options: &ReadOptions,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<Imported, ReadError> {
    let mut reader = RecordReader::open(path, options)?;
    let mut imported = Imported {
        schema: reader.line_schema(),
        records: 0,
        problems: Vec::new(),
        problem_count: 0,
        notes: Vec::new(),
    };
    read_items(&mut reader, progress, &mut |reader, item| {
        match item {
            Item::Record(record) => {
                let mut line = reader.line(&record.record);
                line.push(b'\n');
                out.write_all(&line).map_err(ReadError::Written)?;
                imported.records += 1;
            }
            Item::Problem(problem) => {
                imported.problem_count += 1;
                if imported.problems.len() < PROBLEM_CAP {
                    imported.problems.push(problem);
                }
            }
        }
        Ok::<(), ReadError>(())
    })?;
    out.flush().map_err(ReadError::Written)?;
    imported.notes = reader.notes();
    if imported.records == 0 && imported.problem_count == 0 {
        return Err(ReadError::NoRecords);
    }
    Ok(imported)
}
