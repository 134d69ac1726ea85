//! "Show me the call": the request of a draft as the AWS CLI, boto3 and the AWS SDK for Rust make it.
//!
//! All three are written from the body that the SDK itself would send, so that none of them can say something else.
//! Deliberately absent: keys, and the endpoint of this computer's own connection beyond its address.

use std::fmt::Write as _;

use serde_json::{Map, Value};
use whetstone_contract::ShownCall;

use crate::names::kebab;

/// Where the call goes.
pub struct Target<'a> {
    pub region: &'a str,
    /// A profile of the AWS configuration files, where the connection is one.
    pub profile: Option<&'a str>,
    pub endpoint: Option<&'a str>,
}

pub fn show(body: &str, target: &Target<'_>, placeholders: Vec<String>) -> Result<ShownCall, serde_json::Error> {
    let request: Map<String, Value> = serde_json::from_str(body)?;
    let request = ordered(request);
    Ok(ShownCall {
        cli: cli(&request, target),
        python: python(&request, target),
        rust: rust(&request, target),
        json: serde_json::to_string_pretty(&request)?,
        placeholders,
    })
}

/// In the order in which a person thinks of them; what is not named here follows.
const ORDER: [&str; 14] = [
    "customizationType",
    "baseModelIdentifier",
    "jobName",
    "customModelName",
    "roleArn",
    "trainingDataConfig",
    "validationDataConfig",
    "hyperParameters",
    "customizationConfig",
    "outputDataConfig",
    "customModelKmsKeyId",
    "vpcConfig",
    "jobTags",
    "customModelTags",
];

fn ordered(mut request: Map<String, Value>) -> Map<String, Value> {
    let mut sorted = Map::new();
    for key in ORDER {
        if let Some(value) = request.shift_remove(key) {
            sorted.insert(key.to_owned(), value);
        }
    }
    sorted.append(&mut request);
    sorted
}

fn cli(request: &Map<String, Value>, target: &Target<'_>) -> String {
    let mut text = "aws bedrock create-model-customization-job".to_owned();
    for (key, value) in request {
        let shown = match value {
            Value::String(plain) => quoted(plain),
            other => quoted(&other.to_string()),
        };
        let _ = write!(text, " \\\n  --{} {shown}", kebab(key));
    }
    let _ = write!(text, " \\\n  --region {}", quoted(target.region));
    if let Some(profile) = target.profile {
        let _ = write!(text, " \\\n  --profile {}", quoted(profile));
    }
    if let Some(endpoint) = target.endpoint {
        let _ = write!(text, " \\\n  --endpoint-url {}", quoted(endpoint));
    }
    text.push('\n');
    text
}

/// For a POSIX shell: as it is where nothing in it means anything, else in single quotes.
pub fn quoted(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:/@+=,".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn python(request: &Map<String, Value>, target: &Target<'_>) -> String {
    let mut text = "import boto3\n\n".to_owned();
    let session = target.profile.map_or_else(String::new, |profile| format!("profile_name={}, ", literal(profile)));
    let _ = writeln!(text, "session = boto3.Session({session}region_name={})", literal(target.region));
    let endpoint = target.endpoint.map_or_else(String::new, |url| format!(", endpoint_url={}", literal(url)));
    let _ = writeln!(text, "bedrock = session.client(\"bedrock\"{endpoint})\n");
    text.push_str("response = bedrock.create_model_customization_job(\n");
    for (key, value) in request {
        let _ = writeln!(text, "    {key}={},", python_value(value, 1));
    }
    text.push_str(")\nprint(response[\"jobArn\"])\n");
    text
}

pub fn python_value(value: &Value, depth: usize) -> String {
    let (inner, outer) = ("    ".repeat(depth + 1), "    ".repeat(depth));
    match value {
        Value::Null => "None".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => literal(text),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            format!("[{}]", items.iter().map(|item| python_value(item, depth)).collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            let lines: String =
                items.iter().map(|item| format!("{inner}{},\n", python_value(item, depth + 1))).collect();
            format!("[\n{lines}{outer}]")
        }
        Value::Object(members) => match (members.iter().next(), members.len()) {
            (Some((key, value)), 1) if !value.is_object() && !value.is_array() => {
                format!("{{{}: {}}}", literal(key), python_value(value, depth))
            }
            _ => {
                let lines: String = members
                    .iter()
                    .map(|(key, value)| format!("{inner}{}: {},\n", literal(key), python_value(value, depth + 1)))
                    .collect();
                format!("{{\n{lines}{outer}}}")
            }
        },
    }
}

/// A JSON string is a Python string as well, and a Rust one but for its `\u` escapes, which no name or URI has.
pub fn literal(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

fn rust(request: &Map<String, Value>, target: &Target<'_>) -> String {
    let mut text = "use aws_sdk_bedrock::types;\n\n".to_owned();
    text.push_str("let config = aws_config::defaults(aws_config::BehaviorVersion::latest())\n");
    let _ = writeln!(text, "    .region({})", literal(target.region));
    if let Some(profile) = target.profile {
        let _ = writeln!(text, "    .profile_name({})", literal(profile));
    }
    if let Some(endpoint) = target.endpoint {
        let _ = writeln!(text, "    .endpoint_url({})", literal(endpoint));
    }
    text.push_str("    .load()\n    .await;\nlet bedrock = aws_sdk_bedrock::Client::new(&config);\n\n");
    text.push_str("let created = bedrock\n    .create_model_customization_job()\n");
    for (key, value) in request {
        text.push_str(&rust_member(key, value));
    }
    text.push_str("    .send()\n    .await?;\nprintln!(\"{}\", created.job_arn);\n");
    text
}

fn rust_member(key: &str, value: &Value) -> String {
    let snake = kebab(key).replace('-', "_");
    let built = |kind: &str| rust_value(kind, value);
    match (key, value) {
        ("customizationType", Value::String(kind)) => {
            format!("    .customization_type(types::CustomizationType::{})\n", pascal(kind))
        }
        ("hyperParameters", Value::Object(members)) => members
            .iter()
            .map(|(key, value)| {
                format!("    .hyper_parameters({}, {})\n", literal(key), literal(value.as_str().unwrap_or_default()))
            })
            .collect(),
        ("jobTags" | "customModelTags", Value::Array(tags)) => {
            tags.iter().map(|tag| format!("    .{snake}({})\n", rust_value("Tag", tag))).collect()
        }
        ("trainingDataConfig", _) => format!("    .{snake}({})\n", built("TrainingDataConfig")),
        ("validationDataConfig", _) => format!("    .{snake}({})\n", built("ValidationDataConfig")),
        ("outputDataConfig", _) => format!("    .{snake}({})\n", built("OutputDataConfig")),
        ("vpcConfig", _) => format!("    .{snake}({})\n", built("VpcConfig")),
        ("customizationConfig", _) => format!("    .{snake}({})\n", rust_union("CustomizationConfig", value)),
        (_, Value::String(text)) => format!("    .{snake}({})\n", literal(text)),
        (_, other) => format!("    .{snake}({other})\n"),
    }
}

/// Builders that can fail are followed by a question mark, as the SDK has them.
const FALLIBLE: [&str; 7] = [
    "ValidationDataConfig",
    "OutputDataConfig",
    "VpcConfig",
    "Tag",
    "Validator",
    "TeacherModelConfig",
    "LambdaGraderConfig",
];

fn rust_value(kind: &str, value: &Value) -> String {
    let Value::Object(members) = value else { return rust_scalar(value) };
    let mut text = format!("types::{kind}::builder()");
    for (key, value) in members {
        let snake = kebab(key).replace('-', "_");
        match value {
            Value::Array(items) => {
                for item in items {
                    let _ = write!(text, ".{snake}({})", rust_value(type_of(key), item));
                }
            }
            Value::Object(_) if is_union(key) => {
                let _ = write!(text, ".{snake}({})", rust_union(type_of(key), value));
            }
            Value::String(word) if key == "reasoningEffort" => {
                let _ = write!(text, ".{snake}(types::ReasoningEffort::{})", pascal(word));
            }
            other => {
                let _ = write!(text, ".{snake}({})", rust_value(type_of(key), other));
            }
        }
    }
    text.push_str(if FALLIBLE.contains(&kind) { ".build()?" } else { ".build()" });
    text
}

fn rust_scalar(value: &Value) -> String {
    match value {
        Value::String(text) => literal(text),
        other => other.to_string(),
    }
}

fn is_union(key: &str) -> bool {
    matches!(key, "graderConfig" | "invocationLogSource")
}

/// A union has one member, which is its variant.
fn rust_union(kind: &str, value: &Value) -> String {
    let member = value.as_object().and_then(|members| members.iter().next());
    let Some((key, inner)) = member else { return rust_scalar(value) };
    let mut letters = key.chars();
    let variant: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    let built = match inner {
        Value::String(text) => format!("{}.into()", literal(text)),
        other => rust_value(type_of(key), other),
    };
    format!("types::{kind}::{variant}({built})")
}

/// The SDK's type of a member.
fn type_of(key: &str) -> &'static str {
    match key {
        "validators" => "Validator",
        "invocationLogsConfig" => "InvocationLogsConfig",
        "invocationLogSource" => "InvocationLogSource",
        "distillationConfig" => "DistillationConfig",
        "teacherModelConfig" => "TeacherModelConfig",
        "rftConfig" => "RftConfig",
        "graderConfig" => "GraderConfig",
        "lambdaGrader" => "LambdaGraderConfig",
        "hyperParameters" => "RftHyperParameters",
        _ => "Nothing",
    }
}

/// `FINE_TUNING` and `medium` as Rust names variants.
fn pascal(text: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        first + &letters.as_str().to_lowercase()
    };
    text.split('_').map(word).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;

    const BODY: &str = r#"{"jobName":"claude-customer-support-fine-tuning","customModelName":"it's mine",
        "roleArn":"arn:aws:iam::123456789012:role/R","baseModelIdentifier":"anthropic.claude-v2","customizationType":"FINE_TUNING",
        "trainingDataConfig":{"s3Uri":"s3://your-bucket/training_data.jsonl"},
        "validationDataConfig":{"validators":[{"s3Uri":"s3://your-bucket/validation_data.jsonl"}]},
        "outputDataConfig":{"s3Uri":"s3://your-bucket/out/"},"hyperParameters":{"epochCount":"3"},
        "customModelTags":[{"key":"team","value":"a"}],"clientRequestToken":"t"}"#;

    fn shown() -> ShownCall {
        let target = Target { region: "us-west-2", profile: Some("aws"), endpoint: None };
        show(BODY, &target, Vec::new()).unwrap()
    }

    #[test]
    fn the_guides_sample_is_recognised_with_its_mistakes_mended() {
        let call = shown();
        let lines = [
            "aws bedrock create-model-customization-job \\",
            "  --customization-type FINE_TUNING \\",
            "  --base-model-identifier anthropic.claude-v2 \\",
            "  --job-name claude-customer-support-fine-tuning \\",
            r"  --custom-model-name 'it'\''s mine' \",
            r#"  --validation-data-config '{"validators":[{"s3Uri":"s3://your-bucket/validation_data.jsonl"}]}' \"#,
            r#"  --hyper-parameters '{"epochCount":"3"}' \"#,
            "  --region us-west-2 \\",
            "  --profile aws",
        ];
        for line in lines {
            assert!(call.cli.lines().any(|one| one == line), "{line}\n{}", call.cli);
        }
        assert!(call.python.contains("hyperParameters={\"epochCount\": \"3\"},"), "{}", call.python);
        assert!(call.python.contains("customizationType=\"FINE_TUNING\","), "{}", call.python);
    }

    #[test]
    fn a_rust_program_names_types_and_variants_as_the_sdk_does() {
        let rust = shown().rust;
        for part in [
            ".customization_type(types::CustomizationType::FineTuning)",
            ".validation_data_config(types::ValidationDataConfig::builder().validators(types::Validator::builder().s3_uri(\"s3://your-bucket/validation_data.jsonl\").build()?).build()?)",
            ".custom_model_tags(types::Tag::builder().key(\"team\").value(\"a\").build()?)",
            ".hyper_parameters(\"epochCount\", \"3\")",
        ] {
            assert!(rust.contains(part), "{part}\n{rust}");
        }
        let body = r#"{"customizationConfig":{"rftConfig":{"graderConfig":{"lambdaGrader":{"lambdaArn":"arn:x"}},
            "hyperParameters":{"epochCount":2,"reasoningEffort":"medium"}}}}"#;
        let target = Target { region: "us-east-1", profile: None, endpoint: None };
        let rust = show(body, &target, Vec::new()).unwrap().rust;
        assert!(rust.contains("types::CustomizationConfig::RftConfig(types::RftConfig::builder().grader_config(types::GraderConfig::LambdaGrader(types::LambdaGraderConfig::builder().lambda_arn(\"arn:x\").build()?)).hyper_parameters(types::RftHyperParameters::builder().epoch_count(2).reasoning_effort(types::ReasoningEffort::Medium).build()).build())"), "{rust}");
    }
}
