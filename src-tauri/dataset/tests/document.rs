//! A dataset on disk: what it promises about edits, crashes and splits.

#![expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use whetstone_catalog::DataFormat;
use whetstone_dataset::{
    Document, DocumentError, DocumentMeta, DocumentWriter, Edit, IdSet, IndexState, Record, Role, Row, Schema, Share,
    SplitBy, SplitKind, SplitPlan, SystemHandling, Turn, Undone, Unwatched, Watch,
};

fn meta() -> DocumentMeta {
    DocumentMeta { name: "Messages".to_owned(), source: "messages.csv".to_owned(), created_at: 1_700_000_000_000 }
}

fn record(text: &str) -> Record {
    Record::prompt_completion(None, text, format!("answer to {text}"))
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
        self.document_of(Schema::PromptCompletion, count)
    }

    fn document_of(&self, schema: Schema, count: u64) -> Document {
        let mut writer = DocumentWriter::new(&self.dir(), schema).unwrap();
        (0..count).for_each(|number| writer.push(&record(&format!("r{number}"))).unwrap());
        writer.finish(meta()).unwrap()
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

/// The record at a position, as edits name it.
fn at(document: &Document, position: u64) -> u32 {
    document.state().id_at(position).unwrap()
}

fn delete(document: &mut Document, position: u64) {
    let id = at(document, position);
    assert_eq!(document.delete(&IdSet::from_iter([id])).unwrap(), 1);
}

fn replace(document: &mut Document, position: u64, text: &str) {
    document.replace(at(document, position), &record(text)).unwrap();
}

fn prompts(document: &Document) -> Vec<String> {
    let rows = document.iter().map(|row| row.unwrap());
    rows.map(|row| row.record.unwrap().prompt().into_owned()).collect()
}

#[test]
fn windows_show_the_records_in_order_with_their_lines() {
    let home = Home::new();
    let document = home.document(2000);
    assert_eq!(document.len(), 2000);
    assert_eq!(document.meta(), &meta());
    let rows = document.rows(1995..5000).unwrap();
    assert_eq!(rows.len(), 5);
    assert_eq!((rows[0].position, rows[0].line), (1995, Some(1996)));
    assert_eq!(rows[4].record, Ok(record("r1999")));
    assert_eq!(document.rows(2000..2001).unwrap(), []);
    assert_eq!(document.iter().count(), 2000);
    assert!(matches!(document.row(2000), Err(DocumentError::OutOfRange { .. })));
}

#[test]
fn every_edit_is_there_after_opening_again_and_can_be_undone_to_the_import() {
    let home = Home::new();
    let mut document = home.document(5);
    replace(&mut document, 1, "changed");
    delete(&mut document, 0);
    document.insert(4, &[record("last")]).unwrap();
    document.insert(0, &[record("first")]).unwrap();
    let edited = ["first", "changed", "r2", "r3", "r4", "last"];
    assert_eq!(prompts(&document), edited);

    let mut document = home.reopen(document);
    assert_eq!(prompts(&document), edited);
    assert_eq!(document.row(1).unwrap().line, Some(2));
    assert_eq!(document.row(0).unwrap().line, None);
    let undone = |position| Some(Undone { label: "Insert record".to_owned(), records: 1, position });
    assert_eq!(document.undo().unwrap(), undone(0));
    assert_eq!(document.undo().unwrap(), undone(4));

    let mut document = home.reopen(document);
    assert_eq!(document.undo_label(), Some("Delete record"));
    document.undo().unwrap();
    assert_eq!(document.undo().unwrap(), Some(Undone { label: "Edit record".to_owned(), records: 1, position: 1 }));
    assert_eq!(document.undo().unwrap(), None);
    assert_eq!(prompts(&document), ["r0", "r1", "r2", "r3", "r4"]);
    while document.redo().unwrap().is_some() {}
    assert_eq!(prompts(&document), edited);

    document.undo().unwrap();
    replace(&mut document, 0, "other");
    assert!(!document.can_redo() && document.can_undo());
}

#[test]
fn an_edit_beyond_the_end_is_refused_and_changes_nothing() {
    let home = Home::new();
    let mut document = home.document(2);
    assert!(matches!(document.replace(2, &record("x")), Err(DocumentError::NoSuchRecord { id: 2 })));
    assert_eq!(document.delete(&IdSet::from_iter([2, 7])).unwrap(), 0);
    assert!(matches!(document.insert(3, &[record("x")]), Err(DocumentError::OutOfRange { .. })));
    assert!(matches!(document.replace_line(1, b"{}\n{}"), Err(DocumentError::NotOneLine)));
    assert!(!document.can_undo());
    let document = home.reopen(document);
    assert_eq!(prompts(&document), ["r0", "r1"]);
}

#[test]
fn an_edit_cut_off_by_a_crash_is_dropped_and_the_ones_before_it_are_kept() {
    let home = Home::new();
    let mut document = home.document(3);
    delete(&mut document, 0);
    delete(&mut document, 0);
    drop(document);
    let journal = home.dir().join("journal");
    let length = std::fs::metadata(&journal).unwrap().len();
    let file = std::fs::File::options().write(true).open(&journal).unwrap();
    file.set_len(length - 3).unwrap();

    let mut document = Document::open(&home.dir()).unwrap();
    assert_eq!(prompts(&document), ["r1", "r2"]);
    let recovery = document.recovery().unwrap();
    assert!(recovery.dropped_bytes > 0 && recovery.kept_aside.is_none());
    replace(&mut document, 0, "after");
    let document = home.reopen(document);
    assert!(document.recovery().is_none());
    assert_eq!(prompts(&document), ["after", "r2"]);
}

#[test]
fn a_journal_damaged_in_its_middle_is_kept_aside_and_said() {
    let home = Home::new();
    let mut document = home.document(5);
    for _ in 0..4 {
        delete(&mut document, 0);
    }
    drop(document);
    let journal = home.dir().join("journal");
    let mut bytes = std::fs::read(&journal).unwrap();
    // Every deletion takes as many bytes; the middle of the file lies in the third.
    let middle = bytes.len() / 2 + 20;
    bytes[middle] ^= 1;
    std::fs::write(&journal, &bytes).unwrap();

    let document = Document::open(&home.dir()).unwrap();
    assert_eq!(document.len(), 3);
    let aside = document.recovery().unwrap().kept_aside.clone().unwrap();
    assert!(bytes.ends_with(&std::fs::read(aside).unwrap()));
}

#[test]
fn lines_of_another_journal_do_not_count() {
    let home = Home::new();
    let mut document = home.document(5);
    delete(&mut document, 0);
    delete(&mut document, 1);
    drop(document);
    let journal = home.dir().join("journal");
    let bytes = std::fs::read(&journal).unwrap();
    let (magic, blocks) = bytes.split_at(8);
    let second = &blocks[blocks.len() / 2..];
    std::fs::write(&journal, [magic, second, blocks].concat()).unwrap();
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
        if let Some(job) = document.index_job() {
            job.run(&Unwatched).unwrap();
        }
        assert_eq!(document.row(299).unwrap().record, Ok(record("r299")));
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
    let mut writer = DocumentWriter::new(&home.dir(), Schema::PromptCompletion).unwrap();
    writer.push(&record("r0")).unwrap();
    drop(writer);
    assert_eq!(home.names(), Vec::<String>::new());
    assert!(matches!(Document::open(&home.dir()), Err(DocumentError::NotADocument { .. })));
    drop(home.document(2));
    assert!(matches!(DocumentWriter::new(&home.dir(), Schema::PromptCompletion), Err(DocumentError::Exists { .. })));
    assert_eq!(Document::open(&home.dir()).unwrap().len(), 2);
}

fn plan(validation: u64, hold_out: u64) -> SplitPlan {
    SplitPlan { validation: Share::Count(validation), hold_out: Share::Count(hold_out), seed: 7, by: SplitBy::Record }
}

#[test]
fn a_record_keeps_its_split_through_edits_and_opening_again() {
    let home = Home::new();
    let mut document = home.document(20);
    assert_eq!(document.split_counts(), None);
    assert_eq!(document.row(0).unwrap().split, None);
    let counts = document.assign_split(&plan(4, 3), &Unwatched).unwrap();
    assert_eq!((counts.training, counts.validation, counts.hold_out), (13, 4, 3));
    let of = |document: &Document| -> Vec<(String, SplitKind)> {
        let rows = document.iter().map(|row| row.unwrap());
        rows.map(|row| (row.record.unwrap().prompt().into_owned(), row.split.unwrap())).collect()
    };
    let before = of(&document);
    document.insert(0, &[record("new")]).unwrap();
    delete(&mut document, 5);
    delete(&mut document, 9);
    let mut document = home.reopen(document);
    let after = of(&document);
    assert_eq!(after[0].0, "new");
    assert!(after[1..].iter().all(|pair| before.contains(pair)));
    while document.undo().unwrap().is_some() {}
    assert_eq!(of(&document), before);

    assert!(document.assign_split(&plan(20, 0), &Unwatched).is_err());
    assert_eq!(of(&document), before);
}

#[test]
fn an_export_has_a_file_for_each_split_that_has_records() {
    let home = Home::new();
    let mut document = home.document_of(Schema::OpenAiChat, 10);
    let out = home.0.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let export =
        |document: &Document| document.export(&out, DataFormat::PromptCompletion, SystemHandling::PutBeforePrompt);
    let all = export(&document).unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].split, all[0].records), (SplitKind::Training, 10));
    document.assign_split(&plan(2, 3), &Unwatched).unwrap();
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
    document.replace(at(&document, 6), &two_answers).unwrap();
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
        replace(&mut document, number % 10, &format!("edit {number}"));
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

fn set(document: &Document, positions: &[u64]) -> IdSet {
    positions.iter().map(|position| at(document, *position)).collect()
}

#[test]
fn many_records_are_moved_copied_and_deleted_in_one_step_each() {
    let home = Home::new();
    let mut document = home.document(6);
    assert_eq!(document.move_to(&set(&document, &[4, 0, 3]), 2).unwrap(), 3);
    assert_eq!(prompts(&document), ["r1", "r0", "r3", "r4", "r2", "r5"]);
    assert_eq!(document.duplicate(&set(&document, &[0, 4])).unwrap().len(), 2);
    assert_eq!(prompts(&document), ["r1", "r1", "r0", "r3", "r4", "r2", "r2", "r5"]);
    assert_eq!(document.delete(&set(&document, &[0, 2, 7])).unwrap(), 3);
    assert_eq!(prompts(&document), ["r1", "r3", "r4", "r2", "r2"]);
    assert_eq!(document.undo_label(), Some("Delete 3 records"));

    let mut document = home.reopen(document);
    for (expected, records) in [(8, 3), (6, 2), (6, 3)] {
        assert_eq!(document.undo().unwrap().map(|step| step.records), Some(records));
        assert_eq!(document.len(), expected);
    }
    assert!(!document.can_undo());
    assert_eq!(prompts(&document), ["r0", "r1", "r2", "r3", "r4", "r5"]);
    // Where they stand already, nothing happens that could be undone.
    assert_eq!(document.move_to(&set(&document, &[1, 2]), 1).unwrap(), 0);
    assert!(!document.can_undo() && document.can_redo());
}

#[test]
fn a_move_to_any_place_brings_the_records_there_in_their_order() {
    let home = Home::new();
    for before in 0..=6 {
        let dir = home.0.path().join(format!("moved-{before}"));
        let mut writer = DocumentWriter::new(&dir, Schema::PromptCompletion).unwrap();
        (0..6).for_each(|number| writer.push(&record(&format!("r{number}"))).unwrap());
        let mut document = writer.finish(meta()).unwrap();
        document.move_to(&IdSet::from_iter([1, 2, 4]), before).unwrap();
        let stay = |number: &u64| ![1, 2, 4].contains(number);
        let order = (0..before).filter(stay).chain([1, 2, 4]).chain((before..6).filter(stay));
        assert_eq!(prompts(&document), order.map(|number| format!("r{number}")).collect::<Vec<_>>());
    }
}

#[test]
fn a_bulk_edit_is_one_step_and_leaves_nothing_when_it_is_cancelled() {
    struct Impatient;
    impl Watch for Impatient {
        fn progress(&self, _: u64, _: u64) {}
        fn cancelled(&self) -> bool {
            true
        }
    }
    let home = Home::new();
    let mut document = home.document(5000);
    let all = document.state().all();
    let shout = |row: &Row| match row.position % 3 {
        0 => Edit::Replace(record(&row.record_or_empty().prompt().to_uppercase())),
        1 => Edit::Keep,
        _ => Edit::Delete,
    };
    let journal = home.dir().join("journal");
    let before = std::fs::metadata(&journal).unwrap().len();
    assert!(matches!(document.bulk("Shout", &all, &Impatient, shout), Err(DocumentError::Cancelled)));
    assert_eq!(std::fs::metadata(&journal).unwrap().len(), before);
    assert_eq!(document.bulk("Shout", &all, &Unwatched, shout).unwrap(), 3333);
    assert_eq!(prompts(&document)[..4], ["R0", "r1", "R3", "r4"]);
    assert_eq!(document.len(), 3334);
    let mut document = home.reopen(document);
    assert_eq!(prompts(&document)[3332..], ["R4998", "r4999"][..]);
    let label = "Shout in 3,333 records".to_owned();
    assert_eq!(document.undo().unwrap(), Some(Undone { label, records: 3333, position: 0 }));
    assert_eq!(document.len(), 5000);
    assert!(!document.can_undo());
    assert_eq!(document.bulk("Nothing", &all, &Unwatched, |_| Edit::Keep).unwrap(), 0);
    assert!(!document.can_undo() && document.can_redo());
}

/// A file of somebody's and the folder of the dataset that it is opened as.
fn in_place(home: &Home, content: &[u8]) -> (PathBuf, Document) {
    let path = home.0.path().join("data.jsonl");
    std::fs::write(&path, content).unwrap();
    let document = Document::open_file(&home.dir(), &path, Schema::PromptCompletion, meta()).unwrap();
    (path, document)
}

const LINES: &str = concat!(
    "{\"prompt\":\"a\",\"completion\":\"1\"}\r\n",
    " { \"completion\": \"2\", \"prompt\": \"b\", \"note\": [1 , 2] } \n",
    "\n",
    "{\"prompt\": broken\r\n",
    "{\"prompt\":\"c\",\"completion\":\"3\"}",
);

#[test]
fn a_file_opened_in_place_is_not_touched_until_it_is_saved() {
    let home = Home::new();
    let (path, mut document) = in_place(&home, LINES.as_bytes());
    assert_eq!(document.len(), 5);
    assert!(document.row(2).unwrap().record.is_err() && document.row(3).unwrap().record.is_err());
    assert!(!document.is_modified());
    let mut second = document.row(1).unwrap().record.unwrap();
    second.turns[0] = Turn::new(Role::User, "B");
    document.replace(1, &second).unwrap();
    document.insert_lines(5, &["{\"prompt\":\"d\",\"completion\":\"4\"}"]).unwrap();
    assert!(document.is_modified());
    assert_eq!(std::fs::read(&path).unwrap(), LINES.as_bytes());

    document.save(&Unwatched).unwrap();
    assert!(!document.is_modified());
    let saved = LINES.replace("\"b\"", "\"B\"") + "\r\n{\"prompt\":\"d\",\"completion\":\"4\"}";
    assert_eq!(std::fs::read_to_string(&path).unwrap(), saved);

    // Undo goes back to the opening, and saving that gives the file as it was, byte for byte.
    let mut document = home.reopen(document);
    assert!(!document.is_modified());
    while document.undo().unwrap().is_some() {}
    assert!(document.is_modified());
    document.save(&Unwatched).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), LINES.as_bytes());
    while document.redo().unwrap().is_some() {}
    document.save(&Unwatched).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), saved);
    let beside = std::fs::read_dir(home.0.path()).unwrap().count();
    assert_eq!(beside, 2, "nothing is left beside the file and the folder");
}

#[test]
fn line_ends_the_last_line_break_and_permissions_stay_as_they_were() {
    for content in ["", "\n", "\n\n", "{}", "{}\n", "{}\r\n{}", "{}\r\n{}\n", "\u{feff}{\"a\":1}\n{}\n", "a\rb\r"] {
        let home = Home::new();
        let (path, mut document) = in_place(&home, content.as_bytes());
        assert_eq!(document.len() as usize, content.split_terminator('\n').count(), "{content:?}");
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
        document.save(&Unwatched).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), content.as_bytes());
        document.insert_lines(0, &["x"]).unwrap();
        document.save(&Unwatched).unwrap();
        let text = content.strip_prefix('\u{feff}').unwrap_or(content);
        let bom = if text.len() < content.len() { "\u{feff}" } else { "" };
        let end = if content.contains("\r\n") { "\r\n" } else { "\n" };
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{bom}x{end}{text}"), "{content:?}");
        let home_document = home.reopen(document);
        assert_eq!(home_document.row(0).unwrap().text, b"x");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        }
    }
}

#[test]
fn an_import_has_no_file_until_it_is_saved_as_one() {
    let home = Home::new();
    let mut document = home.document(3);
    assert!(matches!(document.save_job(), Err(DocumentError::NoFile)));
    delete(&mut document, 1);
    let path = home.0.path().join("out.jsonl");
    let saved = document.save_as_job(&path).unwrap().run(&Unwatched).unwrap();
    document.finish_save(saved).unwrap();
    assert_eq!(document.file(), Some(std::fs::canonicalize(&path).unwrap().as_path()));
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);
    document.undo().unwrap();
    document.save(&Unwatched).unwrap();
    let document = home.reopen(document);
    assert_eq!(document.len(), 3);
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 3);
}

#[test]
fn the_first_rows_of_a_large_file_are_there_before_its_lines_are_counted() {
    let home = Home::new();
    let line = format!("{{\"prompt\":\"{}\",\"completion\":\"x\"}}\n", "p".repeat(1000));
    let (_, mut document) = in_place(&home, line.repeat(5000).as_bytes());
    let Some(job) = document.index_job() else { panic!("five megabytes are not counted at once") };
    assert!(matches!(document.refresh().unwrap(), IndexState::Building { of_bytes, .. } if of_bytes > 5_000_000));
    assert_eq!(document.rows(0..100).unwrap().len(), 100);
    assert!(document.len() < 5000);
    assert!(matches!(document.delete(&IdSet::from_iter([0])), Err(DocumentError::Indexing)));
    std::thread::spawn(move || job.run(&Unwatched)).join().unwrap().unwrap();
    assert_eq!(document.refresh().unwrap(), IndexState::Ready);
    assert_eq!(document.len(), 5000);
    delete(&mut document, 0);
    let document = home.reopen(document);
    assert!(document.index_job().is_none(), "the stored index fits");
    assert_eq!(document.len(), 4999);
}

#[test]
fn a_folder_of_another_version_is_said_to_be_one() {
    let home = Home::new();
    std::fs::create_dir(home.dir()).unwrap();
    let old = r#"{"version":1,"records":1,"bytes":2,"name":"n","source":"s","created_at":0}"#;
    std::fs::write(home.dir().join("document.json"), old).unwrap();
    let error = Document::open(&home.dir()).unwrap_err();
    assert!(matches!(error, DocumentError::OtherVersion { .. }), "{error}");
}
