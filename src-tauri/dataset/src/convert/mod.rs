//! From one form of file to another, with a report of what does not carry over.

//!
//! A [`Converter`] writes records, wherever they come from; [`convert`] gives it those of a file.

mod pack;
mod target;

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use crate::error::{ReadError, ReadProblem};
use crate::formats::{Item, Loss, LossKind, PROBLEM_CAP, ReadOptions, RecordReader, Schema, read_items};
use crate::record::Record;
use crate::template::{Compiled, Template};
use crate::write::SystemHandling;

pub use pack::Packed;
pub use target::Target;
use target::Writer;

/// How to bring records into the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConvertOptions {
    /// What becomes of a system text in a form that has no place for one.
    pub system: SystemHandling,
    /// Put the texts of each record through this before they are written. Its holes are `system`,
    /// `prompt`, `completion` and the fields that the record has beside them.
    pub template: Option<Template>,
}

impl Default for ConvertOptions {
    fn default() -> ConvertOptions {
        ConvertOptions { system: SystemHandling::PutBeforePrompt, template: None }
    }
}

/// What came of a conversion.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conversion {
    /// Records that were written.
    pub records: u64,
    /// Those among them that lost nothing.
    pub whole: u64,
    /// Records that have no place in the new form at all.
    pub left_out: u64,
    /// What did not carry over, the most frequent first.
    pub losses: Vec<LossCount>,
    /// What could not be read; the first [`PROBLEM_CAP`] with their text.
    pub problems: Vec<ReadProblem>,
    pub problem_count: u64,
    pub notes: Vec<String>,
}

/// One kind of thing that did not carry over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LossCount {
    pub kind: LossKind,
    /// Records that it concerns.
    pub count: u64,
    /// How many of them could therefore not be written.
    pub left_out: u64,
    /// The first of them, from 1, and the line on which it begins.
    pub first_record: u64,
    pub first_line: Option<u64>,
    /// A sentence about that one.
    pub detail: String,
}

#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("the file could not be written: {0}")]
    Write(#[from] std::io::Error),
    #[error("{0} cannot be written: {1}")]
    Target(&'static str, &'static str),
}

/// Writes a file in another form. Records that have no place in it are left out and counted.
pub fn convert(
    from: &Path,
    read: &ReadOptions,
    options: ConvertOptions,
    target: Target,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<Conversion, ConvertError> {
    may_be_written(&target)?;
    let mut reader = RecordReader::open(from, read)?;
    let mut converter = Converter::new(target, &reader.line_schema(), options)?;
    read_items(&mut reader, progress, &mut |reader, item| {
        match item {
            Item::Problem(problem) => converter.unreadable(problem),
            Item::Record(sourced) => {
                let line = converter.keeps_lines().then(|| reader.line(&sourced.record));
                converter.write(&sourced.record, line.as_deref(), sourced.line, out)?;
            }
        }
        Ok::<(), ConvertError>(())
    })?;
    let conversion = converter.end(out)?;
    Ok(Conversion { notes: reader.notes(), ..conversion })
}

fn may_be_written(target: &Target) -> Result<(), ConvertError> {
    match target {
        Target::Jsonl(Schema::InvocationLog) | Target::JsonList(Schema::InvocationLog) => {
            Err(ConvertError::Target("an invocation log", "nobody but Bedrock writes these"))
        }
        _ => Ok(()),
    }
}

/// Writes records in another form, one after the other, and counts what they lose.
pub struct Converter {
    options: ConvertOptions,
    /// Made for the fields of the first record.
    template: Option<Compiled>,
    writer: Writer,
    /// The schema whose lines are in the form already.
    own: Option<Schema>,
    counts: BTreeMap<LossKind, LossCount>,
    seen: u64,
    conversion: Conversion,
}

impl Converter {
    /// For records whose lines, where they have some, are of the schema `lines`.
    pub fn new(target: Target, lines: &Schema, options: ConvertOptions) -> Result<Converter, ConvertError> {
        may_be_written(&target)?;
        let same = options.template.is_none() && target == Target::Jsonl(lines.clone());
        Ok(Converter {
            options,
            template: None,
            writer: Writer::new(target),
            own: same.then(|| lines.clone()),
            counts: BTreeMap::new(),
            seen: 0,
            conversion: Conversion::default(),
        })
    }

    /// Whether a record is written as the line that it stands in, byte for byte.
    pub fn keeps_lines(&self) -> bool {
        self.own.is_some()
    }

    /// Records that were written so far.
    pub fn written(&self) -> u64 {
        self.conversion.records
    }

    /// Writes one record, which may stand in a line and has a number among the lines, and says whether it had a place.
    pub fn write(
        &mut self,
        record: &Record,
        line: Option<&[u8]>,
        number: Option<u64>,
        out: &mut dyn Write,
    ) -> Result<bool, ConvertError> {
        self.seen += 1;
        // A line of another schema among the others is brought into the form like any.
        let own = self.own.as_ref().zip(line).filter(|(own, line)| own.parse(line).is_ok());
        if let Some((_, line)) = own {
            out.write_all(line)?;
            out.write_all(b"\n")?;
            self.conversion.records += 1;
            self.conversion.whole += 1;
            return Ok(true);
        }
        let refilled = match &self.options.template {
            None => None,
            Some(template) => {
                if self.template.is_none() {
                    let fields: Vec<String> = record.extra.keys().cloned().collect();
                    self.template = Some(template.compile_for_records(&fields).map_err(ReadError::from)?);
                }
                self.template.as_ref().map(|template| template.refill(record))
            }
        };
        let record = refilled.as_ref().unwrap_or(record);
        let fitted = self.writer.schema.fit(record, self.options.system);
        let mut losses = fitted.losses;
        let written = match fitted.record {
            None => false,
            Some(fitted) => match self.writer.write(&fitted, &mut losses, out)? {
                Ok(()) => true,
                Err(loss) => {
                    losses.push(loss);
                    false
                }
            },
        };
        self.conversion.whole += u64::from(written && losses.is_empty());
        self.count(losses, number, written);
        Ok(written)
    }

    /// Passes over a line that holds no record.
    pub fn leave_out(&mut self, detail: &str, number: Option<u64>) {
        self.seen += 1;
        self.count(vec![Loss::new(LossKind::Structure, detail)], number, false);
    }

    fn unreadable(&mut self, problem: ReadProblem) {
        self.conversion.problem_count += 1;
        if self.conversion.problems.len() < PROBLEM_CAP {
            self.conversion.problems.push(problem);
        }
    }

    fn count(&mut self, losses: Vec<Loss>, number: Option<u64>, written: bool) {
        self.conversion.records += u64::from(written);
        self.conversion.left_out += u64::from(!written);
        let mut told = Vec::new();
        for loss in losses {
            let count = self.counts.entry(loss.kind).or_insert_with(|| LossCount {
                kind: loss.kind,
                count: 0,
                left_out: 0,
                first_record: self.seen,
                first_line: number,
                detail: loss.detail,
            });
            // A record that loses two fields is one record that loses fields.
            if !told.contains(&loss.kind) {
                told.push(loss.kind);
                count.count += 1;
                count.left_out += u64::from(!written);
            }
        }
    }

    /// Writes the end of the file and says what came of it, the most frequent loss first.
    pub fn end(mut self, out: &mut dyn Write) -> Result<Conversion, ConvertError> {
        self.writer.end(out)?;
        out.flush()?;
        self.conversion.losses = self.counts.into_values().collect();
        self.conversion.losses.sort_by_key(|loss| std::cmp::Reverse(loss.count));
        Ok(self.conversion)
    }
}

#[cfg(test)]
mod tests;
