//! Reading a file's records one at a time, and the place of each problem.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Map, Value};

use super::csv::{self, Dialect, Fields, Places, Scanned};
use super::examples::{self, Element};
use super::jsonl::{self, JsonlSchema, ShapeError};
use super::{Format, MAX_RECORD_BYTES, Mapping, PROBLEM_CAP, sniff};
use crate::error::{ReadError, ReadProblem};
use crate::input::{Input, LineRead, excerpt};
use crate::record::{Record, SourcedRecord};

/// Progress is told once in so many records.
const PROGRESS_EVERY: u64 = 256;

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
/// decides whether to go on without the rest. A mapping is needed for a CSV file and for JSON objects
/// of one's own shape; without one, the suggested one is taken.
pub fn read(
    path: &Path,
    mapping: Option<&Mapping>,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<ReadOutcome, ReadError> {
    let mut reader = RecordReader::open(path, mapping)?;
    let mut outcome = ReadOutcome::default();
    let mut pieces = 0_u64;
    loop {
        if pieces.is_multiple_of(PROGRESS_EVERY) && progress(reader.bytes_done(), reader.total_bytes()).is_break() {
            return Err(ReadError::Cancelled);
        }
        pieces += 1;
        match reader.next_item()? {
            Some(Item::Record(record)) => outcome.records.push(record),
            Some(Item::Problem(problem)) => {
                outcome.problem_count += 1;
                if outcome.problems.len() < PROBLEM_CAP {
                    outcome.problems.push(problem);
                }
            }
            None => break,
        }
    }
    outcome.notes = reader.notes();
    if outcome.records.is_empty() && outcome.problem_count == 0 {
        return Err(ReadError::NoRecords);
    }
    // The end is told whatever the count, so that a bar that shows it is full.
    match progress(reader.total_bytes(), reader.total_bytes()) {
        ControlFlow::Continue(()) => Ok(outcome),
        ControlFlow::Break(()) => Err(ReadError::Cancelled),
    }
}

/// An open file from which records are taken one at a time; memory does not grow with the file.
#[derive(Debug)]
pub struct RecordReader {
    path: PathBuf,
    input: Input<File>,
    opened: Fingerprint,
    body: Body,
    buffer: Vec<u8>,
    notes: Notes,
    done: bool,
}

#[derive(Debug)]
enum Body {
    Csv { dialect: Dialect, columns: Vec<String>, places: Places, fields: Fields },
    Jsonl { mapping: Option<Mapping> },
    Examples { mapping: Mapping },
}

/// What tells a file that was written to from one that was not.
#[derive(Debug, PartialEq, Eq)]
struct Fingerprint {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Fingerprint {
    fn of(metadata: &Metadata) -> Fingerprint {
        Fingerprint { bytes: metadata.len(), modified: metadata.modified().ok() }
    }
}

impl RecordReader {
    /// Opens a file, tells what it is and goes to its first record.
    pub fn open(path: &Path, mapping: Option<&Mapping>) -> Result<RecordReader, ReadError> {
        let io = || ReadError::io(path);
        let file = File::open(path).map_err(io())?;
        let opened = Fingerprint::of(&file.metadata().map_err(io())?);
        let source = sniff(path)?;
        let mapping = mapping.or(source.mapping.as_ref());
        let mut input = Input::new(file).map_err(io())?;
        let body = match source.format {
            Format::Csv { dialect, columns } => {
                let Some(mapping) = mapping else {
                    return Err(ReadError::NeedsMapping { columns });
                };
                let places = csv::places(mapping, &columns)?;
                let mut fields = Fields::default();
                csv::scan_record(&mut input, dialect, &mut fields).map_err(io())?;
                Body::Csv { dialect, columns, places, fields }
            }
            Format::Jsonl { schema: JsonlSchema::Fields(fields) } => {
                let Some(mapping) = mapping else {
                    return Err(ReadError::NeedsMapping { columns: fields });
                };
                csv::places(mapping, &fields)?;
                Body::Jsonl { mapping: Some(mapping.clone()) }
            }
            Format::Jsonl { .. } => Body::Jsonl { mapping: None },
            Format::Examples => {
                examples::enter_list(&mut input).map_err(io())?;
                Body::Examples {
                    mapping: mapping.cloned().unwrap_or_else(|| Mapping {
                        prompt: "input".to_owned(),
                        completion: "output".to_owned(),
                        system: Some("system".to_owned()),
                    }),
                }
            }
        };
        Ok(RecordReader {
            path: path.to_owned(),
            input,
            opened,
            body,
            buffer: Vec::new(),
            notes: Notes::default(),
            done: false,
        })
    }

    /// The next record or problem; `None` at the end of a file that was not written to meanwhile.
    pub fn next_item(&mut self) -> Result<Option<Item>, ReadError> {
        if self.done {
            return Ok(None);
        }
        let next = match &mut self.body {
            Body::Csv { dialect, columns, places, fields } => {
                csv::scan_record(&mut self.input, *dialect, fields).map(|scanned| match scanned {
                    Scanned::End => None,
                    Scanned::Broken(problem) => Some(Item::Problem(problem)),
                    Scanned::Record => Some(row(fields, columns, *places, &mut self.notes)),
                })
            }
            Body::Jsonl { mapping } => next_line(&mut self.input, &mut self.buffer, mapping.as_ref(), &mut self.notes),
            Body::Examples { mapping } => {
                examples::next_element(&mut self.input, &mut self.buffer).map(|element| match element {
                    Element::End => None,
                    Element::Value { line } => Some(example(&self.buffer, line, mapping, &mut self.notes)),
                    Element::Broken(problem) => {
                        self.done = true;
                        Some(Item::Problem(problem))
                    }
                })
            }
        };
        let next = next.map_err(ReadError::io(&self.path))?;
        if next.is_none() || self.done {
            self.done = true;
            self.refuse_if_changed()?;
        }
        Ok(next)
    }

    pub fn bytes_done(&self) -> u64 {
        self.input.byte.min(self.opened.bytes)
    }

    pub fn total_bytes(&self) -> u64 {
        self.opened.bytes
    }

    /// What is worth knowing about what was read so far, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        self.notes.texts()
    }

    /// A file that grows, shrinks or is replaced during the reading would give records of two
    /// versions, so the whole reading is refused.
    fn refuse_if_changed(&self) -> Result<(), ReadError> {
        let now = std::fs::metadata(&self.path).map_err(ReadError::io(&self.path))?;
        if Fingerprint::of(&now) == self.opened { Ok(()) } else { Err(ReadError::Changed) }
    }
}

fn row(fields: &Fields, columns: &[String], places: Places, notes: &mut Notes) -> Item {
    if fields.len() != columns.len() {
        return Item::Problem(ReadProblem {
            line: fields.line,
            column: None,
            message: format!(
                "This row has {} {} where the first row names {} columns.",
                fields.len(),
                if fields.len() == 1 { "field" } else { "fields" },
                columns.len()
            ),
            hint: "Put a field that holds the delimiter or a line break in double quotes.".to_owned(),
            excerpt: fields.excerpt(),
        });
    }
    let mut text = |place: usize| decode(fields.get(place), fields.line, notes);
    let prompt = text(places.prompt);
    let completion = text(places.completion);
    let system = places.system.map(text).filter(|text| !text.is_empty());
    Item::Record(SourcedRecord {
        record: Record::prompt_completion(system, prompt, completion),
        line: Some(fields.line),
    })
}

fn next_line(
    input: &mut Input<File>,
    buffer: &mut Vec<u8>,
    mapping: Option<&Mapping>,
    notes: &mut Notes,
) -> std::io::Result<Option<Item>> {
    loop {
        let line = input.line;
        let problem = match input.read_line(buffer, MAX_RECORD_BYTES)? {
            LineRead::End => return Ok(None),
            LineRead::TooLong => ReadProblem {
                line,
                column: None,
                message: format!("This line is longer than {} MB.", MAX_RECORD_BYTES / 1_000_000),
                hint: "Check that the line breaks between the records were not lost.".to_owned(),
                excerpt: excerpt(buffer),
            },
            // A line with nothing on it holds nothing that could be lost.
            LineRead::Line if buffer.iter().all(u8::is_ascii_whitespace) => continue,
            LineRead::Line => match parse_object(buffer) {
                Err((column, message)) => ReadProblem {
                    line,
                    column,
                    message,
                    hint: "Mend the JSON here: one complete object on each line.".to_owned(),
                    excerpt: excerpt(buffer),
                },
                Ok(object) => match jsonl::to_record(&object, mapping) {
                    Ok((record, ignored)) => {
                        notes.ignored(ignored);
                        return Ok(Some(Item::Record(SourcedRecord { record, line: Some(line) })));
                    }
                    Err(refused) => refused.at(line, buffer),
                },
            },
        };
        return Ok(Some(Item::Problem(problem)));
    }
}

fn example(bytes: &[u8], line: u64, mapping: &Mapping, notes: &mut Notes) -> Item {
    let object: Map<String, Value> = match serde_json::from_slice(bytes) {
        Ok(object) => object,
        Err(error) => {
            return Item::Problem(ReadProblem {
                line: line + error.line().saturating_sub(1) as u64,
                column: (error.line() > 1).then_some(error.column() as u64),
                message: format!("This example is not valid JSON: {}.", without_place(&error)),
                hint: "Mend the JSON here: an object with \"input\" and \"output\".".to_owned(),
                excerpt: excerpt(bytes),
            });
        }
    };
    match jsonl::mapped(&object, mapping) {
        Ok((record, ignored)) => {
            notes.ignored(ignored);
            Item::Record(SourcedRecord { record, line: Some(line) })
        }
        Err(refused) => Item::Problem(refused.at(line, bytes)),
    }
}

/// The object on this line, or the column and the words of what is wrong.
fn parse_object(line: &[u8]) -> Result<Map<String, Value>, (Option<u64>, String)> {
    if let Err(error) = std::str::from_utf8(line) {
        let column = error.valid_up_to() as u64 + 1;
        return Err((Some(column), "This line is not written in UTF-8.".to_owned()));
    }
    match serde_json::from_slice::<Value>(line) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err((Some(1), "This line is not a JSON object.".to_owned())),
        Err(error) => {
            Err((Some(error.column() as u64), format!("This line is not valid JSON: {}.", without_place(&error))))
        }
    }
}

/// The parser's words without its "at line 1 column 9": the line is that of the file.
pub(crate) fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

impl ShapeError {
    fn at(self, line: u64, bytes: &[u8]) -> ReadProblem {
        ReadProblem { line, column: None, message: self.message, hint: self.hint, excerpt: excerpt(bytes) }
    }
}

/// Bytes of a CSV field as text: UTF-8, or Windows-1252 where they are none, which is noted.
pub(crate) fn decode(bytes: &[u8], line: u64, notes: &mut Notes) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            notes.guessed(line);
            let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes);
            text.into_owned()
        }
    }
}

/// What is worth telling once, however often it happens.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// The first line that is not UTF-8, and how many fields are not.
    guessed: Option<(u64, u64)>,
    /// Keys without a place in a record, and in how many objects each was seen.
    ignored: BTreeMap<String, u64>,
}

impl Notes {
    fn guessed(&mut self, line: u64) {
        self.guessed.get_or_insert((line, 0)).1 += 1;
    }

    pub(crate) fn ignored(&mut self, keys: Vec<String>) {
        for key in keys {
            // A file whose keys are data would otherwise fill the memory with them.
            if self.ignored.len() < 100 || self.ignored.contains_key(&key) {
                *self.ignored.entry(key).or_default() += 1;
            }
        }
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        let mut texts = Vec::new();
        if let Some((line, fields)) = self.guessed {
            texts.push(format!(
                "Not all of the file is UTF-8: {fields} {}, the first on line {line}, read as Windows-1252.",
                if fields == 1 { "field was" } else { "fields were" }
            ));
        }
        if !self.ignored.is_empty() {
            let keys: Vec<String> = self.ignored.iter().map(|(key, count)| format!("{key} ({count})")).collect();
            texts.push(format!("Fields that are not kept: {}.", keys.join(", ")));
        }
        texts
    }
}
