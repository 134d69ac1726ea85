//! The prompts of a distillation: from a file of conversations, or from invocation logs.
//!
//! A prompt that cannot be used is dropped and reported, and the job goes on with the rest, as AWS's own check of such
//! a file does. Deliberately absent: prompts with pictures or tools, as distillation is from text to text.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use flate2::read::MultiGzDecoder;
use serde_json::{Map, Value};
use whetstone_catalog::{BaseModel, CustomizationType, DataRules};
use whetstone_dataset::{Block, Record, Role, Schema};

use super::job::Job;
use super::place::{Place, Refusal};
use super::request::{Filter, Filters, InvocationLogs, Teacher};
use crate::app::App;
use crate::foundation_models;

/// What a prompt's `schemaVersion` must be.
const SCHEMA_VERSION: &str = "bedrock-conversation-2024";
/// Longer lines are no prompts.
const LINE_BYTES: u64 = 16 * 1024 * 1024;

/// A prompt that the teacher answers, or that has its answer already.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Prompt {
    /// Line of the file, or object and line of the logs.
    pub(super) place: String,
    /// Without an answer.
    pub(super) record: Record,
    pub(super) answer: Option<String>,
}

/// A prompt that was dropped.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rejected {
    pub(super) place: String,
    pub(super) reason: String,
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct Prompts {
    pub(super) accepted: Vec<Prompt>,
    pub(super) rejected: Vec<Rejected>,
}

/// Reads what a job is to be distilled from. Too few prompts fail the job.
pub(super) fn read(app: &App, job: &Job, model: &BaseModel) -> Result<Prompts, Refusal> {
    let rules = model.data_for(CustomizationType::Distillation);
    let unreadable = |why: String| format!("Unable to read Amazon S3 file: {}: {why}", job.asked.training_uri);
    let place = Place::of(&job.asked.training_uri);
    let mut prompts = Prompts::default();
    match &job.asked.logs {
        None => {
            let object = app.store().object(&place.bucket, &place.key);
            let (path, meta) = object.map_err(|error| unreadable(error.to_string()))?;
            let bytes = path.metadata().map_or(0, |meta| meta.len());
            if let Some(limit) = rules.max_training_bytes.filter(|limit| bytes > *limit) {
                return Err(format!(
                    "Input size exceeded in file: {bytes} bytes; {} takes at most {limit}.",
                    model.name
                ));
            }
            drop(meta);
            let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
            let whole = lines(file, |number, line| prompts.take_line(format!("line {number}"), line, rules));
            whole.map_err(|error| unreadable(error.to_string()))?;
        }
        Some(logs) => {
            let wanted = Wanted { logs, teacher: job.asked.teacher.as_ref(), rules };
            let listed = app.store().list(&place.bucket, &place.prefix());
            for object in listed.map_err(|error| unreadable(error.to_string()))? {
                let (path, _) =
                    app.store().object(&place.bucket, &object.key).map_err(|error| unreadable(error.to_string()))?;
                let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
                let file = unpacked(file).map_err(|error| unreadable(error.to_string()))?;
                let of = |number| format!("{} line {number}", object.key);
                let whole = lines(file, |number, line| prompts.take_log(of(number), line, &wanted));
                whole.map_err(|error| unreadable(format!("{}: {error}", object.key)))?;
            }
        }
    }
    let (found, least) = (prompts.accepted.len() as u64, rules.min_records);
    if found < least {
        let mut message = format!("{found} prompts can be used for distillation; at least {least} are needed.");
        if let Some(first) = prompts.rejected.first() {
            let dropped = prompts.rejected.len();
            message.push_str(&format!(" {dropped} were dropped, the first at {}: {}.", first.place, first.reason));
        }
        return Err(message);
    }
    Ok(prompts)
}

/// What is taken of invocation logs.
struct Wanted<'a> {
    logs: &'a InvocationLogs,
    teacher: Option<&'a Teacher>,
    rules: &'a DataRules,
}

impl Prompts {
    fn take_line(&mut self, place: String, line: &[u8], rules: &DataRules) {
        let record = Schema::Conversation.parse(line).map_err(|error| error.message);
        let record = record.and_then(|record| match record.extra.get("schemaVersion").and_then(Value::as_str) {
            Some(SCHEMA_VERSION) => Ok(record),
            _ => Err(format!("schemaVersion is not {SCHEMA_VERSION}")),
        });
        self.take(place, record, rules);
    }

    /// A line of a log; one that is not asked for is passed over in silence.
    fn take_log(&mut self, place: String, line: &[u8], wanted: &Wanted<'_>) {
        let Ok(object) = serde_json::from_slice::<Map<String, Value>>(line) else {
            return self.reject(place, "it is not a JSON object".to_owned());
        };
        let metadata = object.get("requestMetadata").and_then(Value::as_object);
        let asked_for = wanted.logs.request_metadata_filters.as_ref().is_none_or(|filters| filters.admit(metadata));
        if !asked_for || object.get("schemaType").and_then(Value::as_str) != Some("ModelInvocationLog") {
            return;
        }
        let mut record = Schema::InvocationLog.parse(line).map_err(|error| error.message);
        let use_response = wanted.logs.use_prompt_response == Some(true);
        if let Ok(record) = &mut record {
            let by = object.get("modelId").and_then(Value::as_str).unwrap_or_default();
            if use_response && !is_teacher(wanted.teacher, by) {
                return self.reject(place, format!("its answer was given by {by}, not by the teacher"));
            }
            if !use_response && record.turns.last().is_some_and(|turn| turn.role == Role::Assistant) {
                record.turns.pop();
            }
        }
        self.take(place, record, wanted.rules);
    }

    fn take(&mut self, place: String, record: Result<Record, String>, rules: &DataRules) {
        let usable = record.and_then(|record| check(&record, rules).map(|()| record));
        match usable {
            Err(reason) => self.reject(place, reason),
            Ok(mut record) => {
                let answered = record.turns.pop_if(|turn| turn.role == Role::Assistant);
                let answer = answered.map(|turn| turn.text().into_owned());
                self.accepted.push(Prompt { place, record, answer });
            }
        }
    }

    fn reject(&mut self, place: String, reason: String) {
        self.rejected.push(Rejected { place, reason });
    }
}

fn is_teacher(teacher: Option<&Teacher>, id: &str) -> bool {
    let named = teacher.and_then(|teacher| teacher.teacher_model_identifier.as_deref()).unwrap_or_default();
    let model = |id| foundation_models::find(foundation_models::of_profile(id));
    model(named).is_some() && model(named) == model(id)
}

/// What a prompt must be for any student: turns of text alone, taken in turn from the user on.
fn check(record: &Record, rules: &DataRules) -> Result<(), String> {
    let said: Vec<_> = record.turns.iter().filter(|turn| turn.role != Role::System).collect();
    for (index, turn) in said.iter().enumerate() {
        let expected = if index % 2 == 0 { Role::User } else { Role::Assistant };
        if turn.role != expected {
            return Err(format!("message {} is not one of the {}", index + 1, expected.as_str()));
        }
    }
    let count = said.len() as u64;
    if count < u64::from(rules.min_messages.max(1)) {
        return Err("there is no message of the user".to_owned());
    }
    if let Some(most) = rules.max_messages.filter(|most| count > u64::from(*most)) {
        return Err(format!("it has {count} messages; at most {most} are taken"));
    }
    for turn in &record.turns {
        if !turn.content.iter().all(|block| matches!(block, Block::Text(_))) {
            return Err("it holds something beside text".to_owned());
        }
        if turn.text().trim().is_empty() {
            return Err(format!("a message of the {} is empty", turn.role.as_str()));
        }
        let texts = turn.content.len();
        let most = if turn.role == Role::System { rules.system_items } else { rules.max_texts_per_message };
        if let Some(most) = most.filter(|most| texts > *most as usize) {
            return Err(format!("a message of the {} has {texts} texts; at most {most}", turn.role.as_str()));
        }
    }
    Ok(())
}

impl Filters {
    fn admit(&self, metadata: Option<&Map<String, Value>>) -> bool {
        self.one.admits(metadata)
            && self.and_all.as_ref().is_none_or(|all| all.iter().all(|filter| filter.admits(metadata)))
            && self.or_all.as_ref().is_none_or(|any| any.iter().any(|filter| filter.admits(metadata)))
    }
}

impl Filter {
    fn admits(&self, metadata: Option<&Map<String, Value>>) -> bool {
        let has = |key: &String, value: &String| {
            metadata.and_then(|all| all.get(key)).and_then(Value::as_str).is_some_and(|found| found == value)
        };
        self.equals.iter().flatten().all(|(key, value)| has(key, value))
            && self.not_equals.iter().flatten().all(|(key, value)| !has(key, value))
    }
}

/// Logs are written packed; a plain file is read as it is.
fn unpacked(file: File) -> io::Result<Box<dyn Read>> {
    let mut file = BufReader::new(file);
    let packed = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(if packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}

/// Every line that is not blank, with its number from 1.
fn lines(from: impl Read, mut take: impl FnMut(u64, &[u8])) -> io::Result<()> {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if from.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.len() as u64 == LINE_BYTES {
            let message = format!("line {number} is longer than {LINE_BYTES} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        if !line.trim_ascii().is_empty() {
            take(number, &line);
        }
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failure here is a failed test")]
mod tests {
    use super::*;
    use serde_json::json;
    use whetstone_catalog::catalog;

    fn rules() -> &'static DataRules {
        let model = catalog().find("amazon.nova-micro-v1:0:128k").unwrap();
        model.data_for(CustomizationType::Distillation)
    }

    fn line(messages: &Value) -> Vec<u8> {
        json!({ "schemaVersion": "bedrock-conversation-2024", "messages": messages }).to_string().into_bytes()
    }

    fn said(role: &str, text: &str) -> Value {
        json!({ "role": role, "content": [{ "text": text }] })
    }

    #[test]
    fn a_prompt_that_cannot_be_used_is_dropped_with_its_reason_and_the_rest_stay() {
        let mut prompts = Prompts::default();
        let picture = json!({ "role": "user", "content": [{ "image": { "format": "png" } }] });
        let bad = [
            line(&json!([said("assistant", "I begin")])),
            line(&json!([])),
            line(&json!([said("user", " ")])),
            line(&json!([picture])),
            b"{\"messages\": []}".to_vec(),
            b"no json".to_vec(),
        ];
        prompts.take_line("line 1".to_owned(), &line(&json!([said("user", "Why?")])), rules());
        for (index, line) in bad.iter().enumerate() {
            prompts.take_line(format!("line {}", index + 2), line, rules());
        }
        let labelled = line(&json!([said("user", "Why?"), said("assistant", "Because.")]));
        prompts.take_line("line 8".to_owned(), &labelled, rules());
        let answers: Vec<Option<&str>> = prompts.accepted.iter().map(|prompt| prompt.answer.as_deref()).collect();
        assert_eq!(answers, [None, Some("Because.")], "{:?}", prompts.rejected);
        assert_eq!(prompts.accepted[1].record.turns.len(), 1, "the answer is not part of the prompt");
        let places: Vec<&str> = prompts.rejected.iter().map(|one| one.place.as_str()).collect();
        assert_eq!(places, ["line 2", "line 3", "line 4", "line 5", "line 6", "line 7"]);
    }

    #[test]
    fn logs_are_filtered_by_their_metadata_and_by_who_answered() {
        let log = |model: &str, team: &str| {
            json!({
                "schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "modelId": model, "operation": "Converse",
                "requestMetadata": { "team": team },
                "input": { "inputBodyJson": { "messages": [said("user", "Hi")] } },
                "output": { "outputBodyJson": { "output": { "message": said("assistant", "Hello") } } },
            })
            .to_string()
        };
        let equals: Filter = serde_json::from_value(json!({ "equals": { "team": "a" } })).unwrap();
        let mut logs = InvocationLogs {
            use_prompt_response: Some(true),
            invocation_log_source: None,
            request_metadata_filters: Some(Filters { or_all: Some(vec![equals]), ..Filters::default() }),
        };
        let teacher = Teacher {
            teacher_model_identifier: Some("amazon.nova-pro-v1:0:300k".to_owned()),
            max_response_length_for_inference: None,
        };
        let taken = |logs: &InvocationLogs| {
            let mut prompts = Prompts::default();
            let wanted = Wanted { logs, teacher: Some(&teacher), rules: rules() };
            for (model, team) in [("amazon.nova-pro-v1:0", "a"), ("amazon.nova-pro-v1:0", "b"), ("other.model", "a")] {
                prompts.take_log(model.to_owned(), log(model, team).as_bytes(), &wanted);
            }
            prompts
        };
        let with_answers = taken(&logs);
        assert_eq!(with_answers.accepted.len(), 1);
        assert_eq!(with_answers.accepted[0].answer.as_deref(), Some("Hello"));
        assert_eq!(with_answers.rejected.len(), 1, "another model's answer is not the teacher's");
        logs.use_prompt_response = None;
        let without = taken(&logs);
        assert_eq!(without.accepted.len(), 2, "whose answer it was does not matter when the teacher answers anew");
        assert!(without.accepted.iter().all(|prompt| prompt.answer.is_none()));
    }
}
