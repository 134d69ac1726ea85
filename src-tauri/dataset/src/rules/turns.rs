//! Rules for who says what in which order, and that something is said.

use whetstone_catalog::{CustomizationType, DataFormat, DataRules};
use whetstone_scan::Facts;

use super::finding::spoken;
use super::rule::models::{CLAUDE, LLAMA_31, LLAMA_33, MICRO, NOVA_2, PRO, TINY, TITAN};
use super::{Broken, Example, Finding, Fix, Intent, Mend, Rule, RuleKind, Severity};
use crate::record::{Block, Record, Role, Turn};

const USER_GUIDE: &str = "Amazon Bedrock User Guide: model-customization-prepare";
const NOTHING: &str = "A record without it teaches nothing; AWS's validators refuse an empty text";

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "empty-prompt",
        severity: Severity::Error,
        asks: "The first user turn says something, in words or in media.",
        source: NOTHING,
        fix: Some(Mend { does: "Delete the record", how: |_, _, _| Some(Fix::Delete) }),
        needs: Facts::UNKNOWN.union(Facts::EMPTY),
        concerns: |_| true,
        hold_out: true,
        kind: RuleKind::Record(empty_prompt),
        examples: &[
            Example::new(TINY, r#"{"prompt":" \n","completion":"Hello"}"#, r#"{"prompt":".","completion":"Hello"}"#),
            Example::new(
                PRO,
                r#"{"messages":[{"role":"user","content":[{"text":""}]},{"role":"assistant","content":[{"text":"A cat."}]}]}"#,
                r#"{"messages":[{"role":"user","content":[{"text":""},{"image":{"format":"png","source":{"s3Location":{"uri":"s3://pets/cat.png","bucketOwner":"111122223333"}}}}]},{"role":"assistant","content":[{"text":"A cat."}]}]}"#,
            ),
        ],
    },
    Rule {
        id: "empty-completion",
        severity: Severity::Error,
        asks: "The last answer says something.",
        source: NOTHING,
        fix: Some(Mend { does: "Delete the record", how: |_, _, _| Some(Fix::Delete) }),
        needs: Facts::UNKNOWN.union(Facts::EMPTY),
        concerns: |_| true,
        hold_out: true,
        kind: RuleKind::Record(empty_completion),
        examples: &[
            Example::new(TINY, r#"{"prompt":"Hi","completion":"\t"}"#, r#"{"prompt":"Hi","completion":"!"}"#),
            Example::new(TITAN, r#"{"input":" "}"#, r#"{"input":"x"}"#).of(CustomizationType::ContinuedPreTraining),
        ],
    },
    Rule {
        id: "empty-turn",
        severity: Severity::Error,
        asks: "Every other turn says something, and so does a system text.",
        source: "AWS's published validators: each content list has a block of use, and a message of text alone is not empty",
        fix: Some(Mend { does: "Delete the empty turn and the answer to it, or the empty system text", how: drop_turn }),
        needs: Facts::UNKNOWN.union(Facts::EMPTY),
        concerns: |_| true,
        hold_out: true,
        kind: RuleKind::Record(empty_turn),
        examples: &[
            Example::new(
                MICRO,
                r#"{"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":" "}]},{"role":"user","content":[{"text":"Hi?"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
                r#"{"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"?"}]},{"role":"user","content":[{"text":"Hi?"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
            ),
            Example::new(
                MICRO,
                r#"{"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Yes?"}]},{"role":"user","content":[{"text":""}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
                r#"{"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Yes?"}]},{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
            ),
            Example::new(
                MICRO,
                r#"{"system":[{"text":""}],"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
                r#"{"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
            ),
        ],
    },
    Rule {
        id: "turn-order",
        severity: Severity::Error,
        asks: "At most one system text comes first, then a user turn; user and assistant alternate, and the assistant has the last word. A prompt for distillation or reinforcement need not end with an answer.",
        source: "AWS's published validators. The one for Llama does not look at alternation: there it is a warning",
        fix: Some(Mend { does: "Merge turns of the same speaker, and drop what stands before the first or after the last", how: reorder }),
        needs: Facts::UNKNOWN.union(Facts::ROLES).union(Facts::MULTI_TURN),
        concerns: |intent| intent.data().format != DataFormat::Pretraining,
        hold_out: true,
        kind: RuleKind::Record(turn_order),
        examples: &[
            Example::new(
                MICRO,
                r#"{"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"user","content":[{"text":"Hi?"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
                r#"{"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Yes?"}]},{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
            ),
            Example::new(
                MICRO,
                r#"{"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Hello"}]},{"role":"user","content":[{"text":"Bye"}]}]}"#,
                r#"{"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
            ),
            Example::new(
                CLAUDE,
                r#"{"messages":[{"role":"assistant","content":"Hello"},{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]}"#,
                r#"{"system":"Be brief.","messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]}"#,
            ),
            Example::new(
                LLAMA_33,
                r#"{"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"user","content":[{"text":"Hi?"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
                r#"{"messages":[{"role":"user","content":[{"text":"Hi"},{"text":"Hi?"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
            ),
            Example::new(
                NOVA_2,
                r#"{"messages":[{"role":"system","content":"Be brief."}],"reference_answer":"4"}"#,
                r#"{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"2 + 2?"}],"reference_answer":"4"}"#,
            )
            .of(CustomizationType::ReinforcementFineTuning),
        ],
    },
    Rule {
        id: "turn-count",
        severity: Severity::Error,
        asks: "There are neither too few nor too many turns of user and assistant.",
        source: "AWS's published validators: two or more for a conversation. For distillation AWS's script takes one or two, while the User Guide allows more for Nova",
        fix: None,
        needs: Facts::UNKNOWN.union(Facts::ROLES).union(Facts::MULTI_TURN),
        concerns: |intent| intent.data().format != DataFormat::Pretraining,
        hold_out: false,
        kind: RuleKind::Record(turn_count),
        examples: &[
            Example::new(
                MICRO,
                r#"{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}"#,
                r#"{"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
            ),
            Example::new(
                LLAMA_33,
                r#"{"schemaVersion":"bedrock-conversation-2024","messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Hello"}]},{"role":"user","content":[{"text":"Bye"}]}]}"#,
                r#"{"schemaVersion":"bedrock-conversation-2024","messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
            )
            .of(CustomizationType::Distillation),
        ],
    },
    Rule {
        id: "single-turn",
        severity: Severity::Error,
        asks: "A record has one prompt and one completion where the base model is trained on nothing else.",
        source: USER_GUIDE,
        fix: Some(Mend { does: "Keep the last question and its answer", how: last_pair }),
        needs: Facts::UNKNOWN.union(Facts::MULTI_TURN),
        concerns: |intent| takes_single_turns_only(intent.data()),
        hold_out: false,
        kind: RuleKind::Record(single_turn),
        examples: &[Example::new(
            LLAMA_31,
            r#"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Yes?"},{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]}"#,
            r#"{"prompt":"Hi","completion":"Hello"}"#,
        )],
    },
    Rule {
        id: "system-place",
        severity: Severity::Note,
        asks: "A system text is written before the prompt where the base model's format has no place for one.",
        source: USER_GUIDE,
        fix: Some(Mend { does: "Put the system text before the prompt", how: system_into_prompt }),
        needs: Facts::UNKNOWN.union(Facts::SYSTEM),
        concerns: |intent| takes_single_turns_only(intent.data()),
        hold_out: false,
        kind: RuleKind::Record(system_place),
        examples: &[Example::new(
            LLAMA_31,
            r#"{"system":"Be brief.","prompt":"Hi","completion":"Hello"}"#,
            r#"{"prompt":"Be brief.\n\nHi","completion":"Hello"}"#,
        )],
    },
];

fn takes_single_turns_only(data: &DataRules) -> bool {
    data.accepts_formats == [DataFormat::PromptCompletion]
}

/// Nothing but texts, and those blank. Media, tools and blocks of unknown kinds say something.
pub(super) fn is_empty(turn: &Turn) -> bool {
    turn.content.iter().all(|block| spoken(block).is_some_and(|text| text.trim().is_empty()))
}

fn first_user(record: &Record) -> Option<usize> {
    record.turns.iter().position(|turn| turn.role == Role::User)
}

fn completion(record: &Record) -> Option<usize> {
    let last = record.turns.len().checked_sub(1)?;
    (record.turns[last].role == Role::Assistant).then_some(last)
}

/// A record without any user turn breaks the order of turns instead.
fn empty_prompt(record: &Record, _: &Intent) -> Vec<Broken> {
    match first_user(record) {
        Some(turn) if is_empty(&record.turns[turn]) => {
            vec![Broken::new("The prompt is empty.", "Write a prompt, or delete the record.").of("prompt")]
        }
        _ => Vec::new(),
    }
}

/// A record that does not end with the assistant breaks the order of turns instead.
fn empty_completion(record: &Record, _: &Intent) -> Vec<Broken> {
    match completion(record) {
        Some(turn) if is_empty(&record.turns[turn]) => {
            let hint = "Write what the model should answer, or delete the record.";
            vec![Broken::new("The completion is empty.", hint).of("completion")]
        }
        _ => Vec::new(),
    }
}

/// Turns that are neither the first prompt nor the completion, which have rules of their own.
fn empty_turns(record: &Record) -> impl Iterator<Item = (usize, &Turn)> {
    let named = [first_user(record), completion(record)];
    let turns = record.turns.iter().enumerate();
    turns.filter(move |(index, turn)| !named.contains(&Some(*index)) && is_empty(turn))
}

fn empty_turn(record: &Record, _: &Intent) -> Vec<Broken> {
    let broken = empty_turns(record).map(|(index, turn)| {
        let message = format!("Turn {} ({}) is empty.", index + 1, turn.role.as_str());
        Broken::new(message, "Write its text, or delete the turn.").of(format!("turns[{index}]"))
    });
    broken.collect()
}

/// An empty turn goes together with the turn that answers it, or that it answers, so that the rest still alternates.
fn drop_turn(record: &Record, _: &Finding, _: &Intent) -> Option<Fix> {
    let mut mended = record.clone();
    loop {
        let first = empty_turns(&mended).next().map(|(index, _)| index);
        let Some(index) = first else { break };
        let role = mended.turns.remove(index).role;
        let last = index + 1 >= mended.turns.len();
        match role {
            Role::User if !last => drop(mended.turns.remove(index)),
            Role::Assistant if index > 0 => drop(mended.turns.remove(index - 1)),
            _ => {}
        }
    }
    Some(Fix::Replace(mended))
}

fn is_side_role(role: &Role, data: &DataRules) -> bool {
    data.other_roles.iter().any(|other| other == role.as_str())
}

/// The first fault in the order, with the turn it is in.
fn turn_order(record: &Record, intent: &Intent) -> Vec<Broken> {
    const HINT: &str =
        "Let a user turn come first, an assistant turn last, and the two alternate; a system text stands before them.";
    let data = intent.data();
    let spoken = record.turns.iter().enumerate();
    let spoken = spoken.filter(|(index, turn)| *index > 0 || turn.role != Role::System);
    let spoken: Vec<_> = spoken.filter(|(_, turn)| !is_side_role(&turn.role, data)).collect();
    let Some((last, last_turn)) = spoken.last() else {
        return vec![Broken::new("The record has no turns.", HINT).only(intent.refusal()).fixable(false)];
    };
    let mut expected = Role::User;
    for (position, (index, turn)) in spoken.iter().enumerate() {
        let known = matches!(turn.role, Role::User | Role::Assistant);
        if turn.role != expected {
            let severity =
                if known && position > 0 { intent.severity(data.alternation_broken) } else { Some(intent.refusal()) };
            if let Some(severity) = severity {
                let message = format!(
                    "Turn {} is spoken by {} where {} is expected.",
                    index + 1,
                    turn.role.as_str(),
                    expected.as_str()
                );
                let fixable = mended_order(record, data).is_some();
                return vec![Broken::new(message, HINT).of(format!("turns[{index}]")).only(severity).fixable(fixable)];
            }
        }
        expected = if turn.role == Role::User { Role::Assistant } else { Role::User };
    }
    if data.prompts_only || last_turn.role == Role::Assistant {
        return Vec::new();
    }
    let fixable = mended_order(record, data).is_some();
    vec![
        Broken::new("The last turn is not the assistant's.", HINT)
            .of(format!("turns[{last}]"))
            .only(intent.refusal())
            .fixable(fixable),
    ]
}

/// Neighbours of one speaker merged, turns before the first user's and after the last assistant's left out. `None` where
/// a role is not known, or nothing that can be trained on remains.
fn mended_order(record: &Record, data: &DataRules) -> Option<Record> {
    let mut turns: Vec<Turn> = Vec::new();
    for turn in &record.turns {
        let is_system = turn.role == Role::System;
        match turn.role {
            Role::User | Role::Assistant => {}
            Role::System if turns.iter().all(|earlier| earlier.role == Role::System) => {}
            _ => return None,
        }
        match turns.last_mut() {
            Some(earlier) if earlier.role == turn.role => merge(earlier, turn),
            Some(earlier) if turn.role == Role::Assistant && earlier.role == Role::System => {}
            None if turn.role == Role::Assistant => {}
            _ => turns.push(turn.clone()),
        }
        debug_assert!(!is_system || turns.len() == 1);
    }
    if !data.prompts_only {
        while turns.last().is_some_and(|turn| turn.role == Role::User) {
            turns.pop();
        }
    }
    let asks = turns.iter().any(|turn| turn.role == Role::User);
    asks.then(|| Record { turns, extra: record.extra.clone() })
}

/// Two texts become one, a line break between them: a format may have no place for two blocks.
fn merge(into: &mut Turn, turn: &Turn) {
    for block in &turn.content {
        match (into.content.last_mut(), block) {
            (Some(Block::Text(text)), Block::Text(more)) => {
                text.push('\n');
                text.push_str(more);
            }
            _ => into.content.push(block.clone()),
        }
    }
}

fn reorder(record: &Record, _: &Finding, intent: &Intent) -> Option<Fix> {
    mended_order(record, intent.data()).map(Fix::Replace)
}

fn turn_count(record: &Record, intent: &Intent) -> Vec<Broken> {
    let data = intent.data();
    let turns = record.turns.iter().filter(|turn| matches!(turn.role, Role::User | Role::Assistant)).count();
    let (fewest, most) = (data.min_messages as usize, data.max_messages.map_or(usize::MAX, |most| most as usize));
    if (fewest..=most).contains(&turns) {
        return Vec::new();
    }
    let (what, limit) = if turns < fewest { ("at least", fewest) } else { ("at most", most) };
    let message = format!("The record has {turns} turns; {} takes {what} {limit}.", intent.name());
    vec![Broken::new(message, "Add what is missing, or leave turns out.").only(intent.refusal())]
}

fn single_turn(record: &Record, intent: &Intent) -> Vec<Broken> {
    let spoken = record.turns.iter().filter(|t| t.role != Role::System).count();
    if spoken <= 2 {
        return Vec::new();
    }
    let message =
        format!("The record has {spoken} turns; {} is trained on one prompt and one completion.", intent.name());
    let hint = "Keep the last question and answer, or choose a base model that is trained on conversations.";
    vec![Broken::new(message, hint).fixable(pair(record).is_some())]
}

/// System text, last question, last answer.
fn pair(record: &Record) -> Option<Record> {
    let [.., question, answer] = record.turns.as_slice() else { return None };
    if question.role != Role::User || answer.role != Role::Assistant {
        return None;
    }
    let system = record.turns.first().filter(|turn| turn.role == Role::System);
    let turns = system.into_iter().chain([question, answer]).cloned().collect();
    Some(Record { turns, extra: record.extra.clone() })
}

fn last_pair(record: &Record, _: &Finding, _: &Intent) -> Option<Fix> {
    pair(record).map(Fix::Replace)
}

fn system_place(record: &Record, intent: &Intent) -> Vec<Broken> {
    if record.system().is_none() {
        return Vec::new();
    }
    let message =
        format!("The format of {} has no place for a system text; it is written before the prompt.", intent.name());
    let hint = "Put the same text before the prompt when you use the tuned model.";
    vec![Broken::new(message, hint).of("system").fixable(first_user(record).is_some())]
}

fn system_into_prompt(record: &Record, _: &Finding, _: &Intent) -> Option<Fix> {
    let mut mended = record.clone();
    let system: Vec<String> =
        mended.turns.extract_if(.., |turn| turn.role == Role::System).map(|turn| turn.text().into_owned()).collect();
    let prompt = mended.turns.iter_mut().find(|turn| turn.role == Role::User)?;
    let system = system.join("\n\n");
    match prompt.content.first_mut() {
        Some(Block::Text(text)) => text.insert_str(0, &format!("{system}\n\n")),
        _ => prompt.content.insert(0, Block::Text(system)),
    }
    Some(Fix::Replace(mended))
}
