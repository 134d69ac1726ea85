//! What Bedrock logs of a call: the question in `input.inputBodyJson`, the answer in
//! `output.outputBodyJson`, each in the shape of the model that was called.
//!
//! A logged record can be read and changed, but not made: nobody but Bedrock writes these.

use serde_json::{Map, Value, json};

use super::messages::{self, CONVERSATION, Dialect};
use super::{Loss, LossKind, ShapeError, blocks};
use crate::record::{Block, Record, Role, Turn};

const IN: &str = "/input/inputBodyJson";
const OUT: &str = "/output/outputBodyJson";

/// Under an `input`, either of these is the question where there are no messages.
const PROMPTS: [&str; 2] = ["/prompt", "/inputText"];

/// Where models put their answer: in blocks, or as a text.
const BLOCKS: [&str; 2] = ["/output/message/content", "/content"];
const TEXTS: [&str; 5] =
    ["/choices/0/message/content", "/generation", "/results/0/outputText", "/generations/0/text", "/completion"];

/// Where each event of a streamed answer has its piece of text.
const PIECES: [&str; 5] =
    ["/contentBlockDelta/delta/text", "/delta/text", "/generation", "/outputText", "/choices/0/delta/content"];

/// A log keeps blocks as the call had them, so a text may stand as such where others have a list.
const BODY: Dialect = Dialect { plain_text: true, versioned: false, ..CONVERSATION };

pub(super) fn read(object: &Map<String, Value>) -> Result<Record, ShapeError> {
    let Some(body) = at(object, IN).and_then(Value::as_object) else {
        return Err(ShapeError::shape(
            "input.inputBodyJson",
            "There is no \"input.inputBodyJson\" here, so the question of this call is not known.",
            "Large calls are logged to another file; leave this line out, or fetch that file.",
        ));
    };
    let mut turns = read_question(body)?;
    turns.extend(read_answer(object).map(|content| Turn::of(Role::Assistant, content)));
    let extra = object.iter().filter(|(key, _)| *key != "input" && *key != "output");
    Ok(Record { turns, extra: extra.map(|(key, value)| (key.clone(), value.clone())).collect() })
}

/// Follows a pointer whose first step is a member of this object.
fn at<'a>(object: &'a Map<String, Value>, pointer: &str) -> Option<&'a Value> {
    let (first, rest) = split(pointer);
    object.get(first)?.pointer(rest)
}

fn at_mut<'a>(object: &'a mut Map<String, Value>, pointer: &str) -> Option<&'a mut Value> {
    let (first, rest) = split(pointer);
    object.get_mut(first)?.pointer_mut(rest)
}

fn split(pointer: &str) -> (&str, &str) {
    let steps = &pointer[1..];
    steps.split_at(steps.find('/').unwrap_or(steps.len()))
}

fn read_question(body: &Map<String, Value>) -> Result<Vec<Turn>, ShapeError> {
    if body.contains_key("messages") {
        return messages::read_turns(body, &BODY);
    }
    match PROMPTS.iter().find_map(|pointer| at(body, pointer)?.as_str()) {
        Some(prompt) => Ok(vec![Turn::new(Role::User, prompt)]),
        None => Err(ShapeError::shape(
            "input.inputBodyJson",
            "The call in this log has neither messages nor a prompt.",
            "Leave this line out: it is a call of another kind.",
        )),
    }
}

/// The pointer to the answer below the line.
fn answer_place(object: &Map<String, Value>) -> Option<String> {
    let pointer = |place: &str| format!("{OUT}{place}");
    let blocks = BLOCKS.iter().map(|place| pointer(place)).find(|place| at(object, place).is_some_and(Value::is_array));
    let text =
        || TEXTS.iter().map(|place| pointer(place)).find(|place| at(object, place).is_some_and(Value::is_string));
    blocks.or_else(text)
}

fn read_answer(object: &Map<String, Value>) -> Option<Vec<Block>> {
    if let Some(place) = answer_place(object) {
        return at(object, &place).and_then(blocks::read);
    }
    let events = at(object, OUT)?.as_array()?;
    let pieces = events.iter().filter_map(|event| PIECES.iter().find_map(|piece| event.pointer(piece)?.as_str()));
    let text: String = pieces.collect();
    (!text.is_empty()).then(|| vec![Block::Text(text)])
}

pub(super) fn compose(record: &Record, old: Option<&Map<String, Value>>) -> Result<Map<String, Value>, Loss> {
    let Some(old) = old else {
        return Err(Loss::new(LossKind::Structure, "An invocation log is written by Bedrock alone."));
    };
    let mut object = Map::new();
    for key in ["input", "output"] {
        object.extend(old.get(key).map(|value| (key.to_owned(), value.clone())));
    }
    let old_answer = read_answer(old);
    let (question, answer) = match record.turns.split_last() {
        Some((last, before)) if old_answer.is_some() && last.role == Role::Assistant => (before, Some(last)),
        _ if old_answer.is_some() => {
            return Err(Loss::new(LossKind::Answer, "The answer of a logged call can be changed, but not taken away."));
        }
        _ => (&record.turns[..], None),
    };
    compose_question(question, old, &mut object)?;
    if let (Some(answer), Some(held)) = (answer, old_answer)
        && answer.content != held
    {
        let place = answer_place(old)
            .ok_or_else(|| Loss::new(LossKind::Answer, "An answer that was logged as a stream cannot be changed."))?;
        let composed = blocks::compose(&answer.content, at(old, &place), CONVERSATION.spelling, true);
        if let Some(value) = at_mut(&mut object, &place) {
            *value = composed;
        }
    }
    object.extend(record.extra.clone());
    Ok(object)
}

fn compose_question(turns: &[Turn], old: &Map<String, Value>, object: &mut Map<String, Value>) -> Result<(), Loss> {
    let (Some(old_body), Some(Value::Object(body))) = (at(old, IN).and_then(Value::as_object), at_mut(object, IN))
    else {
        return Ok(());
    };
    if old_body.contains_key("messages") {
        body.shift_remove("system");
        messages::compose_turns(turns, Some(old_body), &BODY, body);
        return Ok(());
    }
    let [Turn { role: Role::User, content, .. }] = turns else {
        return Err(Loss::new(LossKind::Turns, "The call in this log has one prompt."));
    };
    let [Block::Text(text)] = &content[..] else {
        return Err(Loss::new(LossKind::Blocks, "The call in this log has a text for a prompt."));
    };
    let place = PROMPTS.iter().find(|pointer| at(old_body, pointer).is_some_and(Value::is_string));
    if let Some(prompt) = place.and_then(|place| at_mut(body, place)) {
        *prompt = json!(text);
    }
    Ok(())
}
