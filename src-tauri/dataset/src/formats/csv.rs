//! CSV: delimiter, quotes, embedded line breaks, either encoding.
//!
//! Written by hand because the well-kept reader neither reports a quote that is never closed nor says
//! where it was opened, holds a record of any size, and cannot go on after a bad one. Here a broken
//! record costs one line: it is reported with the place of the quote, and reading resumes on the line
//! after the one where it began. What the two readers both accept, they read alike (a property test).

use std::io::Read;

use super::MAX_RECORD_BYTES;
use crate::error::ReadProblem;
use crate::input::{Input, excerpt};

const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Records looked at to tell the delimiter.
const SNIFF_RECORDS: usize = 200;

/// How a CSV file is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    pub delimiter: u8,
    /// A field may stand in these; the same twice inside is one of them.
    pub quote: u8,
    /// What stands before a quote inside a quoted field, where it is not written twice.
    pub escape: Option<u8>,
    /// The first record names the columns.
    pub header: bool,
    /// The first line says which delimiter is used (`sep=;`).
    pub says_delimiter: bool,
}

impl Dialect {
    /// The delimiter in words.
    pub fn delimiter_name(self) -> &'static str {
        match self.delimiter {
            b',' => "comma",
            b';' => "semicolon",
            b'\t' => "tab",
            b'|' => "vertical bar",
            _ => "other delimiter",
        }
    }

    fn plain(delimiter: u8) -> Dialect {
        Dialect { delimiter, quote: b'"', escape: None, header: true, says_delimiter: false }
    }
}

/// The fields of one record, still as bytes.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Whether a field was quoted: an empty line holds no record, a line of `""` does.
    quoted: bool,
    /// Line on which the record begins.
    pub line: u64,
}

impl Fields {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn get(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[index]]
    }

    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|index| self.get(index))
    }

    pub fn excerpt(&self) -> String {
        excerpt(&self.bytes)
    }

    fn clear(&mut self, line: u64) {
        self.bytes.clear();
        self.ends.clear();
        self.quoted = false;
        self.line = line;
    }

    fn end_field(&mut self) {
        self.ends.push(self.bytes.len());
    }

    /// A line with nothing on it separates records and is none.
    fn is_blank_line(&self) -> bool {
        self.ends.len() == 1 && self.bytes.is_empty() && !self.quoted
    }
}

#[derive(Debug)]
pub(crate) enum Scanned {
    End,
    Record,
    Broken(ReadProblem),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Unquoted,
    Quoted,
    /// After a quote inside a quoted field: its end, or the first half of a doubled quote.
    QuoteInQuoted,
    /// After an escape inside a quoted field.
    Escaped,
}

/// What ended the scan of one record early.
enum Fault {
    UnclosedQuote,
    TextAfterQuote { line: u64, column: u64 },
    TooLong,
}

/// Reads the next record into `fields`.
pub(crate) fn scan_record<R: Read>(
    input: &mut Input<R>,
    dialect: Dialect,
    fields: &mut Fields,
) -> std::io::Result<Scanned> {
    loop {
        match scan_one(input, dialect, fields)? {
            Scanned::Record if fields.is_blank_line() => {}
            scanned => return Ok(scanned),
        }
    }
}

fn scan_one<R: Read>(input: &mut Input<R>, dialect: Dialect, fields: &mut Fields) -> std::io::Result<Scanned> {
    input.set_mark();
    let scanned = scan_marked(input, dialect, fields);
    input.clear_mark();
    scanned
}

/// Scans a record that begins at the mark.
fn scan_marked<R: Read>(input: &mut Input<R>, dialect: Dialect, fields: &mut Fields) -> std::io::Result<Scanned> {
    fields.clear(input.line);
    let start = input.byte;
    let mut scan = Scan::new(input.line);
    let fault = loop {
        let at_hand = input.peek()?;
        let Some(&byte) = at_hand.first() else {
            match scan.state {
                State::Quoted | State::Escaped => break Fault::UnclosedQuote,
                State::FieldStart if fields.ends.is_empty() => return Ok(Scanned::End),
                _ => fields.end_field(),
            }
            return Ok(Scanned::Record);
        };
        let run = plain_run(at_hand, dialect, scan.state);
        if run > 0 {
            fields.bytes.extend_from_slice(&at_hand[..run]);
            input.take_run(run);
        } else {
            let place = (input.line, input.column());
            input.take(byte);
            match scan.step(byte, place, dialect, fields) {
                Step::More => scan.note_line_break(byte, input),
                Step::EndOfRecord => {
                    if byte == b'\r' && input.peek()?.first() == Some(&b'\n') {
                        input.take(b'\n');
                    }
                    return Ok(Scanned::Record);
                }
                Step::Fault(fault) => break fault,
            }
        }
        if input.byte - start > MAX_RECORD_BYTES as u64 {
            break Fault::TooLong;
        }
    };
    match scan.first_line_end {
        Some((byte, line)) => input.go_back(byte, line),
        None => pass_line(input)?,
    }
    Ok(Scanned::Broken(scan.problem(&fault, fields)))
}

/// Where the scan of one record stands.
struct Scan {
    state: State,
    /// Line and column of the quote that was opened last.
    quote: (u64, u64),
    /// Where the first line of the record ends, once it was passed: reading resumes there after a
    /// fault.
    first_line_end: Option<(u64, u64)>,
}

enum Step {
    More,
    EndOfRecord,
    Fault(Fault),
}

impl Scan {
    fn new(line: u64) -> Scan {
        Scan { state: State::FieldStart, quote: (line, 1), first_line_end: None }
    }

    /// Takes in one byte, which stood at this line and column.
    fn step(&mut self, byte: u8, place: (u64, u64), dialect: Dialect, fields: &mut Fields) -> Step {
        self.state = match (self.state, byte) {
            (State::FieldStart, quote) if quote == dialect.quote => {
                self.quote = place;
                fields.quoted = true;
                State::Quoted
            }
            (State::Quoted, escape) if Some(escape) == dialect.escape => State::Escaped,
            (State::Escaped, _) => {
                // What needs no escape was meant as it stands.
                if byte != dialect.quote && Some(byte) != dialect.escape {
                    fields.bytes.extend(dialect.escape);
                }
                fields.bytes.push(byte);
                State::Quoted
            }
            (State::Quoted, quote) if quote == dialect.quote => State::QuoteInQuoted,
            (State::QuoteInQuoted, quote) if quote == dialect.quote => {
                fields.bytes.push(byte);
                State::Quoted
            }
            (State::Quoted, _) => {
                fields.bytes.push(byte);
                State::Quoted
            }
            (_, b'\r' | b'\n') => {
                fields.end_field();
                return Step::EndOfRecord;
            }
            (_, delimiter) if delimiter == dialect.delimiter => {
                fields.end_field();
                State::FieldStart
            }
            (State::QuoteInQuoted, _) => {
                let (line, column) = place;
                return Step::Fault(Fault::TextAfterQuote { line, column });
            }
            (State::FieldStart | State::Unquoted, _) => {
                fields.bytes.push(byte);
                State::Unquoted
            }
        };
        Step::More
    }

    fn note_line_break<R: Read>(&mut self, byte: u8, input: &Input<R>) {
        let completes_crlf = byte == b'\n' && self.first_line_end == Some((input.byte - 1, input.line));
        let is_first = matches!(byte, b'\r' | b'\n') && self.first_line_end.is_none();
        if is_first || completes_crlf {
            self.first_line_end = Some((input.byte, input.line));
        }
    }

    fn problem(&self, fault: &Fault, fields: &Fields) -> ReadProblem {
        const CLOSE: &str =
            "Close the quote at the end of the field; a quote inside a quoted field is written twice (\"\").";
        let limit = MAX_RECORD_BYTES / 1_000_000;
        let quoted = matches!(self.state, State::Quoted | State::QuoteInQuoted);
        let (message, hint) = match fault {
            Fault::UnclosedQuote => ("The quote that opens here is never closed.".to_owned(), CLOSE),
            Fault::TextAfterQuote { line, column } => (
                format!(
                    "The quote that opens here is not closed where its field ends: the next quote, before line {line}, column {column}, is followed by more text."
                ),
                CLOSE,
            ),
            Fault::TooLong if quoted => (format!("The quote that opens here is not closed within {limit} MB."), CLOSE),
            Fault::TooLong => (
                format!("This record is longer than {limit} MB."),
                "Check that the line breaks between the records were not lost.",
            ),
        };
        let (line, column) = if quoted { self.quote } else { (fields.line, 1) };
        ReadProblem { line, column: Some(column), message, hint: hint.to_owned(), excerpt: fields.excerpt() }
    }
}

/// How many of these bytes mean nothing but themselves in this state.
fn plain_run(bytes: &[u8], dialect: Dialect, state: State) -> usize {
    let Dialect { delimiter, quote, escape, .. } = dialect;
    // Bounded so that the size of a record is looked at now and then.
    let bytes = &bytes[..bytes.len().min(64 * 1024)];
    let run = match state {
        State::Quoted => {
            let means_something = |b: &u8| *b == quote || *b == b'\n' || *b == b'\r' || Some(*b) == escape;
            bytes.iter().position(means_something)
        }
        State::Unquoted => bytes.iter().position(|&b| b == delimiter || b == b'\n' || b == b'\r'),
        State::FieldStart | State::QuoteInQuoted | State::Escaped => Some(0),
    };
    run.unwrap_or(bytes.len())
}

/// Reads on to the end of the line without holding it.
fn pass_line<R: Read>(input: &mut Input<R>) -> std::io::Result<()> {
    input.read_line(&mut Vec::new(), 0).map(|_| ())
}

/// The dialect under which the most records agree with the first on the number of fields. The plain
/// one wins where another does no better. A delimiter that is said is not asked for.
pub(crate) fn sniff_dialect(head: &[u8], whole: bool, said: Option<u8>) -> Dialect {
    let named = delimiter_line(head);
    let body = named.map_or(head, |(_, length)| &head[length..]);
    let escapes = memchr::memmem::find(body, b"\\\"").is_some();
    let candidates = match (said, named) {
        (Some(delimiter), _) | (None, Some((delimiter, _))) => vec![delimiter],
        (None, None) => CANDIDATES.to_vec(),
    };
    let mut best = (0, Dialect::plain(candidates[0]));
    for delimiter in candidates {
        let plain = Dialect::plain(delimiter);
        let mut dialects = vec![plain];
        if escapes {
            dialects.push(Dialect { escape: Some(b'\\'), ..plain });
        }
        let begins_field = |before: u8| memchr::memmem::find(body, &[before, b'\'']).is_some();
        if begins_field(delimiter) || begins_field(b'\n') {
            dialects.push(Dialect { quote: b'\'', ..plain });
        }
        for dialect in dialects {
            let score = agreement(body, whole, dialect);
            if score > best.0 {
                best = (score, dialect);
            }
        }
    }
    Dialect { says_delimiter: named.is_some(), ..best.1 }
}

/// The delimiter that a first line `sep=;` names, as spreadsheets write it, and that line's length.
fn delimiter_line(head: &[u8]) -> Option<(u8, usize)> {
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let rest = text.strip_prefix(b"sep=").or_else(|| text.strip_prefix(b"SEP="))?;
    let (&delimiter, rest) = rest.split_first()?;
    let line_break = rest.len() - rest.strip_prefix(b"\r").unwrap_or(rest).strip_prefix(b"\n")?.len();
    let usual = !delimiter.is_ascii_alphanumeric() && !b"\"'\r\n".contains(&delimiter);
    usual.then(|| (delimiter, head.len() - rest.len() + line_break))
}

/// Whether the first row names the columns. It does unless it looks like data: a number or nothing in
/// it, a sentence, or a text that later rows have in the same column.
pub(crate) fn has_header(rows: &[Vec<String>]) -> bool {
    let Some((first, rest)) = rows.split_first() else { return true };
    if super::Mapping::suggest_by_name(first).is_some() {
        return true;
    }
    let looks_like_data = |(column, cell): (usize, &String)| {
        let text = cell.trim();
        let is_sentence = text.chars().count() > 60 || text.ends_with(['.', '?', '!']) || text.contains('\n');
        let is_number = text.parse::<f64>().is_ok();
        let again = rest.iter().any(|row| row.get(column).is_some_and(|other| other == cell));
        is_sentence || is_number || !text.is_empty() && again
    };
    !first.iter().enumerate().any(looks_like_data)
}

/// How many records have as many fields as the first, when that is more than one.
fn agreement(head: &[u8], whole: bool, dialect: Dialect) -> usize {
    let Ok(mut input) = Input::new(std::io::Cursor::new(head)) else {
        return 0;
    };
    let mut fields = Fields::default();
    let mut widths = Vec::new();
    while widths.len() < SNIFF_RECORDS {
        match scan_record(&mut input, dialect, &mut fields) {
            Ok(Scanned::Record) => widths.push(fields.len()),
            Ok(Scanned::Broken(_)) => widths.push(0),
            Ok(Scanned::End) | Err(_) => break,
        }
    }
    if !whole && widths.len() > 1 && widths.len() < SNIFF_RECORDS {
        // The last record was cut where the sample ends.
        widths.pop();
    }
    match widths.first() {
        Some(&first) if first > 1 => widths.iter().filter(|&&width| width == first).count(),
        _ => 0,
    }
}

/// Column names from the first record: trimmed, none empty, none twice.
pub(crate) fn column_names(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (index, text) in texts.enumerate() {
        let base = match text.trim() {
            "" => format!("column {}", index + 1),
            trimmed => trimmed.to_owned(),
        };
        let mut name = base.clone();
        let mut copy = 2;
        while names.contains(&name) {
            name = format!("{base} ({copy})");
            copy += 1;
        }
        names.push(name);
    }
    names
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    const COMMA: Dialect = Dialect { delimiter: b',', quote: b'"', escape: None, header: true, says_delimiter: false };

    #[derive(Debug, PartialEq)]
    enum Read {
        Record(u64, Vec<String>),
        Broken(u64, Option<u64>, String),
    }

    fn read_all(text: &[u8]) -> Vec<Read> {
        let mut input = Input::new(Cursor::new(text)).unwrap();
        let mut fields = Fields::default();
        let mut all = Vec::new();
        loop {
            match scan_record(&mut input, COMMA, &mut fields).unwrap() {
                Scanned::End => return all,
                Scanned::Record => all.push(Read::Record(
                    fields.line,
                    fields.iter().map(|f| String::from_utf8_lossy(f).into_owned()).collect(),
                )),
                Scanned::Broken(p) => all.push(Read::Broken(p.line, p.column, p.message)),
            }
        }
    }

    fn record(line: u64, fields: &[&str]) -> Read {
        Read::Record(line, fields.iter().map(|&f| f.to_owned()).collect())
    }

    #[test]
    fn quotes_commas_and_line_breaks_inside_a_field_are_its_text() {
        let text = b"a,b\r\n\"x, \"\"y\"\"\r\nz\",1\r\n\r\n2,\"\"\r\n,\n";
        assert_eq!(
            read_all(text),
            [record(1, &["a", "b"]), record(2, &["x, \"y\"\r\nz", "1"]), record(5, &["2", ""]), record(6, &["", ""]),]
        );
    }

    #[test]
    fn an_unclosed_quote_is_named_where_it_opens_and_costs_one_line() {
        let read = read_all(b"a,b\n1,\"open\n2,x\n3,y\n");
        assert!(matches!(&read[1], Read::Broken(2, Some(3), m) if m.contains("never closed")));
        assert_eq!(read[2..], [record(3, &["2", "x"]), record(4, &["3", "y"])]);
    }

    #[test]
    fn an_unclosed_quote_is_found_even_when_a_later_quote_seems_to_close_it() {
        let read = read_all(b"a,b\r\n\"open,1\r\n\"x, y\",2\r\nz,3\r\n");
        assert!(matches!(&read[1], Read::Broken(2, Some(1), m) if m.contains("line 3, column 2")), "{read:?}");
        assert_eq!(read[2..], [record(3, &["x, y", "2"]), record(4, &["z", "3"])]);
    }

    #[test]
    fn text_after_a_closing_quote_costs_that_line_only() {
        let read = read_all(b"a,b\n\"he said \\\"hi\\\"\",1\n2,x\n");
        assert!(matches!(read[1], Read::Broken(2, Some(1), _)));
        assert_eq!(read[2..], [record(3, &["2", "x"])]);
    }

    #[test]
    fn a_quote_that_stays_open_beyond_the_bound_does_not_take_the_file_into_memory() {
        let row = format!("{},label\n", "x".repeat(10_000));
        let rows = MAX_RECORD_BYTES / row.len() + 10;
        let text = format!("a,b\n1,\"open\n{}", row.repeat(rows));
        let read = read_all(text.as_bytes());
        assert!(matches!(&read[1], Read::Broken(2, Some(3), m) if m.contains("within 25 MB")));
        assert_eq!(read.len(), rows + 2);
    }

    #[test]
    fn the_delimiter_is_told_from_the_records() {
        for (text, delimiter) in [
            ("a,b\n1,2\n", b','),
            ("a;b\n1,5;2\n3,5;4\n", b';'),
            ("a\tb\n1, 2\t3\n", b'\t'),
            ("a|b\n1|2\n", b'|'),
            ("text;label\n\"a;b, c, d\";x\n\"e, f\";y\n", b';'),
            ("one column\nonly\n", b','),
        ] {
            assert_eq!(sniff_dialect(text.as_bytes(), true, None), Dialect { delimiter, ..COMMA }, "{text}");
        }
    }

    #[test]
    fn quotes_escapes_and_a_named_delimiter_are_told_from_the_records() {
        let escaped = Dialect { escape: Some(b'\\'), ..COMMA };
        let single = Dialect { quote: b'\'', ..COMMA };
        for (text, dialect, fields) in [
            ("a,b\n\"he said \\\"hi, you\\\" \\\\ \\n\",1\nx,y\n", escaped, &["he said \"hi, you\" \\ \\n", "1"][..]),
            ("a,b\n'it''s, so',1\n'x, y',2\n", single, &["it's, so", "1"]),
            ("a,b\n'tis so,1\nx,y\n", COMMA, &["'tis so", "1"]),
            ("a,b\n\"C:\\\",1\nx,y\n", COMMA, &["C:\\", "1"]),
            ("sep=;\r\na;b\r\n1,5;2\r\n", Dialect { delimiter: b';', says_delimiter: true, ..COMMA }, &["1,5", "2"]),
        ] {
            let told = sniff_dialect(text.as_bytes(), true, None);
            assert_eq!(told, dialect, "{text}");
            let mut input = Input::new(Cursor::new(text.as_bytes())).unwrap();
            let mut found = Fields::default();
            for _ in 0..2 + usize::from(told.says_delimiter) {
                scan_record(&mut input, told, &mut found).unwrap();
            }
            let texts: Vec<String> = found.iter().map(|f| String::from_utf8_lossy(f).into_owned()).collect();
            assert_eq!(texts, fields);
        }
    }

    #[test]
    fn a_first_row_that_looks_like_data_names_no_columns() {
        let rows = |rows: &[&[&str]]| {
            rows.iter().map(|row| row.iter().map(|&cell| cell.to_owned()).collect()).collect::<Vec<Vec<String>>>()
        };
        for (table, header) in [
            (rows(&[&["text", "category"], &["Where is my card?", "arrival"]]), true),
            (rows(&[&["Frage", "Antwort"], &["Wo?", "Dort."]]), true),
            (rows(&[&["Where is my card?", "arrival"], &["It is lost", "lost"]]), false),
            (rows(&[&["my card is lost", "lost"], &["it is gone", "lost"]]), false),
            (rows(&[&["hello", "1"], &["bye", "0"]]), false),
            (rows(&[&["", "question", "answer"], &["0", "a", "b"]]), true),
            (rows(&[]), true),
        ] {
            assert_eq!(has_header(&table), header, "{table:?}");
        }
    }

    #[test]
    fn column_names_are_never_empty_and_never_twice() {
        let names = ["text", " ", "text", "label "].map(str::to_owned);
        assert_eq!(column_names(names.into_iter()), ["text", "column 2", "text (2)", "label"]);
    }

    proptest! {
        #[test]
        fn whatever_a_csv_writer_writes_is_read_back(
            rows in prop::collection::vec(
                prop::collection::vec("[a-z\",;\r\n\t ]{0,8}", 2..5), 1..12)
        ) {
            let mut writer = ::csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let read = read_all(&writer.into_inner().unwrap());
            let texts: Vec<Vec<String>> = read
                .into_iter()
                .map(|r| match r {
                    Read::Record(_, fields) => fields,
                    Read::Broken(..) => Vec::new(),
                })
                .collect();
            prop_assert_eq!(texts, rows);
        }

        #[test]
        fn what_is_accepted_is_read_as_the_csv_crate_reads_it(text in "[ab\",\n\r]{0,40}") {
            let read = read_all(text.as_bytes());
            let all: Option<Vec<Vec<String>>> = read
                .into_iter()
                .map(|r| match r {
                    Read::Record(_, fields) => Some(fields),
                    Read::Broken(..) => None,
                })
                .collect();
            if let Some(ours) = all {
                let mut reader = ::csv::ReaderBuilder::new()
                    .flexible(true)
                    .has_headers(false)
                    .from_reader(text.as_bytes());
                let theirs: Vec<Vec<String>> = reader
                    .records()
                    .map(|r| r.unwrap().iter().map(str::to_owned).collect())
                    .collect();
                prop_assert_eq!(ours, theirs);
            }
        }
    }
}
