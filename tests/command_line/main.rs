//! The commands over files, run as a script runs them: what they print, what they write, how they end.

mod documents;
mod evaluate;
mod local_tuning;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

type Outcome = Result<(), Box<dyn std::error::Error>>;

const MODEL: &str = "amazon.nova-micro-v1:0:128k";

fn conversation(prompt: &str, completion: &str) -> String {
    let text = |text: &str| serde_json::json!([{ "text": text }]);
    serde_json::json!({
        "schemaVersion": "bedrock-conversation-2024",
        "messages": [{ "role": "user", "content": text(prompt) }, { "role": "assistant", "content": text(completion) }],
    })
    .to_string()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> std::io::Result<Folder> {
        tempfile::tempdir().map(Folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> std::io::Result<PathBuf> {
        let path = self.path(name);
        std::fs::write(&path, content)?;
        Ok(path)
    }
}

fn whetstone(arguments: &[&str], files: &[&Path]) -> std::io::Result<Output> {
    Command::new(env!("CARGO_BIN_EXE_whetstone")).args(arguments).args(files).output()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().into_iter().flat_map(|object| object.keys()).map(String::as_str).collect()
}

#[test]
fn validate_prints_every_finding_and_ends_with_the_status_that_scripts_rely_on() -> Outcome {
    let folder = Folder::new()?;
    let good: Vec<String> =
        (0..10).map(|n| conversation(&format!("What is {n}?"), &format!("The number {n}."))).collect();
    let clean = folder.write("clean.jsonl", good.join("\n"))?;
    let output = whetstone(&["validate", "--json", "--model", MODEL], &[&clean])?;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(output.stdout, b"{\"records\":10,\"valid\":10,\"findings\":[]}\n");

    let mut lines = good.clone();
    lines[2] = "{broken".to_owned();
    lines[4] = conversation("User: hi ", "Hello");
    let broken = folder.write("broken.jsonl", lines.join("\r\n"))?;
    let output = whetstone(&["validate", "--json", "--model", MODEL], &[&broken])?;
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(keys(&report), ["records", "valid", "findings"]);
    assert_eq!((&report["records"], &report["valid"]), (&10.into(), &8.into()));
    let findings = report["findings"].as_array().ok_or("no findings")?;
    for finding in findings {
        assert_eq!(keys(finding), ["rule", "severity", "line", "record", "field", "message", "fix"]);
    }
    let told = |rule: &str| findings.iter().find(|finding| finding["rule"] == rule);
    let json = told("json-lines").ok_or("the broken line was not told")?;
    assert_eq!((&json["severity"], &json["line"], &json["record"]), (&"error".into(), &3.into(), &3.into()));
    let word = told("reserved-word").ok_or("the reserved word was not told")?;
    assert_eq!((&word["line"], word["fix"].is_string()), (&5.into(), true));

    // The two files together are too few for the model: only with the second one are there enough.
    let few = folder.write("few.jsonl", good[..6].join("\n"))?;
    assert_eq!(whetstone(&["validate", "--model", MODEL], &[&few])?.status.code(), Some(1));
    let split = ["validate", "--model", MODEL, "--split", "validation"];
    let rest = folder.write("rest.jsonl", good[6..].join("\n"))?;
    let together = Command::new(env!("CARGO_BIN_EXE_whetstone")).args(split).arg(&rest).arg(&few).output()?;
    assert_eq!(together.status.code(), Some(1), "eight records for training are needed: {together:?}");

    for wrong in [&["validate", "--model", "no.such-model"][..], &["validate"], &["validate", "--modle", MODEL]] {
        assert_eq!(whetstone(wrong, &[&clean])?.status.code(), Some(2), "{wrong:?}");
    }
    let missing = whetstone(&["validate", "--model", MODEL], &[&folder.path("missing.jsonl")])?;
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8(missing.stderr)?.contains("missing.jsonl"));
    Ok(())
}

/// Files as they come from other programs, each with the same two questions.
#[test]
fn files_of_every_kind_are_converted_to_the_same_records() -> Outcome {
    let folder = Folder::new()?;
    let table = "question,answer\r\n\"Größe, \"\"M\"\"?\",\"XL\nor L\"\r\nWhere?,Here.\r\n";
    let utf16: Vec<u8> = [0xFEFF].into_iter().chain(table.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let marked = [b"\xEF\xBB\xBF", table.as_bytes()].concat();
    let semicolons =
        table.replace("question,answer", "question;answer").replace("\",\"XL", "\";\"XL").replace("?,H", "?;H");
    let openai = concat!(
        r#"{"messages":[{"role":"user","content":"Größe, \"M\"?"},{"role":"assistant","content":"XL\nor L","weight":1}],"tools":[{"type":"function","function":{"name":"f"}}]}"#,
        "\n",
        r#"{"messages":[{"role":"user","content":"Where?"},{"role":"assistant","content":"Here."}]}"#,
    );
    let sharegpt = r#"[{"id":"1","conversations":[{"from":"human","value":"Größe, \"M\"?"},{"from":"gpt","value":"XL\nor L"}]},
        {"id":"2","conversations":[{"from":"human","value":"Where?"},{"from":"gpt","value":"Here."}]}]"#;
    let alpaca = r#"[{"instruction":"Größe, \"M\"?","input":"","output":"XL\nor L"},{"instruction":"Where?","input":"","output":"Here."}]"#;
    let mapped = ["--prompt", "question", "--completion", "answer"];
    // Its first bytes look like UTF-8 as well as like anything else, and commas stand in its texts.
    let western: Vec<u8> =
        semicolons.chars().map(|letter| u8::try_from(u32::from(letter))).collect::<Result<_, _>>()?;
    let said = ["--prompt", "question", "--completion", "answer", "--encoding", "windows-1252", "--delimiter", ";"];
    let files: [(&str, Vec<u8>, &[&str]); 8] = [
        ("western.csv", western, &said),
        ("crlf.csv", table.as_bytes().to_vec(), &mapped),
        ("marked.csv", marked, &mapped),
        ("utf16.csv", utf16, &mapped),
        ("semicolons.csv", semicolons.into_bytes(), &mapped),
        ("openai.jsonl", openai.as_bytes().to_vec(), &[]),
        ("sharegpt.json", sharegpt.as_bytes().to_vec(), &[]),
        ("alpaca.json", alpaca.as_bytes().to_vec(), &[]),
    ];
    for (name, content, mapping) in files {
        let file = folder.write(name, content)?;
        let out = folder.path("out.jsonl");
        let to = ["convert", "--to", "prompt-completion", "--output"];
        let output =
            Command::new(env!("CARGO_BIN_EXE_whetstone")).args(to).args([&out, &file]).args(mapping).output()?;
        assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
        let lines = std::fs::read_to_string(&out)?;
        let records: Vec<Value> = lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        let texts = |record: &Value| (record["prompt"].clone(), record["completion"].clone());
        let expected =
            [("Größe, \"M\"?", "XL\nor L"), ("Where?", "Here.")].map(|(one, other)| (one.into(), other.into()));
        assert_eq!(records.iter().map(texts).collect::<Vec<_>>(), expected, "{name}");
    }
    Ok(())
}

#[test]
fn what_is_written_packed_is_read_again_by_its_own_commands() -> Outcome {
    let folder = Folder::new()?;
    let lines: Vec<String> = (0..20).map(|n| conversation(&format!("What is {n}?"), &format!("Number {n}."))).collect();
    let file = folder.write("talk.jsonl", lines.join("\n"))?;
    for name in ["pairs.csv.gz", "pairs.jsonl.zst"] {
        let form = if name.contains("csv") { "csv" } else { "prompt-completion" };
        let out = folder.path(name);
        let output = whetstone(&["convert", "--json", "--to", form, "--output"], &[&out, &file])?;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let told: Value = serde_json::from_slice(&output.stdout)?;
        assert_eq!((&told["records"], &told["left_out"]), (&20.into(), &0.into()));
        let numbers = whetstone(&["stats", "--json"], &[&out])?;
        let numbers: Value = serde_json::from_slice(&numbers.stdout)?;
        assert_eq!(numbers["records"], 20, "{numbers}");
    }
    Ok(())
}
