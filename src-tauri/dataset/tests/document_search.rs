//! Filters, views, find and replace, snapshots, splits and files that change beneath: over a document.

#![expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use whetstone_dataset::{
    Column, DiffKind, Document, DocumentError, DocumentMeta, FileState, Filter, FilterInput, Find, FindField, IdSet,
    MatchChoice, Record, Schema, Share, SplitBy, SplitError, SplitKey, SplitKind, SplitPlan, Unwatched, View, complete,
    diff, sort,
};

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Home {
        Home(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("data.jsonl")
    }

    fn dir(&self) -> PathBuf {
        self.0.path().join("dataset")
    }

    fn open(&self, schema: Schema, lines: &[&str]) -> Document {
        std::fs::write(self.path(), lines.join("\n")).unwrap();
        let meta = DocumentMeta { name: "n".to_owned(), source: "data.jsonl".to_owned(), created_at: 0 };
        Document::open_file(&self.dir(), &self.path(), schema, meta).unwrap()
    }

    fn numbered(&self, count: u32) -> Document {
        let line = |n: u32| format!("{{\"prompt\":\"p{}\",\"completion\":\"c{n}\",\"customer\":{}}}", n % 50, n % 7);
        let lines: Vec<String> = (0..count).map(line).collect();
        self.open(Schema::PromptCompletion, &lines.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

const CHATS: &[&str] = &[
    r#"{"messages":[{"role":"system","content":"Be kind."},{"role":"user","content":"A refund?"},{"role":"assistant","content":"Refund made."}]}"#,
    r#"{"messages":[{"role":"user","content":"Größe?"},{"role":"assistant","content":"XL"}]}"#,
    r#"{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"s3://b/a.png"}}]},{"role":"assistant","content":"x y"}],"reference_answer":"42"}"#,
    "not a record, but a refund",
    r#"{"messages":[{"role":"user","content":"Gr\u00f6\u00dfe?"},{"role":"assistant","content":"XL"}], "extra": 1}"#,
    r#"{"messages":[{"role":"user","content":"one"},{"role":"assistant","content":"two"},{"role":"user","content":"three"},{"role":"assistant","content":"four words are here"}]}"#,
];

fn found(document: &Document, text: &str) -> Vec<u64> {
    let findings =
        BTreeMap::from([("blank".to_owned(), IdSet::from_iter([1, 5])), ("error".to_owned(), IdSet::from_iter([5]))]);
    let selected = IdSet::from_iter([0, 2]);
    let input = FilterInput {
        tokens: &|record: &Record| record.chars() as u64 / 4,
        findings: &findings,
        selected: Some(&selected),
    };
    let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let state = document.state();
    let view = filter.run(&state, &input, &Unwatched).unwrap();
    let rows = view.rows(&state, 0..view.len()).unwrap();
    rows.iter().map(|row| row.position).collect()
}

#[test]
fn a_filter_lets_through_what_it_says() {
    let home = Home::new();
    let mut document = home.open(Schema::OpenAiChat, CHATS);
    for (filter, expected) in [
        ("", &[0, 1, 2, 3, 4, 5][..]),
        ("refund", &[0, 3]),
        ("REFUND -is:broken", &[0]),
        ("completion:refund", &[0]),
        ("prompt~/^A.ref/", &[0]),
        ("prompt~/^a.REF/i", &[0]),
        ("größe", &[1, 4]),
        ("\"Be kind.\" or \"x y\"", &[0, 2]),
        ("role:system", &[0]),
        ("role:tool", &[]),
        ("has:image", &[2]),
        ("-has:image -is:broken turns=2", &[1, 4]),
        ("turns>3", &[5]),
        ("turns:3..4", &[0, 5]),
        ("record:2..3", &[1, 2]),
        ("line<2", &[0]),
        ("tokens>=5", &[0, 5]),
        ("label:xl", &[1, 4]),
        ("completion=XL", &[1, 4]),
        ("completion!=XL has:completion", &[0, 2, 5]),
        ("dup", &[1, 4]),
        ("finding:blank", &[1, 5]),
        ("finding:any", &[1, 5]),
        ("finding:error", &[5]),
        ("is:selected", &[0, 2]),
        ("is:broken", &[3]),
        ("has:reference", &[2]),
        ("extra.reference_answer:4", &[2]),
        ("split:none turns>3", &[5]),
        ("(refund or XL) -(is:broken or dup)", &[0]),
        ("not refund has:system", &[]),
        ("system:kind", &[0]),
        ("user:three", &[5]),
        ("assistant:two", &[5]),
        ("bytes>100000", &[]),
        ("is:edited", &[]),
    ] {
        assert_eq!(found(&document, filter), expected, "{filter}");
    }
    document.replace_line(1, CHATS[1].replace("XL", "L").as_bytes()).unwrap();
    document.insert_lines(0, &[CHATS[0]]).unwrap();
    assert_eq!(found(&document, "is:added"), [0]);
    assert_eq!(found(&document, "is:edited"), [0, 2]);
    assert_eq!(found(&document, "dup"), [0, 1]);
}

#[test]
fn a_filter_that_cannot_be_read_says_where_and_what_to_write() {
    for (text, at, hint) in [
        ("role:user tokns>5", 10..15, "Fields are"),
        ("(a", 0..1, "Add a \")\"."),
        ("a)", 1..2, "Remove it."),
        ("\"open", 0..5, "Add a \""),
        ("prompt~/(/", 7..10, "Put a \\"),
        ("tokens>many", 7..11, "whole number"),
        ("has:sound", 4..9, "image, video"),
        ("split:train", 6..11, "training, validation"),
        ("or a", 0..2, "before it"),
        ("a or", 2..4, "before it"),
        ("prompt>5", 6..7, "contains"),
        ("prompt:", 7..7, "directly behind"),
        ("-", 0..1, "Add a term"),
        ("größe prompt~/[/", 15..18, "Put a \\"),
    ] {
        let error = Filter::parse(text).unwrap_err();
        assert_eq!(error.at, at, "{text}: {error}");
        assert!(error.hint.contains(hint), "{text}: {}", error.hint);
    }
    let deep = "(".repeat(1000);
    assert!(Filter::parse(&deep).is_err());
    assert!(Filter::parse(&"-".repeat(100_000)).is_err());
}

#[test]
fn completions_are_fields_then_their_values() {
    let findings = BTreeMap::from([("blank-text".to_owned(), IdSet::from_iter([1]))]);
    let input = FilterInput { tokens: &|_: &Record| 0, findings: &findings, selected: None };
    let items = |text: &str, cursor: usize| {
        let completions = complete(text, cursor, &input);
        let names: Vec<String> = completions.items.into_iter().map(|item| item.insert).collect();
        (completions.replace, names)
    };
    assert_eq!(items("to", 2), (0..2, vec!["tokens>".to_owned()]));
    assert_eq!(items("a -has:im", 9), (7..9, vec!["image".to_owned()]));
    assert_eq!(items("finding:b dup", 9), (8..9, vec!["blank-text".to_owned()]));
    assert_eq!(items("(spl", 4), (1..4, vec!["split:".to_owned()]));
    assert_eq!(items("\"to", 3).1, Vec::<String>::new());
    assert!(items("", 0).1.len() > 15);
    // Every completion of a field begins a filter that can be read once a value follows.
    for field in items("", 0).1.iter().filter(|name| name.ends_with('>')) {
        Filter::parse(&format!("{field}1")).unwrap();
    }
}

#[test]
fn a_view_stays_in_its_order_and_leaves_out_what_is_deleted() {
    let home = Home::new();
    let mut document = home.numbered(200);
    let findings = BTreeMap::new();
    let input = FilterInput { tokens: &|record: &Record| record.chars() as u64, findings: &findings, selected: None };
    let state = document.state();
    let view = Filter::parse("prompt=p7").unwrap().run(&state, &input, &Unwatched).unwrap();
    assert_eq!(view.ids(0..9), [7, 57, 107, 157]);
    let sorted = sort(&state, &view, Column::Completion, true, &input, &Unwatched).unwrap();
    assert_eq!(sorted.ids(0..9), [7, 57, 157, 107]);
    assert_eq!(sorted.index_of(157), Some(2));
    document.delete(&IdSet::from_iter([0, 57])).unwrap();
    let state = document.state();
    let rows = sorted.rows(&state, 0..9).unwrap();
    assert_eq!(rows.iter().map(|row| row.position).collect::<Vec<_>>(), [6, 155, 105]);
    assert_eq!(sorted.without_deleted(&state).ids(0..9), [7, 157, 107]);
    assert_eq!(View::all(&state).len(), 198);
}

#[test]
fn matches_are_previewed_and_replaced_in_one_step() {
    let home = Home::new();
    let mut document = home.open(
        Schema::PromptCompletion,
        &[
            r#"{"prompt":"Cat, cat and category","completion":"a cat","note":"cat"}"#,
            r#"{"prompt":"dog","completion":"2024-05"}"#,
            "broken cat",
            r#"{"prompt":"the\ncat","completion":"Cat"}"#,
        ],
    );
    let state = document.state();
    let find = |text: &str, regex, case, whole_word, field| {
        Find { text: text.to_owned(), regex, case, whole_word, field }.compile().unwrap()
    };
    let count = |finder: &whetstone_dataset::Finder| {
        let found = finder.run(&state, &View::all(&state), &Unwatched).unwrap();
        (found.records(), found.matches())
    };
    assert_eq!(count(&find("cat", false, false, false, FindField::Any)), (2, 6));
    assert_eq!(count(&find("cat", false, false, true, FindField::Any)), (2, 5));
    assert_eq!(count(&find("cat", false, true, true, FindField::Any)), (2, 3));
    assert_eq!(count(&find("cat", false, false, true, FindField::Completion)), (2, 2));
    assert_eq!(count(&find("c.t", false, false, false, FindField::Any)), (0, 0));
    assert_eq!(count(&find("x*", true, false, false, FindField::Any)), (0, 0));
    assert!(Find { text: "(".to_owned(), regex: true, ..Find::default() }.compile().is_err());

    let word = find("cat", false, false, true, FindField::Any);
    let found = word.run(&state, &View::all(&state), &Unwatched).unwrap();
    let shown = found.window(&state, 1..4, Some("dog")).unwrap();
    let told: Vec<_> = shown.iter().map(|one| (one.number, one.position, one.index, one.matched.as_str())).collect();
    assert_eq!(told, [(1, 0, 1, "cat"), (2, 0, 2, "cat"), (3, 3, 0, "cat")]);
    assert_eq!((shown[0].before.as_str(), shown[0].after.as_str()), ("Cat, ", " and category"));
    assert_eq!(shown[0].replaced.as_deref(), Some("dog"));
    assert_eq!(found.first_in(&state, 1), Some(3));

    assert_eq!(document.replace_found(&word, "$1 dog", MatchChoice::One { id: 0, index: 1 }, &Unwatched).unwrap(), 1);
    let line = String::from_utf8(document.row(0).unwrap().text).unwrap();
    assert_eq!(line, r#"{"prompt":"Cat, $1 dog and category","completion":"a cat","note":"cat"}"#);
    assert_eq!(document.replace_found(&word, "dog", MatchChoice::All, &Unwatched).unwrap(), 2);
    let date = find(r"(\d+)-(\d+)", true, false, false, FindField::Completion);
    assert_eq!(document.replace_found(&date, "$2/$1", MatchChoice::All, &Unwatched).unwrap(), 1);
    assert_eq!(document.row(1).unwrap().record.unwrap().completion(), "05/2024");
    assert_eq!(document.row(2).unwrap().text, b"broken cat");
    (0..3).for_each(|_| assert!(document.undo().unwrap().is_some()));
    assert!(!document.can_undo());
}

#[test]
fn a_snapshot_is_compared_record_by_record_and_restored_as_a_step() {
    let home = Home::new();
    let mut document = home.numbered(10);
    let first = document.take_snapshot("first".to_owned(), 5).unwrap();
    document.replace_line(3, b"three").unwrap();
    document.delete(&IdSet::from_iter([5, 6])).unwrap();
    document.insert_lines(0, &["new"]).unwrap();
    let (old, new) = (document.snapshot_state(first.number).unwrap(), document.state());
    let changes = diff(&old, &new, &Unwatched).unwrap();
    let counts = changes.counts();
    assert_eq!((counts.added, counts.removed, counts.changed, counts.reordered), (1, 2, 1, false));
    let entries = changes.window(0..100).unwrap();
    let kinds: Vec<DiffKind> = entries.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [DiffKind::Added, DiffKind::Changed, DiffKind::Removed, DiffKind::Removed]);
    assert!(entries[1].before.as_ref().unwrap().starts_with(b"{\"prompt\":\"p3\""));
    assert_eq!(entries[1].after.as_deref(), Some(&b"three"[..]));
    assert_eq!(diff(&document.opening_state(), &old, &Unwatched).unwrap().len(), 0);

    drop(document);
    let mut document = Document::open(&home.dir()).unwrap();
    assert_eq!(document.snapshots().unwrap(), std::slice::from_ref(&first));
    assert!(document.restore_snapshot(first.number).unwrap());
    assert_eq!(diff(&document.opening_state(), &document.state(), &Unwatched).unwrap().len(), 0);
    assert!(!document.restore_snapshot(first.number).unwrap(), "nothing is left to restore");
    assert_eq!(document.undo().unwrap().unwrap().label, "Restore “first”");
    assert_eq!(document.row(0).unwrap().text, b"new");
    document.delete_snapshot(first.number).unwrap();
    assert!(matches!(document.restore_snapshot(first.number), Err(DocumentError::NoSuchSnapshot { .. })));
}

fn plan(by: SplitBy) -> SplitPlan {
    SplitPlan { validation: Share::Percent(20.0), hold_out: Share::Percent(10.0), seed: 3, by }
}

#[test]
fn a_group_stays_in_one_split_and_new_records_follow_it() {
    let home = Home::new();
    let mut document = home.numbered(500);
    let by_prompt = plan(SplitBy::Grouped(SplitKey::Prompt));
    let counts = document.assign_split(&by_prompt, &Unwatched).unwrap();
    assert_eq!((counts.training, counts.validation, counts.hold_out), (350, 100, 50));
    let mut of_prompt: BTreeMap<String, SplitKind> = BTreeMap::new();
    for row in document.iter() {
        let row = row.unwrap();
        let kind = row.split.unwrap();
        let prompt = row.record.unwrap().prompt().into_owned();
        assert_eq!(*of_prompt.entry(prompt).or_insert(kind), kind);
    }
    for (prompt, kind) in &of_prompt {
        let line = format!("{{\"prompt\":\"{prompt}\",\"completion\":\"more\"}}");
        let id = document.insert_lines(0, &[line]).unwrap()[0];
        assert_eq!(document.state().split_of(id), Some(*kind));
    }
    let before: Vec<_> = document.iter().map(|row| row.unwrap().split).collect();
    // Neither opening again nor editing a record moves it from one split to another.
    document.replace_line(document.state().id_at(0).unwrap(), br#"{"prompt":"other","completion":"x"}"#).unwrap();
    drop(document);
    let document = Document::open(&home.dir()).unwrap();
    assert_eq!(document.iter().map(|row| row.unwrap().split).collect::<Vec<_>>(), before);
}

#[test]
fn new_records_of_a_plain_split_are_shared_out_as_it_was_drawn() {
    let home = Home::new();
    let mut document = home.numbered(100);
    document.assign_split(&plan(SplitBy::Record), &Unwatched).unwrap();
    let lines = vec!["{}"; 1000];
    document.insert_lines(100, &lines).unwrap();
    let counts = document.split_counts().unwrap();
    assert!((180..=260).contains(&counts.validation) && (80..=140).contains(&counts.hold_out), "{counts:?}");
    drop(document);
    assert_eq!(Document::open(&home.dir()).unwrap().split_counts().unwrap(), counts);
}

#[test]
fn a_split_that_a_job_used_stays_until_a_new_one_is_asked_for() {
    let home = Home::new();
    let mut document = home.numbered(70);
    assert!(matches!(document.freeze_split("job"), Err(DocumentError::Split(SplitError::NotSplit))));
    let by_customer = plan(SplitBy::Stratified(SplitKey::Member("customer".to_owned())));
    let counts = document.assign_split(&by_customer, &Unwatched).unwrap();
    assert_eq!((counts.validation, counts.hold_out), (14, 7));
    document.freeze_split("tune-1").unwrap();
    document.freeze_split("tune-1").unwrap();
    let refused = document.assign_split(&plan(SplitBy::Record), &Unwatched).unwrap_err();
    assert!(matches!(&refused, DocumentError::Split(SplitError::Frozen { jobs }) if jobs == &["tune-1"]), "{refused}");
    drop(document);
    let mut document = Document::open(&home.dir()).unwrap();
    assert_eq!(document.split_counts().unwrap().frozen_by, ["tune-1"]);
    let kept = std::fs::read(home.dir().join("split.json")).unwrap();
    let counts = document.new_split(&plan(SplitBy::Record), &Unwatched).unwrap();
    assert!(counts.frozen_by.is_empty());
    assert_eq!(std::fs::read(home.dir().join("split-1.json")).unwrap(), kept);
}

#[test]
fn a_file_that_another_program_changed_is_not_saved_over_unasked() {
    let home = Home::new();
    let mut document = home.numbered(5);
    document.replace_line(1, b"mine").unwrap();
    assert_eq!(document.file_state().unwrap(), FileState::Same);
    // Replaced, as most editors do: what was opened can still be read.
    let theirs = home.0.path().join("theirs");
    std::fs::write(&theirs, "x\ny\n").unwrap();
    std::fs::rename(&theirs, home.path()).unwrap();
    assert_eq!(document.file_state().unwrap(), FileState::Changed);
    assert!(matches!(document.save(&Unwatched), Err(DocumentError::SourceChanged { .. })));
    assert_eq!(std::fs::read_to_string(home.path()).unwrap(), "x\ny\n");
    document.keep_mine().unwrap();
    document.save(&Unwatched).unwrap();
    let saved = std::fs::read_to_string(home.path()).unwrap();
    assert_eq!(saved.lines().nth(1), Some("mine"));
    assert_eq!(saved.lines().count(), 5);
    assert_eq!(document.file_state().unwrap(), FileState::Same);
    drop(document);
    let mut document = Document::open(&home.dir()).unwrap();
    document.undo().unwrap();
    assert!(document.row(1).unwrap().record.is_ok());
    std::fs::remove_file(home.path()).unwrap();
    assert_eq!(document.file_state().unwrap(), FileState::Missing);
}

#[test]
fn reloading_carries_the_edits_that_fit_and_keeps_the_others_aside() {
    let home = Home::new();
    let mut document = home.numbered(6);
    let lines: Vec<String> = std::fs::read_to_string(home.path()).unwrap().lines().map(str::to_owned).collect();
    document.replace_line(1, b"first edit").unwrap();
    document.replace_line(1, b"mine").unwrap();
    document.replace_line(4, b"lost").unwrap();
    document.delete(&IdSet::from_iter([2])).unwrap();
    document.insert_lines(0, &["added"]).unwrap();
    // They put a line before everything and changed the fifth.
    let theirs = [&["top".to_owned()], &lines[..4], &["fifth".to_owned()], &lines[5..]].concat().join("\n");
    let beside = home.0.path().join("theirs");
    std::fs::write(&beside, &theirs).unwrap();
    std::fs::rename(&beside, home.path()).unwrap();
    let reloaded = document.reload(&Unwatched).unwrap();
    assert_eq!((reloaded.carried, reloaded.aside), (3, 1));
    assert_eq!(std::fs::read_to_string(reloaded.kept_aside.unwrap()).unwrap(), "lost\n");
    let expected = ["added", "top", &lines[0], "mine", &lines[3], "fifth", &lines[5]].map(str::to_owned);
    let texts = |document: &Document| -> Vec<String> {
        document.iter().map(|row| String::from_utf8(row.unwrap().text).unwrap()).collect()
    };
    assert_eq!(texts(&document), expected);
    assert_eq!(document.file_state().unwrap(), FileState::Same);
    drop(document);
    let mut document = Document::open(&home.dir()).unwrap();
    assert_eq!(texts(&document), expected);
    document.undo().unwrap();
    assert_eq!(texts(&document).join("\n"), theirs);
    document.redo().unwrap();
    document.save(&Unwatched).unwrap();
    assert_eq!(std::fs::read_to_string(home.path()).unwrap(), expected.join("\n"));
}

#[test]
fn what_was_written_over_in_place_cannot_be_kept_but_reloaded() {
    let home = Home::new();
    let mut document = home.numbered(4);
    document.replace_line(0, b"mine").unwrap();
    let text = std::fs::read_to_string(home.path()).unwrap();
    std::fs::write(home.path(), text + "\nmore").unwrap();
    assert_eq!(document.file_state().unwrap(), FileState::Changed);
    assert!(matches!(document.keep_mine(), Err(DocumentError::SourceOverwritten { .. })));
    let reloaded = document.reload(&Unwatched).unwrap();
    assert_eq!((reloaded.carried, reloaded.aside), (1, 0));
    assert_eq!(document.len(), 5);
    assert_eq!(document.row(0).unwrap().text, b"mine");
}
