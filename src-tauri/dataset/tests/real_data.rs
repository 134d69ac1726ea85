//! What must hold for data that nobody on this project wrote. The folder is named by
//! `WHETSTONE_REAL_DATA`; where it is unset, a test says that it skipped and passes.

#![expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]

use std::ops::ControlFlow;
use std::path::PathBuf;

use whetstone_catalog::{DataFormat, TINY_V1, catalog};
use whetstone_dataset::validate::{LineSource, Options, StateSource, validate};
use whetstone_dataset::{
    DocumentMeta, DocumentWriter, Intent, Mapping, ReadOptions, Schema, Share, SplitBy, SplitKind, SplitPlan,
    SystemHandling, Unwatched, check_file, read, sniff,
};

fn real_data() -> Option<PathBuf> {
    let folder = std::env::var_os("WHETSTONE_REAL_DATA");
    if folder.is_none() {
        eprintln!("skipped: WHETSTONE_REAL_DATA is not set");
    }
    folder.map(PathBuf::from)
}

#[test]
fn every_message_of_banking77_is_read_with_its_text_intact() {
    let Some(folder) = real_data() else { return };
    for (name, expected) in [("train.csv", 10_003), ("test.csv", 3_080)] {
        let path = folder.join("banking77").join(name);
        let source = sniff(&path).unwrap();
        assert_eq!(source.format.describe(), "CSV, comma");
        let mapping = Mapping { prompt: "text".to_owned(), completion: "category".to_owned(), system: None };
        assert_eq!(source.mapping.as_ref(), Some(&mapping));

        let outcome = read(&path, &mapping.into(), &mut |_, _| ControlFlow::Continue(())).unwrap();
        assert_eq!(outcome.records.len(), expected);
        assert_eq!((outcome.problem_count, &outcome.notes[..]), (0, &[][..]));

        // Read once more by a reader that is not ours.
        let mut reader = csv::Reader::from_path(&path).unwrap();
        let theirs = reader.records().map(|row| row.unwrap());
        let file = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = file.lines().collect();
        let mut compared = 0;
        for (ours, row) in outcome.records.iter().zip(theirs) {
            assert_eq!(ours.record.prompt(), &row[0]);
            assert_eq!(ours.record.completion(), &row[1]);
            // The record begins on the line that is said, whatever line breaks its text holds.
            let line = lines[ours.line.unwrap() as usize - 1].trim_start_matches('"');
            let prompt = ours.record.prompt();
            let first = prompt.lines().next().unwrap();
            assert!(line.starts_with(&first.replace('"', "\"\"")), "{line}");
            compared += 1;
        }
        assert_eq!(compared, expected);
    }
}

#[test]
fn banking77_goes_from_file_to_checked_training_files() {
    let Some(folder) = real_data() else { return };
    let path = folder.join("banking77/train.csv");
    let outcome = read(&path, &ReadOptions::default(), &mut |_, _| ControlFlow::Continue(())).unwrap();
    let originals = outcome.records.clone();
    let home = tempfile::tempdir().unwrap();
    let meta = DocumentMeta { name: "banking77".to_owned(), source: "train.csv".to_owned(), created_at: 0 };
    let mut writer = DocumentWriter::new(&home.path().join("banking77"), Schema::PromptCompletion).unwrap();
    outcome.records.iter().for_each(|sourced| writer.push(&sourced.record).unwrap());
    let mut document = writer.finish(meta).unwrap();
    let plan =
        SplitPlan { validation: Share::Percent(10.0), hold_out: Share::Percent(10.0), seed: 1, by: SplitBy::Record };
    let counts = document.assign_split(&plan, &Unwatched).unwrap();
    assert_eq!((counts.training, counts.validation, counts.hold_out), (8003, 1000, 1000));

    let model = catalog().find(TINY_V1).unwrap();
    let source: Box<dyn LineSource> = Box::new(StateSource::new(document.state()));
    let (schema, intent) = (Schema::PromptCompletion, Intent::new(model));
    let report = validate(vec![source], &schema, &intent, &Options::default(), &Unwatched).unwrap();
    assert_eq!((report.records, report.valid), (10_003, 10_003));
    assert_eq!(report.errors, 0, "{:?}", report.findings.first());

    let files = document.export(home.path(), DataFormat::PromptCompletion, SystemHandling::PutBeforePrompt).unwrap();
    assert_eq!(files.len(), 3);
    let mut checked = Vec::new();
    for file in &files {
        let check = check_file(std::fs::File::open(&file.path).unwrap(), &Intent::new(model), file.split).unwrap();
        assert!(check.is_clean(), "{:?}", check.failure_message());
        assert_eq!(check.records.len() as u64, file.records);
        assert_eq!(check.bytes, file.bytes);
        checked.push((file.split, check.records.into_iter()));
    }
    // Every record is in the file of its split, in order, and is what was read.
    for (position, original) in originals.iter().enumerate() {
        let split = document.row(position as u64).unwrap().split;
        let (_, records) = checked.iter_mut().find(|(kind, _)| Some(*kind) == split).unwrap();
        assert_eq!(records.next().as_ref(), Some(&original.record));
    }
    assert!(files.iter().any(|file| file.split == SplitKind::HoldOut));
}
