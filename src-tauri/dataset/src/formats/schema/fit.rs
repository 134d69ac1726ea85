//! Reducing a record to what a schema holds, and saying what is lost on the way.
//!
//! Pictures, tools and their results are translated between the spellings of Bedrock, OpenAI and
//! Claude where they mean the same. What has no counterpart is left out and named.

use serde_json::{Map, Value, json};

use super::{Loss, LossKind, Schema};
use crate::record::{Block, Record, Role, Turn};
use crate::write::SystemHandling;

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fitted {
    /// `None` where the record cannot be written in this schema at all.
    pub record: Option<Record>,
    /// One of each kind.
    pub losses: Vec<Loss>,
}

impl Schema {
    /// The record as far as this schema holds it.
    pub fn fit(&self, record: &Record, system: SystemHandling) -> Fitted {
        let mut losses = Losses::default();
        let fitted = match self {
            Self::Conversation => conversation(record, &mut losses),
            Self::OpenAiChat => open_ai(record, &mut losses),
            Self::ClaudeMessages => spoken(record, &mut losses).map(|turns| bare(turns, record, &mut losses)),
            Self::ShareGpt => Some(share_gpt(record, &mut losses)),
            Self::Alpaca => alpaca(record, &mut losses),
            Self::PromptCompletion => pair(record, system, &mut losses).map(|turns| bare(turns, record, &mut losses)),
            Self::Fields(mapping) => {
                let system = if mapping.system.is_some() { None } else { Some(system) };
                mapped(record, system, &mut losses)
            }
            Self::Pretraining => text(record, &mut losses).map(|turns| bare(turns, record, &mut losses)),
            Self::ImageRef => image(record, &mut losses).map(|turns| bare(turns, record, &mut losses)),
            Self::InvocationLog => {
                losses.add(LossKind::Structure, "An invocation log is written by Bedrock alone.");
                None
            }
        };
        Fitted { record: fitted, losses: losses.0 }
    }
}

#[derive(Default)]
struct Losses(Vec<Loss>);

impl Losses {
    fn add(&mut self, kind: LossKind, detail: impl Into<String>) {
        if self.0.iter().all(|loss| loss.kind != kind) {
            self.0.push(Loss::new(kind, detail));
        }
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Text(_) => {}
            Block::Image(_) => self.add(LossKind::Media, "A picture is left out."),
            Block::Video(_) => self.add(LossKind::Media, "A video is left out."),
            Block::Document(_) => self.add(LossKind::Media, "A document is left out."),
            Block::Reasoning(_) => self.add(LossKind::Reasoning, "The reasoning is left out."),
            Block::ToolUse(_) | Block::ToolResult(_) => self.add(LossKind::Tools, "The use of a tool is left out."),
            Block::Other(_) => self.add(LossKind::Blocks, "A block of a kind that is not known is left out."),
        }
    }

    fn members(
        &mut self,
        kind: LossKind,
        members: &Map<String, Value>,
        keep: impl Fn(&str) -> bool,
    ) -> Map<String, Value> {
        let (kept, lost): (Vec<_>, Vec<_>) = members.iter().partition(|(key, _)| keep(key));
        // Every Bedrock conversation has its version, so nothing is lost with it.
        let lost: Vec<String> =
            lost.into_iter().map(|(key, _)| key.clone()).filter(|key| key != "schemaVersion").collect();
        if !lost.is_empty() {
            self.add(kind, format!("Fields are left out: {}.", lost.join(", ")));
        }
        kept.into_iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}

/// The record of these turns without any further member.
fn bare(turns: Vec<Turn>, record: &Record, losses: &mut Losses) -> Record {
    losses.members(LossKind::Fields, &record.extra, |_| false);
    Record::new(turns)
}

/// The text of a turn. A value that is no text, alone in its turn, is written as JSON text.
fn plain(turn: &Turn, losses: &mut Losses) -> Option<String> {
    losses.members(LossKind::MessageFields, &turn.extra, |_| false);
    if let [Block::Other(value)] = &turn.content[..]
        && value.get("type").is_none()
    {
        losses.add(LossKind::NotText, "A value that is no text is written as JSON text.");
        return Some(value.to_string());
    }
    turn.content.iter().for_each(|block| losses.block(block));
    let has_text = turn.content.iter().any(|block| block.text().is_some());
    if !has_text {
        let kind = if turn.role == Role::Assistant { LossKind::Answer } else { LossKind::Prompt };
        losses.add(kind, "A turn without a text cannot be written.");
    }
    has_text.then(|| turn.text().into_owned())
}

/// The system texts before the first message as one, and the messages.
fn system_apart<'a>(record: &'a Record, losses: &mut Losses) -> Option<(Option<String>, &'a [Turn])> {
    let leading = record.turns.iter().take_while(|turn| turn.role == Role::System).count();
    let (system, rest) = record.turns.split_at(leading);
    if rest.iter().any(|turn| turn.role == Role::System) {
        losses.add(LossKind::Roles, "A system text stands after the first message.");
        return None;
    }
    let texts: Vec<String> = system.iter().filter_map(|turn| plain(turn, losses)).collect();
    Some(((!texts.is_empty()).then(|| texts.join("\n\n")), rest))
}

/// Texts of user and assistant, with one system text before them.
fn spoken(record: &Record, losses: &mut Losses) -> Option<Vec<Turn>> {
    let (system, rest) = system_apart(record, losses)?;
    let mut turns: Vec<Turn> = system.map(|text| Turn::new(Role::System, text)).into_iter().collect();
    for turn in rest {
        if !matches!(turn.role, Role::User | Role::Assistant) {
            return unknown_role(&turn.role, losses);
        }
        turns.push(Turn::new(turn.role.clone(), plain(turn, losses)?));
    }
    Some(turns)
}

fn unknown_role<T>(role: &Role, losses: &mut Losses) -> Option<T> {
    losses.add(LossKind::Roles, format!("The role \"{}\" has no place in this form.", role.as_str()));
    None
}

/// One question and one answer; the system text is put before the question or left out.
fn pair(record: &Record, handling: SystemHandling, losses: &mut Losses) -> Option<Vec<Turn>> {
    let (system, rest) = system_apart(record, losses)?;
    let [question, answer] = one_question(rest, losses)?;
    let (prompt, answer) = (plain(question, losses)?, plain(answer, losses)?);
    let prompt = match (system, handling) {
        (Some(system), SystemHandling::PutBeforePrompt) => {
            losses.add(LossKind::SystemText, "The system text is put before the prompt.");
            format!("{system}\n\n{prompt}")
        }
        (Some(_), SystemHandling::LeaveOut) => {
            losses.add(LossKind::SystemText, "The system text is left out.");
            prompt
        }
        (None, _) => prompt,
    };
    Some(vec![Turn::new(Role::User, prompt), Turn::new(Role::Assistant, answer)])
}

fn one_question<'a>(turns: &'a [Turn], losses: &mut Losses) -> Option<[&'a Turn; 2]> {
    match turns {
        [question, answer] if question.role == Role::User && answer.role == Role::Assistant => Some([question, answer]),
        [question] if question.role == Role::User => {
            losses.add(LossKind::Answer, "There is no answer, and this form needs one.");
            None
        }
        _ => {
            losses.add(LossKind::Turns, "It is not one prompt and one answer.");
            None
        }
    }
}

fn mapped(record: &Record, system: Option<SystemHandling>, losses: &mut Losses) -> Option<Record> {
    let turns = match system {
        Some(handling) => pair(record, handling, losses)?,
        None => {
            let turns = spoken(record, losses)?;
            one_question(&turns[usize::from(turns.first().is_some_and(|turn| turn.role == Role::System))..], losses)?;
            turns
        }
    };
    Some(Record { turns, extra: record.extra.clone() })
}

fn alpaca(record: &Record, losses: &mut Losses) -> Option<Record> {
    let turns = spoken(record, losses)?;
    let spoken = &turns[usize::from(turns.first().is_some_and(|turn| turn.role == Role::System))..];
    if spoken.is_empty() || spoken.chunks(2).any(|pair| one_question(pair, losses).is_none()) {
        return None;
    }
    Some(Record { turns, extra: losses.members(LossKind::Fields, &record.extra, |key| key != "schemaVersion") })
}

fn share_gpt(record: &Record, losses: &mut Losses) -> Record {
    let turns = record.turns.iter().map(|turn| {
        let extra = turn.extra.clone();
        let bare = Turn::of(turn.role.clone(), turn.content.clone());
        let text = plain(&bare, losses).unwrap_or_default();
        Turn { extra, ..Turn::new(turn.role.clone(), text) }
    });
    let turns = turns.collect();
    Record { turns, extra: losses.members(LossKind::Fields, &record.extra, |key| key != "schemaVersion") }
}

fn text(record: &Record, losses: &mut Losses) -> Option<Vec<Turn>> {
    if record.turns.len() > 1 {
        losses.add(LossKind::Roles, "All turns become one text; who says what is not kept.");
    }
    let texts: Option<Vec<String>> = record.turns.iter().map(|turn| plain(turn, losses)).collect();
    let texts = texts.filter(|texts| !texts.is_empty())?;
    Some(vec![Turn::new(Role::Assistant, texts.join("\n\n"))])
}

fn image(record: &Record, losses: &mut Losses) -> Option<Vec<Turn>> {
    let (system, rest) = system_apart(record, losses)?;
    let [question, answer] = one_question(rest, losses)?;
    if system.is_some() {
        losses.add(LossKind::SystemText, "The system text is left out.");
    }
    let mut pictures = question.content.iter().filter(|block| matches!(block, Block::Image(_)));
    let uri = pictures.next().and_then(Block::media_uri);
    let (Some(uri), None) = (uri, pictures.next()) else {
        losses.add(LossKind::Media, "It has not one picture with an address.");
        return None;
    };
    if question.content.iter().any(|block| block.text().is_some_and(|text| !text.is_empty())) {
        losses.add(LossKind::Prompt, "The text beside the picture is left out.");
    }
    let question = Turn::of(Role::User, vec![Block::Image(json!(uri))]);
    Some(vec![question, Turn::new(Role::Assistant, plain(answer, losses)?)])
}

fn conversation(record: &Record, losses: &mut Losses) -> Option<Record> {
    let (system, rest) = system_apart(record, losses)?;
    let mut turns: Vec<Turn> = system.map(|text| Turn::new(Role::System, text)).into_iter().collect();
    for turn in rest {
        let id = turn.extra.get("tool_call_id").and_then(Value::as_str);
        match (&turn.role, id) {
            (Role::User | Role::Assistant, _) => {
                losses.members(LossKind::MessageFields, &turn.extra, |_| false);
                let blocks = turn.content.iter().filter_map(|block| to_bedrock(block, losses));
                turns.push(Turn::of(turn.role.clone(), blocks.collect()));
            }
            // What a tool answers is said by the user, several answers in one turn.
            (Role::Tool, Some(id)) => {
                let result = Block::ToolResult(json!({"toolUseId": id, "content": [{"text": turn.text()}]}));
                match turns.last_mut() {
                    Some(Turn { role: Role::User, content, .. })
                        if content.iter().all(|block| matches!(block, Block::ToolResult(_))) =>
                    {
                        content.push(result);
                    }
                    _ => turns.push(Turn::of(Role::User, vec![result])),
                }
            }
            (role, _) => return unknown_role(role, losses),
        }
    }
    let mut extra = losses.members(LossKind::Fields, &record.extra, |key| {
        matches!(key, "schemaVersion" | "toolConfig")
            || key == "tools" && tools_to_bedrock(&record.extra["tools"]).is_some()
    });
    if let Some(tools) = extra.shift_remove("tools").as_ref().and_then(tools_to_bedrock) {
        extra.insert("toolConfig".to_owned(), json!({"tools": tools}));
    }
    Some(Record { turns, extra })
}

fn to_bedrock(block: &Block, losses: &mut Losses) -> Option<Block> {
    let translated = match block {
        Block::Image(value) if value.get("format").is_none() => block.media_uri().and_then(|uri| {
            let (_, ending) = uri.strip_prefix("s3://")?.rsplit_once('.')?;
            let format =
                if ending.eq_ignore_ascii_case("jpg") { "jpeg".to_owned() } else { ending.to_ascii_lowercase() };
            Some(Block::Image(json!({"format": format, "source": {"s3Location": {"uri": uri}}})))
        }),
        Block::ToolUse(call) if call["function"].is_object() => {
            let function = &call["function"];
            let input = function["arguments"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
            input
                .map(|input| Block::ToolUse(json!({"toolUseId": call["id"], "name": function["name"], "input": input})))
        }
        Block::ToolUse(call) if call.get("toolUseId").is_none() => {
            let known = call.get("id").is_some() && call.get("input").is_some();
            known
                .then(|| Block::ToolUse(json!({"toolUseId": call["id"], "name": call["name"], "input": call["input"]})))
        }
        Block::ToolResult(result) if result.get("toolUseId").is_none() => {
            let content = super::blocks::read(&result["content"]).unwrap_or_default();
            let texts: Vec<Value> = content.iter().filter_map(Block::text).map(|text| json!({"text": text})).collect();
            let whole = texts.len() == content.len() && result.get("tool_use_id").is_some();
            whole.then(|| Block::ToolResult(json!({"toolUseId": result["tool_use_id"], "content": texts})))
        }
        Block::Other(value) if value.get("type").is_some() => None,
        kept => Some(kept.clone()),
    };
    if translated.is_none() {
        losses.block(block);
    }
    translated
}

fn tools_to_bedrock(tools: &Value) -> Option<Value> {
    let translate = |tool: &Value| {
        let function = tool.get("function")?;
        let mut spec = Map::new();
        spec.insert("name".to_owned(), function.get("name")?.clone());
        spec.extend(function.get("description").map(|text| ("description".to_owned(), text.clone())));
        let schema = function.get("parameters").cloned().unwrap_or_else(|| json!({"type": "object"}));
        spec.insert("inputSchema".to_owned(), json!({"json": schema}));
        Some(json!({"toolSpec": spec}))
    };
    let tools: Option<Vec<Value>> = tools.as_array()?.iter().map(translate).collect();
    tools.map(Value::Array)
}

fn tools_to_open_ai(config: &Value) -> Option<Value> {
    let translate = |tool: &Value| {
        let spec = tool.get("toolSpec")?;
        let mut function = Map::new();
        function.insert("name".to_owned(), spec.get("name")?.clone());
        function.extend(spec.get("description").map(|text| ("description".to_owned(), text.clone())));
        function.extend(spec["inputSchema"].get("json").map(|schema| ("parameters".to_owned(), schema.clone())));
        Some(json!({"type": "function", "function": function}))
    };
    let tools: Option<Vec<Value>> = config["tools"].as_array()?.iter().map(translate).collect();
    tools.map(Value::Array)
}

fn open_ai(record: &Record, losses: &mut Losses) -> Option<Record> {
    let mut turns = Vec::new();
    for turn in &record.turns {
        let mut said = Turn { content: Vec::new(), ..turn.clone() };
        let mut results = Vec::new();
        for block in &turn.content {
            match to_open_ai(block) {
                Some(Translated::Block(block)) => said.content.push(block),
                Some(Translated::Turn(turn)) => results.push(turn),
                None => losses.block(block),
            }
        }
        // The calls of tools stand after the text.
        said.content.sort_by_key(|block| matches!(block, Block::ToolUse(_)));
        if !said.content.is_empty() || turn.content.is_empty() {
            // Results of tools answer the turn before, so they stand before what the user adds.
            turns.append(&mut results);
            turns.push(said);
        } else if results.is_empty() {
            losses.add(LossKind::Prompt, "A turn of which nothing is left cannot be written.");
            return None;
        } else {
            turns.append(&mut results);
        }
    }
    let mut extra = losses.members(LossKind::Fields, &record.extra, |key| {
        key != "schemaVersion" && (key != "toolConfig" || tools_to_open_ai(&record.extra["toolConfig"]).is_some())
    });
    if let Some(tools) = extra.shift_remove("toolConfig").as_ref().and_then(tools_to_open_ai) {
        extra.insert("tools".to_owned(), tools);
    }
    Some(Record { turns, extra })
}

enum Translated {
    Block(Block),
    Turn(Turn),
}

fn to_open_ai(block: &Block) -> Option<Translated> {
    let keep = |block: Block| Some(Translated::Block(block));
    match block {
        Block::Text(_) => keep(block.clone()),
        Block::Image(value) if value.get("image_url").is_some() => keep(block.clone()),
        Block::Image(_) => keep(Block::Image(json!({"image_url": {"url": block.media_uri()?}}))),
        Block::ToolUse(call) if call["function"].is_object() || call["custom"].is_object() => keep(block.clone()),
        Block::ToolUse(call) => {
            let id = call.get("toolUseId").or_else(|| call.get("id"))?;
            let function = json!({"name": call.get("name")?, "arguments": call.get("input")?.to_string()});
            keep(Block::ToolUse(json!({"id": id, "type": "function", "function": function})))
        }
        Block::ToolResult(result) => {
            let id = result.get("toolUseId").or_else(|| result.get("tool_use_id"))?;
            let content = super::blocks::read(result.get("content")?)?;
            let texts: Option<Vec<String>> = content
                .iter()
                .map(|block| match block {
                    Block::Text(text) => Some(text.clone()),
                    Block::Other(value) => value.get("json").map(Value::to_string),
                    _ => None,
                })
                .collect();
            let mut turn = Turn::new(Role::Tool, texts?.join("\n"));
            turn.extra.insert("tool_call_id".to_owned(), id.clone());
            Some(Translated::Turn(turn))
        }
        Block::Other(value) if value.get("type").is_some() => keep(block.clone()),
        Block::Video(_) | Block::Document(_) | Block::Reasoning(_) | Block::Other(_) => None,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;

    const CHAT: &str = r#"{"id":"7","tools":[{"type":"function","function":{"name":"add","description":"Adds.","parameters":{"type":"object"}}}],"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"2+2"},{"type":"image_url","image_url":{"url":"s3://b/a.JPG"}}]},{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"add","arguments":"{\"a\":2}"}}]},{"role":"tool","tool_call_id":"1","content":"4"},{"role":"assistant","content":"4","weight":1}]}"#;
    const BEDROCK: &str = r#"{"schemaVersion":"bedrock-conversation-2024","system":[{"text":"Be brief."}],"messages":[{"role":"user","content":[{"text":"2+2"},{"image":{"format":"jpeg","source":{"s3Location":{"uri":"s3://b/a.JPG"}}}}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"1","name":"add","input":{"a":2}}}]},{"role":"user","content":[{"toolResult":{"toolUseId":"1","content":[{"text":"4"}]}}]},{"role":"assistant","content":[{"text":"4"}]}],"toolConfig":{"tools":[{"toolSpec":{"name":"add","description":"Adds.","inputSchema":{"json":{"type":"object"}}}}]}}"#;

    fn fitted(from: &Schema, line: &str, to: &Schema) -> (Option<String>, Vec<LossKind>) {
        let record = from.parse(line.as_bytes()).unwrap();
        let fitted = to.fit(&record, SystemHandling::PutBeforePrompt);
        let line = fitted.record.map(|record| String::from_utf8(to.render(&record).unwrap()).unwrap());
        (line, fitted.losses.iter().map(|loss| loss.kind).collect())
    }

    #[test]
    fn tools_pictures_and_system_texts_are_translated_between_bedrock_and_open_ai() {
        let (line, losses) = fitted(&Schema::OpenAiChat, CHAT, &Schema::Conversation);
        assert_eq!(line.unwrap(), BEDROCK);
        assert_eq!(losses, [LossKind::MessageFields, LossKind::Fields]);
        let (line, losses) = fitted(&Schema::Conversation, BEDROCK, &Schema::OpenAiChat);
        let chat: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let mut expected: Value = serde_json::from_str(CHAT).unwrap();
        expected.as_object_mut().unwrap().shift_remove("id");
        expected["messages"][4].as_object_mut().unwrap().shift_remove("weight");
        assert_eq!(chat, expected);
        assert_eq!(losses, []);
    }

    #[test]
    fn what_does_not_carry_over_is_named_by_its_kind() {
        use LossKind::{Answer, Fields, Media, NotText, Prompt, Reasoning, Roles, Structure, SystemText, Tools, Turns};
        let plain = r#"{"schemaVersion":"v","system":[{"text":"s"}],"messages":[{"role":"user","content":[{"text":"a"}]},{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"r"}}},{"text":"b"}]}]}"#;
        let picture = r#"{"messages":[{"role":"user","content":[{"image":{"source":{"bytes":"aGk="}}},{"text":"a"}]},{"role":"assistant","content":[{"text":"b"}]}],"id":1}"#;
        let prompt = r#"{"messages":[{"role":"user","content":[{"text":"a"}]}]}"#;
        let c = &Schema::Conversation;
        for (line, to, written, kinds) in [
            (
                plain,
                Schema::PromptCompletion,
                Some(r#"{"prompt":"s\n\na","completion":"b"}"#),
                &[Reasoning, SystemText][..],
            ),
            (plain, Schema::Alpaca, Some(r#"{"instruction":"a","input":"","output":"b","system":"s"}"#), &[Reasoning]),
            (plain, Schema::Pretraining, Some(r#"{"input":"s\n\na\n\nb"}"#), &[Roles, Reasoning]),
            (plain, Schema::ImageRef, None, &[SystemText, Media]),
            (plain, Schema::InvocationLog, None, &[Structure]),
            (
                picture,
                Schema::ClaudeMessages,
                Some(r#"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}"#),
                &[Media, Fields],
            ),
            (
                picture,
                Schema::OpenAiChat,
                Some(r#"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}],"id":1}"#),
                &[Media],
            ),
            (prompt, Schema::PromptCompletion, None, &[Answer]),
            (prompt, Schema::ShareGpt, Some(r#"{"conversations":[{"from":"human","value":"a"}]}"#), &[]),
            (BEDROCK, Schema::PromptCompletion, None, &[Turns]),
            (BEDROCK, Schema::ClaudeMessages, None, &[Media, Tools, Answer]),
        ] {
            let (line, losses) = fitted(c, line, &to);
            assert_eq!((line.as_deref(), &losses[..]), (written, kinds), "{}", to.name());
        }
        let json = r#"{"prompt":"a","completion":{"x":1}}"#;
        let (line, losses) = fitted(&Schema::PromptCompletion, json, &Schema::ClaudeMessages);
        assert!(line.unwrap().contains(r#""content":"{\"x\":1}""#));
        assert_eq!(losses, [NotText]);
        let image = r#"{"image-ref":"s3://b/a.png","caption":"A cat"}"#;
        let (line, _) = fitted(&Schema::ImageRef, image, c);
        assert!(line.unwrap().contains(r#"{"image":{"format":"png","source":{"s3Location":{"uri":"s3://b/a.png"}}}}"#));
        let (line, losses) = fitted(&Schema::Conversation, &plain.replace("\"a\"", "\"\""), &Schema::PromptCompletion);
        assert!(line.is_some() && !losses.contains(&Prompt));
    }
}
