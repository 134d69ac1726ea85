#![expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]

use super::*;
use crate::formats::{Compression, Mapping, read};

const PAIRS: &str = "{\"prompt\": \"a, \\\"b\\\"\", \"completion\": \"c\\nd\", \"id\": 1.50}\n{\"prompt\":\"e\",\"completion\":\"f\",\"more\":[1]}\n";
const CONVERSATIONS: &str = r#"{"schemaVersion":"bedrock-conversation-2024","system":[{"text":"s"}],"messages":[{"role":"user","content":[{"text":"a"}]},{"role":"assistant","content":[{"text":"b"}]}]}
{"schemaVersion":"bedrock-conversation-2024","messages":[{"role":"user","content":[{"text":"a"}]},{"role":"assistant","content":[{"text":"b"}]},{"role":"user","content":[{"text":"c"}]},{"role":"assistant","content":[{"text":"d"}]}]}
{"schemaVersion":"bedrock-conversation-2024","messages":[{"role":"user","content":[{"image":{"format":"png","source":{"s3Location":{"uri":"s3://b/a.png"}}}},{"text":"a"}]},{"role":"assistant","content":[{"text":"b"}]}]}
{broken
"#;

fn converted(text: &str, options: &ConvertOptions, target: &Target) -> (Conversion, String) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let mut out = Vec::new();
    let conversion = from_file(file.path(), options, target, &mut out).unwrap();
    (conversion, String::from_utf8(out).unwrap())
}

fn from_file(
    path: &Path,
    options: &ConvertOptions,
    target: &Target,
    out: &mut Vec<u8>,
) -> Result<Conversion, ConvertError> {
    convert(path, &ReadOptions::default(), options.clone(), target.clone(), out, &mut |_, _| ControlFlow::Continue(()))
}

fn plain(text: &str, target: &Target) -> (Conversion, String) {
    converted(text, &ConvertOptions::default(), target)
}

/// Prompt and completion of each record that a text is read as.
fn pairs(text: &str) -> Vec<(String, String)> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let outcome = read(file.path(), &ReadOptions::default(), &mut |_, _| ControlFlow::Continue(())).unwrap();
    assert_eq!(outcome.problem_count, 0, "{:?}", outcome.problems);
    let records = outcome.records.iter().map(|sourced| &sourced.record);
    records.map(|record| (record.prompt().into_owned(), record.completion().into_owned())).collect()
}

#[test]
fn every_form_that_is_written_is_read_back_with_the_same_texts() {
    let own = Schema::Fields(Mapping { prompt: "question".into(), completion: "answer".into(), system: None });
    let schemas = [
        Schema::PromptCompletion,
        Schema::ClaudeMessages,
        Schema::Conversation,
        Schema::OpenAiChat,
        Schema::Alpaca,
        Schema::ShareGpt,
        own,
    ];
    let lines = schemas.iter().cloned().map(Target::Jsonl);
    let lists = schemas.iter().cloned().map(Target::JsonList);
    let tables = [b',', b';', b'\t'].map(|delimiter| Target::Csv { delimiter });
    for target in lines.chain(lists).chain(tables).chain([Target::Examples]) {
        let (conversion, text) = plain(PAIRS, &target);
        assert_eq!((conversion.records, conversion.left_out), (2, 0), "{target:?}");
        assert_eq!(pairs(&text), pairs(PAIRS), "{target:?}: {text}");
    }
}

#[test]
fn what_does_not_carry_over_is_counted_by_kind_with_the_first_record() {
    let (conversion, text) = plain(CONVERSATIONS, &Target::Jsonl(Schema::PromptCompletion));
    assert_eq!(text, "{\"prompt\":\"s\\n\\na\",\"completion\":\"b\"}\n{\"prompt\":\"a\",\"completion\":\"b\"}\n");
    assert_eq!((conversion.records, conversion.whole, conversion.left_out, conversion.problem_count), (2, 0, 1, 1));
    assert_eq!(conversion.problems[0].line, 4);
    let told: Vec<_> =
        conversion.losses.iter().map(|l| (l.kind, l.count, l.left_out, l.first_record, l.first_line)).collect();
    assert_eq!(
        told,
        [
            (LossKind::SystemText, 1, 0, 1, Some(1)),
            (LossKind::Turns, 1, 1, 2, Some(2)),
            (LossKind::Media, 1, 0, 3, Some(3)),
        ]
    );
    let (conversion, text) = plain(PAIRS, &Target::Csv { delimiter: b',' });
    assert_eq!(text, "prompt,completion,system,id\r\n\"a, \"\"b\"\"\",\"c\nd\",,1.5\r\ne,f,,\r\n");
    assert_eq!((conversion.losses[0].kind, conversion.losses[0].first_record), (LossKind::Fields, 2));
}

#[test]
fn what_is_packed_is_read_back_from_a_file_of_that_name() {
    let folder = tempfile::tempdir().unwrap();
    for (name, with) in [("a.csv.gz", Some(Compression::Gzip)), ("a.csv.zst", Some(Compression::Zstd)), ("a.csv", None)]
    {
        let path = folder.path().join(name);
        assert_eq!(Compression::of_name(&path), with);
        let mut packed = Packed::new(std::fs::File::create(&path).unwrap(), with).unwrap();
        let (_, text) = plain(PAIRS, &Target::Csv { delimiter: b',' });
        packed.write_all(text.as_bytes()).unwrap();
        packed.finish().unwrap();
        let outcome = read(&path, &ReadOptions::default(), &mut |_, _| ControlFlow::Continue(())).unwrap();
        assert_eq!((outcome.records.len(), outcome.problem_count), (2, 0), "{name}");
    }
}

#[test]
fn a_line_that_is_in_its_form_already_keeps_its_bytes() {
    let (conversion, text) = plain(PAIRS, &Target::Jsonl(Schema::PromptCompletion));
    assert_eq!((text.as_str(), conversion.losses.len()), (PAIRS, 0));
}

#[test]
fn a_template_makes_the_texts_that_are_written() {
    let template =
        Template { prompt: "### {{prompt}}\n###".into(), completion: " {{completion}}".into(), system: None };
    let options = ConvertOptions { template: Some(template), ..ConvertOptions::default() };
    let (_, text) = converted(PAIRS, &options, &Target::Jsonl(Schema::PromptCompletion));
    assert_eq!(pairs(&text)[1], ("### e\n###".to_owned(), " f".to_owned()));
    let broken = Template { prompt: "{{promt}}".into(), completion: "{{completion}}".into(), system: None };
    let options = ConvertOptions { template: Some(broken), ..ConvertOptions::default() };
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), PAIRS).unwrap();
    let error = from_file(file.path(), &options, &Target::Examples, &mut Vec::new());
    let said = error.unwrap_err().to_string();
    assert!(said.contains("in the prompt, line 1, column 1") && said.contains("no column \"promt\""), "{said}");
}

#[test]
fn an_invocation_log_is_converted_but_never_written() {
    let log = r#"{"schemaType":"ModelInvocationLog","input":{"inputBodyJson":{"prompt":"Hi"}},"output":{"outputBodyJson":{"generation":"Hello"}}}"#;
    let (conversion, text) = plain(log, &Target::Examples);
    assert_eq!(conversion.records, 1);
    assert_eq!(pairs(&text), [("Hi".to_owned(), "Hello".to_owned())]);
    let file = tempfile::NamedTempFile::new().unwrap();
    let target = Target::Jsonl(Schema::InvocationLog);
    let refused = from_file(file.path(), &ConvertOptions::default(), &target, &mut Vec::new());
    assert!(matches!(refused, Err(ConvertError::Target(..))));
}
