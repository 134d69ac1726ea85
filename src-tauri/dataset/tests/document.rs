//! A dataset on disk: what it promises about edits, crashes and splits.

#![expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use proptest::prelude::*;
use whetstone_catalog::DataFormat;
use whetstone_dataset::{
    Document, DocumentError, DocumentMeta, DocumentWriter, Record, Role, Share, SourcedRecord, SplitKind, SplitPlan,
    SystemHandling, Turn,
};

fn meta() -> DocumentMeta {
    DocumentMeta { name: "Messages".to_owned(), source: "messages.csv".to_owned(), created_at: 1_700_000_000_000 }
}

fn record(text: &str) -> Record {
    Record::prompt_completion(None, text, format!("answer to {text}"))
}

fn sourced(count: u64) -> impl Iterator<Item = SourcedRecord> {
    (0..count).map(|number| SourcedRecord { record: record(&format!("r{number}")), line: Some(number + 2) })
}

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Home {
        Home(tempfile::tempdir().unwrap())
    }

    fn dir(&self) -> PathBuf {
        self.0.path().join("dataset")
    }

    fn document(&self, count: u64) -> Document {
        Document::create(&self.dir(), sourced(count), meta()).unwrap()
    }

    fn reopen(&self, document: Document) -> Document {
        drop(document);
        Document::open(&self.dir()).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.dir())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn prompts(document: &Document) -> Vec<String> {
    let rows = document.iter().map(|row| row.unwrap());
    rows.map(|row| row.record.prompt().into_owned()).collect()
}

#[test]
fn windows_show_the_records_in_order_with_their_lines() {
    let home = Home::new();
    let document = home.document(2000);
    assert_eq!(document.len(), 2000);
    assert_eq!(document.meta(), &meta());
    let rows = document.rows(1995..5000).unwrap();
    assert_eq!(rows.len(), 5);
    assert_eq!((rows[0].position, rows[0].line), (1995, Some(1997)));
    assert_eq!(rows[4].record, record("r1999"));
    assert_eq!(document.rows(2000..2001).unwrap(), []);
    assert_eq!(document.iter().count(), 2000);
    assert!(matches!(document.record(2000), Err(DocumentError::OutOfRange { .. })));
}

#[test]
fn every_edit_is_there_after_opening_again_and_can_be_undone_to_the_import() {
    let home = Home::new();
    let mut document = home.document(5);
    document.replace(1, record("changed")).unwrap();
    document.delete(0).unwrap();
    document.insert(4, record("last")).unwrap();
    document.insert(0, record("first")).unwrap();
    let edited = ["first", "changed", "r2", "r3", "r4", "last"];
    assert_eq!(prompts(&document), edited);

    let mut document = home.reopen(document);
    assert_eq!(prompts(&document), edited);
    assert_eq!(document.row(1).unwrap().line, Some(3));
    assert_eq!(document.row(0).unwrap().line, None);
    assert_eq!(document.undo().unwrap(), Some(0));
    assert_eq!(document.undo().unwrap(), Some(4));

    let mut document = home.reopen(document);
    assert_eq!(document.undo().unwrap(), Some(0));
    assert_eq!(document.undo().unwrap(), Some(1));
    assert_eq!(document.undo().unwrap(), None);
    assert_eq!(prompts(&document), ["r0", "r1", "r2", "r3", "r4"]);
    while document.redo().unwrap().is_some() {}
    assert_eq!(prompts(&document), edited);

    document.undo().unwrap();
    document.replace(0, record("other")).unwrap();
    assert!(!document.can_redo() && document.can_undo());
}

#[test]
fn an_edit_beyond_the_end_is_refused_and_changes_nothing() {
    let home = Home::new();
    let mut document = home.document(2);
    assert!(document.replace(2, record("x")).is_err());
    assert!(document.delete(2).is_err());
    assert!(document.insert(3, record("x")).is_err());
    assert!(!document.can_undo());
    let document = home.reopen(document);
    assert_eq!(prompts(&document), ["r0", "r1"]);
}

#[test]
fn an_edit_cut_off_by_a_crash_is_dropped_and_the_ones_before_it_are_kept() {
    let home = Home::new();
    let mut document = home.document(3);
    document.delete(0).unwrap();
    document.delete(0).unwrap();
    drop(document);
    let journal = home.dir().join("journal");
    let length = std::fs::metadata(&journal).unwrap().len();
    let file = std::fs::File::options().write(true).open(&journal).unwrap();
    file.set_len(length - 3).unwrap();

    let mut document = Document::open(&home.dir()).unwrap();
    assert_eq!(prompts(&document), ["r1", "r2"]);
    let recovery = document.recovery().unwrap();
    assert!(recovery.dropped_bytes > 0 && recovery.kept_aside.is_none());
    document.replace(0, record("after")).unwrap();
    let document = home.reopen(document);
    assert!(document.recovery().is_none());
    assert_eq!(prompts(&document), ["after", "r2"]);
}

#[test]
fn a_journal_damaged_in_its_middle_is_kept_aside_and_said() {
    let home = Home::new();
    let mut document = home.document(5);
    for _ in 0..4 {
        document.delete(0).unwrap();
    }
    drop(document);
    let journal = home.dir().join("journal");
    let mut bytes = std::fs::read(&journal).unwrap();
    let second = bytes.iter().position(|&b| b == b'\n').unwrap() + 20;
    bytes[second] ^= 1;
    std::fs::write(&journal, &bytes).unwrap();

    let document = Document::open(&home.dir()).unwrap();
    assert_eq!(document.len(), 4);
    let aside = document.recovery().unwrap().kept_aside.clone().unwrap();
    assert!(bytes.ends_with(&std::fs::read(aside).unwrap()));
}

#[test]
fn lines_of_another_journal_do_not_count() {
    let home = Home::new();
    let mut document = home.document(5);
    document.delete(0).unwrap();
    document.delete(1).unwrap();
    drop(document);
    let journal = home.dir().join("journal");
    let text = std::fs::read_to_string(&journal).unwrap();
    let second = text.lines().nth(1).unwrap();
    std::fs::write(&journal, format!("{second}\n{text}")).unwrap();
    let document = Document::open(&home.dir()).unwrap();
    assert_eq!(document.len(), 5);
    assert!(document.recovery().unwrap().kept_aside.is_some());
}

#[test]
fn a_dataset_is_open_in_one_place_at_a_time() {
    let home = Home::new();
    let document = home.document(1);
    assert!(matches!(Document::open(&home.dir()), Err(DocumentError::InUse { .. })));
    drop(document);
    assert!(Document::open(&home.dir()).is_ok());
}

#[test]
fn an_index_that_is_missing_or_damaged_is_made_again() {
    let home = Home::new();
    let document = home.document(300);
    drop(document);
    let index = home.dir().join("records.idx");
    let whole = std::fs::read(&index).unwrap();
    let mut flipped = whole.clone();
    flipped[100] ^= 4;
    for damaged in [None, Some(&flipped[..]), Some(&whole[..50]), Some(&[][..])] {
        match damaged {
            None => std::fs::remove_file(&index).unwrap(),
            Some(bytes) => std::fs::write(&index, bytes).unwrap(),
        }
        let document = Document::open(&home.dir()).unwrap();
        assert_eq!(document.record(299).unwrap(), record("r299"));
        assert_eq!(std::fs::read(&index).unwrap(), whole);
    }
}

#[test]
fn records_that_were_cut_are_not_taken_for_the_whole() {
    let home = Home::new();
    drop(home.document(10));
    let records = home.dir().join("records.jsonl");
    let length = std::fs::metadata(&records).unwrap().len();
    let file = std::fs::File::options().write(true).open(&records).unwrap();
    file.set_len(length - 1).unwrap();
    let error = Document::open(&home.dir()).unwrap_err();
    assert!(matches!(error, DocumentError::Damaged { .. }), "{error}");
    assert!(error.hint().contains("original"));
}

#[test]
fn an_import_that_is_not_finished_leaves_no_dataset() {
    let home = Home::new();
    let mut writer = DocumentWriter::new(&home.dir()).unwrap();
    writer.push(sourced(1).next().unwrap()).unwrap();
    drop(writer);
    assert_eq!(home.names(), Vec::<String>::new());
    assert!(matches!(Document::open(&home.dir()), Err(DocumentError::NotADocument { .. })));
    drop(home.document(2));
    assert!(matches!(DocumentWriter::new(&home.dir()), Err(DocumentError::Exists { .. })));
    assert_eq!(Document::open(&home.dir()).unwrap().len(), 2);
}

fn plan(validation: u64, hold_out: u64) -> SplitPlan {
    SplitPlan { validation: Share::Count(validation), hold_out: Share::Count(hold_out), seed: 7 }
}

#[test]
fn a_record_keeps_its_split_through_edits_and_opening_again() {
    let home = Home::new();
    let mut document = home.document(20);
    assert_eq!(document.split_counts(), None);
    assert_eq!(document.row(0).unwrap().split, None);
    let counts = document.assign_split(&plan(4, 3)).unwrap();
    assert_eq!((counts.training, counts.validation, counts.hold_out), (13, 4, 3));
    let of = |document: &Document| -> Vec<(String, SplitKind)> {
        let rows = document.iter().map(|row| row.unwrap());
        rows.map(|row| (row.record.prompt().into_owned(), row.split.unwrap())).collect()
    };
    let before = of(&document);
    document.insert(0, record("new")).unwrap();
    document.delete(5).unwrap();
    document.delete(9).unwrap();
    let mut document = home.reopen(document);
    let after = of(&document);
    assert_eq!(after[0], ("new".to_owned(), SplitKind::Training));
    assert!(after[1..].iter().all(|pair| before.contains(pair)));
    while document.undo().unwrap().is_some() {}
    assert_eq!(of(&document), before);

    assert!(document.assign_split(&plan(20, 0)).is_err());
    assert_eq!(of(&document), before);
}

#[test]
fn an_export_has_a_file_for_each_split_that_has_records() {
    let home = Home::new();
    let mut document = home.document(10);
    let out = home.0.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let export =
        |document: &Document| document.export(&out, DataFormat::PromptCompletion, SystemHandling::PutBeforePrompt);
    let all = export(&document).unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].split, all[0].records), (SplitKind::Training, 10));
    document.assign_split(&plan(2, 3)).unwrap();
    let parts = export(&document).unwrap();
    let records: Vec<u64> = parts.iter().map(|part| part.records).collect();
    assert_eq!(records, [5, 2, 3]);
    for part in &parts {
        let text = std::fs::read_to_string(&part.path).unwrap();
        assert_eq!(text.lines().count() as u64, part.records);
        assert_eq!(text.len() as u64, part.bytes);
    }

    let roles = [Role::User, Role::Assistant, Role::User, Role::Assistant];
    let two_answers = Record::new(roles.map(|role| Turn::new(role, "x")).into());
    document.replace(6, two_answers).unwrap();
    let before = std::fs::read(&parts[0].path).unwrap();
    let error = export(&document).unwrap_err();
    assert!(error.to_string().starts_with("record 7 "), "{error}");
    assert_eq!(std::fs::read(&parts[0].path).unwrap(), before);
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 3);
}

const CHILD: &str = "WHETSTONE_TEST_EDITS_IN";

/// The other half of the test below: edits without end and says each edit that was made.
#[test]
fn edits_until_it_is_killed() {
    let Some(dir) = std::env::var_os(CHILD) else {
        return;
    };
    let mut document = Document::open(Path::new(&dir)).unwrap();
    let mut out = std::io::stdout();
    for number in 0_u64.. {
        document.replace(number % 10, record(&format!("edit {number}"))).unwrap();
        writeln!(out, "\nmade {number}").unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn an_edit_that_was_seen_survives_kill_9() {
    for kill_after in [1_u64, 7, 40] {
        let home = Home::new();
        drop(home.document(10));
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "edits_until_it_is_killed", "--nocapture"])
            .env(CHILD, home.dir())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        let seen = said
            .filter_map(|line| line.unwrap().strip_prefix("made ")?.parse::<u64>().ok())
            .find(|&number| number >= kill_after)
            .unwrap();
        child.kill().unwrap();
        child.wait().unwrap();

        let document = Document::open(&home.dir()).unwrap();
        let highest =
            prompts(&document).iter().filter_map(|prompt| prompt.strip_prefix("edit ")?.parse::<u64>().ok()).max();
        assert!(highest >= Some(seen), "{highest:?} is before {seen}");
    }
}

/// What is done to a dataset in the test against a plain vector. Positions are shares of the length.
#[derive(Debug, Clone)]
enum Act {
    Replace(u16, String),
    Insert(u16, String),
    Delete(u16),
    Undo,
    Redo,
    Reopen,
    /// Cut the journal at this share of its bytes.
    Cut(u16),
    Split,
}

fn act() -> impl Strategy<Value = Act> {
    let text = "[a-z\"\\\\\n é]{0,6}";
    prop_oneof![
        4 => (any::<u16>(), text).prop_map(|(at, text)| Act::Replace(at, text)),
        3 => (any::<u16>(), text).prop_map(|(at, text)| Act::Insert(at, text)),
        3 => any::<u16>().prop_map(Act::Delete),
        4 => Just(Act::Undo),
        3 => Just(Act::Redo),
        1 => Just(Act::Reopen),
        1 => any::<u16>().prop_map(Act::Cut),
        1 => Just(Act::Split),
    ]
}

/// The plain vector, with every state there was.
#[derive(Debug, Clone)]
struct Model {
    states: Vec<Vec<Record>>,
    now: usize,
}

impl Model {
    fn records(&self) -> &Vec<Record> {
        &self.states[self.now]
    }

    fn edit(&mut self, change: impl FnOnce(&mut Vec<Record>)) {
        let mut next = self.records().clone();
        change(&mut next);
        self.states.truncate(self.now + 1);
        self.states.push(next);
        self.now += 1;
    }
}

fn place(share: u16, length: usize) -> u64 {
    (u64::from(share) * length as u64) >> 16
}

fn compare(document: &Document, model: &Model) -> Result<(), TestCaseError> {
    let rows: Vec<_> = document.iter().map(|row| row.unwrap()).collect();
    let records: Vec<Record> = rows.iter().map(|row| row.record.clone()).collect();
    prop_assert_eq!(&records, model.records());
    prop_assert_eq!(document.len() as usize, records.len());
    prop_assert_eq!(document.can_undo(), model.now > 0);
    prop_assert_eq!(document.can_redo(), model.now + 1 < model.states.len());
    for (position, row) in rows.iter().enumerate() {
        prop_assert_eq!(row.position, position as u64);
        prop_assert_eq!(&document.row(position as u64).unwrap(), row);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_edits_undos_reopenings_and_crashes_leave_what_a_plain_vector_would(
        imported in 0_u64..12,
        acts in prop::collection::vec(act(), 1..60),
    ) {
        let home = Home::new();
        let mut document = home.document(imported);
        let journal = home.dir().join("journal");
        let mut model = Model {
            states: vec![sourced(imported).map(|s| s.record).collect()],
            now: 0,
        };
        // The model after each line of the journal, by the length the journal then had.
        let mut after = vec![(0_u64, model.clone())];
        for act in acts {
            let length = model.records().len();
            match act {
                Act::Replace(share, text) if length > 0 => {
                    let at = place(share, length);
                    document.replace(at, record(&text)).unwrap();
                    model.edit(|records| records[at as usize] = record(&text));
                }
                Act::Delete(share) if length > 0 => {
                    let at = place(share, length);
                    document.delete(at).unwrap();
                    model.edit(|records| { records.remove(at as usize); });
                }
                Act::Insert(share, text) => {
                    let at = place(share, length + 1);
                    document.insert(at, record(&text)).unwrap();
                    model.edit(|records| records.insert(at as usize, record(&text)));
                }
                Act::Undo => {
                    let undone = document.undo().unwrap();
                    prop_assert_eq!(undone.is_some(), model.now > 0);
                    model.now = model.now.saturating_sub(1);
                }
                Act::Redo => {
                    let redone = document.redo().unwrap();
                    prop_assert_eq!(redone.is_some(), model.now + 1 < model.states.len());
                    model.now = (model.now + 1).min(model.states.len() - 1);
                }
                Act::Cut(share) => {
                    drop(document);
                    let bytes = std::fs::metadata(&journal).unwrap().len();
                    let cut = place(share, bytes as usize + 1);
                    std::fs::File::options().write(true).open(&journal).unwrap()
                        .set_len(cut).unwrap();
                    after.retain(|(length, _)| *length <= cut);
                    let (whole, state) = &after[after.len() - 1];
                    model = state.clone();
                    document = Document::open(&home.dir()).unwrap();
                    prop_assert_eq!(document.recovery().is_some(), cut > *whole);
                }
                Act::Reopen => document = home.reopen(document),
                Act::Split if length > 3 => {
                    let counts = document.assign_split(&plan(1, 1)).unwrap();
                    prop_assert_eq!(counts.training as usize, length - 2);
                }
                Act::Replace(..) | Act::Delete(_) | Act::Split => {}
            }
            let bytes = std::fs::metadata(&journal).unwrap().len();
            if after[after.len() - 1].0 < bytes {
                after.push((bytes, model.clone()));
            }
            compare(&document, &model)?;
        }
        let document = home.reopen(document);
        compare(&document, &model)?;
    }
}
