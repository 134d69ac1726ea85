use std::collections::HashMap;
use std::io::Write;
use std::sync::Mutex;
use std::sync::mpsc::channel;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use whetstone_catalog::{CustomizationType, TINY_V1, catalog};

use super::*;
use crate::record::Record;
use crate::rules::{Encounter, rules};
use crate::rules::{
    Finding, Intent, Severity, check_bytes, check_record, line_rules, misshapen, neighbour_rules, record_rules,
};
use crate::split::SplitKind;
use crate::watch::Unwatched;

const NOVA: &str = "amazon.nova-lite-v1:0:300k";
const LLAMA: &str = "meta.llama3-1-8b-instruct-v1:0:128k";
const CLAUDE: &str = "anthropic.claude-3-haiku-20240307-v1:0:200k";
const MODELS: [&str; 4] = [NOVA, LLAMA, CLAUDE, TINY_V1];

fn intent(model: &str) -> Intent<'static> {
    Intent::of(catalog().find(model).unwrap(), CustomizationType::FineTuning)
}

fn options(threads: usize) -> Options {
    Options { kept_per_rule: usize::MAX, threads, as_uploaded: true }
}

/// Called with each progress; true stops the work.
struct Told {
    each: Mutex<Box<dyn FnMut(u64) -> bool + Send>>,
    stop: AtomicBool,
}

impl Told {
    fn new(each: impl FnMut(u64) -> bool + Send + 'static) -> Told {
        Told { each: Mutex::new(Box::new(each)), stop: AtomicBool::new(false) }
    }
}

impl Watch for Told {
    fn progress(&self, done: u64, _of: u64) {
        let stop = (self.each.lock().unwrap())(done);
        self.stop.fetch_or(stop, Ordering::Relaxed);
    }

    fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Lines in memory, handed out so many at a time.
struct Held {
    lines: Vec<(Vec<u8>, SplitKind)>,
    at_once: usize,
    given: usize,
}

impl LineSource for Held {
    fn fill(&mut self, batch: &mut Batch) -> Result<bool, ValidateError> {
        let next = &self.lines[self.given..(self.given + self.at_once).min(self.lines.len())];
        self.given += next.len();
        batch.splits = Splits::Each(next.iter().map(|(_, kind)| *kind).collect());
        for (line, _) in next {
            batch.bytes.extend_from_slice(line);
            batch.bytes.push(b'\n');
        }
        Ok(!next.is_empty())
    }

    fn total(&self) -> u64 {
        self.lines.len() as u64
    }

    fn done(&self) -> u64 {
        self.given as u64
    }

    fn has_line_numbers(&self) -> bool {
        false
    }
}

fn report_of(lines: &[(Vec<u8>, SplitKind)], intent: &Intent, threads: usize, at_once: usize) -> Report {
    let schema = Schema::from(intent.data().format);
    let source: Box<dyn LineSource> = Box::new(Held { lines: lines.to_vec(), at_once, given: 0 });
    validate(vec![source], &schema, intent, &options(threads), &Unwatched).unwrap()
}

fn training(lines: &[&str]) -> Vec<(Vec<u8>, SplitKind)> {
    lines.iter().map(|line| (line.as_bytes().to_vec(), SplitKind::Training)).collect()
}

/// What every rule says of every line, each line parsed, nothing acquitted.
fn by_parsing(lines: &[(Vec<u8>, SplitKind)], intent: &Intent) -> Vec<Finding> {
    let schema = Schema::from(intent.data().format);
    let mut findings = Vec::new();
    let mut met: HashMap<(Vec<crate::record::Turn>, String), (u64, SplitKind, String)> = HashMap::new();
    for (position, (line, kind)) in lines.iter().enumerate() {
        let position = position as u64;
        let mut of_line = Vec::new();
        let record = match serde_json::from_slice::<Map<String, Value>>(line) {
            Err(_) => {
                of_line.extend(check_bytes(line));
                None
            }
            Ok(object) => {
                of_line.extend(line_rules(intent).into_iter().flat_map(|rule| rule.read(&object, intent)));
                let read = schema.read(&object);
                if let Err(error) = &read
                    && !of_line.iter().any(|finding| finding.rule == misshapen(error).rule)
                {
                    of_line.push(misshapen(error));
                }
                read.ok()
            }
        };
        if let Some(record) = record {
            let mut all: Vec<Finding> =
                record_rules(intent).iter().flat_map(|rule| rule.run(&record, intent)).collect();
            all.sort_by_key(|finding| finding.severity);
            assert_eq!(check_record(&record, intent), all, "a keystroke shows what all rules say of {record:?}");
            of_line.extend(record_rules(intent).into_iter().flat_map(|rule| rule.run(&record, intent)));
            of_line.extend(neighbours(&mut met, position, &record, *kind, intent));
        }
        let hold_out = |finding: &Finding| rules().any(|rule| rule.id == finding.rule && rule.hold_out);
        of_line.retain(|finding| *kind != SplitKind::HoldOut || hold_out(finding));
        findings.extend(of_line.into_iter().map(|finding| Finding { record: Some(position), ..finding }));
    }
    findings.sort_by_key(|finding| (finding.severity, finding.record));
    findings
}

type Met = HashMap<(Vec<crate::record::Turn>, String), (u64, SplitKind, String)>;

fn neighbours(met: &mut Met, position: u64, record: &Record, kind: SplitKind, intent: &Intent) -> Vec<Finding> {
    let answer = record.completion().into_owned();
    let alone = if record.context().is_empty() { answer.clone() } else { String::new() };
    let key = (record.context().to_vec(), alone);
    let Some((first, first_kind, first_answer)) = met.get(&key) else {
        met.insert(key, (position, kind, answer));
        return Vec::new();
    };
    let encounter = Encounter { kind, first: *first, first_kind: *first_kind, same_answer: *first_answer == answer };
    neighbour_rules(intent).into_iter().filter_map(|rule| rule.meet(&encounter)).collect()
}

/// Pieces of texts, most of them close to what some rule looks for.
const PIECES: &[&str] = &[
    "",
    " ",
    "a",
    "Order 4711: done.",
    "\n",
    "\t",
    "System:",
    "user :",
    "USER:",
    "Bot:",
    "[EOS]",
    "<image>",
    "<unk",
    "\nHuman:",
    "anna@example.org",
    "@",
    "+49 30 901820-12",
    "(555) 010-9999",
    "2024-05-12 14:30",
    "4111 1111 1111 1111",
    "4111-1111-1111-1112",
    "DE89 3704 0044 0532 0130 00",
    "GB82WEST12345698765432",
    "12345678Z",
    "X-1234567-L",
    "AB 12 34 56 C",
    "123-45-6789",
    "10.0.0.1",
    "fe80::1ff:fe23:4567:890a",
    "2001:db8:0:0:0:0:2:1",
    "12:30:45",
    "AKIAIOSFODNN7EXAMPLE",
    "sk-proj-abcdefghijklmnop1234567890",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "é",
    "cafÃ©",
    "donâ€™t",
    "\u{FFFD}",
    "\u{200B}",
    "\u{AD}",
    "\u{7F}",
    "\u{1}",
    "\u{85}",
    "東京",
    "😀",
    "\u{A0}",
    "\u{3000}",
    "{",
    "{\"a\": 1}",
    "[1, 2",
    "```json\n{}\n```",
    "\"quoted\"",
    "\\",
    "a/b",
    "-----BEGIN RSA PRIVATE KEY-----",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "RSSMRA85T10A562S",
    "529.982.247-25",
    "trailing  ",
];

fn text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(PIECES);
    prop_oneof![
        6 => prop::collection::vec(piece.clone(), 0..4).prop_map(|pieces| pieces.join(" ")),
        3 => prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat()),
        1 => "[a-z]{1,20}".prop_map(|word| word.repeat(1000)),
        2 => ".{0,40}",
    ]
}

/// How a line spells its texts.
fn spelled(line: &Value, way: u8) -> String {
    let plain = line.to_string();
    match way {
        0 => plain,
        1 => serde_json::to_string_pretty(line).unwrap().replace('\n', " "),
        2 => plain.replace('/', "\\/"),
        _ => plain.chars().fold(String::new(), |mut out, c| {
            if c.is_ascii() {
                out.push(c);
            } else {
                c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
            }
            out
        }),
    }
}

fn role() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["user", "assistant", "user", "assistant", "system", "tool", "bot"][..])
}

fn messages(blocks: bool) -> impl Strategy<Value = Vec<Value>> {
    let content = move |text: String| if blocks { json!([{ "text": text }]) } else { json!(text) };
    let taking_turns = prop::collection::vec(text(), 0..5).prop_map(move |texts| {
        let turn = |(place, text): (usize, String)| {
            let role = if place % 2 == 0 { "user" } else { "assistant" };
            json!({"role": role, "content": content(text)})
        };
        texts.into_iter().enumerate().map(turn).collect()
    });
    let anyhow = prop::collection::vec((role(), text()), 0..5).prop_map(move |turns| {
        turns.into_iter().map(|(role, text)| json!({"role": role, "content": content(text)})).collect()
    });
    prop_oneof![4 => taking_turns, 1 => anyhow]
}

fn conversation() -> impl Strategy<Value = Value> {
    let version = prop::sample::select(&[None, Some("bedrock-conversation-2024"), Some("other")][..]);
    (messages(true), prop::option::of(text()), version, 0..12u8).prop_map(|(messages, system, version, odd)| {
        let mut line = json!({});
        if let Some(version) = version {
            line["schemaVersion"] = json!(version);
        }
        if let Some(system) = system {
            line["system"] = if odd == 0 { json!(system) } else { json!([{ "text": system }]) };
        }
        let mut messages = messages;
        match (odd, messages.first_mut()) {
            (1, _) => line["id"] = json!(7),
            (2, Some(first)) => first["content"] = json!([{"text": "one"}, {"text": "two"}]),
            (3, Some(first)) => first["content"] = json!([{"image": {"format": "png"}}]),
            (4, Some(first)) => first["weight"] = json!(0),
            (5, Some(first)) => first["content"] = json!("text"),
            _ => {}
        }
        line["messages"] = json!(messages);
        line
    })
}

fn strings() -> impl Strategy<Value = Value> {
    (messages(false), prop::option::of(text())).prop_map(|(messages, system)| match system {
        Some(system) => json!({"system": system, "messages": messages}),
        None => json!({"messages": messages}),
    })
}

fn pair() -> impl Strategy<Value = Value> {
    (text(), text(), 0..8u8).prop_map(|(prompt, completion, odd)| match odd {
        0 => json!({"completion": completion, "prompt": prompt}),
        1 => json!({"prompt": prompt, "completion": completion, "id": "x"}),
        2 => json!({"prompt": prompt, "completion": 3}),
        3 => json!({"prompt": prompt}),
        _ => json!({"prompt": prompt, "completion": completion}),
    })
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let value = prop_oneof![4 => conversation(), 3 => strings(), 4 => pair()];
    (value, 0..4u8, 0..40u8, any::<prop::sample::Index>()).prop_map(|(value, way, damage, at)| {
        let mut line = spelled(&value, way).into_bytes();
        let place = at.index(line.len());
        match damage {
            0 => line.truncate(place),
            1 => line[place] = b'\\',
            2 => line[place] = 0xFF,
            3 => line[place] = b'"',
            4 => line.clear(),
            5 => line.push(b'\r'),
            6 => line.extend_from_slice(b" {}"),
            _ => {}
        }
        line.retain(|byte| *byte != b'\n');
        line
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn whatever_is_acquitted_no_rule_would_have_found(
        mut lines in prop::collection::vec((line(), prop::sample::select(&SplitKind::ALL[..])), 1..12),
        repeated in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(&SplitKind::ALL[..])), 0..4),
        model in prop::sample::select(&MODELS[..]),
        threads in 1usize..4,
        at_once in 1usize..5,
    ) {
        for (of, kind) in repeated {
            let (line, _) = of.get(&lines).clone();
            lines.push((line, kind));
        }
        let intent = intent(model);
        let expected = by_parsing(&lines, &intent);
        let report = report_of(&lines, &intent, threads, at_once);
        let found: Vec<&Finding> = report.findings.iter().filter(|finding| finding.record.is_some()).collect();
        let mut found: Vec<Finding> = found.into_iter().filter(|finding| finding.rule != "length-outlier").cloned().collect();
        // Within a record the order is of no meaning.
        let mut expected = expected;
        for findings in [&mut found, &mut expected] {
            findings.sort_by(|a, b| (a.record, a.rule, &a.message, a.span.map(|s| s.start)).cmp(&(b.record, b.rule, &b.message, b.span.map(|s| s.start))));
        }
        prop_assert_eq!(&found, &expected);
        let broken = |position: &u64| expected.iter().any(|f| f.record == Some(*position) && f.severity == Severity::Error);
        let records = lines.len() as u64;
        prop_assert_eq!((report.records, report.valid), (records, (0..records).filter(|p| !broken(p)).count() as u64));
        for count in &report.rules {
            let of_rule: Vec<_> = report.findings.iter().filter(|finding| finding.rule == count.rule).collect();
            prop_assert_eq!(count.findings, of_rule.len() as u64);
            prop_assert!(of_rule.iter().all(|f| f.record.is_none_or(|record| count.records.contains(record as u32))));
        }
    }
}

#[test]
fn broken_json_far_into_a_file_is_named_with_its_line_and_column() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let mut text = String::new();
    for number in 1..=100_000 {
        let broken = if number == 99_999 { "" } else { "}" };
        text.push_str(&format!("{{\"prompt\":\"Number {number}\",\"completion\":\"{number}\"{broken}\n"));
    }
    file.write_all(text.as_bytes()).unwrap();
    let source: Box<dyn LineSource> = Box::new(FileSource::open(file.path(), SplitKind::Training).unwrap());
    let options = Options { threads: 2, ..Options::default() };
    let report = validate(vec![source], &Schema::PromptCompletion, &intent(TINY_V1), &options, &Unwatched).unwrap();
    assert_eq!((report.records, report.valid), (100_000, 99_999));
    let finding = report.findings.iter().find(|finding| finding.rule == "json-lines").unwrap();
    assert_eq!((finding.line, finding.record), (Some(99_999), Some(99_998)));
    assert!(finding.message.contains("column 45"), "{}", finding.message);
}

#[test]
fn training_and_validation_are_checked_together_and_lines_counted_in_each() {
    let file = |text: &str| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    };
    let pair = |prompt: &str, answer: &str| format!("{{\"prompt\":\"{prompt}\",\"completion\":\"{answer}\"}}\n");
    let training = file(&(pair("a", "1") + &pair("b", "2") + &pair("a", "3")));
    // A byte order mark is no part of the first line; the last line needs no line break.
    let validation = file(&("\u{FEFF}".to_owned() + &pair("c", "4") + pair("b", "2").trim_end()));
    let open = |file: &tempfile::NamedTempFile, kind| -> Box<dyn LineSource> {
        Box::new(FileSource::open(file.path(), kind).unwrap())
    };
    let sources = vec![open(&training, SplitKind::Training), open(&validation, SplitKind::Validation)];
    let intent = intent(LLAMA);
    let report = validate(sources, &Schema::PromptCompletion, &intent, &options(2), &Unwatched).unwrap();
    assert_eq!((report.totals.training, report.totals.validation), (3, 2));
    assert_eq!(report.sources, [0, 3]);
    let place = |rule: &str| {
        let finding = report.findings.iter().find(|finding| finding.rule == rule).unwrap();
        (finding.record, finding.line)
    };
    assert_eq!(place("different-answers"), (Some(2), Some(3)));
    assert_eq!(place("split-leak"), (Some(4), Some(2)));
    assert_eq!(place("duplicate"), (Some(4), Some(2)));
    assert_eq!(place("record-count"), (None, None));
}

#[test]
fn so_many_findings_are_kept_and_all_are_counted() {
    let lines = vec![(br#"{"prompt":"","completion":""}"#.to_vec(), SplitKind::Training); 500];
    let intent = intent(LLAMA);
    let source: Box<dyn LineSource> = Box::new(Held { lines, at_once: 7, given: 0 });
    let options = Options { kept_per_rule: 10, ..options(3) };
    let report = validate(vec![source], &Schema::PromptCompletion, &intent, &options, &Unwatched).unwrap();
    for rule in ["empty-prompt", "empty-completion"] {
        let count = report.rule(rule).unwrap();
        assert_eq!((count.findings, count.records.len()), (500, 500), "{rule}");
        let kept: Vec<_> = report.findings.iter().filter(|f| f.rule == rule).map(|f| f.record.unwrap()).collect();
        assert_eq!(kept, (0..10).collect::<Vec<u64>>(), "{rule}");
    }
    assert_eq!(report.rule("duplicate").unwrap().records.len(), 499);
    assert_eq!(report.valid, 0);
}

#[test]
fn a_file_that_changes_while_it_is_read_is_said() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let line = "{\"prompt\":\"a\",\"completion\":\"b\"}\n";
    file.write_all(line.repeat(100_000).as_bytes()).unwrap();
    let source: Box<dyn LineSource> = Box::new(FileSource::open(file.path(), SplitKind::Training).unwrap());
    let growing = Told::new(move |_| {
        file.write_all(line.as_bytes()).unwrap();
        false
    });
    let result = validate(vec![source], &Schema::PromptCompletion, &intent(TINY_V1), &options(2), &growing);
    assert!(matches!(result, Err(ValidateError::Read(ReadError::Changed))), "{result:?}");
}

#[test]
fn validating_stops_when_told_to() {
    let lines = training(&[r#"{"prompt":"a","completion":"b"}"#; 100]);
    let source: Box<dyn LineSource> = Box::new(Held { lines, at_once: 1, given: 0 });
    let (seen, told) = channel();
    let watch = Told::new(move |done| seen.send(done).is_err() || done > 10);
    let result = validate(vec![source], &Schema::PromptCompletion, &intent(TINY_V1), &options(2), &watch);
    assert!(matches!(result, Err(ValidateError::Cancelled)), "{result:?}");
    assert!(told.try_iter().all(|done| done < 20));
}

#[test]
fn a_line_without_end_is_held_no_further_than_a_record_may_go() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&vec![b'x'; crate::MAX_RECORD_BYTES * 2]).unwrap();
    file.write_all(b"\n{\"prompt\":\"a\",\"completion\":\"b\"}\n").unwrap();
    let source: Box<dyn LineSource> = Box::new(FileSource::open(file.path(), SplitKind::Training).unwrap());
    let report = validate(vec![source], &Schema::PromptCompletion, &intent(TINY_V1), &options(2), &Unwatched).unwrap();
    assert_eq!((report.records, report.valid), (2, 1));
    assert_eq!(report.rule("line-size").unwrap().records.iter().collect::<Vec<_>>(), [0]);
}

#[test]
fn labels_outliers_and_languages_are_told_from_all_records() {
    let mut lines: Vec<String> = (0..400)
        .map(|number| {
            format!(
                r#"{{"prompt":"Is {number} an even number, and how do you know it?","completion":"{}"}}"#,
                ["no", "yes"][number % 2]
            )
        })
        .collect();
    lines.push(format!(r#"{{"prompt":"{}","completion":"yes"}}"#, "x".repeat(100_000)));
    lines.push(r#"{"prompt":"Is 4 prime?","completion":"maybe"}"#.to_owned());
    // A line that is no record has no length to stand out with.
    lines.push("{".to_owned());
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let report = report_of(&training(&lines), &intent(TINY_V1), 2, 13);
    assert_eq!(report.rule("length-outlier").unwrap().records.iter().collect::<Vec<_>>(), [400]);
    let balance = report.findings.iter().find(|finding| finding.rule == "class-balance").unwrap();
    assert!(balance.message.contains("\"maybe\" in 1"), "{}", balance.message);
    assert!(report.rule("language-mix").is_none());
}
