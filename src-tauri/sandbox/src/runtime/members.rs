//! An InvokeModel body being read: members taken one by one, and everything that is wrong with it said at once, in the
//! words in which the service says it.

use serde_json::{Map, Value};

use crate::errors::ApiError;

/// The members of a JSON object that were not taken yet.
pub(super) struct Members {
    /// Where in the body it stands: `#`, `#/textGenerationConfig`.
    place: String,
    left: Map<String, Value>,
    broken: Vec<String>,
}

impl Members {
    /// Of a whole body.
    pub(super) fn of_body(body: &[u8]) -> Result<Self, ApiError> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(left)) => Ok(Self::new("#".to_owned(), left)),
            Ok(_) => Err(malformed("#: expected type: JSONObject")),
            Err(error) => Err(malformed(&error.to_string())),
        }
    }

    pub(super) fn new(place: String, left: Map<String, Value>) -> Self {
        Self { place, left, broken: Vec::new() }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.left.contains_key(key)
    }

    /// Gives a member another name, unless that is there as well.
    pub(super) fn rename(&mut self, from: &str, to: &str) {
        if !self.left.contains_key(to)
            && let Some(value) = self.left.remove(from)
        {
            self.left.insert(to.to_owned(), value);
        }
    }

    /// A member of any type; `null` is as good as none.
    pub(super) fn any(&mut self, key: &str) -> Option<Value> {
        self.left.remove(key).filter(|value| !value.is_null())
    }

    pub(super) fn required(&mut self, key: &str) -> Value {
        self.any(key).unwrap_or_else(|| {
            self.broken.push(format!("{}: required key [{key}] not found", self.place));
            Value::Null
        })
    }

    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        match self.any(key)? {
            Value::String(text) => Some(text),
            other => {
                self.mistyped(key, "String", &other);
                None
            }
        }
    }

    /// A text that must be there. A missing one reads as empty, and `finish` refuses the body.
    pub(super) fn required_text(&mut self, key: &str) -> String {
        if self.left.get(key).is_none_or(Value::is_null) {
            self.required(key);
        }
        self.text(key).unwrap_or_default()
    }

    pub(super) fn number(&mut self, key: &str, min: f64, max: f64) -> Option<f64> {
        let value = self.any(key)?;
        let Some(number) = value.as_f64() else {
            self.mistyped(key, "Number", &value);
            return None;
        };
        if number < min {
            self.broken.push(format!("{}/{key}: {number} is not greater or equal to {min}", self.place));
        } else if number > max {
            self.broken.push(format!("{}/{key}: {number} is not less or equal to {max}", self.place));
        }
        Some(number)
    }

    pub(super) fn integer(&mut self, key: &str, min: usize, max: usize) -> Option<usize> {
        if let Some(value) = self.left.get(key).filter(|value| value.is_number() && value.as_i64().is_none()) {
            let value = value.clone();
            self.left.remove(key);
            self.mistyped(key, "Integer", &value);
            return None;
        }
        // Within the bounds it is small and not negative; out of them the body is refused.
        self.number(key, min as f64, max as f64).map(|number| number as usize)
    }

    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        match self.any(key)? {
            Value::Bool(flag) => Some(flag),
            other => {
                self.mistyped(key, "Boolean", &other);
                None
            }
        }
    }

    /// A list of texts, none of them empty.
    pub(super) fn texts(&mut self, key: &str, most: usize) -> Vec<String> {
        let Some(value) = self.any(key) else { return Vec::new() };
        let Value::Array(items) = value else {
            self.mistyped(key, "JSONArray", &value);
            return Vec::new();
        };
        if items.len() > most {
            self.broken.push(format!(
                "{}/{key}: expected maximum item count: {most}, found: {}",
                self.place,
                items.len()
            ));
        }
        let mut texts = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            match item {
                Value::String(text) if !text.is_empty() => texts.push(text),
                Value::String(_) => {
                    self.broken.push(format!("{}/{key}/{index}: expected minLength: 1, actual: 0", self.place));
                }
                other => self.mistyped(&format!("{key}/{index}"), "String", &other),
            }
        }
        texts
    }

    /// An object inside; nothing is an empty one.
    pub(super) fn inner(&mut self, key: &str) -> Self {
        let place = format!("{}/{key}", self.place);
        match self.any(key) {
            None => Self::new(place, Map::new()),
            Some(Value::Object(left)) => Self::new(place, left),
            Some(other) => {
                self.mistyped(key, "JSONObject", &other);
                Self::new(place, Map::new())
            }
        }
    }

    /// A member that may only say what is so anyway.
    pub(super) fn only(&mut self, key: &str, allowed: &Value) {
        if let Some(value) = self.any(key).filter(|value| value != allowed) {
            self.broken.push(format!("{}/{key}: {value} is not available in this sandbox, only {allowed}", self.place));
        }
    }

    pub(super) fn wrong(&mut self, what: String) {
        self.broken.push(what);
    }

    /// Takes over what was wrong inside, and what was left there.
    pub(super) fn close(&mut self, inner: Self) {
        self.broken.extend(inner.into_broken());
    }

    /// Refuses the body when something was wrong with it, or a member is left that nobody took.
    pub(super) fn finish(self) -> Result<(), ApiError> {
        let broken = self.into_broken();
        match broken.as_slice() {
            [] => Ok(()),
            [one] => Err(malformed(one)),
            several => Err(malformed(&format!("{} schema violations found: {}", several.len(), several.join("; ")))),
        }
    }

    fn into_broken(mut self) -> Vec<String> {
        for key in self.left.keys() {
            self.broken.push(format!("{}: extraneous key [{key}] is not permitted", self.place));
        }
        self.broken
    }

    fn mistyped(&mut self, key: &str, wanted: &str, found: &Value) {
        let found = match found {
            Value::Null => "Null",
            Value::Bool(_) => "Boolean",
            Value::Number(number) if number.is_f64() => "Number",
            Value::Number(_) => "Integer",
            Value::String(_) => "String",
            Value::Array(_) => "JSONArray",
            Value::Object(_) => "JSONObject",
        };
        self.broken.push(format!("{}/{key}: expected type: {wanted}, found: {found}", self.place));
    }
}

fn malformed(what: &str) -> ApiError {
    let shown: String = what.chars().take(1000).collect();
    ApiError::validation(format!("Malformed input request: {shown}, please reformat your input and try again."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &str, take: impl FnOnce(&mut Members)) -> String {
        let read = Members::of_body(body.as_bytes()).and_then(|mut members| {
            take(&mut members);
            members.finish()
        });
        read.err().map(|error| error.message).unwrap_or_default()
    }

    #[test]
    fn what_is_wrong_with_a_body_is_said_in_the_services_words() {
        let all = |members: &mut Members| {
            members.required_text("prompt");
            members.number("temperature", 0.0, 1.0);
            members.integer("max_gen_len", 1, 2048);
            members.texts("stop", 1);
        };
        for (body, said) in [
            (r#"{"prompt":"a","top_q":1}"#, "#: extraneous key [top_q] is not permitted"),
            ("{}", "#: required key [prompt] not found"),
            (r#"{"prompt":7}"#, "#/prompt: expected type: String, found: Integer"),
            (r#"{"prompt":"a","temperature":2}"#, "#/temperature: 2 is not less or equal to 1"),
            (r#"{"prompt":"a","max_gen_len":1.5}"#, "#/max_gen_len: expected type: Integer, found: Number"),
            (r#"{"prompt":"a","max_gen_len":0}"#, "#/max_gen_len: 0 is not greater or equal to 1"),
            (r#"{"prompt":"a","stop":["a","b"]}"#, "#/stop: expected maximum item count: 1, found: 2"),
            (r#"{"a":1,"b":2,"prompt":"a"}"#, "2 schema violations found: "),
            ("[]", "#: expected type: JSONObject"),
            ("{", "EOF while parsing"),
        ] {
            let message = refusal(body, all);
            assert!(message.starts_with("Malformed input request: ") && message.contains(said), "{said} in {message}");
        }
        assert_eq!(refusal(r#"{"prompt":"a","temperature":null}"#, all), "");
    }
}
