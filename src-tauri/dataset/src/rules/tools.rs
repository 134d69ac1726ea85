//! Rules for tools, and for what a record for reinforcement carries beside its messages.

use std::collections::HashSet;

use serde_json::Value;
use whetstone_catalog::{CustomizationType, Stance};
use whetstone_scan::Facts;

use super::rule::models::{LLAMA_33, NOVA_2, PRO};
use super::{Broken, Example, Intent, Rule, RuleKind, Severity};
use crate::record::{Block, Record, Role};

const NOVA: &str = "AWS's published validators for Nova";

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "tools-taken",
        severity: Severity::Error,
        asks: "A record has tools only where the base model is trained on them.",
        source: "The sources disagree for Nova 2 Lite: AWS's validators take tool sections, the Amazon Bedrock User Guide (nova-2-sft-data-prep) says that they are not supported and may fail the job; it is a warning there",
        fix: None,
        needs: Facts::UNKNOWN,
        concerns: |intent| intent.data().tools != Stance::Allowed,
        hold_out: false,
        kind: RuleKind::Record(tools_taken),
        examples: &[
            Example::new(
                NOVA_2,
                r#"{"toolConfig":{"tools":[{"toolSpec":{"name":"clock"}}]},"messages":[{"role":"user","content":[{"text":"What time is it?"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"1","name":"clock","input":{}}}]}]}"#,
                r#"{"messages":[{"role":"user","content":[{"text":"What time is it?"}]},{"role":"assistant","content":[{"text":"I have no clock."}]}]}"#,
            ),
            Example::new(
                LLAMA_33,
                r#"{"messages":[{"role":"user","content":[{"text":"What time is it?"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"1","name":"clock","input":{}}}]}]}"#,
                r#"{"messages":[{"role":"user","content":[{"text":"What time is it?"}]},{"role":"assistant","content":[{"text":"I have no clock."}]}]}"#,
            ),
        ],
    },
    Rule {
        id: "tool-place",
        severity: Severity::Error,
        asks: "A tool is used in an answer, and its result stands in a user turn.",
        source: NOVA,
        fix: None,
        needs: Facts::UNKNOWN,
        concerns: |intent| intent.data().tools != Stance::Refused,
        hold_out: false,
        kind: RuleKind::Record(tool_place),
        examples: &[Example::new(
            PRO,
            r#"{"messages":[{"role":"user","content":[{"toolUse":{"toolUseId":"1","name":"clock","input":{}}}]},{"role":"assistant","content":[{"text":"Noon."}]}]}"#,
            r#"{"messages":[{"role":"user","content":[{"text":"What time is it?"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"1","name":"clock","input":{}}}]}]}"#,
        )],
    },
    Rule {
        id: "tool-match",
        severity: Severity::Error,
        asks: "The ids of tool uses and the names of tools are unique, a result belongs to an earlier use, and a tool that is used is one that is declared.",
        source: NOVA,
        fix: None,
        needs: Facts::UNKNOWN,
        concerns: |intent| intent.data().tools != Stance::Refused,
        hold_out: false,
        kind: RuleKind::Record(tool_match),
        examples: &[
            Example::new(
                PRO,
                r#"{"messages":[{"role":"user","content":[{"text":"What time is it?"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"1","name":"clock","input":{}}}]},{"role":"user","content":[{"toolResult":{"toolUseId":"2","content":[{"text":"12:00"}]}}]},{"role":"assistant","content":[{"text":"Noon."}]}]}"#,
                r#"{"messages":[{"role":"user","content":[{"text":"What time is it?"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"1","name":"clock","input":{}}}]},{"role":"user","content":[{"toolResult":{"toolUseId":"1","content":[{"text":"12:00"}]}}]},{"role":"assistant","content":[{"text":"Noon."}]}]}"#,
            ),
            Example::new(
                PRO,
                r#"{"toolConfig":{"tools":[{"toolSpec":{"name":"clock"}},{"toolSpec":{"name":"clock"}}]},"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
                r#"{"toolConfig":{"tools":[{"toolSpec":{"name":"clock"}},{"toolSpec":{"name":"watch"}}]},"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
            ),
        ],
    },
    Rule {
        id: "reinforcement-fields",
        severity: Severity::Error,
        asks: "Of what a record for reinforcement may carry, nothing that is there is empty: `id`, `reference_answer`, and `tools` with a unique name each. All three may be left out.",
        source: "Amazon Bedrock User Guide: rft-prepare-data, and AWS's SDK for Nova. Another of AWS's validators demands tools, against these and against AWS's own sample data; that is not followed",
        fix: None,
        needs: Facts::UNKNOWN,
        concerns: |intent| intent.purpose == CustomizationType::ReinforcementFineTuning,
        hold_out: false,
        kind: RuleKind::Record(reinforcement_fields),
        examples: &[
            Example::new(
                NOVA_2,
                r#"{"messages":[{"role":"user","content":"2 + 2?"}],"reference_answer":""}"#,
                r#"{"messages":[{"role":"user","content":"2 + 2?"}],"reference_answer":{"sum":4}}"#,
            )
            .of(CustomizationType::ReinforcementFineTuning),
            Example::new(
                NOVA_2,
                r#"{"id":"a","messages":[{"role":"user","content":"2 + 2?"}],"tools":[{"type":"function","function":{"name":"add"}},{"type":"function","function":{"name":"add"}}]}"#,
                r#"{"id":"a","messages":[{"role":"user","content":"2 + 2?"}],"tools":[{"type":"function","function":{"name":"add"}},{"type":"function","function":{"name":"sub"}}]}"#,
            )
            .of(CustomizationType::ReinforcementFineTuning),
        ],
    },
];

fn tools_taken(record: &Record, intent: &Intent) -> Vec<Broken> {
    let Some(severity) = intent.severity(intent.data().tools) else { return Vec::new() };
    let hint = "Leave the tools out, or choose a base model that is trained on them.";
    let declared = ["toolConfig", "tools"].into_iter().find(|key| record.extra.contains_key(*key));
    let declared = declared.map(|key| {
        let message = format!("The record declares tools, which {} is not known to be trained on.", intent.name());
        Broken::new(message, hint).of(key).only(severity)
    });
    let turns = record.turns.iter().enumerate();
    let used = turns.filter(|(_, turn)| {
        turn.role == Role::Tool
            || turn.content.iter().any(|block| matches!(block, Block::ToolUse(_) | Block::ToolResult(_)))
    });
    let used = used.map(|(index, _)| {
        let message = format!("Turn {} uses a tool, which {} is not known to be trained on.", index + 1, intent.name());
        Broken::new(message, hint).in_turn(record, index).only(severity)
    });
    declared.into_iter().chain(used).collect()
}

fn tool_place(record: &Record, _: &Intent) -> Vec<Broken> {
    let blocks = record.turns.iter().enumerate().flat_map(|(index, turn)| turn.content.iter().map(move |b| (index, b)));
    let broken = blocks.filter_map(|(index, block)| {
        let role = &record.turns[index].role;
        let message = match block {
            Block::ToolUse(_) if *role != Role::Assistant => "uses a tool; only an answer may",
            Block::ToolResult(_) if !matches!(role, Role::User | Role::Tool) => {
                "holds a tool's result; only a user turn may"
            }
            _ => return None,
        };
        let message = format!("Turn {} ({}) {message}.", index + 1, role.as_str());
        Some(Broken::new(message, "Move it to the turn it belongs to.").in_turn(record, index))
    });
    broken.collect()
}

/// Names of the declared tools, in Bedrock's spelling and in OpenAI's.
fn declared(record: &Record) -> Vec<&str> {
    let tools = record.extra.get("toolConfig").map_or_else(|| record.extra.get("tools"), |config| config.get("tools"));
    let tools = tools.and_then(Value::as_array).into_iter().flatten();
    tools.filter_map(|tool| tool["toolSpec"]["name"].as_str().or_else(|| tool["function"]["name"].as_str())).collect()
}

fn twice<'a>(names: &[&'a str]) -> Option<&'a str> {
    let mut seen = HashSet::new();
    names.iter().find(|name| !seen.insert(**name)).copied()
}

fn tool_match(record: &Record, _: &Intent) -> Vec<Broken> {
    let names = declared(record);
    let mut broken = Vec::new();
    if let Some(name) = twice(&names) {
        broken.push(Broken::new(format!("The tool \"{name}\" is declared twice."), "Give each tool its own name."));
    }
    let mut used: HashSet<&str> = HashSet::new();
    for (index, turn) in record.turns.iter().enumerate() {
        for block in &turn.content {
            match block {
                Block::ToolUse(tool) => {
                    let id = tool["toolUseId"].as_str().or_else(|| tool["id"].as_str()).unwrap_or_default();
                    let name = tool["name"].as_str().or_else(|| tool["function"]["name"].as_str()).unwrap_or_default();
                    if id.is_empty() || name.is_empty() {
                        let message = format!("Turn {} uses a tool without an id or a name.", index + 1);
                        broken.push(Broken::new(message, "Give both.").in_turn(record, index));
                    } else if !used.insert(id) {
                        let message = format!("The id \"{id}\" of a tool's use stands twice.");
                        broken.push(Broken::new(message, "Give each use its own id.").in_turn(record, index));
                    }
                    if !names.is_empty() && !name.is_empty() && !names.contains(&name) {
                        let message = format!("The tool \"{name}\" is used and not declared.");
                        broken.push(Broken::new(message, "Declare it, or leave its use out.").in_turn(record, index));
                    }
                }
                Block::ToolResult(result) => {
                    let id = result["toolUseId"].as_str().unwrap_or_default();
                    if !used.contains(id) {
                        let message = format!("The result \"{id}\" in turn {} belongs to no earlier use.", index + 1);
                        broken.push(Broken::new(message, "Name the use that it answers.").in_turn(record, index));
                    }
                }
                _ => {}
            }
        }
        if let Some(id) = turn.extra.get("tool_call_id").and_then(Value::as_str)
            && !used.contains(id)
        {
            let message = format!("The result \"{id}\" in turn {} belongs to no earlier use.", index + 1);
            broken.push(Broken::new(message, "Name the use that it answers.").in_turn(record, index));
        }
    }
    broken
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn reinforcement_fields(record: &Record, _: &Intent) -> Vec<Broken> {
    let empty =
        ["id", "reference_answer", "tools"].into_iter().filter(|key| record.extra.get(*key).is_some_and(is_blank));
    let empty = empty.map(|key| Broken::new(format!("\"{key}\" is empty."), "Fill it, or leave it out.").of(key));
    let mut broken: Vec<Broken> = empty.collect();
    if let Some(name) = twice(&declared(record)) {
        let message = format!("The tool \"{name}\" is declared twice.");
        broken.push(Broken::new(message, "Give each tool its own name.").of("tools"));
    }
    broken
}
