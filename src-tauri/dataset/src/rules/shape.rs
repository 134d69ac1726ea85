//! Rules for a line as it stands: the shape that the base model's format has, and what stands beside it.

use serde_json::{Map, Value};
use whetstone_catalog::{CustomizationType, DataFormat, SchemaVersion, Stance};
use whetstone_scan::Facts;

use super::rule::models::{LLAMA_31, LLAMA_33, MICRO, TITAN_IMAGES};
use super::{Broken, Example, Finding, Intent, Rule, RuleKind, Severity};
use crate::formats::ShapeError;
use crate::write::SCHEMA_VERSION;

/// The rule that a line is of the model's own format.
pub(crate) const SHAPE: &str = "record-shape";

type Object = Map<String, Value>;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: SHAPE,
        severity: Severity::Error,
        asks: "Each line has the shape of the base model's own format.",
        source: "Amazon Bedrock User Guide: model-customization-prepare. Its page on troubleshooting still names the keys input and output for text models, which is stale: the service's own error names prompt and completion",
        fix: None,
        needs: Facts::UNKNOWN,
        concerns: everyone,
        hold_out: false,
        kind: RuleKind::Line(record_shape),
        examples: &[
            Example::new(LLAMA_31, r#"{"input":"Hi","output":"Hello"}"#, r#"{"prompt":"Hi","completion":"Hello"}"#),
            Example::new(
                LLAMA_31,
                r#"{"prompt":"Hi","completion":{"text":"Hello"}}"#,
                r#"{"prompt":"Hi","completion":"{\"text\":\"Hello\"}"}"#,
            ),
            Example::new(
                MICRO,
                r#"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]}"#,
                r#"{"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
            ),
            Example::new(
                TITAN_IMAGES,
                r#"{"image-ref":"s3://pets/cat.png","captions":["A cat."]}"#,
                r#"{"image-ref":"s3://pets/cat.png","caption":"A cat."}"#,
            ),
        ],
    },
    Rule {
        id: "schema-version",
        severity: Severity::Error,
        asks: "`schemaVersion` is the constant `bedrock-conversation-2024` for Llama where it is given, and always for the prompts of a distillation. Nova takes any text.",
        source: "AWS's published validators for Llama and for distillation; Amazon Nova User Guide: fine-tune-prepare-data-understanding",
        fix: None,
        needs: Facts::UNKNOWN.union(Facts::NO_VERSION).union(Facts::OTHER_VERSION),
        concerns: has_schema_version,
        hold_out: false,
        kind: RuleKind::Line(schema_version),
        examples: &[
            Example::new(
                LLAMA_33,
                r#"{"schemaVersion":"bedrock-conversation-2025","messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
                r#"{"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
            ),
            Example::new(
                LLAMA_33,
                r#"{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}"#,
                r#"{"schemaVersion":"bedrock-conversation-2024","messages":[{"role":"user","content":[{"text":"Hi"}]}]}"#,
            )
            .of(CustomizationType::Distillation),
        ],
    },
    Rule {
        id: "unknown-key",
        severity: Severity::Warning,
        asks: "A line and its messages have no members that the format does not name.",
        source: "AWS's two validators for Nova disagree: one refuses such members, the other does not look; AWS's script for distillation drops the record",
        fix: None,
        needs: Facts::UNKNOWN,
        concerns: |intent| intent.data().unknown_keys != Stance::Allowed && intent.is_conversation(),
        hold_out: false,
        kind: RuleKind::Line(unknown_key),
        examples: &[Example::new(
            MICRO,
            r#"{"id":7,"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
            r#"{"schemaVersion":"7","messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
        )],
    },
    Rule {
        id: "system-items",
        severity: Severity::Error,
        asks: "The list `system` holds exactly one text, where there is one.",
        source: "AWS's published validators for Llama and for distillation",
        fix: None,
        needs: Facts::UNKNOWN,
        concerns: |intent| intent.data().system_items.is_some(),
        hold_out: false,
        kind: RuleKind::Line(system_items),
        examples: &[Example::new(
            LLAMA_33,
            r#"{"system":[{"text":"Be brief."},{"text":"Be kind."}],"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
            r#"{"system":[{"text":"Be brief. Be kind."}],"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
        )],
    },
    Rule {
        id: "texts-per-message",
        severity: Severity::Warning,
        asks: "A prompt for distillation has one block of text in each message.",
        source: "AWS's published script for distillation data, which drops the record",
        fix: None,
        needs: Facts::UNKNOWN,
        concerns: |intent| intent.data().max_texts_per_message.is_some(),
        hold_out: false,
        kind: RuleKind::Line(texts_per_message),
        examples: &[Example::new(
            MICRO,
            r#"{"schemaVersion":"bedrock-conversation-2024","messages":[{"role":"user","content":[{"text":"Hi"},{"text":"there"}]}]}"#,
            r#"{"schemaVersion":"bedrock-conversation-2024","messages":[{"role":"user","content":[{"text":"Hi there"}]}]}"#,
        )
        .of(CustomizationType::Distillation)],
    },
];

fn everyone(_: &Intent) -> bool {
    true
}

fn has_schema_version(intent: &Intent) -> bool {
    intent.data().schema_version != SchemaVersion::Any
}

/// The format that a line is meant to be in, where the model takes more than one.
pub(crate) fn format_of(object: &Object, intent: &Intent) -> DataFormat {
    let data = intent.data();
    if object.contains_key("messages") && data.accepts(DataFormat::Conversation) {
        DataFormat::Conversation
    } else {
        data.format
    }
}

fn record_shape(object: &Object, intent: &Intent) -> Vec<Broken> {
    let format = format_of(object, intent);
    let shape = match format {
        DataFormat::PromptCompletion => text(object, "prompt").and_then(|()| text(object, "completion")),
        DataFormat::Pretraining => text(object, "input"),
        DataFormat::ClaudeMessages => claude(object),
        DataFormat::Conversation => conversation(object),
        DataFormat::OpenAiChat => chat(object, intent),
        DataFormat::ImageRef => text(object, "image-ref").and_then(|()| text(object, "caption")),
    };
    let broken = shape.err().map(|why| {
        let message = format!("Each line must follow '{}': {why}.", pattern(format));
        Broken::new(message, "Write the line in this base model's own format, or convert the file.")
    });
    broken.into_iter().collect()
}

/// A line that cannot be read although its shape looks right.
pub(crate) fn misshapen(error: &ShapeError) -> Finding {
    RULES[0].finding(Broken::new(error.message.as_str(), error.hint.as_str()))
}

fn pattern(format: DataFormat) -> &'static str {
    match format {
        DataFormat::PromptCompletion => r#"{"prompt": "<prompt>", "completion": "<completion>"}"#,
        DataFormat::ClaudeMessages => {
            r#"{"system": "<text>", "messages": [{"role": "user", "content": "<text>"}, {"role": "assistant", "content": "<text>"}]}"#
        }
        DataFormat::Conversation => {
            r#"{"schemaVersion": "bedrock-conversation-2024", "system": [{"text": "<text>"}], "messages": [{"role": "user", "content": [{"text": "<text>"}]}, {"role": "assistant", "content": [{"text": "<text>"}]}]}"#
        }
        DataFormat::Pretraining => r#"{"input": "<text>"}"#,
        DataFormat::OpenAiChat => {
            r#"{"messages": [{"role": "user", "content": "<text>"}], "reference_answer": "<text>"}"#
        }
        DataFormat::ImageRef => r#"{"image-ref": "<s3://bucket/key>", "caption": "<text>"}"#,
    }
}

fn text(object: &Object, key: &str) -> Result<(), String> {
    match object.get(key) {
        Some(Value::String(_)) => Ok(()),
        Some(_) => Err(format!("\"{key}\" is not a string")),
        None => Err(format!("\"{key}\" is missing")),
    }
}

fn messages(object: &Object) -> Result<impl Iterator<Item = (usize, &Object)>, String> {
    let Some(list) = object.get("messages").and_then(Value::as_array) else {
        return Err("\"messages\" is not a list".to_owned());
    };
    if !list.iter().all(Value::is_object) {
        return Err("a message is not an object".to_owned());
    }
    Ok(list.iter().filter_map(Value::as_object).enumerate())
}

fn role(message: &Object, index: usize, others: &[&str]) -> Result<(), String> {
    let known = |role: &str| role == "user" || role == "assistant" || others.contains(&role);
    match message.get("role").and_then(Value::as_str) {
        Some(role) if known(role) => Ok(()),
        Some(role) => Err(format!("the role of messages[{index}] must be user or assistant, not {role}")),
        None => Err(format!("messages[{index}] has no role")),
    }
}

fn claude(object: &Object) -> Result<(), String> {
    if object.contains_key("system") {
        text(object, "system")?;
    }
    for (index, message) in messages(object)? {
        role(message, index, &[])?;
        text(message, "content").map_err(|why| format!("messages[{index}]: {why}"))?;
    }
    Ok(())
}

fn conversation(object: &Object) -> Result<(), String> {
    if let Some(system) = object.get("system") {
        let items = system.as_array().filter(|items| items.iter().all(|item| item["text"].is_string()));
        items.ok_or("\"system\" is not a list of text blocks")?;
    }
    if object.get("schemaVersion").is_some_and(|version| !version.is_string()) {
        return Err("\"schemaVersion\" is not a string".to_owned());
    }
    for (index, message) in messages(object)? {
        role(message, index, &[])?;
        let content = message.get("content").and_then(Value::as_array).filter(|list| !list.is_empty());
        if !content.is_some_and(|blocks| blocks.iter().all(Value::is_object)) {
            return Err(format!("the content of messages[{index}] is not a list of blocks"));
        }
    }
    Ok(())
}

fn chat(object: &Object, intent: &Intent) -> Result<(), String> {
    let mut others: Vec<&str> = intent.data().other_roles.iter().map(String::as_str).collect();
    others.push("system");
    for (index, message) in messages(object)? {
        role(message, index, &others)?;
        let calls_tools = message.contains_key("tool_calls");
        if !message.get("content").is_some_and(|content| content.is_string() || content.is_null() && calls_tools) {
            return Err(format!("the content of messages[{index}] is not a string"));
        }
    }
    Ok(())
}

fn schema_version(object: &Object, intent: &Intent) -> Vec<Broken> {
    let given = object.get("schemaVersion").and_then(Value::as_str);
    let right = match given {
        Some(version) => version == SCHEMA_VERSION,
        None => intent.data().schema_version != SchemaVersion::Required || object.contains_key("schemaVersion"),
    };
    if right {
        return Vec::new();
    }
    let message = format!("\"schemaVersion\" must be \"{SCHEMA_VERSION}\" for {}.", intent.name());
    let hint = format!("Write \"schemaVersion\": \"{SCHEMA_VERSION}\".");
    vec![Broken::new(message, hint).of("schemaVersion").only(intent.refusal())]
}

fn unknown_key(object: &Object, intent: &Intent) -> Vec<Broken> {
    let Some(severity) = intent.severity(intent.data().unknown_keys) else { return Vec::new() };
    let mut known = vec!["schemaVersion", "system", "messages"];
    if intent.data().tools != Stance::Refused {
        known.push("toolConfig");
    }
    let own = object.keys().filter(|key| !known.contains(&key.as_str())).cloned();
    let of_messages = object.get("messages").and_then(Value::as_array).into_iter().flatten().enumerate();
    let of_messages = of_messages.filter_map(|(index, message)| Some((index, message.as_object()?)));
    let of_messages = of_messages.flat_map(|(index, message)| {
        let unknown = message.keys().filter(|key| *key != "role" && *key != "content");
        unknown.map(move |key| format!("messages[{index}].{key}"))
    });
    let unknown = own.chain(of_messages).map(|key| {
        let message = format!("The format of {} has no member \"{key}\".", intent.name());
        Broken::new(message, "Leave it out: one of AWS's own validators refuses it.").of(key).only(severity)
    });
    unknown.collect()
}

fn system_items(object: &Object, intent: &Intent) -> Vec<Broken> {
    let given = object.get("system").and_then(Value::as_array).map(Vec::len);
    let (Some(given), Some(asked)) = (given, intent.data().system_items) else { return Vec::new() };
    if given == asked as usize {
        return Vec::new();
    }
    let message = format!("\"system\" holds {given} items; {} takes exactly {asked}.", intent.name());
    vec![Broken::new(message, "Put the texts together, or leave \"system\" out.").of("system").only(intent.refusal())]
}

fn texts_per_message(object: &Object, intent: &Intent) -> Vec<Broken> {
    let most = intent.data().max_texts_per_message.unwrap_or(u32::MAX) as usize;
    let messages = object.get("messages").and_then(Value::as_array).into_iter().flatten().enumerate();
    let too_many = messages.filter_map(|(index, message)| {
        let texts = message["content"].as_array()?.iter().filter(|block| block["text"].is_string()).count();
        (texts > most).then(|| {
            let message = format!("messages[{index}] holds {texts} texts; a prompt for distillation has {most}.");
            Broken::new(message, "Put the texts together.").of(format!("messages[{index}]"))
        })
    });
    too_many.collect()
}
