//! Telling what a file is from its beginning.

use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use serde_json::{Map, Value};

use super::csv::{self, Fields, Scanned};
use super::reader::{Notes, decode};
use super::{Format, JsonlSchema, MAX_RECORD_BYTES, Mapping, Source, examples, jsonl};
use crate::error::ReadError;
use crate::input::{Input, LineRead};

const HEAD: usize = 256 * 1024;
const SAMPLE_ROWS: usize = 20;
/// Lines looked at for one that shows the shape.
const JSONL_LINES: usize = 50;

/// What the file is, from its first 256 kB; its records are not counted.
///
/// Whether a JSON file is a document of examples, lines, or neither is told from its content; only
/// `.csv` and `.tsv` are believed by name, since a CSV text may begin with a bracket.
pub fn sniff(path: &Path) -> Result<Source, ReadError> {
    let io = || ReadError::io(path);
    let mut file = File::open(path).map_err(io())?;
    let bytes = file.metadata().map_err(io())?.len();
    let mut head = Vec::with_capacity(HEAD);
    (&mut file).take(HEAD as u64).read_to_end(&mut head).map_err(io())?;
    let whole = head.len() as u64 == bytes;
    refuse_what_is_no_text(&head, whole)?;
    let named_csv = path
        .extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|e| e.eq_ignore_ascii_case("csv") || e.eq_ignore_ascii_case("tsv"));
    let mut notes = Notes::default();
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&head);
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    let (format, sample) = match first {
        None if whole => return Err(ReadError::Empty),
        Some(b'{') if !named_csv => {
            file.seek(SeekFrom::Start(0)).map_err(io())?;
            sniff_json(&mut file, &mut notes).map_err(io())??
        }
        Some(b'[') if !named_csv => {
            return Err(ReadError::UnknownFormat { message: "it is a JSON list".to_owned() });
        }
        _ => sniff_csv(&head, whole, &mut notes)?,
    };
    let mapping = Mapping::suggest(format.columns());
    Ok(Source { format, bytes, sample, mapping, notes: notes.texts() })
}

fn refuse_what_is_no_text(head: &[u8], whole: bool) -> Result<(), ReadError> {
    if head.is_empty() && whole {
        return Err(ReadError::Empty);
    }
    if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") {
        return Err(ReadError::Utf16);
    }
    let binary = |place: usize, reason| ReadError::Binary { byte: place as u64, reason };
    if let Some(place) = head.iter().position(|&byte| byte == 0) {
        return Err(binary(place, "a NUL byte stands"));
    }
    let is_control = |byte: u8| byte < 0x20 && !b"\t\n\r\x0C\x1B".contains(&byte);
    let controls = head.iter().filter(|&&byte| is_control(byte)).count();
    if controls * 50 > head.len() {
        let place = head.iter().position(|&byte| is_control(byte)).unwrap_or(0);
        return Err(binary(place, "the first of many control characters stands"));
    }
    // In a Western text that is not UTF-8, accented letters are few; in an archive or a picture, bytes
    // that are no UTF-8 are most of what there is.
    let (bad, first_bad) = bad_utf8(head);
    if bad * 10 > head.len() * 3 {
        return Err(binary(first_bad, "the first of many bytes that are no text stands"));
    }
    Ok(())
}

/// How many bytes belong to no UTF-8 character, and where the first stands.
fn bad_utf8(bytes: &[u8]) -> (usize, usize) {
    let (mut bad, mut first, mut at) = (0, 0, 0);
    for chunk in bytes.utf8_chunks() {
        at += chunk.valid().len();
        if !chunk.invalid().is_empty() {
            if bad == 0 {
                first = at;
            }
            bad += chunk.invalid().len();
            at += chunk.invalid().len();
        }
    }
    (bad, first)
}

type Sniffed = (Format, Vec<Vec<String>>);

fn sniff_json(file: &mut File, notes: &mut Notes) -> std::io::Result<Result<Sniffed, ReadError>> {
    let mut input = Input::new(&mut *file)?;
    if examples::enter_list(&mut input)? {
        let sample = sample_examples(&mut input)?;
        return Ok(Ok((Format::Examples, sample)));
    }
    file.seek(SeekFrom::Start(0))?;
    let mut input = Input::new(file)?;
    let mut line = Vec::new();
    let mut objects: Vec<Map<String, Value>> = Vec::new();
    let mut too_long = None;
    let mut looked_at = 0;
    while looked_at < JSONL_LINES && objects.len() < SAMPLE_ROWS {
        let number = input.line;
        match input.read_line(&mut line, MAX_RECORD_BYTES)? {
            LineRead::End => break,
            LineRead::TooLong => {
                too_long.get_or_insert(number);
            }
            LineRead::Line => objects.extend(serde_json::from_slice(&line).ok()),
        }
        looked_at += 1;
    }
    let Some(first) = objects.first() else {
        return Ok(Err(match too_long {
            Some(line) => ReadError::RecordTooLong { line, limit: MAX_RECORD_BYTES },
            None => ReadError::UnknownFormat {
                message: "it begins like JSON, but none of its first lines is an object and it has no list of examples"
                    .to_owned(),
            },
        }));
    };
    let schema = jsonl::schema_of(first);
    let sample = objects.iter().map(|object| sample_row(object, &schema, notes)).collect();
    Ok(Ok((Format::Jsonl { schema }, sample)))
}

fn sample_examples<R: Read>(input: &mut Input<R>) -> std::io::Result<Vec<Vec<String>>> {
    let mut sample = Vec::new();
    let mut text = Vec::new();
    while sample.len() < SAMPLE_ROWS {
        let examples::Element::Value { .. } = examples::next_element(input, &mut text)? else {
            break;
        };
        if let Ok(object) = serde_json::from_slice::<Map<String, Value>>(&text) {
            sample.push(vec![shown(object.get("input")), shown(object.get("output"))]);
        }
    }
    Ok(sample)
}

fn sample_row(object: &Map<String, Value>, schema: &JsonlSchema, notes: &mut Notes) -> Vec<String> {
    if let JsonlSchema::Fields(fields) = schema {
        return fields.iter().map(|field| shown(object.get(field))).collect();
    }
    match jsonl::to_record(object, None) {
        Ok((record, ignored)) => {
            notes.ignored(ignored);
            vec![record.prompt().into_owned(), record.completion().into_owned()]
        }
        Err(refused) => vec![refused.message, String::new()],
    }
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn sniff_csv(head: &[u8], whole: bool, notes: &mut Notes) -> Result<Sniffed, ReadError> {
    let dialect = csv::sniff_dialect(head, whole);
    let in_memory = |_| ReadError::Empty;
    let mut input = Input::new(Cursor::new(head)).map_err(in_memory)?;
    let mut fields = Fields::default();
    let mut rows: Vec<Vec<String>> = Vec::new();
    while rows.len() <= SAMPLE_ROWS {
        match csv::scan_record(&mut input, dialect, &mut fields).map_err(in_memory)? {
            Scanned::End => break,
            Scanned::Broken(problem) if rows.is_empty() => {
                return Err(ReadError::ColumnNames { problem });
            }
            // The sample may end within a record, so what looks broken here is left to the reading.
            Scanned::Broken(_) => {}
            Scanned::Record if rows.is_empty() && !whole && input.byte == head.len() as u64 => {
                return Err(ReadError::RecordTooLong { line: fields.line, limit: HEAD });
            }
            Scanned::Record => {
                let line = fields.line;
                rows.push(fields.iter().map(|f| decode(f, line, notes)).collect());
            }
        }
    }
    let mut rows = rows.into_iter();
    let columns = csv::column_names(rows.next().unwrap_or_default().into_iter());
    let width = columns.len();
    let sample = rows.filter(|row| row.len() == width).collect();
    Ok((Format::Csv { dialect, columns }, sample))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;

    fn sniffed(name: &str, bytes: &[u8]) -> Result<Source, ReadError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        sniff(&path)
    }

    #[test]
    fn a_csv_is_told_with_its_columns_and_a_mapping() {
        let source = sniffed("a.csv", b"\xEF\xBB\xBFtext;category\n\"a;b\";x\nc;y\n").unwrap();
        assert_eq!(source.format.describe(), "CSV, semicolon");
        assert_eq!(source.format.columns(), ["text", "category"]);
        assert_eq!(source.sample, [["a;b", "x"], ["c", "y"]]);
        assert_eq!(source.mapping.unwrap().completion, "category");
    }

    #[test]
    fn json_is_told_by_its_content_whatever_the_name() {
        for (text, described) in [
            ("{\"prompt\":\"a\",\"completion\":\"b\"}\n", "JSON Lines, prompt and completion"),
            ("\n {\"examples\": [\n{\"input\":\"a\",\"output\":\"b\"}]}", "JSON, examples with input and output"),
            ("{broken\n{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}", "JSON Lines, Claude messages"),
            ("{\"q\":\"a\",\"a\":\"b\"}", "JSON Lines, fields"),
        ] {
            let source = sniffed("data.txt", text.as_bytes()).unwrap();
            assert_eq!(source.format.describe(), described);
            assert!(!source.sample.is_empty());
        }
        let csv = sniffed("data.csv", b"{a},b\n1,2\n").unwrap();
        assert_eq!(csv.format.columns(), ["{a}", "b"]);
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_a_way_out() {
        let noise: Vec<u8> = (0..4000_u32).map(|i| (i * 97 % 251 + 1) as u8).collect();
        for (bytes, said) in [
            (&b""[..], "the file is empty"),
            (b" \n\r\n\t", "the file is empty"),
            (b"PK\x03\x04\x00\x00", "NUL byte stands at byte 4"),
            (&noise, "not a text file"),
            (b"\xFF\xFEa\0", "UTF-16"),
            (b"[{\"input\":\"a\"}]", "a JSON list"),
            (b"{\n \"a\": 1\n}", "none of its first lines"),
        ] {
            let refused = sniffed("data", bytes).unwrap_err();
            assert!(refused.to_string().contains(said), "{refused}");
            assert!(!refused.hint().is_empty());
        }
    }

    #[test]
    fn a_western_text_that_is_not_utf8_is_read_with_a_note() {
        let source = sniffed("a.csv", b"text,label\ncaf\xE9 \x93ole\x94,d\xE9j\xE0 vu\n").unwrap();
        assert_eq!(source.sample, [["café “ole”", "déjà vu"]]);
        assert!(source.notes[0].contains("Windows-1252"), "{:?}", source.notes);
    }
}
