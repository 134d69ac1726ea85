//! Telling what a file is from its beginning.

use std::io::{Cursor, Read};
use std::path::Path;

use serde_json::{Map, Value};

use super::csv::{self, Fields, Scanned};
use super::list::{self, Element};
use super::notes::Notes;
use super::tables::{Cells, Rows, TableRow};
use super::unpack::{Encoding, unpack};
use super::{Format, MAX_RECORD_BYTES, Mapping, ReadOptions, Schema, Source, Table};
use crate::error::ReadError;
use crate::input::{Input, LineRead};

const HEAD: usize = 256 * 1024;
const SAMPLE_ROWS: usize = 20;
/// Lines and objects looked at to tell their schema.
const SCHEMA_SAMPLE: usize = 50;

/// What the file is, from its first 256 kB; its records are not counted.
///
/// A file is told by its content; only `.csv` and `.tsv` are believed by name, since a CSV text may
/// begin with a bracket.
pub fn sniff(path: &Path) -> Result<Source, ReadError> {
    sniff_with(path, &ReadOptions::default())
}

/// The same where something is said of how to read it.
pub fn sniff_with(path: &Path, options: &ReadOptions) -> Result<Source, ReadError> {
    let io = || ReadError::io(path);
    let mut unpacked = unpack(path, options.encoding)?;
    let mut head = Vec::with_capacity(HEAD);
    (&mut unpacked.reader).take(HEAD as u64).read_to_end(&mut head).map_err(io())?;
    let whole = head.len() < HEAD;
    let mut notes = Notes::default();
    if options.encoding.is_none() && unpacked.encoding != Encoding::Utf8 {
        notes.say("The file is written in UTF-16; it is read as such.");
    }
    let packed = unpacked.compression.is_some();
    let (format, sample) = if !packed && head.starts_with(b"PAR1") {
        sniff_parquet(Rows::parquet(path), &mut notes)?
    } else if !packed && head.starts_with(b"PK\x03\x04") {
        sniff_xlsx(Rows::xlsx(path, options.sheet.as_deref()), options.header, &mut notes)?
    } else {
        refuse_what_is_no_text(&head, whole)?;
        let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&head);
        match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
            None if whole => return Err(ReadError::Empty),
            Some(b'{' | b'[') if !named_csv(path) => sniff_json(path, options, &mut notes)?,
            _ => sniff_csv(&head, whole, options, &mut notes)?,
        }
    };
    let mapping = Mapping::suggest(format.columns());
    Ok(Source {
        format,
        compression: unpacked.compression,
        encoding: unpacked.encoding,
        bytes: unpacked.fingerprint.bytes,
        sample,
        mapping,
        notes: notes.texts(),
    })
}

/// By its name, or the one it has without the ending that says how it is packed.
fn named_csv(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_ascii_lowercase();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    name.ends_with(".csv") || name.ends_with(".tsv")
}

fn refuse_what_is_no_text(head: &[u8], whole: bool) -> Result<(), ReadError> {
    if head.is_empty() && whole {
        return Err(ReadError::Empty);
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

/// The first lines of a text, and what can be told of them.
struct Lines {
    objects: Vec<(u64, Map<String, Value>)>,
    too_long: Option<u64>,
    /// The first line is an object by itself.
    begin_with_object: bool,
}

fn first_lines(reader: Box<dyn Read + Send>) -> std::io::Result<Lines> {
    let mut input = Input::new(reader)?;
    let mut line = Vec::new();
    let mut lines = Lines { objects: Vec::new(), too_long: None, begin_with_object: false };
    let mut seen = 0;
    while seen < SCHEMA_SAMPLE {
        let number = input.line;
        match input.read_line(&mut line, MAX_RECORD_BYTES)? {
            LineRead::End => break,
            LineRead::TooLong => {
                lines.too_long.get_or_insert(number);
            }
            LineRead::Line if line.iter().all(u8::is_ascii_whitespace) => continue,
            LineRead::Line => {
                if let Ok(object) = serde_json::from_slice(&line) {
                    lines.begin_with_object |= seen == 0;
                    lines.objects.push((number, object));
                }
            }
        }
        seen += 1;
    }
    Ok(lines)
}

fn sniff_json(path: &Path, options: &ReadOptions, notes: &mut Notes) -> Result<Sniffed, ReadError> {
    let io = || ReadError::io(path);
    // Read from its beginning each time: a record may be larger than what was looked at so far.
    let text = || unpack(path, options.encoding).map(|unpacked| unpacked.reader);
    let lines = first_lines(text()?).map_err(io())?;
    // A line that is whole by itself is a record, unless it is a document of examples on one line.
    let alone = lines.begin_with_object && !lines.objects[0].1.contains_key("examples");
    if !alone {
        let mut input = Input::new(text()?).map_err(io())?;
        if list::enter_list(&mut input).map_err(io())? {
            return sniff_list(&mut input, notes).map_err(io())?;
        }
    }
    if lines.objects.is_empty() {
        return Err(match lines.too_long {
            Some(line) => ReadError::RecordTooLong { line, limit: MAX_RECORD_BYTES },
            None => ReadError::UnknownFormat {
                message: "it begins like JSON, but none of its first lines is an object and it has no list of records"
                    .to_owned(),
            },
        });
    }
    let (table, sample) = table_of(&lines.objects, notes);
    Ok((Format::Jsonl { table }, sample))
}

fn sniff_list<R: Read>(input: &mut Input<R>, notes: &mut Notes) -> std::io::Result<Result<Sniffed, ReadError>> {
    let mut objects = Vec::new();
    let mut text = Vec::new();
    while objects.len() < SCHEMA_SAMPLE {
        let Element::Value { line } = list::next_element(input, &mut text)? else { break };
        objects.extend(serde_json::from_slice(&text).ok().map(|object| (line, object)));
    }
    let has = |key: &str| objects.iter().any(|(_, object): &(u64, Map<String, Value>)| object.contains_key(key));
    if has("input") && has("output") && !has("instruction") {
        let pair = |object: &Map<String, Value>| vec![shown(object.get("input")), shown(object.get("output"))];
        let sample = objects.iter().take(SAMPLE_ROWS).map(|(_, object)| pair(object)).collect();
        return Ok(Ok((Format::Examples, sample)));
    }
    if objects.is_empty() {
        return Ok(Err(ReadError::NoRecords));
    }
    let (table, sample) = table_of(&objects, notes);
    Ok(Ok((Format::JsonList { table }, sample)))
}

/// What objects hold, and the first of them to show.
fn table_of(objects: &[(u64, Map<String, Value>)], notes: &mut Notes) -> (Table, Vec<Vec<String>>) {
    let detected = Schema::detect_objects(objects.iter().map(|(_, object)| Some(object.clone())));
    let mut columns: Vec<String> = Vec::new();
    for key in objects.iter().flat_map(|(_, object)| object.keys()) {
        if columns.len() < 1000 && !columns.contains(key) {
            columns.push(key.clone());
        }
    }
    let shown_objects = objects.iter().take(SAMPLE_ROWS).map(|(_, object)| object);
    match detected {
        Some(detected) if !matches!(detected.schema, Schema::Fields(_)) => {
            for (index, other) in detected.others {
                notes.other_schema(objects[index].0, other);
            }
            let schema = detected.schema;
            let sample = shown_objects.map(|object| match schema.read(object) {
                Ok(record) => vec![record.prompt().into_owned(), record.completion().into_owned()],
                Err(refused) => vec![refused.message, String::new()],
            });
            let sample = sample.collect();
            (Table { schema: Some(schema), columns }, sample)
        }
        _ => {
            let row = |object: &Map<String, Value>| columns.iter().map(|column| shown(object.get(column))).collect();
            let sample = shown_objects.map(row).collect();
            (Table { schema: None, columns }, sample)
        }
    }
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn sniff_csv(head: &[u8], whole: bool, options: &ReadOptions, notes: &mut Notes) -> Result<Sniffed, ReadError> {
    let mut dialect = csv::sniff_dialect(head, whole, options.delimiter);
    let in_memory = |_| ReadError::Empty;
    let mut input = Input::new(Cursor::new(head)).map_err(in_memory)?;
    let mut fields = Fields::default();
    let mut rows: Vec<Vec<String>> = Vec::new();
    if dialect.says_delimiter {
        csv::scan_record(&mut input, dialect, &mut fields).map_err(in_memory)?;
    }
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
                rows.push(fields.iter().map(|field| notes.decode(field, line)).collect());
            }
        }
    }
    dialect.header = options.header.unwrap_or_else(|| csv::has_header(&rows));
    let (table, sample) = table_of_texts(rows, dialect.header, notes);
    Ok((Format::Csv { dialect, table }, sample))
}

/// What rows of texts hold; the first names the columns, or they are counted.
fn table_of_texts(rows: Vec<Vec<String>>, header: bool, notes: &mut Notes) -> (Table, Vec<Vec<String>>) {
    let mut rows = rows.into_iter().peekable();
    let columns = if header {
        csv::column_names(rows.next().unwrap_or_default().into_iter())
    } else {
        notes.say("The first row does not look like column names, so it is taken for a record.");
        let width = rows.peek().map_or(0, Vec::len);
        csv::column_names(std::iter::repeat_n(String::new(), width))
    };
    let width = columns.len();
    let sample = rows.filter(|row| row.len() == width).collect();
    (Table { schema: schema_of_columns(&columns), columns }, sample)
}

/// The schema that columns spell out by their names; most tables have names of their own.
pub(super) fn schema_of_columns(columns: &[String]) -> Option<Schema> {
    let has = |name: &str| columns.iter().any(|column| column == name);
    if has("instruction") && has("input") && has("output") {
        Some(Schema::Alpaca)
    } else if has("conversations") {
        Some(Schema::ShareGpt)
    } else {
        None
    }
}

fn sniff_xlsx(mut rows: Rows, header: Option<bool>, notes: &mut Notes) -> Result<Sniffed, ReadError> {
    let mut texts = Vec::new();
    while texts.len() <= SAMPLE_ROWS {
        let Some(TableRow { cells: Cells::Texts(row), .. }) = rows.next_row()? else { break };
        texts.push(row);
    }
    let Some(width) = texts.iter().map(Vec::len).max() else { return Err(ReadError::Empty) };
    let header = header.unwrap_or_else(|| csv::has_header(&texts));
    // Empty cells at the end of a row are not in the file.
    for row in texts.iter_mut().skip(usize::from(header)) {
        row.resize(width, String::new());
    }
    if header {
        texts[0].resize(width, String::new());
    }
    let (table, sample) = table_of_texts(texts, header, notes);
    let sheet = rows.sheet.unwrap_or_default();
    Ok((Format::Xlsx { sheet, header, table }, sample))
}

fn sniff_parquet(mut rows: Rows, notes: &mut Notes) -> Result<Sniffed, ReadError> {
    let mut objects = Vec::new();
    while objects.len() < SCHEMA_SAMPLE {
        let Some(TableRow { number, cells: Cells::Named(object) }) = rows.next_row()? else { break };
        objects.push((number, object));
    }
    if objects.is_empty() {
        return Err(ReadError::NoRecords);
    }
    let (table, sample) = table_of(&objects, notes);
    Ok((Format::Parquet { table }, sample))
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
            ("{\"examples\": [{\"input\":\"a\",\"output\":\"b\"}]}", "JSON, examples with input and output"),
            ("{broken\n{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}", "JSON Lines, Claude messages"),
            ("{\"q\":\"a\",\"a\":\"b\"}", "JSON Lines, fields"),
            ("{\"data\":[{\"q\":\"a\"}],\"prompt\":\"a\",\"completion\":\"b\"}", "JSON Lines, prompt and completion"),
            ("[\n {\"instruction\": \"a\", \"output\": \"b\"}\n]", "JSON list, Alpaca"),
            ("[{\"conversations\":[{\"from\":\"human\",\"value\":\"a\"}]}]", "JSON list, ShareGPT"),
            ("[{\"q\":\"a\",\"a\":\"b\"}]", "JSON list, fields"),
            ("{\"data\":\n[{\"prompt\":\"a\",\"completion\":\"b\"}]}", "JSON list, prompt and completion"),
        ] {
            let source = sniffed("data.txt", text.as_bytes()).unwrap();
            assert_eq!(source.format.describe(), described);
            assert!(!source.sample.is_empty());
        }
        let csv = sniffed("data.csv", b"{a},b\n1,2\n").unwrap();
        assert_eq!(csv.format.columns(), ["{a}", "b"]);
    }

    #[test]
    fn only_plain_json_lines_are_opened_in_place() {
        let line = "{\"prompt\":\"a\",\"completion\":\"b\"}\n";
        let utf16: Vec<u8> = line.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let packed = zstd::encode_all(line.as_bytes(), 1).unwrap();
        for (bytes, in_place) in [(line.as_bytes(), true), (&utf16, false), (&packed, false), (b"a,b\n1,2\n", false)] {
            assert_eq!(sniffed("data", bytes).unwrap().opens_in_place(), in_place);
        }
        assert!(sniffed("a", &utf16).unwrap().notes[0].contains("UTF-16"));
    }

    #[test]
    fn lines_of_another_form_are_named() {
        let text =
            "{\"prompt\":\"a\",\"completion\":\"b\"}\n\n{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"input\":\"x\"}\n";
        let source = sniffed("a.jsonl", text.as_bytes()).unwrap();
        assert_eq!(
            source.notes,
            ["Not all records are in the same form: 1 is not, the first on line 4, which is text for pre-training."]
        );
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_a_way_out() {
        let noise: Vec<u8> = (0..4000_u32).map(|i| (i * 97 % 251 + 1) as u8).collect();
        for (bytes, said) in [
            (&b""[..], "the file is empty"),
            (b" \n\r\n\t", "the file is empty"),
            (b"PK\x03\x04\x00\x00", "no whole spreadsheet"),
            (b"PAR1\x00\x00PAR1", "the file is damaged"),
            (b"\x1F\x8B\x08\x00\x00", "cannot be unpacked"),
            (b"GIF89a\x00\x01", "NUL byte stands at byte 6"),
            (&noise, "not a text file"),
            (b"[1, 2]", "none of its first lines"),
            (b"[]", "no record"),
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
