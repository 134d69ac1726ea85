//! From one form of file to another, with a report of what does not carry over.

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use serde_json::{Map, Value};

use crate::error::{ReadError, ReadProblem};
use crate::formats::{Item, Loss, LossKind, PROBLEM_CAP, ReadOptions, RecordReader, Schema, read_items};
use crate::record::{Record, Role};
use crate::template::{Compiled, Template};
use crate::write::SystemHandling;

/// What to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// JSON Lines of a schema.
    Jsonl(Schema),
    /// One JSON document: a list of objects of a schema.
    JsonList(Schema),
    /// `{"examples": [{"input", "output"}]}`
    Examples,
    /// Columns `prompt`, `completion`, `system` where a record has one, and the fields that the first
    /// record has.
    Csv { delimiter: u8 },
}

/// How to write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConvertOptions {
    pub read: ReadOptions,
    /// What becomes of a system text in a form that has no place for one.
    pub system: SystemHandling,
    /// Put the texts of each record through this before they are written. Its holes are `system`,
    /// `prompt`, `completion` and the fields that the record has beside them.
    pub template: Option<Template>,
}

impl Default for ConvertOptions {
    fn default() -> ConvertOptions {
        ConvertOptions { read: ReadOptions::default(), system: SystemHandling::PutBeforePrompt, template: None }
    }
}

/// What came of a conversion.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conversion {
    /// Records that were written.
    pub records: u64,
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
    options: &ConvertOptions,
    target: &Target,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<Conversion, ConvertError> {
    if let Target::Jsonl(Schema::InvocationLog) | Target::JsonList(Schema::InvocationLog) = target {
        return Err(ConvertError::Target("an invocation log", "nobody but Bedrock writes these"));
    }
    let mut reader = RecordReader::open(from, &options.read)?;
    // A line that is in its form already is written as it is.
    let as_it_is = options.template.is_none() && *target == Target::Jsonl(reader.line_schema());
    let mut work = Work { options, template: None, writer: Writer::new(target), counts: BTreeMap::new(), seen: 0 };
    let mut conversion = Conversion::default();
    read_items(&mut reader, progress, &mut |reader, item| -> Result<(), ConvertError> {
        match item {
            Item::Problem(problem) => {
                conversion.problem_count += 1;
                if conversion.problems.len() < PROBLEM_CAP {
                    conversion.problems.push(problem);
                }
            }
            Item::Record(sourced) => {
                work.seen += 1;
                let line = as_it_is.then(|| reader.line(&sourced.record));
                let own = line.filter(|line| reader.line_schema().parse(line).is_ok());
                let written = match own {
                    Some(line) => {
                        out.write_all(&line)?;
                        out.write_all(b"\n")?;
                        true
                    }
                    None => work.write(&sourced.record, sourced.line, out)?,
                };
                conversion.records += u64::from(written);
                conversion.left_out += u64::from(!written);
            }
        }
        Ok(())
    })?;
    work.writer.end(out)?;
    out.flush()?;
    conversion.losses = work.counts.into_values().collect();
    conversion.losses.sort_by_key(|loss| std::cmp::Reverse(loss.count));
    conversion.notes = reader.notes();
    Ok(conversion)
}

struct Work<'a> {
    options: &'a ConvertOptions,
    /// Made for the fields of the first record.
    template: Option<Compiled>,
    writer: Writer<'a>,
    counts: BTreeMap<LossKind, LossCount>,
    seen: u64,
}

impl Work<'_> {
    /// Writes one record, unless it has no place, and counts what it loses.
    fn write(&mut self, record: &Record, line: Option<u64>, out: &mut dyn Write) -> Result<bool, ConvertError> {
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
        for loss in losses {
            let first = (self.seen, line);
            let count = self.counts.entry(loss.kind).or_insert_with(|| LossCount {
                kind: loss.kind,
                count: 0,
                left_out: 0,
                first_record: first.0,
                first_line: first.1,
                detail: loss.detail,
            });
            count.count += 1;
            count.left_out += u64::from(!written);
        }
        Ok(written)
    }
}

/// The file that is being written.
struct Writer<'a> {
    target: &'a Target,
    /// The schema that the records are brought into before they are written.
    schema: Schema,
    /// Nothing was written yet.
    empty: bool,
    /// The columns of a CSV file, known from its first record.
    columns: Vec<String>,
}

impl<'a> Writer<'a> {
    fn new(target: &'a Target) -> Writer<'a> {
        let schema = match target {
            Target::Jsonl(schema) | Target::JsonList(schema) => schema.clone(),
            Target::Examples | Target::Csv { .. } => Schema::Fields(crate::formats::Mapping {
                prompt: if *target == Target::Examples { "input" } else { "prompt" }.to_owned(),
                completion: if *target == Target::Examples { "output" } else { "completion" }.to_owned(),
                system: Some("system".to_owned()),
            }),
        };
        Writer { target, schema, empty: true, columns: Vec::new() }
    }

    /// Writes a record that was brought into the schema; the inner error says why it has no place.
    fn write(
        &mut self,
        record: &Record,
        losses: &mut Vec<Loss>,
        out: &mut dyn Write,
    ) -> std::io::Result<Result<(), Loss>> {
        let line = match self.schema.render(record) {
            Ok(line) => line,
            Err(loss) => return Ok(Err(loss)),
        };
        let first = std::mem::take(&mut self.empty);
        match self.target {
            Target::Jsonl(_) => {
                out.write_all(&line)?;
                out.write_all(b"\n")?;
            }
            Target::JsonList(_) | Target::Examples => {
                let opening: &[u8] = if *self.target == Target::Examples { b"{\"examples\": [\n" } else { b"[\n" };
                out.write_all(if first { opening } else { b",\n" })?;
                out.write_all(&line)?;
            }
            Target::Csv { delimiter } => self.row(record, first, *delimiter, losses, out)?,
        }
        Ok(Ok(()))
    }

    fn row(
        &mut self,
        record: &Record,
        first: bool,
        delimiter: u8,
        losses: &mut Vec<Loss>,
        out: &mut dyn Write,
    ) -> std::io::Result<()> {
        let mut values = Map::new();
        values.insert("prompt".to_owned(), record.prompt().into());
        values.insert("completion".to_owned(), record.completion().into());
        let system = record.turns.first().filter(|turn| turn.role == Role::System);
        values.insert("system".to_owned(), system.map(|turn| turn.text()).unwrap_or_default().into());
        for (name, value) in &record.extra {
            values.entry(name.clone()).or_insert_with(|| value.clone());
        }
        if first {
            self.columns = values.keys().cloned().collect();
            let names: Vec<String> =
                self.columns.iter().map(|name| cell(&Value::String(name.clone()), delimiter)).collect();
            write_row(&names, delimiter, out)?;
        }
        let lost: Vec<&str> = values.keys().filter(|name| !self.columns.contains(name)).map(String::as_str).collect();
        if !lost.is_empty() && losses.iter().all(|loss| loss.kind != LossKind::Fields) {
            let detail = format!("The first record has no column for {}.", lost.join(", "));
            losses.push(Loss::new(LossKind::Fields, detail));
        }
        let cells: Vec<String> =
            self.columns.iter().map(|name| cell(values.get(name).unwrap_or(&Value::Null), delimiter)).collect();
        write_row(&cells, delimiter, out)
    }

    fn end(&self, out: &mut dyn Write) -> std::io::Result<()> {
        match (self.target, self.empty) {
            (Target::JsonList(_), true) => out.write_all(b"[]\n"),
            (Target::JsonList(_), false) => out.write_all(b"\n]\n"),
            (Target::Examples, true) => out.write_all(b"{\"examples\": []}\n"),
            (Target::Examples, false) => out.write_all(b"\n]}\n"),
            _ => Ok(()),
        }
    }
}

fn write_row(cells: &[String], delimiter: u8, out: &mut dyn Write) -> std::io::Result<()> {
    let delimiter = char::from(delimiter).to_string();
    out.write_all(cells.join(&delimiter).as_bytes())?;
    out.write_all(b"\r\n")
}

/// A value as a field: in quotes where it would otherwise be taken for more than one, or for none.
fn cell(value: &Value, delimiter: u8) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let needs_quotes = text.bytes().any(|byte| byte == delimiter || matches!(byte, b'"' | b'\r' | b'\n'));
    let has_edge = text.starts_with([' ', '\'']) || text.ends_with(' ');
    if needs_quotes || has_edge { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests;
