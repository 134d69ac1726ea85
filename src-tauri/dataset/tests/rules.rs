//! The table of rules: each is held to its own examples, and `docs/rules.md` is written from it.

#![expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]

use std::collections::HashSet;
use std::convert::Infallible;
use std::fmt::Write;

use serde_json::json;
use whetstone_catalog::{BaseModel, CustomizationType, DataFormat, TINY_V1, catalog};
use whetstone_dataset::validate::{Batch, LineSource, Options, Report, Splits, ValidateError, validate};
use whetstone_dataset::{
    Example, FileFacts, Finding, Fix, Intent, Record, Role, Rule, RuleKind, Schema, Severity, SplitKind, SplitTotals,
    Turn, Unwatched, check_counts, check_file_facts, check_line, check_record, fix, near_duplicates, rules,
};
use whetstone_scan::{Facts, Form, Limits, Padded, Scanner, Words};

const NOVA: &str = "amazon.nova-micro-v1:0:128k";
const LLAMA: &str = "meta.llama3-1-8b-instruct-v1:0:128k";

fn model(id: &str) -> &'static BaseModel {
    catalog().find(id).unwrap()
}

fn intent(example: &Example) -> Intent<'static> {
    if let Some(listed) = catalog().find_listed(example.model) {
        return Intent::of_listed(listed).unwrap();
    }
    let model = model(example.model);
    assert!(model.supports(example.purpose), "{}", example.model);
    Intent::of(model, example.purpose)
}

/// `{x*3}` becomes `xxx`.
fn repeated(line: &str) -> String {
    let mut line = line.to_owned();
    while let Some((open, star, close)) = repetition(&line) {
        let count: usize = line[star + 1..close].parse().unwrap();
        let text = line[open + 1..star].repeat(count);
        line.replace_range(open..=close, &text);
    }
    line
}

/// Where the first `{…*number}` opens, has its star, and closes.
fn repetition(line: &str) -> Option<(usize, usize, usize)> {
    line.match_indices('*').find_map(|(star, _)| {
        let digits = line[star + 1..].bytes().take_while(u8::is_ascii_digit).count();
        let close = star + 1 + digits;
        if digits == 0 || line.as_bytes().get(close) != Some(&b'}') {
            return None;
        }
        let mut depth = 0;
        let open = line[..star].bytes().rposition(|byte| {
            depth += match byte {
                b'}' => 1,
                b'{' => -1,
                _ => 0,
            };
            depth < 0
        })?;
        Some((open, star, close))
    })
}

/// The lines that an example stands for, each with its split.
fn lines(text: &str) -> Vec<(String, SplitKind)> {
    let mut all = Vec::new();
    for line in text.split('\n') {
        let (kind, line) = match line.split_once("| ") {
            Some(("validation", rest)) => (SplitKind::Validation, rest),
            Some(("hold-out", rest)) => (SplitKind::HoldOut, rest),
            _ => (SplitKind::Training, line),
        };
        let many = line.split_once(" x ").and_then(|(count, rest)| Some((count.parse::<u64>().ok()?, rest)));
        match many {
            Some((count, line)) => all.extend((0..count).map(|n| (line.replace('#', &n.to_string()), kind))),
            None => all.push((repeated(line), kind)),
        }
    }
    all
}

/// Lines in memory.
struct Held(Option<Vec<(String, SplitKind)>>);

impl LineSource for Held {
    fn fill(&mut self, batch: &mut Batch) -> Result<bool, ValidateError> {
        let Some(lines) = self.0.take() else { return Ok(false) };
        batch.splits = Splits::Each(lines.iter().map(|(_, kind)| *kind).collect());
        lines.iter().for_each(|(line, _)| batch.bytes.extend_from_slice(format!("{line}\n").as_bytes()));
        Ok(true)
    }

    fn total(&self) -> u64 {
        1
    }

    fn done(&self) -> u64 {
        u64::from(self.0.is_none())
    }
}

/// What is found in these lines, as they would be uploaded.
fn report_of(lines: Vec<(String, SplitKind)>, intent: &Intent) -> Report {
    let schema = lines.iter().find_map(|(line, _)| Schema::of_line(line.as_bytes()));
    let schema = schema.unwrap_or_else(|| Schema::from(intent.data().format));
    let options = Options { kept_per_rule: 1000, ..Options::default() };
    validate(vec![Box::new(Held(Some(lines)))], &schema, intent, &options, &Unwatched).unwrap()
}

/// What is found in prompts and completions.
fn report_of_pairs(pairs: impl IntoIterator<Item = (String, String, SplitKind)>) -> Report {
    let line = |(prompt, completion, kind): (String, String, SplitKind)| {
        (json!({"prompt": prompt, "completion": completion}).to_string(), kind)
    };
    report_of(pairs.into_iter().map(line).collect(), &Intent::new(model(TINY_V1)))
}

/// What a rule says of an example.
fn said(rule: &Rule, example: &str, intent: &Intent) -> Vec<Finding> {
    let lines = lines(example);
    let found: Vec<Finding> = match rule.kind {
        RuleKind::File(_) => {
            let facts = lines.iter().map(|(line, kind)| {
                let (key, bytes) = line.rsplit_once(' ').unwrap();
                FileFacts { key: Some(key), bytes: bytes.parse().unwrap(), kind: *kind }
            });
            facts.flat_map(|facts| check_file_facts(&facts, intent)).collect()
        }
        RuleKind::Counts(_) => {
            let mut totals = SplitTotals::default();
            lines.iter().for_each(|(_, kind)| totals.count(*kind, 1));
            check_counts(&totals, intent)
        }
        // A line that keeps such a rule may be very long: no other rule need look through it.
        RuleKind::Bytes(look) => {
            let broken = lines.iter().filter(|(line, _)| look(line.as_bytes()).is_some());
            broken.flat_map(|(line, _)| check_line(line.as_bytes(), intent).findings).collect()
        }
        RuleKind::Near(_) => {
            let record =
                |(line, kind): &(String, SplitKind)| (check_line(line.as_bytes(), intent).record.unwrap(), *kind);
            let mut get = |position: u64| Ok::<_, Infallible>(record(&lines[position as usize]));
            near_duplicates(lines.len() as u64, &mut get).unwrap()
        }
        _ => report_of(lines, intent).findings,
    };
    found.into_iter().filter(|finding| finding.rule == rule.id).collect()
}

fn short(text: &str) -> String {
    text.chars().take(300).collect()
}

#[test]
fn each_rule_is_broken_by_its_example_and_just_kept_by_the_other() {
    let mut wrong = Vec::new();
    for rule in rules() {
        assert!(!rule.examples.is_empty(), "{} has no example", rule.id);
        for example in rule.examples {
            let intent = intent(example);
            assert!((rule.concerns)(&intent), "{} does not concern {}", rule.id, example.model);
            let broken = said(rule, example.breaks, &intent);
            assert!(broken.iter().all(|finding| finding.severity >= rule.severity), "{}", rule.id);
            if broken.is_empty() {
                wrong.push(format!("{} is not broken by {}", rule.id, short(example.breaks)));
            }
            for finding in said(rule, example.keeps, &intent) {
                wrong.push(format!("{}: {} in {}", rule.id, finding.message, short(example.keeps)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_rule_is_told_by_its_facts() {
    for rule in rules().filter(|rule| matches!(rule.kind, RuleKind::Record(_) | RuleKind::Line(_))) {
        for example in rule.examples {
            for (line, _) in lines(example.breaks) {
                let facts = facts(&line, &intent(example));
                assert!(facts.intersects(rule.needs), "{}: {facts:?} of {}", rule.id, short(&line));
            }
        }
    }
}

/// The facts of a line. Every line counts as long, since the bounds are not what is looked at here; a line of another
/// format than the base model's is not known.
fn facts(line: &str, intent: &Intent) -> Facts {
    let words = Words::new(intent.data().reserved_words.iter().map(String::as_str));
    let mut scanner = Scanner::new(words, Limits { turns: 0, context: 0, completion: 0, record: 0 });
    let mut facts = Facts::empty();
    scanner.scan(&Padded::new(format!("{line}\n").into_bytes()), &mut |line| {
        let format = match line.form {
            Some(Form::Pair) => DataFormat::PromptCompletion,
            Some(Form::Blocks) => DataFormat::Conversation,
            Some(Form::Strings) => DataFormat::ClaudeMessages,
            Some(Form::Chat) | None => DataFormat::OpenAiChat,
        };
        let known = intent.data().format == format || intent.data().accepts(format);
        facts = if known { line.facts } else { Facts::all() };
    });
    facts
}

/// Texts that some rule fires on, and texts that change what a fact sees of them.
const PIECES: &[&str] = &[
    "jane.doe@gmail.com",
    "a@b.io",
    "+4930901820",
    "+1 (212) 736-5000",
    "(212) 736-5000",
    "212.736.5000",
    "Tel.: 030/901820-33",
    "phone 06 12 34 56 78",
    "4539 1488 0343 6467",
    "4539148803436467",
    "3787 344936 71000",
    "DE75 5121 0800 1245 1261 99",
    "GB33BUKB20201555555555",
    "FR14-2004-1010-0505-0001-3M02-606",
    "MT84MALT011000012345MTLCAST001S",
    "536-22-8145",
    "536 22 8145",
    "AB 12 34 56 C",
    "AB123456C",
    "JG 103759A",
    "86 095 742 719",
    "86095742719",
    "2 55 08 14 168 025 38",
    "54362315-K",
    "54362315 K",
    "X-2482300-W",
    "Y1234567X",
    "529.982.247-25",
    "AKIA4XZQ7MNB2LKWJ3TR",
    "sk-aB3dE5fG7hI9jK1lM3nO5pQ7",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "xoxb-123456789012-abcdef",
    "-----BEGIN PRIVATE KEY-----\nMIIEowIBAAKCAQEAx",
    "81.169.145.68",
    "2a00:1450:4001:82b::200e",
    "2a00::1",
    "2a00:1450:4001:82b:1:2:3:4",
    "cafÃ©",
    "itâ€™s",
    "Â£5",
    "Ð¿Ñ€Ð¸",
    "ðŸ˜€",
    "\u{FFFD}",
    "\u{200B}",
    "\u{FEFF}",
    "\u{202E}",
    "\u{85}",
    "\u{1b}",
    "\u{7f}",
    "User:",
    "[eos]",
    "<UNK>",
    "Thought:",
    "{\"a\": [1",
    "[{\"a\":1},]",
    "```json\n{\"a\":}\n```",
    " ",
    "\n",
    "\t",
    "\u{A0}",
    "\u{2003}",
    "-",
    ".",
    ",",
    ";",
    ":",
    "(",
    ")",
    "/",
    "\"",
    "\\",
    "x",
    "é",
    "東",
    "7",
    "a b",
];

proptest::proptest! {
    #[test]
    fn whatever_stands_around_it_a_rule_is_told_by_its_facts(
        prompt in proptest::collection::vec(proptest::sample::select(PIECES), 1..5),
        completion in proptest::collection::vec(proptest::sample::select(PIECES), 1..5),
    ) {
        let block = |pieces: &[&str]| serde_json::json!([{ "text": pieces.concat() }]);
        let line = serde_json::json!({"messages": [
            {"role": "user", "content": block(&prompt)},
            {"role": "assistant", "content": block(&completion)},
        ]});
        let line = line.to_string();
        let intent = Intent::new(model(NOVA));
        let facts = facts(&line, &intent);
        for finding in check_line(line.as_bytes(), &intent).findings {
            let rule = rules().find(|rule| rule.id == finding.rule).unwrap();
            proptest::prop_assert!(facts.intersects(rule.needs), "{}: {facts:?} of {line}", rule.id);
        }
    }

    #[test]
    fn whatever_is_mended_keeps_the_rule_from_then_on(
        prompt in proptest::collection::vec(proptest::sample::select(PIECES), 1..5),
        completion in proptest::collection::vec(proptest::sample::select(PIECES), 1..5),
    ) {
        let intent = Intent::new(model(NOVA));
        let record = Record::prompt_completion(None, prompt.concat(), completion.concat());
        for finding in check_record(&record, &intent).iter().filter(|finding| finding.fix.is_some()) {
            let Some(Fix::Replace(fixed)) = fix(finding, &record, &intent) else { continue };
            let left = check_record(&fixed, &intent).into_iter().find(|left| left.rule == finding.rule);
            proptest::prop_assert!(left.is_none(), "{} of {record:?}: {left:?}", finding.rule);
        }
    }
}

#[test]
fn each_fix_leaves_a_record_that_keeps_the_rule() {
    let mut mended = HashSet::new();
    for rule in rules().filter(|rule| matches!(rule.kind, RuleKind::Record(_)) && rule.fix.is_some()) {
        for example in rule.examples {
            let intent = intent(example);
            for (line, _) in lines(example.breaks) {
                let record = check_line(line.as_bytes(), &intent).record.unwrap();
                for finding in check_record(&record, &intent).iter().filter(|f| f.rule == rule.id && f.fix.is_some()) {
                    let fixed = fix(finding, &record, &intent);
                    let name = format!("{}: {}", rule.id, short(&line));
                    match fixed {
                        Some(Fix::Delete) => {}
                        Some(Fix::Replace(fixed)) => {
                            assert_ne!(fixed, record, "{name}");
                            let left = check_record(&fixed, &intent);
                            let left: Vec<_> = left.iter().filter(|f| f.rule == rule.id).collect();
                            assert!(left.is_empty(), "{name}: {left:?}");
                        }
                        None => panic!("{name}: no fix"),
                    }
                    mended.insert(rule.id);
                }
            }
        }
    }
    let with_fix = rules().filter(|rule| matches!(rule.kind, RuleKind::Record(_)) && rule.fix.is_some());
    for rule in with_fix {
        assert!(mended.contains(rule.id), "no example of {} is mended", rule.id);
    }
}

#[test]
fn a_finding_says_what_to_do_and_points_into_the_text() {
    for rule in rules() {
        for example in rule.examples {
            let intent = intent(example);
            for finding in said(rule, example.breaks, &intent) {
                assert!(finding.message.ends_with('.') && finding.hint.ends_with('.'), "{finding:?}");
                let Some(span) = finding.span else { continue };
                let line = &lines(example.breaks)[finding.record.unwrap() as usize].0;
                let record = check_line(line.as_bytes(), &intent).record.unwrap();
                assert!(span.text(&record).is_some_and(|text| !text.is_empty()), "{finding:?}");
                let units = span.utf16(&record).unwrap();
                assert_eq!(units.len(), span.text(&record).unwrap().encode_utf16().count());
            }
        }
    }
}

#[test]
fn every_rule_has_an_id_of_its_own_and_a_source() {
    let mut seen = HashSet::new();
    for rule in rules() {
        assert!(seen.insert(rule.id), "{} is listed twice", rule.id);
        assert!(!rule.source.is_empty() && rule.asks.ends_with('.'), "{}", rule.id);
    }
}

#[test]
fn every_rule_concerns_some_model_of_the_catalog() {
    for rule in rules() {
        assert!(!whom(rule).is_empty(), "{}", rule.id);
    }
}

/// A record of turns written as `u:text`, `a:text`, `s:text`.
fn talk(turns: &[&str]) -> Record {
    let turn = |text: &&str| {
        let (role, text) = text.split_once(':').unwrap();
        let role = match role {
            "u" => Role::User,
            "a" => Role::Assistant,
            _ => Role::System,
        };
        Turn::new(role, text)
    };
    Record::new(turns.iter().map(turn).collect())
}

fn broken(record: &Record, id: &str) -> Vec<&'static str> {
    check_record(record, &Intent::new(model(id))).into_iter().map(|finding| finding.rule).collect()
}

#[test]
fn orders_that_no_line_should_have_are_refused() {
    for turns in [
        &["a:x", "u:x", "a:x"][..],
        &["u:x", "u:x", "a:x"],
        &["u:x", "a:x", "u:x"],
        &["s:x", "s:x", "u:x", "a:x"],
        &["u:x", "s:x", "a:x"],
        &["s:x"],
        &[],
    ] {
        assert!(broken(&talk(turns), NOVA).contains(&"turn-order"), "{turns:?}");
    }
    for turns in [&["u:x", "a:x"][..], &["s:x", "u:x", "a:x"], &["u:x", "a:x", "u:x", "a:x"]] {
        assert_eq!(broken(&talk(turns), NOVA), [""; 0], "{turns:?}");
    }
}

#[test]
fn every_reserved_word_is_found_alone_in_any_turn() {
    for word in &model(NOVA).data.reserved_words {
        for record in [
            Record::prompt_completion(Some(word.clone()), "x", "x"),
            Record::prompt_completion(None, format!("a{}b", word.to_uppercase()), "x"),
            Record::prompt_completion(None, "x", word.to_lowercase()),
        ] {
            assert!(broken(&record, NOVA).contains(&"reserved-word"), "{word}");
            assert!(!broken(&record, TINY_V1).contains(&"reserved-word"));
        }
    }
}

#[test]
fn the_bounds_on_the_number_of_records_are_kept_to_the_record() {
    let ok = |id: &str, training, validation| {
        let totals = SplitTotals { training, validation, hold_out: 0 };
        let findings = check_counts(&totals, &Intent::new(model(id)));
        !findings.iter().any(|f| f.severity == Severity::Error)
    };
    for model in catalog().models() {
        let data = &model.data;
        assert!(ok(&model.id, data.min_records, 0), "{}", model.id);
        assert_eq!(ok(&model.id, data.min_records - 1, 0), data.min_records == 0, "{}", model.id);
        let most = data.max_records.or(data.max_training_records);
        if let Some(most) = most {
            assert!(ok(&model.id, most, 0) && !ok(&model.id, most + 1, 0), "{}", model.id);
        }
    }
    assert!(ok(NOVA, 19_000, 1000) && !ok(NOVA, 19_000, 1001));
    assert!(ok(LLAMA, 100, 1000) && !ok(LLAMA, 100, 1001));
}

#[test]
fn duplicates_other_answers_and_leaks_are_named_with_the_record_they_repeat() {
    use SplitKind::{HoldOut, Training, Validation};
    let one = |prompt: &str, answer: &str, kind| (prompt.to_owned(), answer.to_owned(), kind);
    let mut pairs: Vec<_> = (0..8).map(|n| one(&format!("p{n}"), "x", Training)).collect();
    pairs.push(one("p0", "x", Training));
    pairs.push(one("p1", "y", Training));
    pairs.push(one("p2", "x", Validation));
    pairs.push(one("p3", "y", HoldOut));
    pairs.push(one("p", "3y", HoldOut));
    let report = report_of_pairs(pairs);
    let said: Vec<_> = report.findings.iter().map(|f| (f.record.unwrap(), f.rule)).collect();
    assert_eq!(
        said,
        [
            (8, "duplicate"),
            (9, "different-answers"),
            (10, "split-leak"),
            (10, "duplicate"),
            (11, "split-leak"),
            (11, "different-answers"),
        ]
    );
    assert_eq!((report.errors, report.warnings), (0, 6));
    assert!(report.findings[2].message.contains("record 3, which is for training"));
}

#[test]
fn a_report_counts_everything_and_puts_errors_first() {
    let one = |prompt: &str| (prompt.to_owned(), "y".to_owned(), SplitKind::Training);
    let report = report_of_pairs(std::iter::repeat_n(one("x"), 1500).chain([one("")]));
    assert_eq!((report.errors, report.warnings), (1, 1499));
    assert_eq!(report.findings.len(), 1000 + 1);
    assert_eq!(report.findings[0].rule, "empty-prompt");
    assert_eq!(report.findings[0].record, Some(1500));
}

#[test]
fn limits_of_the_model_do_not_bind_records_that_are_held_out() {
    let reserved = r#"{"messages":[{"role":"user","content":[{"text":"User: x"}]},{"role":"assistant","content":[{"text":"y"}]}]}"#;
    let errors = |kind| report_of(vec![(reserved.to_owned(), kind)], &Intent::new(model(NOVA))).findings;
    let of = |kind| errors(kind).iter().any(|f| f.rule == "reserved-word");
    assert!(of(SplitKind::Training) && of(SplitKind::Validation) && !of(SplitKind::HoldOut));
}

#[test]
fn media_must_lie_in_the_bucket_of_the_dataset_where_it_is_known() {
    let line = r#"{"messages":[{"role":"user","content":[{"image":{"format":"png","source":{"s3Location":{"uri":"s3://pets/cat.png","bucketOwner":"111122223333"}}}}]},{"role":"assistant","content":[{"text":"A cat."}]}]}"#;
    let pro = Intent::new(model("amazon.nova-pro-v1:0:300k"));
    let found = |intent: &Intent| check_line(line.as_bytes(), intent).findings.iter().any(|f| f.rule == "media-bucket");
    assert!(!found(&pro) && !found(&pro.in_bucket("pets")) && found(&pro.in_bucket("dogs")));
}

/// The base models that a rule concerns, with the kind of training where it is not fine-tuning.
fn whom(rule: &Rule) -> String {
    let intents = || {
        let models = catalog().models().iter();
        let purposes =
            models.flat_map(|model| model.customization_types.iter().map(move |&purpose| Intent::of(model, purpose)));
        purposes.chain(catalog().listed_models().iter().filter_map(Intent::of_listed))
    };
    if intents().all(|intent| (rule.concerns)(&intent)) {
        return "every base model".to_owned();
    }
    let mut lists = Vec::new();
    for (purpose, name) in [
        (CustomizationType::FineTuning, "fine-tuning"),
        (CustomizationType::Distillation, "distillation"),
        (CustomizationType::ReinforcementFineTuning, "reinforcement"),
        (CustomizationType::ContinuedPreTraining, "continued pre-training"),
    ] {
        let of: Vec<_> = intents().filter(|intent| intent.purpose == purpose).collect();
        let concerned: Vec<&str> =
            of.iter().filter(|intent| (rule.concerns)(intent)).map(|intent| intent.name()).collect();
        if !concerned.is_empty() && concerned.len() == of.len() {
            lists.push(format!("{name}: all"));
        } else if !concerned.is_empty() {
            lists.push(format!("{name}: {}", concerned.join(", ")));
        }
    }
    lists.join("; ")
}

fn page() -> String {
    let mut page = String::from(
        "# Rules for training data\n\n\
         Written from the registry in `src-tauri/dataset/src/rules/`; a test keeps it so. What a base model asks stands in\n\
         `src-tauri/catalog/models/*.toml`. Nothing was tried against the live service: a rule is as good as its source.\n\n\
         An **error** is what a job fails over, or loses the record to. A **warning** is what makes a worse model, or what the\n\
         sources disagree on. A **note** is worth knowing. Numbers of tokens are estimates from characters; the real count is\n\
         the service's. A rule with a fix can mend a record by itself.\n\n\
         In the examples, `{x*100}` is a hundred times `x`; `20 x` before a line is twenty of it, `#` in it the number of each;\n\
         `validation|` or `hold-out|` before a line says which split it is of; for a rule on files, a line is a name and a size\n\
         in bytes. Examples are for the named base model.\n\n\
         | rule | severity | asks | fix |\n| --- | --- | --- | --- |\n",
    );
    for rule in rules() {
        let fix = rule.fix.as_ref().map_or("–", |mend| mend.does);
        let id = rule.id;
        writeln!(page, "| [{id}](#{id}) | {} | {} | {fix} |", rule.severity.as_str(), rule.asks).unwrap();
    }
    for rule in rules() {
        writeln!(page, "\n## {}\n\n{}\n", rule.id, rule.asks).unwrap();
        writeln!(page, "- Severity: {}{}", rule.severity.as_str(), milder(rule)).unwrap();
        writeln!(page, "- Concerns: {}", whom(rule)).unwrap();
        writeln!(page, "- Source: {}", rule.source).unwrap();
        if let Some(mend) = &rule.fix {
            writeln!(page, "- Fix: {}", mend.does).unwrap();
        }
        for example in rule.examples {
            let purpose = match example.purpose {
                CustomizationType::FineTuning => String::new(),
                other => format!(", {}", other.as_str()),
            };
            let (breaks, keeps) = (example.breaks, example.keeps);
            writeln!(page, "\nBreaks it (`{}`{purpose}):\n\n```\n{breaks}\n```\n", example.model).unwrap();
            writeln!(page, "Just does not:\n\n```\n{keeps}\n```").unwrap();
        }
    }
    page
}

/// Severities that its examples give beside the worst.
fn milder(rule: &Rule) -> String {
    let mut others: Vec<String> = Vec::new();
    for example in rule.examples {
        for finding in said(rule, example.breaks, &intent(example)) {
            let text = format!("{} for {}", finding.severity.as_str(), intent(example).name());
            if finding.severity != rule.severity && !others.contains(&text) {
                others.push(text);
            }
        }
    }
    if others.is_empty() { String::new() } else { format!("; {}", others.join(", ")) }
}

#[test]
fn the_page_of_rules_is_what_the_registry_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rules.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let on_disk = std::fs::read_to_string(path).unwrap_or_default();
    assert!(on_disk == page, "docs/rules.md is not up to date: run the tests of whetstone-dataset with UPDATE_DOCS=1");
}
