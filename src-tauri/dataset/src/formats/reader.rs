//! Reading a file's records one at a time, and the place of each problem.

use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value};

use super::csv::{self, Dialect, Fields, Scanned};
use super::list::{self, Element, one_line};
use super::notes::Notes;
use super::outline::outline;
use super::sniff::sniff_with;
use super::tables::{Cells, Rows, TableRow};
use super::unpack::{Fingerprint, unpack};
use super::{Format, MAX_RECORD_BYTES, Mapping, PROBLEM_CAP, ReadOptions, Schema, ShapeError, ShapeKind, Table};
use crate::error::{ReadError, ReadProblem};
use crate::input::{Input, LineRead, excerpt};
use crate::record::{Record, SourcedRecord};
use crate::template::Compiled;

/// Progress is told once in so many records.
pub(super) const PROGRESS_EVERY: u64 = 256;

/// What the next piece of a file turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    Record(SourcedRecord),
    /// A piece that cannot be read. What follows it can.
    Problem(ReadProblem),
}

/// All records of a file, and what could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadOutcome {
    pub records: Vec<SourcedRecord>,
    /// The first [`PROBLEM_CAP`] problems.
    pub problems: Vec<ReadProblem>,
    /// How many there are in all.
    pub problem_count: u64,
    pub notes: Vec<String>,
}

/// Reads a whole file. `progress` is told the bytes done and their total, and may break off.
///
/// Problems do not end the reading: the outcome holds every record that can be read, and the caller
/// decides whether to go on without the rest.
pub fn read(
    path: &Path,
    options: &ReadOptions,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<ReadOutcome, ReadError> {
    let mut reader = RecordReader::open(path, options)?;
    let mut outcome = ReadOutcome::default();
    read_items(&mut reader, progress, &mut |_, item| {
        match item {
            Item::Record(record) => outcome.records.push(record),
            Item::Problem(problem) => {
                outcome.problem_count += 1;
                if outcome.problems.len() < PROBLEM_CAP {
                    outcome.problems.push(problem);
                }
            }
        }
        Ok::<(), ReadError>(())
    })?;
    outcome.notes = reader.notes();
    if outcome.records.is_empty() && outcome.problem_count == 0 {
        return Err(ReadError::NoRecords);
    }
    Ok(outcome)
}

/// Takes every item of a reader, telling how far it is.
pub(crate) fn read_items<E: From<ReadError>>(
    reader: &mut RecordReader,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
    take: &mut dyn FnMut(&RecordReader, Item) -> Result<(), E>,
) -> Result<(), E> {
    let mut pieces = 0_u64;
    loop {
        if pieces.is_multiple_of(PROGRESS_EVERY) && progress(reader.bytes_done(), reader.total_bytes()).is_break() {
            return Err(ReadError::Cancelled.into());
        }
        pieces += 1;
        match reader.next_item()? {
            Some(item) => take(reader, item)?,
            None => break,
        }
    }
    // The end is told whatever the count, so that a bar that shows it is full.
    match progress(reader.total_bytes(), reader.total_bytes()) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(ReadError::Cancelled.into()),
    }
}

/// An open file from which records are taken one at a time; memory does not grow with the file.
pub struct RecordReader {
    path: PathBuf,
    opened: Fingerprint,
    /// Bytes taken from a file of text.
    taken: Arc<AtomicU64>,
    body: Body,
    shape: Shape,
    /// The text of the piece that was read last, where the file is JSON.
    buffer: Vec<u8>,
    /// The object of the piece that was read last, where the file is a table.
    row: Map<String, Value>,
    notes: Notes,
    done: bool,
}

impl std::fmt::Debug for RecordReader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RecordReader").field("path", &self.path).finish_non_exhaustive()
    }
}

type Text = Input<Box<dyn Read + Send>>;

enum Body {
    Csv { input: Text, dialect: Dialect, columns: Vec<String>, fields: Fields },
    Lines(Text),
    List(Text),
    Rows { rows: Rows, columns: Vec<String> },
}

/// How an object becomes a record.
enum Shape {
    Schema(Schema),
    Template(Compiled),
}

impl Shape {
    fn of(table: &Table, options: &ReadOptions) -> Result<Shape, ReadError> {
        if let Some(template) = &options.template {
            return Ok(Shape::Template(template.compile(&table.columns)?));
        }
        if let Some(schema) = &table.schema {
            return Ok(Shape::Schema(schema.clone()));
        }
        let mapping = options.mapping.clone().or_else(|| Mapping::suggest(&table.columns));
        let Some(mapping) = mapping else {
            return Err(ReadError::NeedsMapping { columns: table.columns.clone() });
        };
        let missing: Vec<String> = mapping.names().filter(|name| !table.columns.contains(name)).cloned().collect();
        if !missing.is_empty() {
            return Err(ReadError::MissingColumns { missing, columns: table.columns.clone() });
        }
        Ok(Shape::Schema(Schema::Fields(mapping)))
    }

    fn record(&self, object: &Map<String, Value>) -> Result<Record, ShapeError> {
        match self {
            Self::Schema(schema) => schema.read(object),
            Self::Template(template) => Ok(template.fill(object)),
        }
    }

    /// The columns whose empty cells mean that there is none.
    fn may_be_empty(&self, column: &str) -> bool {
        match self {
            Self::Schema(Schema::Fields(mapping)) => mapping.system.as_deref() == Some(column),
            Self::Schema(Schema::Alpaca) => column == "system",
            _ => false,
        }
    }
}

impl RecordReader {
    /// Opens a file, tells what it is and goes to its first record.
    pub fn open(path: &Path, options: &ReadOptions) -> Result<RecordReader, ReadError> {
        let io = || ReadError::io(path);
        let source = sniff_with(path, options)?;
        let unpacked = unpack(path, options.encoding)?;
        let (opened, taken) = (unpacked.fingerprint, unpacked.taken);
        let text = unpacked.reader;
        let (body, shape) = match source.format {
            Format::Csv { dialect, table } => {
                let shape = Shape::of(&table, options)?;
                let mut input = Input::new(text).map_err(io())?;
                let mut fields = Fields::default();
                for _ in 0..u8::from(dialect.says_delimiter) + u8::from(dialect.header) {
                    csv::scan_record(&mut input, dialect, &mut fields).map_err(io())?;
                }
                (Body::Csv { input, dialect, columns: table.columns, fields }, shape)
            }
            Format::Jsonl { table } => (Body::Lines(Input::new(text).map_err(io())?), Shape::of(&table, options)?),
            Format::Examples => {
                let names = ["input", "output", "system"].map(str::to_owned);
                let [prompt, completion, system] = names.clone();
                let own = Mapping { prompt, completion, system: Some(system) };
                let options = ReadOptions { mapping: options.mapping.clone().or(Some(own)), ..options.clone() };
                let table = Table { schema: None, columns: names.to_vec() };
                (Body::List(enter(text).map_err(io())?), Shape::of(&table, &options)?)
            }
            Format::JsonList { table } => (Body::List(enter(text).map_err(io())?), Shape::of(&table, options)?),
            Format::Parquet { table } => {
                let shape = Shape::of(&table, options)?;
                (Body::Rows { rows: Rows::parquet(path), columns: table.columns }, shape)
            }
            Format::Xlsx { header, table, .. } => {
                let shape = Shape::of(&table, options)?;
                let mut rows = Rows::xlsx(path, options.sheet.as_deref());
                if header {
                    rows.next_row()?;
                }
                (Body::Rows { rows, columns: table.columns }, shape)
            }
        };
        let (buffer, row, notes) = (Vec::new(), Map::new(), Notes::default());
        Ok(RecordReader { path: path.to_owned(), opened, taken, body, shape, buffer, row, notes, done: false })
    }

    /// The next record or problem; `None` at the end of a file that was not written to meanwhile.
    pub fn next_item(&mut self) -> Result<Option<Item>, ReadError> {
        if self.done {
            return Ok(None);
        }
        let (shape, notes) = (&self.shape, &mut self.notes);
        let next = match &mut self.body {
            Body::Csv { input, dialect, columns, fields } => match csv::scan_record(input, *dialect, fields) {
                Ok(Scanned::End) => Ok(None),
                Ok(Scanned::Broken(problem)) => Ok(Some(Item::Problem(problem))),
                Ok(Scanned::Record) => {
                    let line = fields.line;
                    let texts = fields.iter().map(|field| notes.decode(field, line)).collect();
                    Ok(Some(row_item(texts, columns, line, true, shape, &mut self.row)))
                }
                Err(error) => Err(ReadError::io(&self.path)(error)),
            },
            Body::Lines(input) => next_line(input, &mut self.buffer, shape, notes).map_err(ReadError::io(&self.path)),
            Body::List(input) => match list::next_element(input, &mut self.buffer) {
                Ok(Element::End) => Ok(None),
                Ok(Element::Value { line }) => Ok(Some(element_item(&mut self.buffer, line, shape, notes))),
                Ok(Element::Broken(problem)) => {
                    self.done = true;
                    Ok(Some(Item::Problem(problem)))
                }
                Err(error) => Err(ReadError::io(&self.path)(error)),
            },
            Body::Rows { rows, columns } => rows.next_row().map(|row| {
                row.map(|TableRow { number, cells }| match cells {
                    Cells::Texts(texts) => row_item(texts, columns, number, false, shape, &mut self.row),
                    Cells::Named(object) => {
                        self.row = object;
                        item(shape.record(&self.row), number, || excerpt_of(&self.row))
                    }
                })
            }),
        };
        let next = next?;
        if next.is_none() || self.done {
            self.done = true;
            self.refuse_if_changed()?;
        }
        Ok(next)
    }

    /// The schema of what [`RecordReader::line`] gives.
    pub fn line_schema(&self) -> Schema {
        match (&self.shape, &self.body) {
            (Shape::Schema(schema), Body::Lines(_)) => schema.clone(),
            (Shape::Template(_) | Shape::Schema(Schema::Fields(_)), _) => Schema::PromptCompletion,
            (Shape::Schema(schema), _) => schema.clone(),
        }
    }

    /// The record that was read last as a line of JSONL, without a line break. What was a line, or an
    /// object of a schema, keeps the bytes of its texts and numbers.
    pub fn line(&self, record: &Record) -> Vec<u8> {
        match (&self.shape, &self.body) {
            (Shape::Schema(_), Body::Lines(_)) => self.buffer.clone(),
            (Shape::Template(_) | Shape::Schema(Schema::Fields(_)), _) => pair_line(record),
            (Shape::Schema(_), Body::List(_)) => one_line(&self.buffer),
            (Shape::Schema(_), _) => Value::Object(self.row.clone()).to_string().into_bytes(),
        }
    }

    pub fn bytes_done(&self) -> u64 {
        let total = self.total_bytes();
        match &self.body {
            Body::Rows { rows, .. } => match rows.total {
                Some(rows_total) if rows_total > 0 => {
                    (u128::from(total) * u128::from(rows.taken.min(rows_total)) / u128::from(rows_total)) as u64
                }
                _ => 0,
            },
            _ => self.taken.load(Ordering::Relaxed).min(total),
        }
    }

    pub fn total_bytes(&self) -> u64 {
        self.opened.bytes
    }

    /// What is worth knowing about what was read so far, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = match &self.body {
            Body::Rows { rows, .. } => rows.notes.clone(),
            _ => Vec::new(),
        };
        notes.extend(self.notes.texts());
        notes
    }

    /// A file that grows, shrinks or is replaced during the reading would give records of two
    /// versions, so the whole reading is refused.
    fn refuse_if_changed(&self) -> Result<(), ReadError> {
        let now = std::fs::metadata(&self.path).map_err(ReadError::io(&self.path))?;
        if Fingerprint::of(&now) == self.opened { Ok(()) } else { Err(ReadError::Changed) }
    }
}

fn enter(text: Box<dyn Read + Send>) -> std::io::Result<Text> {
    let mut input = Input::new(text)?;
    list::enter_list(&mut input)?;
    Ok(input)
}

/// The line of a question and an answer, with its further columns. A column that has the name of one
/// of the two keeps its values under another.
fn pair_line(record: &Record) -> Vec<u8> {
    let mut record = record.clone();
    for name in ["prompt", "completion", "system"] {
        if let Some(value) = record.extra.shift_remove(name) {
            record.extra.insert(format!("{name} (column)"), value);
        }
    }
    let rendered = Schema::PromptCompletion.render(&record);
    rendered.unwrap_or_else(|_| serde_json::to_vec(&record).unwrap_or_default())
}

fn item(record: Result<Record, ShapeError>, line: u64, shown: impl FnOnce() -> String) -> Item {
    match record {
        Ok(record) => Item::Record(SourcedRecord { record, line: Some(line) }),
        Err(error) => Item::Problem(problem(error, line, shown())),
    }
}

fn problem(error: ShapeError, line: u64, excerpt: String) -> ReadProblem {
    ReadProblem { line, column: error.column, message: error.message, hint: error.hint, excerpt }
}

fn excerpt_of(row: &Map<String, Value>) -> String {
    excerpt(Value::Object(row.clone()).to_string().as_bytes())
}

/// A row of texts. In a spreadsheet, empty cells at the end of a row are not in the file.
fn row_item(
    mut texts: Vec<String>,
    columns: &[String],
    line: u64,
    exact: bool,
    shape: &Shape,
    row: &mut Map<String, Value>,
) -> Item {
    if !exact && texts.len() < columns.len() {
        texts.resize(columns.len(), String::new());
    }
    if texts.len() != columns.len() {
        return Item::Problem(ReadProblem {
            line,
            column: None,
            message: format!(
                "This row has {} {} where the first row {} {} columns.",
                texts.len(),
                if texts.len() == 1 { "field" } else { "fields" },
                if exact { "names" } else { "has" },
                columns.len()
            ),
            hint: "Put a field that holds the delimiter or a line break in double quotes.".to_owned(),
            excerpt: excerpt(texts.join(" ").as_bytes()),
        });
    }
    row.clear();
    for (column, text) in columns.iter().zip(texts) {
        row.insert(column.clone(), cell(column, text, shape));
    }
    item(shape.record(row), line, || excerpt_of(row))
}

fn cell(column: &str, text: String, shape: &Shape) -> Value {
    if text.is_empty() && shape.may_be_empty(column) {
        return Value::Null;
    }
    // A table that holds conversations holds them as JSON.
    if matches!(shape, Shape::Schema(Schema::ShareGpt)) && column == "conversations" {
        return serde_json::from_str(&text).unwrap_or(Value::String(text));
    }
    Value::String(text)
}

fn next_line(
    input: &mut Text,
    buffer: &mut Vec<u8>,
    shape: &Shape,
    notes: &mut Notes,
) -> std::io::Result<Option<Item>> {
    loop {
        let line = input.line;
        match input.read_line(buffer, MAX_RECORD_BYTES)? {
            LineRead::End => return Ok(None),
            LineRead::TooLong => {
                return Ok(Some(Item::Problem(ReadProblem {
                    line,
                    column: None,
                    message: format!("This line is longer than {} MB.", MAX_RECORD_BYTES / 1_000_000),
                    hint: "Check that the line breaks between the records were not lost.".to_owned(),
                    excerpt: excerpt(buffer),
                })));
            }
            // A line with nothing on it holds nothing that could be lost.
            LineRead::Line if buffer.iter().all(u8::is_ascii_whitespace) => {}
            LineRead::Line => {
                let record = line_record(buffer, shape, line, notes);
                return Ok(Some(item(record, line, || excerpt(buffer))));
            }
        }
    }
}

/// The record on a line, also where that line is of another schema than the others.
fn line_record(text: &[u8], shape: &Shape, line: u64, notes: &mut Notes) -> Result<Record, ShapeError> {
    let schema = match shape {
        Shape::Schema(schema) => schema,
        Shape::Template(template) => {
            return super::schema::object(text).map(|object| template.fill(&object));
        }
    };
    let error = match schema.parse(text) {
        Ok(record) => return Ok(record),
        Err(error) => error,
    };
    let other = match error.kind {
        ShapeKind::Shape => Schema::of_line(text).filter(|other| !matches!(other, Schema::Fields(_))),
        _ => None,
    };
    match other.and_then(|other| Some((other.parse(text).ok()?, other))) {
        Some((record, other)) => {
            notes.other_schema(line, other);
            Ok(record)
        }
        None => Err(error),
    }
}

fn element_item(text: &mut Vec<u8>, line: u64, shape: &Shape, notes: &mut Notes) -> Item {
    if std::str::from_utf8(text).is_err() {
        *text = notes.decode(text, line).into_bytes();
    }
    let record = match serde_json::from_slice::<Value>(text) {
        Ok(Value::Object(object)) => shape.record(&object),
        Ok(_) => super::schema::object(text).and_then(|object| shape.record(&object)),
        Err(_) => {
            let (line, column, message) = fault_in(text, line);
            let hint = "Mend the JSON here.".to_owned();
            return Item::Problem(ReadProblem { line, column, message, hint, excerpt: excerpt(text) });
        }
    };
    item(record, line, || excerpt(text))
}

/// Where in the file the fault of an element lies: its column is known only below its first line.
fn fault_in(text: &[u8], line: u64) -> (u64, Option<u64>, String) {
    let Err(fault) = outline(text) else {
        return (line, None, "This record is not valid JSON.".to_owned());
    };
    let before = &text[..fault.at.min(text.len())];
    let breaks = before.iter().filter(|byte| **byte == b'\n').count() as u64;
    let column = before.iter().rposition(|byte| *byte == b'\n').map(|last| (fault.at - last) as u64);
    (line + breaks, column, fault.message)
}
