//! Schemas whose record is a question and an answer in named members.

use serde_json::{Map, Value, json};

use super::{Loss, LossKind, Mapping, ShapeError};
use crate::record::{Block, Record, Role, Turn};

/// The members that hold the turns.
pub(super) struct Names<'a> {
    pub prompt: &'a str,
    pub completion: &'a str,
    pub system: Option<&'a str>,
    /// A value that is no text is told from a text: the schema demands one.
    pub text_only: bool,
}

pub(super) const PROMPT_COMPLETION: Names<'static> =
    Names { prompt: "prompt", completion: "completion", system: Some("system"), text_only: true };

impl Names<'_> {
    pub fn of(mapping: &Mapping) -> Names<'_> {
        Names {
            prompt: &mapping.prompt,
            completion: &mapping.completion,
            system: mapping.system.as_deref(),
            text_only: false,
        }
    }

    fn hold(&self, key: &str) -> bool {
        key == self.prompt || key == self.completion || self.system == Some(key)
    }
}

pub(super) fn read(object: &Map<String, Value>, names: &Names) -> Result<Record, ShapeError> {
    let mut turns = Vec::with_capacity(3);
    if let Some(system) = names.system.and_then(|name| object.get(name)).filter(|value| !value.is_null()) {
        turns.push(Turn::of(Role::System, vec![block(system, names.text_only)]));
    }
    turns.push(Turn::of(Role::User, vec![member(object, names.prompt, names.text_only)?]));
    turns.push(Turn::of(Role::Assistant, vec![member(object, names.completion, names.text_only)?]));
    Ok(Record { turns, extra: others(object, |key| names.hold(key)) })
}

fn member(object: &Map<String, Value>, name: &str, text_only: bool) -> Result<Block, ShapeError> {
    match object.get(name) {
        Some(Value::Null) => {
            Err(ShapeError::shape(name, format!("\"{name}\" is null."), format!("Give \"{name}\" a text.")))
        }
        Some(value) => Ok(block(value, text_only)),
        None => Err(ShapeError::shape(
            name,
            format!("There is no \"{name}\" here."),
            format!("Add \"{name}\" to this object, or choose other fields."),
        )),
    }
}

/// A text as it is. Anything else, such as an answer that is meant to be JSON, as compact JSON text,
/// unless the schema is one for texts alone.
fn block(value: &Value, text_only: bool) -> Block {
    match value {
        Value::String(text) => Block::Text(text.clone()),
        other if text_only => Block::Other(other.clone()),
        other => Block::Text(compact(other)),
    }
}

fn compact(value: &Value) -> String {
    value.to_string()
}

fn others(object: &Map<String, Value>, held: impl Fn(&str) -> bool) -> Map<String, Value> {
    let others = object.iter().filter(|(key, _)| !held(key));
    others.map(|(key, value)| (key.clone(), value.clone())).collect()
}

pub(super) fn compose(
    record: &Record,
    old: Option<&Map<String, Value>>,
    names: &Names,
) -> Result<Map<String, Value>, Loss> {
    let (system, prompt, completion) = question_and_answer(&record.turns)?;
    let mut object = Map::new();
    let mut put = |name: &str, turn: &Turn| -> Result<(), Loss> {
        object.insert(name.to_owned(), value_of(turn, old.and_then(|old| old.get(name)))?);
        Ok(())
    };
    put(names.prompt, prompt)?;
    put(names.completion, completion)?;
    match (system, names.system) {
        (Some(system), Some(name)) => put(name, system)?,
        (Some(_), None) => return Err(Loss::new(LossKind::SystemText, "There is no field for the system text.")),
        (None, Some(name)) => keep_null(name, old, &mut object),
        (None, None) => {}
    }
    object.extend(record.extra.clone());
    Ok(object)
}

/// A member that was null and still says nothing stays what it was.
fn keep_null(name: &str, old: Option<&Map<String, Value>>, object: &mut Map<String, Value>) {
    if let Some(Value::Null) = old.and_then(|old| old.get(name)) {
        object.insert(name.to_owned(), Value::Null);
    }
}

type Turns<'a> = (Option<&'a Turn>, &'a Turn, &'a Turn);

fn question_and_answer(turns: &[Turn]) -> Result<Turns<'_>, Loss> {
    let (system, spoken) = match turns {
        [first, spoken @ ..] if first.role == Role::System => (Some(first), spoken),
        spoken => (None, spoken),
    };
    match spoken {
        [prompt, completion] if prompt.role == Role::User && completion.role == Role::Assistant => {
            Ok((system, prompt, completion))
        }
        [prompt] if prompt.role == Role::User => {
            Err(Loss::new(LossKind::Answer, "This form needs an answer to each prompt."))
        }
        _ => Err(Loss::new(LossKind::Turns, "This form holds one prompt and one answer, and nothing else.")),
    }
}

/// The value for a turn of one text. A value that was no text stays one as long as the text says so.
fn value_of(turn: &Turn, old: Option<&Value>) -> Result<Value, Loss> {
    match &turn.content[..] {
        [Block::Text(text)] => {
            let was_text = old.is_none_or(|old| old.is_string() || old.is_null());
            let as_json = (!was_text).then(|| serde_json::from_str::<Value>(text).ok()).flatten();
            Ok(match as_json {
                Some(value) if !value.is_string() && !value.is_null() && *text == compact(&value) => value,
                _ => json!(text),
            })
        }
        [Block::Other(value)] => Ok(value.clone()),
        [] => Err(Loss::new(LossKind::NotText, "A turn without a text has no place in this form.")),
        [_] => Err(Loss::new(LossKind::Media, "A turn in this form is a text, not a picture, a tool or a reasoning.")),
        _ => Err(Loss::new(LossKind::Blocks, "A turn in this form is one text, not several blocks.")),
    }
}

pub(super) fn read_text(object: &Map<String, Value>) -> Result<Record, ShapeError> {
    let turns = vec![Turn::of(Role::Assistant, vec![member(object, "input", true)?])];
    Ok(Record { turns, extra: others(object, |key| key == "input") })
}

pub(super) fn compose_text(record: &Record, old: Option<&Map<String, Value>>) -> Result<Map<String, Value>, Loss> {
    let [turn] = &record.turns[..] else {
        return Err(Loss::new(LossKind::Turns, "A text for pre-training has no turns."));
    };
    let mut object = Map::new();
    object.insert("input".to_owned(), value_of(turn, old.and_then(|old| old.get("input")))?);
    object.extend(record.extra.clone());
    Ok(object)
}

const IMAGE: &str = "image-ref";

pub(super) fn read_image(object: &Map<String, Value>) -> Result<Record, ShapeError> {
    let image = match member(object, IMAGE, true)? {
        Block::Text(uri) => Block::Image(json!(uri)),
        other => other,
    };
    let turns =
        vec![Turn::of(Role::User, vec![image]), Turn::of(Role::Assistant, vec![member(object, "caption", true)?])];
    Ok(Record { turns, extra: others(object, |key| key == IMAGE || key == "caption") })
}

pub(super) fn compose_image(record: &Record, old: Option<&Map<String, Value>>) -> Result<Map<String, Value>, Loss> {
    let (system, question, caption) = question_and_answer(&record.turns)?;
    if system.is_some() {
        return Err(Loss::new(LossKind::SystemText, "A picture with its caption has no system text."));
    }
    let image = match &question.content[..] {
        [Block::Image(uri @ Value::String(_)) | Block::Other(uri)] => uri.clone(),
        _ => return Err(Loss::new(LossKind::Media, "This form needs the address of one picture.")),
    };
    let mut object = Map::new();
    object.insert(IMAGE.to_owned(), image);
    object.insert("caption".to_owned(), value_of(caption, old.and_then(|old| old.get("caption")))?);
    object.extend(record.extra.clone());
    Ok(object)
}

const HISTORY: &str = "history";

/// `{"instruction", "input"?, "output", "system"?, "history"?}`. Instruction and input are the two
/// blocks of one turn.
pub(super) fn read_alpaca(object: &Map<String, Value>) -> Result<Record, ShapeError> {
    let mut turns = Vec::new();
    if let Some(system) = object.get("system").filter(|value| !value.is_null()) {
        turns.push(Turn::of(Role::System, vec![block(system, true)]));
    }
    let history = object.get(HISTORY).and_then(pairs);
    for (question, answer) in history.iter().flatten() {
        turns.push(Turn::new(Role::User, *question));
        turns.push(Turn::new(Role::Assistant, *answer));
    }
    let mut asked = vec![member(object, "instruction", true)?];
    match object.get("input") {
        None | Some(Value::Null) => {}
        Some(Value::String(text)) if text.is_empty() => {}
        Some(value) => asked.push(block(value, true)),
    }
    turns.push(Turn::of(Role::User, asked));
    turns.push(Turn::of(Role::Assistant, vec![member(object, "output", true)?]));
    let held =
        |key: &str| matches!(key, "system" | "instruction" | "input" | "output") || key == HISTORY && history.is_some();
    Ok(Record { turns, extra: others(object, held) })
}

/// Earlier questions and answers; `None` where they are not pairs of texts.
fn pairs(history: &Value) -> Option<Vec<(&str, &str)>> {
    fn pair(pair: &Value) -> Option<(&str, &str)> {
        match pair.as_array().map(Vec::as_slice) {
            Some([question, answer]) => Some((question.as_str()?, answer.as_str()?)),
            _ => None,
        }
    }
    history.as_array()?.iter().map(pair).collect()
}

pub(super) fn compose_alpaca(record: &Record, old: Option<&Map<String, Value>>) -> Result<Map<String, Value>, Loss> {
    let (system, spoken) = match &record.turns[..] {
        [first, spoken @ ..] if first.role == Role::System => (Some(first), spoken),
        spoken => (None, spoken),
    };
    let Some((last, history)) = spoken.split_last_chunk::<2>().map(|(history, last)| (last, history)) else {
        return Err(Loss::new(LossKind::Answer, "This form needs an answer to each prompt."));
    };
    let (_, question, answer) = question_and_answer(last)?;
    let was = |name: &str| old.and_then(|old| old.get(name));
    let mut object = Map::new();
    let (instruction, input) = match &question.content[..] {
        [instruction] => (instruction, None),
        [instruction, input] => (instruction, Some(input)),
        _ => return Err(Loss::new(LossKind::Blocks, "A question in this form is an instruction and an input.")),
    };
    let one = |block: &Block, name: &str| value_of(&Turn::of(Role::User, vec![block.clone()]), was(name));
    object.insert("instruction".to_owned(), one(instruction, "instruction")?);
    let input = match (input, was("input")) {
        (Some(input), _) => Some(one(input, "input")?),
        (None, Some(Value::Null)) => Some(Value::Null),
        (None, Some(_)) => Some(json!("")),
        (None, None) => old.is_none().then(|| json!("")),
    };
    object.extend(input.map(|input| ("input".to_owned(), input)));
    object.insert("output".to_owned(), value_of(answer, was("output"))?);
    match system {
        Some(system) => {
            object.insert("system".to_owned(), value_of(system, was("system"))?);
        }
        None => keep_null("system", old, &mut object),
    }
    if !history.is_empty() || was(HISTORY).is_some_and(|history| pairs(history).is_some()) {
        object.insert(HISTORY.to_owned(), compose_history(history)?);
    }
    object.extend(record.extra.clone());
    Ok(object)
}

fn compose_history(turns: &[Turn]) -> Result<Value, Loss> {
    let pairs: Result<Vec<Value>, Loss> = turns
        .chunks(2)
        .map(|pair| {
            let (_, question, answer) = question_and_answer(pair)?;
            Ok(json!([value_of(question, None)?, value_of(answer, None)?]))
        })
        .collect();
    pairs.map(Value::Array)
}
