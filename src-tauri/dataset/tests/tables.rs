//! Parquet and XLSX files that pandas, pyarrow and openpyxl wrote (`tables/make.py`) are read as what
//! was put into them.

#![expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::data_type::{ByteArrayType, Int32Type};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde_json::{Map, Value, json};
use whetstone_dataset::{Format, ReadError, ReadOptions, Record, Schema, import_jsonl, read, sheets, sniff};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables")
}

fn expected() -> Map<String, Value> {
    serde_json::from_slice(&std::fs::read(folder().join("expected.json")).unwrap()).unwrap()
}

fn records(path: &Path) -> Vec<Record> {
    let outcome = read(path, &ReadOptions::default(), &mut |_, _| ControlFlow::Continue(())).unwrap();
    assert_eq!(outcome.problem_count, 0, "{:?}", outcome.problems);
    outcome.records.into_iter().map(|sourced| sourced.record).collect()
}

/// A record as `make.py` writes down what it expects.
fn told(record: &Record, like: &Value) -> Value {
    let extra = Value::Object(record.extra.clone());
    if like.get("turns").is_some() {
        let turns = record.turns.iter();
        let turns: Vec<Value> = turns
            .map(|turn| {
                let text = turn.content.first().map(|_| turn.text().into_owned());
                json!([turn.role.as_str(), text])
            })
            .collect();
        json!({"turns": turns, "extra": extra})
    } else {
        json!({"prompt": record.prompt(), "completion": record.completion(), "extra": extra})
    }
}

#[test]
fn tables_that_other_tools_wrote_are_read_as_they_were_meant() {
    let expected = expected();
    assert_eq!(expected.len(), 9);
    for (name, rows) in &expected {
        let rows = rows.as_array().unwrap();
        let records = records(&folder().join(name));
        assert_eq!(records.len(), rows.len(), "{name}");
        for (record, row) in records.iter().zip(rows) {
            assert_eq!(told(record, row), *row, "{name}");
        }
    }
}

#[test]
fn the_columns_of_a_table_and_its_schema_are_told_before_it_is_read() {
    let source = sniff(&folder().join("pairs-zstd.parquet")).unwrap();
    assert_eq!(source.format.columns(), ["id", "question", "answer", "score", "when"]);
    assert_eq!(source.mapping.as_ref().unwrap().completion, "answer");
    assert!(!source.opens_in_place());
    let source = sniff(&folder().join("messages.parquet")).unwrap();
    assert_eq!(source.format.schema(), Some(&Schema::OpenAiChat));
    let source = sniff(&folder().join("pairs.xlsx")).unwrap();
    assert!(matches!(&source.format, Format::Xlsx { header: true, sheet, .. } if sheet == "pairs"));
    assert_eq!(source.sample[0][1], "Où est ma carte ?");
    // An empty sheet before it is passed over.
    let source = sniff(&folder().join("empty-first-sheet.xlsx")).unwrap();
    assert!(matches!(&source.format, Format::Xlsx { sheet, .. } if sheet == "pairs"));
    assert_eq!(sheets(&folder().join("empty-first-sheet.xlsx")).unwrap(), ["notes", "pairs"]);
    let source = sniff(&folder().join("no-header.xlsx")).unwrap();
    assert!(matches!(source.format, Format::Xlsx { header: false, .. }));
}

#[test]
fn the_sheet_is_named_where_there_are_several_and_can_be_chosen() {
    let path = folder().join("pairs.xlsx");
    let outcome = read(&path, &ReadOptions::default(), &mut |_, _| ControlFlow::Continue(())).unwrap();
    assert_eq!(outcome.notes, ["Of 2 sheets, \"pairs\" was read."]);
    assert_eq!(sheets(&path).unwrap(), ["pairs", "notes"]);
    assert_eq!(outcome.records[1].line, Some(3));
    let options = ReadOptions { sheet: Some("notes".to_owned()), ..ReadOptions::default() };
    let refused = read(&path, &options, &mut |_, _| ControlFlow::Continue(()));
    assert!(matches!(refused, Err(ReadError::NeedsMapping { columns }) if columns == ["x"]));
    let options = ReadOptions { sheet: Some("nowhere".to_owned()), ..ReadOptions::default() };
    let refused = read(&path, &options, &mut |_, _| ControlFlow::Continue(())).unwrap_err();
    assert!(refused.to_string().contains("no sheet of that name"), "{refused}");
}

#[test]
fn an_imported_table_of_conversations_keeps_its_schema_and_fields() {
    let mut out = Vec::new();
    let path = folder().join("messages.parquet");
    let imported = import_jsonl(&path, &ReadOptions::default(), &mut out, &mut |_, _| ControlFlow::Continue(()));
    let imported = imported.unwrap();
    assert_eq!((imported.schema, imported.records), (Schema::OpenAiChat, 2));
    let first = String::from_utf8(out).unwrap().lines().next().unwrap().to_owned();
    let first: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(first["tags"], json!(["a", "b"]));
    assert_eq!(first["messages"][1], json!({"role": "user", "content": "Hi"}));
}

#[test]
fn a_table_that_is_damaged_or_cut_off_is_refused() {
    let home = tempfile::tempdir().unwrap();
    for name in ["pairs-zstd.parquet", "messages.parquet", "pairs.xlsx"] {
        let whole = std::fs::read(folder().join(name)).unwrap();
        for length in (5..whole.len()).step_by(97) {
            let path = home.path().join(name);
            std::fs::write(&path, &whole[..length]).unwrap();
            let refused = read(&path, &ReadOptions::default(), &mut |_, _| ControlFlow::Continue(()));
            let error = refused.unwrap_err();
            assert!(error.to_string().contains("damaged") && !error.hint().is_empty(), "{error}");
        }
        // What is told of the rows must not be believed before they are read.
        for place in (0..whole.len()).step_by(13) {
            let mut changed = whole.clone();
            changed[place] ^= 0x55;
            let path = home.path().join(name);
            std::fs::write(&path, &changed).unwrap();
            let _ = read(&path, &ReadOptions::default(), &mut |_, _| ControlFlow::Continue(()));
        }
    }
}

/// A Parquet file of one row, whose one list has so many zeros: a few hundred bytes, however many they are.
fn list_of_zeros(path: &Path, zeros: usize) {
    let schema = "message rows { required binary prompt (UTF8); repeated int32 numbers; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let file = std::fs::File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut prompt = group.next_column().unwrap().unwrap();
    prompt.typed::<ByteArrayType>().write_batch(&["Hi".into()], None, None).unwrap();
    prompt.close().unwrap();
    let mut numbers = group.next_column().unwrap().unwrap();
    let repetitions: Vec<i16> = (0..zeros).map(|index| i16::from(index > 0)).collect();
    numbers.typed::<Int32Type>().write_batch(&vec![0; zeros], Some(&vec![1; zeros]), Some(&repetitions)).unwrap();
    numbers.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
}

#[test]
fn a_small_file_that_would_take_much_memory_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.parquet");
    list_of_zeros(&path, 10_000);
    assert_eq!(records(&path).len(), 1);

    list_of_zeros(&path, 20_000_000);
    assert!(std::fs::metadata(&path).unwrap().len() < 5_000);
    let refused = read(&path, &ReadOptions::default(), &mut |_, _| ControlFlow::Continue(())).unwrap_err();
    assert!(matches!(refused, ReadError::Damaged { .. }), "{refused}");
}
