//! What every form of a conversation has in common: who may speak when, and how the older prompts spell roles out.

use whetstone_tuner::{Role, Turn};

use crate::errors::ApiError;

/// Turns in order, the system's first, checked: the person begins, both take turns, and the person has the last word.
pub(super) fn checked(system: String, said: Vec<(Role, String)>) -> Result<Vec<Turn>, ApiError> {
    let refuse = |why: &str| Err(ApiError::validation(why));
    let mut turns = Vec::new();
    if !system.is_empty() {
        turns.push(Turn::new(Role::System, system));
    }
    let mut expected = Role::User;
    for (index, (role, text)) in said.into_iter().enumerate() {
        if index == 0 && role != Role::User {
            return refuse("A conversation must start with a user message.");
        }
        if role != expected {
            return refuse("A conversation must alternate between user and assistant roles.");
        }
        if text.is_empty() {
            return Err(ApiError::validation(format!("The text field in messages.{index}.content is blank.")));
        }
        expected = if role == Role::User { Role::Assistant } else { Role::User };
        turns.push(Turn::new(role, text));
    }
    if expected != Role::Assistant {
        return refuse("A conversation must end with a user message.");
    }
    Ok(turns)
}

/// A message's role by its name.
pub(super) fn role(name: &str) -> Option<Role> {
    match name {
        "user" => Some(Role::User),
        "assistant" => Some(Role::Assistant),
        _ => None,
    }
}

/// The turns of a prompt of Claude 2's: `\n\nHuman: … \n\nAssistant:`. Text before the first turn is the system's.
pub(super) fn of_claude(prompt: &str) -> Result<Vec<Turn>, ApiError> {
    const HUMAN: &str = "\n\nHuman:";
    const ASSISTANT: &str = "\n\nAssistant:";
    let Some(first) = prompt.find(HUMAN) else {
        return Err(ApiError::validation(
            "Invalid prompt: prompt must start with \"\n\nHuman:\" turn, prompt must end with \"\n\nAssistant:\" turn.",
        ));
    };
    let mut turns = Vec::new();
    let system = prompt[..first].trim();
    if !system.is_empty() {
        turns.push(Turn::new(Role::System, system));
    }
    let mut rest = &prompt[first..];
    while let Some((role, after)) = rest
        .strip_prefix(HUMAN)
        .map(|after| (Role::User, after))
        .or_else(|| rest.strip_prefix(ASSISTANT).map(|after| (Role::Assistant, after)))
    {
        let end = [HUMAN, ASSISTANT].iter().filter_map(|marker| after.find(marker)).min().unwrap_or(after.len());
        turns.push(Turn::new(role, after[..end].trim()));
        rest = &after[end..];
    }
    match turns.pop() {
        // The turn that the model is to fill. Words that are put into its mouth stay as a turn of its own.
        Some(last) if last.role == Role::Assistant => turns.extend(Some(last).filter(|last| !last.text.is_empty())),
        _ => {
            return Err(ApiError::validation("Invalid prompt: prompt must end with \"\n\nAssistant:\" turn."));
        }
    }
    if turns.iter().any(|turn| turn.text.is_empty()) {
        return Err(ApiError::validation("Invalid prompt: a turn is blank."));
    }
    Ok(turns)
}

/// The turns of a prompt of Llama's, spelled out with the header tokens of Llama 3 or the brackets of Llama 2. Any
/// other text is one turn of the person's.
pub(super) fn of_llama(prompt: &str) -> Vec<Turn> {
    let turns = if prompt.contains("<|start_header_id|>") {
        of_llama_3(prompt)
    } else if prompt.contains("[INST]") {
        of_llama_2(prompt)
    } else {
        Vec::new()
    };
    if turns.is_empty() { vec![Turn::new(Role::User, prompt)] } else { turns }
}

fn of_llama_3(prompt: &str) -> Vec<Turn> {
    prompt
        .split("<|start_header_id|>")
        .skip(1)
        .filter_map(|part| {
            let (role, text) = part.split_once("<|end_header_id|>")?;
            let role = match role.trim() {
                "system" => Role::System,
                "assistant" => Role::Assistant,
                _ => Role::User,
            };
            let text = text.split_once("<|eot_id|>").map_or(text, |(text, _)| text).trim();
            // The header that the answer is to follow has no text yet.
            (!text.is_empty()).then(|| Turn::new(role, text))
        })
        .collect()
}

fn of_llama_2(prompt: &str) -> Vec<Turn> {
    let mut turns = Vec::new();
    for part in prompt.split("[INST]").skip(1) {
        let (asked, answered) = part.split_once("[/INST]").unwrap_or((part, ""));
        let asked = match asked.split_once("<</SYS>>") {
            Some((system, asked)) => {
                turns.push(Turn::new(Role::System, system.replace("<<SYS>>", "").trim()));
                asked
            }
            None => asked,
        };
        turns.push(Turn::new(Role::User, asked.trim()));
        let answered = answered.replace("</s>", "").replace("<s>", "");
        if !answered.trim().is_empty() {
            turns.push(Turn::new(Role::Assistant, answered.trim()));
        }
    }
    turns
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failure here is a failed test")]
mod tests {
    use super::*;

    fn spoken(turns: &[Turn]) -> Vec<(&'static str, &str)> {
        turns.iter().map(|turn| (turn.role.as_str(), turn.text.as_str())).collect()
    }

    #[test]
    fn the_prompts_of_claude_2_are_read_as_turns() {
        let turns = of_claude("Be brief.\n\nHuman: Hello\n\nAssistant: Hi\n\nHuman: Why?\n\nAssistant:").unwrap();
        let expected = [("system", "Be brief."), ("user", "Hello"), ("assistant", "Hi"), ("user", "Why?")];
        assert_eq!(spoken(&turns), expected);
        for wrong in ["Hello", "\n\nHuman: Hello", "\n\nAssistant: Hello", "\n\nHuman:\n\nAssistant:", ""] {
            assert!(of_claude(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_prompts_of_llama_2_and_3_are_read_as_turns() {
        let three = "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>\
                     <|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|>\
                     <|start_header_id|>assistant<|end_header_id|>\n\n";
        let two = "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHello [/INST]";
        for prompt in [three, two] {
            assert_eq!(spoken(&of_llama(prompt)), [("system", "Be brief."), ("user", "Hello")]);
        }
        let longer = "<s>[INST] a [/INST] b </s><s>[INST] c [/INST]";
        assert_eq!(spoken(&of_llama(longer)), [("user", "a"), ("assistant", "b"), ("user", "c")]);
        assert_eq!(spoken(&of_llama("plain text")), [("user", "plain text")]);
    }
}
