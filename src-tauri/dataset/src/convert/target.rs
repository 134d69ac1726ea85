//! The forms that records are written in.

use std::io::Write;

use serde_json::{Map, Value};

use crate::formats::{Loss, LossKind, Mapping, Schema};
use crate::record::{Record, Role};

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

impl Target {
    /// The form that is called so: `csv`, `tsv`, `examples`, or a schema of JSON Lines.
    pub fn from_id(id: &str) -> Option<Target> {
        match id {
            "csv" => Some(Target::Csv { delimiter: b',' }),
            "tsv" => Some(Target::Csv { delimiter: b'\t' }),
            "examples" => Some(Target::Examples),
            _ => Schema::from_id(id).map(Target::Jsonl),
        }
    }

    /// What a file in this form is called behind the dot.
    pub fn extension(&self) -> &'static str {
        match self {
            Self::Jsonl(_) => "jsonl",
            Self::JsonList(_) | Self::Examples => "json",
            Self::Csv { delimiter: b'\t' } => "tsv",
            Self::Csv { .. } => "csv",
        }
    }
}

/// The file that is being written.
pub(super) struct Writer {
    target: Target,
    /// The schema that the records are brought into before they are written.
    pub schema: Schema,
    /// Nothing was written yet.
    empty: bool,
    /// The columns of a CSV file, known from its first record.
    columns: Vec<String>,
}

impl Writer {
    pub fn new(target: Target) -> Writer {
        let schema = match &target {
            Target::Jsonl(schema) | Target::JsonList(schema) => schema.clone(),
            Target::Examples | Target::Csv { .. } => Schema::Fields(Mapping {
                prompt: if target == Target::Examples { "input" } else { "prompt" }.to_owned(),
                completion: if target == Target::Examples { "output" } else { "completion" }.to_owned(),
                system: Some("system".to_owned()),
            }),
        };
        Writer { target, schema, empty: true, columns: Vec::new() }
    }

    /// Writes a record that was brought into the schema; the inner error says why it has no place.
    pub fn write(
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
        match &self.target {
            Target::Jsonl(_) => {
                out.write_all(&line)?;
                out.write_all(b"\n")?;
            }
            Target::JsonList(_) | Target::Examples => {
                let opening: &[u8] = if self.target == Target::Examples { b"{\"examples\": [\n" } else { b"[\n" };
                out.write_all(if first { opening } else { b",\n" })?;
                out.write_all(&line)?;
            }
            Target::Csv { delimiter } => {
                let delimiter = *delimiter;
                self.row(record, first, delimiter, losses, out)?;
            }
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

    pub fn end(&self, out: &mut dyn Write) -> std::io::Result<()> {
        match (&self.target, self.empty) {
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
