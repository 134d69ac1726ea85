//! Any text as a filter: a place and words for what is wrong with it, or two halves of a dataset.
//!
//! What passes a filter and what passes its opposite are all records, each once. The two are found in
//! different ways (only the first may rule a line out by its bytes), so each is held to the other.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use whetstone_dataset::{
    Document, DocumentMeta, Filter, FilterInput, IdSet, Record, Schema, State, Unwatched, complete,
};

const LINES: &[&str] = &[
    r#"{"messages":[{"role":"system","content":"Be kind."},{"role":"user","content":"A refund?"},{"role":"assistant","content":"Refund made."}]}"#,
    r#"{"messages":[{"role":"user","content":"Größe?"},{"role":"assistant","content":"XL"}]}"#,
    r#"{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"s3://b/a.png"}}]},{"role":"assistant","content":"x y"}],"reference_answer":"42"}"#,
    "not a record, but a refund",
    r#"{"messages":[{"role":"user","content":"Gr\u00f6\u00dfe?"},{"role":"assistant","content":"X\u004c"}], "extra": 1}"#,
    "{\"messages\":[{\"role\":\"user\",\"content\":\"\u{212a}elvin or \u{17f}ay İI\"},{\"role\":\"assistant\",\"content\":\"two\\nlines\\tand \\/ \\\"more\\\"\"}]}",
    r#"{"messages":[{"role":"user","content":"one"},{"role":"assistant","content":"two"},{"role":"user","content":"three"},{"role":"assistant","content":"four words are here"}],"n":1E5}"#,
    r#"{"messages":[{"role":"user","content":""},{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\": 10}"}}]},{"role":"tool","tool_call_id":"a","content":"ok"},{"role":"assistant","content":"done"}]}"#,
];

struct Dataset {
    _folder: tempfile::TempDir,
    _document: Document,
    state: State,
}

impl Dataset {
    fn new() -> Dataset {
        let folder = tempfile::tempdir_in("/dev/shm").expect("there is a file system in memory");
        let file = folder.path().join("data.jsonl");
        std::fs::write(&file, LINES.join("\n")).expect("it is written to memory");
        let meta = DocumentMeta { name: "n".to_owned(), source: "data.jsonl".to_owned(), created_at: 0 };
        let mut document = Document::open_file(&folder.path().join("dataset"), &file, Schema::OpenAiChat, meta)
            .expect("the dataset opens");
        document.insert_lines(0, &[LINES[0]]).expect("a record can be added");
        let state = document.state();
        Dataset { _folder: folder, _document: document, state }
    }

    /// The places of the records that pass.
    fn passing(&self, filter: &Filter, input: &FilterInput<'_>) -> Vec<u64> {
        let view = filter.run(&self.state, input, &Unwatched).expect("the records can be read");
        let rows = view.rows(&self.state, 0..view.len()).expect("the records can be read");
        rows.iter().map(|row| row.position).collect()
    }
}

thread_local! {
    static DATASET: Dataset = Dataset::new();
}

fuzz_target!(|text: &str| {
    let findings = BTreeMap::from([("blank".to_owned(), IdSet::from_iter([1, 5]))]);
    let selected = IdSet::from_iter([0, 2]);
    let input = FilterInput {
        tokens: &|record: &Record| record.chars() as u64 / 4,
        findings: &findings,
        selected: Some(&selected),
    };
    for cursor in [0, text.len() / 2, text.len(), text.len() + 1] {
        let completions = complete(text, cursor, &input);
        for item in &completions.items {
            let mut written = text.to_owned();
            written.replace_range(completions.replace.clone(), &item.insert);
        }
    }
    let filter = match Filter::parse(text) {
        Ok(filter) => filter,
        Err(error) => {
            assert!(text.get(error.at.clone()).is_some() && !error.message.is_empty() && !error.hint.is_empty());
            return;
        }
    };
    DATASET.with(|dataset| {
        let passing = dataset.passing(&filter, &input);
        assert!(passing.is_sorted());
        if filter.is_empty() {
            assert_eq!(passing.len() as u64, dataset.state.len());
            return;
        }
        // Brackets within one another are bounded; one more may be one too many.
        let Ok(opposite) = Filter::parse(&format!("-({text})")) else { return };
        let mut all = [passing, dataset.passing(&opposite, &input)].concat();
        all.sort_unstable();
        assert_eq!(all, (0..dataset.state.len()).collect::<Vec<_>>());
    });
});
