//! Files that are broken in every way people break them: each is refused or reported with its place
//! and a way out, and what can be read is read.

#![expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use whetstone_dataset::{
    Block, Imported, Mapping, PROBLEM_CAP, ReadError, ReadOptions, ReadOutcome, Record, Schema, import_jsonl, read,
    sniff,
};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

fn read_all(path: &Path) -> Result<ReadOutcome, ReadError> {
    read(path, &ReadOptions::default(), &mut |_, _| ControlFlow::Continue(()))
}

fn refused(path: &Path) -> String {
    let error = read_all(path).unwrap_err();
    assert!(!error.hint().is_empty());
    error.to_string()
}

fn prompts(outcome: &ReadOutcome) -> Vec<String> {
    let records = outcome.records.iter();
    records.map(|sourced| sourced.record.prompt().into_owned()).collect()
}

#[test]
fn an_unclosed_quote_is_named_by_the_line_where_it_opens_and_the_rest_is_read() {
    let folder = Folder::new();
    let path = folder.file("a.csv", "text,label\none,a\n\"two,b\nthree,c\nfour,d\n");
    let outcome = read_all(&path).unwrap();
    assert_eq!(prompts(&outcome), ["one", "three", "four"]);
    assert_eq!(outcome.problem_count, 1);
    let problem = &outcome.problems[0];
    assert_eq!((problem.line, problem.column), (3, Some(1)));
    assert!(problem.message.contains("never closed"));
    assert!(problem.excerpt.starts_with("two,b"));
}

#[test]
fn column_names_with_an_unclosed_quote_are_refused_with_the_line() {
    let folder = Folder::new();
    let said = refused(&folder.file("a.csv", "\"text,label\na,b\n"));
    assert_eq!(said, "the column names on line 1 cannot be read: The quote that opens here is never closed.");
}

#[test]
fn one_broken_line_of_ten_thousand_is_named_and_the_others_are_read() {
    let folder = Folder::new();
    let mut text = String::new();
    for line in 1..=10_000 {
        if line == 9_999 {
            text.push_str("{\"prompt\": \"x\", \"completion\" \"y\"}\n");
        } else {
            text.push_str(&format!("{{\"prompt\":\"p{line}\",\"completion\":\"c\"}}\n"));
        }
    }
    let outcome = read_all(&folder.file("a.jsonl", text)).unwrap();
    assert_eq!(outcome.records.len(), 9_999);
    assert_eq!(outcome.records[9_998].line, Some(10_000));
    assert_eq!(outcome.problem_count, 1);
    let problem = &outcome.problems[0];
    assert_eq!((problem.line, problem.column), (9_999, Some(30)));
    assert_eq!(problem.message, "A colon is missing between \"completion\" and its value.");
    assert!(problem.hint.contains("Mend the JSON"));
    assert!(problem.excerpt.contains("\"completion\" \"y\""));
}

#[test]
fn every_problem_is_counted_and_the_first_hundred_are_kept() {
    let folder = Folder::new();
    let mut text = "{\"prompt\":\"a\",\"completion\":\"b\"}\n".to_owned();
    text.push_str(&"{broken\n".repeat(150));
    let outcome = read_all(&folder.file("a.jsonl", text)).unwrap();
    assert_eq!(outcome.records.len(), 1);
    assert_eq!(outcome.problem_count, 150);
    assert_eq!(outcome.problems.len(), PROBLEM_CAP);
}

#[test]
fn what_stands_on_a_line_of_json_lines_but_is_no_record_is_named() {
    let folder = Folder::new();
    let good = "{\"prompt\":\"a\",\"completion\":\"b\"}";
    let mut text = format!("{good}\n\n  \n[1]\n{{\"prompt\":\"a\"}}\n").into_bytes();
    text.extend_from_slice(b"{\"prompt\":\"caf\xE9\",\"completion\":\"b\"}\n");
    text.extend_from_slice(good.as_bytes());
    let outcome = read_all(&folder.file("a.jsonl", text)).unwrap();
    assert_eq!(outcome.records.len(), 2);
    let places: Vec<_> = outcome.problems.iter().map(|p| (p.line, p.column, p.message.as_str())).collect();
    assert_eq!(
        places,
        [
            (4, Some(1), "This line is not a JSON object."),
            (5, None, "There is no \"completion\" here."),
            (6, Some(15), "This line is not written in UTF-8."),
        ]
    );
}

#[test]
fn an_empty_file_is_refused() {
    let folder = Folder::new();
    assert_eq!(refused(&folder.file("a.csv", "")), "the file is empty");
    assert_eq!(refused(&folder.file("b.jsonl", "\n\n")), "the file is empty");
    assert_eq!(refused(&folder.file("c.csv", "text,label\n")), "the file holds column names but no record");
}

#[test]
fn a_binary_file_is_refused() {
    let folder = Folder::new();
    let path = folder.file("a.xlsx", b"PK\x03\x04\x14\x00\x06\x00");
    assert_eq!(refused(&path), "the file is damaged: it is no whole spreadsheet file");
    let path = folder.file("a.png", b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR");
    assert_eq!(refused(&path), "this is not a text file: a NUL byte stands at byte 8");
}

#[test]
fn a_line_of_200_megabytes_is_refused_without_being_held() {
    let folder = Folder::new();
    for (name, start) in [("a.jsonl", "{\"prompt\":\""), ("b.csv", "text,label"), ("c.txt", "")] {
        let path = folder.file(name, start);
        let mut out = BufWriter::new(File::options().append(true).open(&path).unwrap());
        let block = vec![b'x'; 1_000_000];
        for _ in 0..200 {
            out.write_all(&block).unwrap();
        }
        out.flush().unwrap();
        let said = refused(&path);
        assert!(said.starts_with("line 1 is longer than"), "{said}");
        std::fs::remove_file(path).unwrap();
    }
    // Each test has a process of its own, or shares it with small ones.
    if cfg!(target_os = "linux") {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let peak = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
        let kilobytes: u64 = peak.split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!(kilobytes < 150_000, "{peak}");
    }
}

#[test]
fn a_long_line_among_others_costs_that_line_only() {
    let folder = Folder::new();
    let good = "{\"prompt\":\"a\",\"completion\":\"b\"}\n";
    let mut text = good.to_owned();
    text.push_str(&format!("{{\"prompt\":\"{}\n", "x".repeat(26_000_000)));
    text.push_str(good);
    let outcome = read_all(&folder.file("a.jsonl", text)).unwrap();
    assert_eq!(outcome.records.len(), 2);
    assert_eq!(outcome.problems[0].line, 2);
    assert_eq!(outcome.problems[0].message, "This line is longer than 25 MB.");
}

#[test]
fn columns_that_are_not_there_are_named_with_those_that_are() {
    let folder = Folder::new();
    let mapping =
        Mapping { prompt: "question".to_owned(), completion: "label".to_owned(), system: Some("persona".to_owned()) };
    for (name, text) in [("a.csv", "text,label\na,b\n"), ("a.jsonl", "{\"text\":\"a\",\"label\":\"b\"}\n")] {
        let path = folder.file(name, text);
        let error = read(&path, &mapping.clone().into(), &mut |_, _| ControlFlow::Continue(()));
        assert_eq!(
            error.unwrap_err().to_string(),
            "the file has no column named \"question\" or \"persona\"; its columns are: text, label"
        );
    }
    assert_eq!(
        refused(&folder.file("b.csv", "a,b,c\n1,2,3\n")),
        "it is not known which columns are prompt and completion; the columns are: a, b, c"
    );
}

#[test]
fn a_row_with_another_number_of_fields_is_named() {
    let folder = Folder::new();
    let path = folder.file("a.csv", "text,label\na,b\nc, d,e\nf\ng,h");
    let outcome = read_all(&path).unwrap();
    assert_eq!(prompts(&outcome), ["a", "g"]);
    let said: Vec<_> = outcome.problems.iter().map(|p| (p.line, p.message.as_str())).collect();
    assert_eq!(
        said,
        [
            (3, "This row has 3 fields where the first row names 2 columns."),
            (4, "This row has 1 field where the first row names 2 columns."),
        ]
    );
}

#[test]
fn a_file_that_grows_while_it_is_read_is_refused() {
    let folder = Folder::new();
    let path = folder.file("a.csv", format!("text,label\n{}", "a,b\n".repeat(2000)));
    let mut told = 0;
    let outcome = read(&path, &ReadOptions::default(), &mut |_, _| {
        told += 1;
        if told == 3 {
            let mut file = File::options().append(true).open(&path).unwrap();
            file.write_all(b"late,row\n").unwrap();
        }
        ControlFlow::Continue(())
    });
    assert!(matches!(outcome, Err(ReadError::Changed)), "{outcome:?}");
}

#[test]
fn reading_can_be_broken_off_and_tells_how_far_it_is() {
    let folder = Folder::new();
    let path = folder.file("a.csv", format!("text,label\n{}", "a,b\n".repeat(2000)));
    let bytes = std::fs::metadata(&path).unwrap().len();
    let mut last = 0;
    read(&path, &ReadOptions::default(), &mut |done, total| {
        assert_eq!(total, bytes);
        assert!(done >= last && done <= total);
        last = done;
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(last, bytes);
    let broken_off = read(&path, &ReadOptions::default(), &mut |done, _| {
        if done > 1000 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(matches!(broken_off, Err(ReadError::Cancelled)));
}

#[test]
fn one_document_of_examples_is_read() {
    let folder = Folder::new();
    let text = r#"{
  "examples": [
    {"input": "Extract the parties.", "output": {"parties": ["A", "B"], "term": null}},
    {"input": "Say hello.", "output": "Hello", "id": 7},
    {"input": "No answer."},
    {"input": "Broken" "output": "x"},
    {"input": "Last.", "output": 4.5}
  ]
}"#;
    let path = folder.file("training_data.json", text);
    assert_eq!(sniff(&path).unwrap().sample[1], ["Say hello.", "Hello"]);
    let outcome = read_all(&path).unwrap();
    let records: Vec<&Record> = outcome.records.iter().map(|s| &s.record).collect();
    let mut hello = Record::prompt_completion(None, "Say hello.", "Hello");
    hello.extra.insert("id".to_owned(), 7.into());
    assert_eq!(
        records,
        [
            &Record::prompt_completion(None, "Extract the parties.", r#"{"parties":["A","B"],"term":null}"#),
            &hello,
            &Record::prompt_completion(None, "Last.", "4.5"),
        ]
    );
    assert_eq!(outcome.records[2].line, Some(7));
    let lines: Vec<u64> = outcome.problems.iter().map(|p| p.line).collect();
    assert_eq!(lines, [5, 6]);
    assert_eq!(outcome.notes, [""; 0]);
}

#[test]
fn a_document_that_breaks_off_gives_what_came_before() {
    let folder = Folder::new();
    let path = folder.file("a.json", "{\"examples\": [\n{\"input\":\"a\",\"output\":\"b\"},\n{\"input\":\"c\",\"out");
    let outcome = read_all(&path).unwrap();
    assert_eq!(prompts(&outcome), ["a"]);
    assert_eq!(outcome.problems[0].line, 3);
}

#[test]
fn a_file_that_is_not_there_is_said_so() {
    let folder = Folder::new();
    let said = refused(&folder.0.path().join("nothing.csv"));
    assert!(said.contains("nothing.csv cannot be read"), "{said}");
}

fn imported(path: &Path, options: &ReadOptions) -> (Imported, String) {
    let mut out = Vec::new();
    let imported = import_jsonl(path, options, &mut out, &mut |_, _| ControlFlow::Continue(())).unwrap();
    (imported, String::from_utf8(out).unwrap())
}

#[test]
fn lines_that_were_packed_or_in_another_encoding_are_imported_as_they_are() {
    let folder = Folder::new();
    let text = "{\"prompt\": \"O\\u00f9 ?\",  \"completion\": \"là\", \"n\": 1.50}\n{\"prompt\":\"a\",\"completion\":\"b\"}\r\n";
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for (name, bytes) in [("a.jsonl.zst", zstd::encode_all(text.as_bytes(), 1).unwrap()), ("b.jsonl", utf16)] {
        let path = folder.file(name, bytes);
        let (imported, lines) = imported(&path, &ReadOptions::default());
        assert_eq!((imported.schema, imported.records), (Schema::PromptCompletion, 2));
        assert_eq!(lines, text.replace('\r', ""));
    }
}

#[test]
fn tables_and_lists_become_lines_that_lose_nothing() {
    let folder = Folder::new();
    let table = folder.file("a.csv", "id,text,category,prompt\n7,\"a, b\",x,p\n");
    let (imported_table, lines) = imported(
        &table,
        &ReadOptions::from(Mapping { prompt: "text".into(), completion: "category".into(), system: None }),
    );
    assert_eq!(imported_table.schema, Schema::PromptCompletion);
    assert_eq!(lines, "{\"prompt\":\"a, b\",\"completion\":\"x\",\"id\":\"7\",\"prompt (column)\":\"p\"}\n");

    let list =
        folder.file("b.json", "[\n {\"instruction\": \"Add.\", \"input\": \"\", \"output\": \"4\", \"w\": 1.50}\n]");
    let (imported_list, lines) = imported(&list, &ReadOptions::default());
    assert_eq!(imported_list.schema, Schema::Alpaca);
    assert_eq!(lines, "{\"instruction\":\"Add.\",\"input\":\"\",\"output\":\"4\",\"w\":1.50}\n");

    let plain = folder.file("c.csv", "Where is my card?,arrival\nIt is lost.,lost\n");
    let outcome = read_all(&plain).unwrap();
    assert_eq!(prompts(&outcome), ["Where is my card?", "It is lost."]);
    let with_header = ReadOptions { header: Some(true), ..ReadOptions::default() };
    assert_eq!(sniff(&plain).unwrap().format.columns(), ["column 1", "column 2"]);
    assert_eq!(read(&plain, &with_header, &mut |_, _| ControlFlow::Continue(())).unwrap().records.len(), 1);
}

#[test]
fn a_line_of_another_schema_among_the_others_is_read_and_told() {
    let folder = Folder::new();
    let text = "{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"messages\":[{\"role\":\"user\",\"content\":\"c\"}]}\n{\"prompt\":\"d\",\"completion\":{\"x\":1}}\n{\"a\":1}\n";
    let outcome = read_all(&folder.file("a.jsonl", text)).unwrap();
    assert_eq!(prompts(&outcome), ["a", "c", "d"]);
    assert!(matches!(&outcome.records[2].record.turns[1].content[..], [Block::Other(_)]));
    assert_eq!(outcome.notes.len(), 1);
    assert_eq!((outcome.problems[0].line, outcome.problems[0].message.as_str()), (4, "There is no \"prompt\" here."));
}
