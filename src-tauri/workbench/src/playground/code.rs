//! The same request as programs make it: the AWS CLI, Python, JavaScript and Rust, each as it is run.
//!
//! All four are written from the body that the SDK itself sends, and the conformance tests run them as they are written.
//! In that body the path of its copy stands for the content of an attachment: the programs read the file.
//! Deliberately absent: keys. Each program finds them where AWS's tools look; for the sandbox, its `env` command puts them
//! there.

use std::fmt::Write as _;

use serde_json::Value;
use whetstone_cloud::Cloud;
use whetstone_contract::{AppError, ConnectionKind, PromptCode, PromptMode, PromptRequest};

use super::asking::body_of_prompt;
use super::attachments::Attachments;
use crate::Workbench;
use crate::jobs::{Target, literal, python_value, quoted};

impl Workbench {
    pub(crate) async fn code_of_prompt(&self, prompt: PromptRequest) -> Result<PromptCode, AppError> {
        let link = self.connections.link().await?;
        let shown = self.connections.shown();
        let base = self.base_of_prompt(&prompt.model_id).await;
        let target =
            Target { region: &link.region, profile: shown.profile.as_deref(), endpoint: shown.endpoint.as_deref() };
        let keys = match shown.kind {
            ConnectionKind::ThisComputer => {
                let folder = shown.data_folder.as_deref().unwrap_or_default();
                format!("Keys of this sandbox: eval \"$(whetstone sandbox env --data {})\"", quoted(folder))
            }
            _ if shown.profile.is_some() => "Keys come from the profile.".to_owned(),
            _ => "Keys come from the environment (AWS_ACCESS_KEY_ID and its kin).".to_owned(),
        };
        write_code(&link.cloud, &prompt, base.as_deref(), &target, keys, &self.playground.attachments).await
    }
}

/// The programs that put a prompt to a model of this base; `needs` is told with them.
pub async fn write_code(
    cloud: &Cloud,
    prompt: &PromptRequest,
    base: Option<&str>,
    target: &Target<'_>,
    needs: String,
    attachments: &Attachments,
) -> Result<PromptCode, AppError> {
    for attachment in prompt.turns.iter().flat_map(|turn| &turn.attachments) {
        attachments.path(&attachment.id)?;
    }
    let path = |id: &str| attachments.path(id).map_or_else(|_| String::new(), |path| path.display().to_string());
    let body = body_of_prompt(cloud, prompt, base, |attachment| path(&attachment.id)).await?;
    let call = Call { model: &prompt.model_id, mode: prompt.mode, body: &body, target };
    Ok(PromptCode { cli: call.cli(), python: call.python(), javascript: call.javascript(), rust: call.rust(), needs })
}

struct Call<'a> {
    model: &'a str,
    mode: PromptMode,
    body: &'a Value,
    target: &'a Target<'a>,
}

impl Call<'_> {
    fn cli(&self) -> String {
        let mut text = String::new();
        match self.mode {
            PromptMode::Chat => {
                let _ = write!(text, "aws bedrock-runtime converse \\\n  --model-id {}", quoted(self.model));
                for (member, option) in [
                    ("system", "system"),
                    ("messages", "messages"),
                    ("inferenceConfig", "inference-config"),
                    ("additionalModelRequestFields", "additional-model-request-fields"),
                ] {
                    if member == "messages" && !self.files().is_empty() {
                        text.push_str(&self.cli_messages());
                    } else if let Some(value) = self.body.get(member).filter(|value| !value.is_null()) {
                        let _ = write!(text, " \\\n  --{option} {}", quoted(&value.to_string()));
                    }
                }
                text.push_str(" \\\n  --query 'output.message.content[0].text' --output text");
            }
            PromptMode::Completion => {
                let _ = write!(text, "aws bedrock-runtime invoke-model \\\n  --model-id {}", quoted(self.model));
                // From a file both versions of the AWS CLI take bytes as they are; bash makes one of the command's output.
                let _ = write!(text, " \\\n  --body fileb://<(printf %s {})", quoted(&self.body.to_string()));
            }
        }
        let _ = write!(text, " \\\n  --region {}", quoted(self.target.region));
        if let Some(profile) = self.target.profile {
            let _ = write!(text, " \\\n  --profile {}", quoted(profile));
        }
        if let Some(endpoint) = self.target.endpoint {
            let _ = write!(text, " \\\n  --endpoint-url {}", quoted(endpoint));
        }
        text.push_str(if self.mode == PromptMode::Completion { " \\\n  /dev/stdout\n" } else { "\n" });
        text
    }

    /// In the CLI's shorthand, which reads files into a request. What is said is read from one, too, as a text in
    /// quotes cannot end with a backslash there: bash makes a file of it.
    fn cli_messages(&self) -> String {
        let mut text = " \\\n  --messages".to_owned();
        for message in self.messages() {
            let _ = write!(text, " \\\n    'role={},content=[", message["role"].as_str().unwrap_or_default());
            for (index, block) in blocks(message).enumerate() {
                text.push_str(if index == 0 { "" } else { "," });
                match block {
                    Block::Text(said) => {
                        let _ = write!(text, "{{text@=file://'<(printf %s {})'}}", quoted(said));
                    }
                    Block::File { kind, format, name, path } => {
                        let path = path.replace('\\', r"\\").replace('"', "\\\"").replace('\'', r"'\''");
                        let name = name.map_or_else(String::new, |name| format!(",name=\"{name}\""));
                        let source = format!("source={{bytes@=\"fileb://{path}\"}}");
                        let _ = write!(text, "{{{kind}={{format={format}{name},{source}}}}}");
                    }
                }
            }
            text.push_str("]'");
        }
        text
    }

    fn python(&self) -> String {
        let mut text = "# pip install boto3\n".to_owned();
        text.push_str(match self.mode {
            PromptMode::Chat if !self.files().is_empty() => "from pathlib import Path\n\nimport boto3\n\n",
            PromptMode::Chat => "import boto3\n\n",
            PromptMode::Completion => "import json\n\nimport boto3\n\n",
        });
        let profile = self.target.profile.map_or_else(String::new, |one| format!("profile_name={}, ", literal(one)));
        let _ = writeln!(text, "session = boto3.Session({profile}region_name={})", literal(self.target.region));
        let endpoint = self.target.endpoint.map_or_else(String::new, |url| format!(", endpoint_url={}", literal(url)));
        let _ = writeln!(text, "runtime = session.client(\"bedrock-runtime\"{endpoint})\n");
        match self.mode {
            PromptMode::Chat => {
                let _ = writeln!(text, "response = runtime.converse(\n    modelId={},", literal(self.model));
                for (key, value) in self.members() {
                    let value = self.reading(python_value(value, 1), |path| format!("Path({path}).read_bytes()"));
                    let _ = writeln!(text, "    {key}={value},");
                }
                text.push_str(")\nprint(response[\"output\"][\"message\"][\"content\"][0][\"text\"])\n");
            }
            PromptMode::Completion => {
                let _ = writeln!(text, "body = {}", python_value(self.body, 0));
                let _ = writeln!(
                    text,
                    "response = runtime.invoke_model(modelId={}, body=json.dumps(body))",
                    literal(self.model)
                );
                text.push_str("print(json.load(response[\"body\"])[\"generation\"])\n");
            }
        }
        text
    }

    fn messages(&self) -> impl Iterator<Item = &Value> {
        self.body["messages"].as_array().into_iter().flatten()
    }

    /// The paths of what is attached.
    fn files(&self) -> Vec<&str> {
        let all = self.messages().flat_map(blocks);
        all.filter_map(|block| if let Block::File { path, .. } = block { Some(path) } else { None }).collect()
    }

    /// The same code, with files read where their paths stood. A text cannot look like that place: its quotes are escaped.
    fn reading(&self, code: String, read: impl Fn(&str) -> String) -> String {
        self.files().into_iter().map(literal).fold(code, |code, path| {
            code.replace(&format!("\"bytes\": {path}"), &format!("\"bytes\": {}", read(&path)))
        })
    }

    fn members(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.body.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null())
    }

    fn javascript(&self) -> String {
        let command = match self.mode {
            PromptMode::Chat => "ConverseCommand",
            PromptMode::Completion => "InvokeModelCommand",
        };
        let mut text = "// npm install @aws-sdk/client-bedrock-runtime, and save this as a module (.mjs)\n".to_owned();
        if !self.files().is_empty() {
            text.push_str("import { readFileSync } from \"node:fs\";\n\n");
        }
        let _ =
            writeln!(text, "import {{ BedrockRuntimeClient, {command} }} from \"@aws-sdk/client-bedrock-runtime\";\n");
        let _ =
            write!(text, "const runtime = new BedrockRuntimeClient({{\n  region: {},\n", literal(self.target.region));
        if let Some(profile) = self.target.profile {
            let _ = writeln!(text, "  profile: {},", literal(profile));
        }
        if let Some(endpoint) = self.target.endpoint {
            let _ = writeln!(text, "  endpoint: {},", literal(endpoint));
        }
        text.push_str("});\n\n");
        let _ = write!(
            text,
            "const response = await runtime.send(\n  new {command}({{\n    modelId: {},\n",
            literal(self.model)
        );
        match self.mode {
            PromptMode::Chat => {
                for (key, value) in self.members() {
                    let value = self.reading(format!("{value:#}"), |path| format!("readFileSync({path})"));
                    let _ = writeln!(text, "    {key}: {},", value.replace('\n', "\n    "));
                }
                text.push_str("  }),\n);\nconsole.log(response.output.message.content[0].text);\n");
            }
            PromptMode::Completion => {
                let body = format!("{:#}", self.body).replace('\n', "\n    ");
                let _ = writeln!(text, "    contentType: \"application/json\",\n    body: JSON.stringify({body}),");
                text.push_str(
                    "  }),\n);\nconsole.log(JSON.parse(new TextDecoder().decode(response.body)).generation);\n",
                );
            }
        }
        text
    }

    fn rust(&self) -> String {
        let document = self.body.get("additionalModelRequestFields").is_some_and(Value::is_object);
        let more = if document { " aws-smithy-types" } else { "" };
        let mut text =
            format!("// cargo add aws-config aws-sdk-bedrockruntime{more}; cargo add tokio --features full\n");
        text.push_str(match self.mode {
            PromptMode::Chat if !self.files().is_empty() => {
                "use aws_sdk_bedrockruntime::primitives::Blob;\nuse aws_sdk_bedrockruntime::types;\n"
            }
            PromptMode::Chat => "use aws_sdk_bedrockruntime::types;\n",
            PromptMode::Completion => "use aws_sdk_bedrockruntime::primitives::Blob;\n",
        });
        text.push_str(if document { "use aws_smithy_types::Document;\n\n" } else { "\n" });
        text.push_str("#[tokio::main]\nasync fn main() -> Result<(), Box<dyn std::error::Error>> {\n");
        text.push_str("    let config = aws_config::defaults(aws_config::BehaviorVersion::latest())\n");
        let _ = writeln!(text, "        .region({})", literal(self.target.region));
        if let Some(profile) = self.target.profile {
            let _ = writeln!(text, "        .profile_name({})", literal(profile));
        }
        if let Some(endpoint) = self.target.endpoint {
            let _ = writeln!(text, "        .endpoint_url({})", literal(endpoint));
        }
        text.push_str("        .load()\n        .await;\n");
        text.push_str("    let runtime = aws_sdk_bedrockruntime::Client::new(&config);\n");
        match self.mode {
            PromptMode::Chat => self.rust_chat(&mut text),
            PromptMode::Completion => {
                let _ = writeln!(text, "    let response = runtime\n        .invoke_model()");
                let _ = writeln!(text, "        .model_id({})", raw(self.model));
                let _ = writeln!(text, "        .content_type(\"application/json\")");
                let _ = writeln!(text, "        .body(Blob::new({}))", raw(&self.body.to_string()));
                text.push_str("        .send()\n        .await?;\n");
                text.push_str("    println!(\"{}\", String::from_utf8(response.body.into_inner())?);\n");
            }
        }
        text.push_str("    Ok(())\n}\n");
        text
    }

    fn rust_chat(&self, text: &mut String) {
        let _ =
            writeln!(text, "    let response = runtime\n        .converse()\n        .model_id({})", raw(self.model));
        for block in self.body["system"].as_array().into_iter().flatten() {
            let said = raw(block["text"].as_str().unwrap_or_default());
            let _ = writeln!(text, "        .system(types::SystemContentBlock::Text({said}.into()))");
        }
        for message in self.messages() {
            let role = if message["role"] == "assistant" { "Assistant" } else { "User" };
            let _ = writeln!(text, "        .messages(\n            types::Message::builder()");
            let _ = writeln!(text, "                .role(types::ConversationRole::{role})");
            for block in blocks(message) {
                text.push_str(&rust_block(&block));
            }
            text.push_str("                .build()?,\n        )\n");
        }
        let config = &self.body["inferenceConfig"];
        text.push_str("        .inference_config(\n            types::InferenceConfiguration::builder()\n");
        for (member, method) in [("maxTokens", "max_tokens"), ("temperature", "temperature"), ("topP", "top_p")] {
            if let Some(value) = config.get(member).filter(|value| !value.is_null()) {
                // A whole number is no float in Rust.
                let dot = if member != "maxTokens" && !value.to_string().contains(['.', 'e']) { ".0" } else { "" };
                let _ = writeln!(text, "                .{method}({value}{dot})");
            }
        }
        for stop in config["stopSequences"].as_array().into_iter().flatten() {
            let _ = writeln!(text, "                .stop_sequences({})", raw(stop.as_str().unwrap_or_default()));
        }
        text.push_str("                .build(),\n        )\n");
        if let Some(fields) = self.body.get("additionalModelRequestFields").filter(|fields| fields.is_object()) {
            let _ = writeln!(text, "        .additional_model_request_fields({})", rust_document(fields));
        }
        text.push_str("        .send()\n        .await?;\n");
        text.push_str("    let message = response.output.ok_or(\"no output\")?;\n");
        text.push_str("    let message = message.as_message().map_err(|_| \"no message\")?;\n");
        text.push_str("    println!(\"{}\", message.content[0].as_text().map_err(|_| \"no text\")?);\n");
    }
}

/// What a message of the body holds, where the path of a file stands for its content.
enum Block<'a> {
    Text(&'a str),
    File { kind: &'static str, format: &'a str, name: Option<&'a str>, path: &'a str },
}

fn blocks(message: &Value) -> impl Iterator<Item = Block<'_>> {
    message["content"].as_array().into_iter().flatten().filter_map(|block| {
        if let Some(text) = block["text"].as_str() {
            return Some(Block::Text(text));
        }
        let kind = ["image", "document"].into_iter().find(|kind| block[kind].is_object())?;
        let file = &block[kind];
        let path = file["source"]["bytes"].as_str()?;
        Some(Block::File { kind, format: file["format"].as_str()?, name: file["name"].as_str(), path })
    })
}

fn rust_block(block: &Block<'_>) -> String {
    match block {
        Block::Text(said) => {
            format!("                .content(types::ContentBlock::Text({}.into()))\n", raw(said))
        }
        Block::File { kind, format, name, path } => {
            // The SDK names a block and the formats of it in capitals: `Image`, `Png`.
            let (kind, format) = (capital(kind), capital(format));
            let mut text = format!("                .content(types::ContentBlock::{kind}(\n");
            let _ = writeln!(text, "                    types::{kind}Block::builder()");
            let _ = writeln!(text, "                        .format(types::{kind}Format::{format})");
            if let Some(name) = name {
                let _ = writeln!(text, "                        .name({})", raw(name));
            }
            let content = format!("Blob::new(std::fs::read({})?)", raw(path));
            let _ = writeln!(text, "                        .source(types::{kind}Source::Bytes({content}))");
            text.push_str("                        .build()?,\n                ))\n");
            text
        }
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

fn rust_document(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let pairs: Vec<String> =
                members.iter().map(|(key, value)| format!("({}.into(), {})", raw(key), rust_document(value))).collect();
            format!("Document::Object([{}].into())", pairs.join(", "))
        }
        Value::String(text) => format!("Document::String({}.into())", raw(text)),
        other => format!("Document::from({other}u64)"),
    }
}

/// A Rust string that holds the text as it is, whatever quotes are in it.
fn raw(text: &str) -> String {
    if !text.contains(['"', '\\', '\n', '\r', '\t']) && text.chars().all(|letter| !letter.is_control()) {
        return format!("\"{text}\"");
    }
    // The debug form escapes as Rust itself reads it, control characters and quotes alike.
    format!("{text:?}")
}
