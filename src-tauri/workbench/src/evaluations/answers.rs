//! Every answer that came, on disk before it counts, found again by what was asked of whom.
//!
//! The key is a hash of account, Region, model, prompt and settings; so a second evaluation, or the same one after a kill,
//! asks nothing twice. At a temperature above 0 the first answer stands for all.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use sha2::{Digest, Sha256};
use whetstone_cloud::{ChatRole, ConverseRequest};
use whetstone_contract::AppError;

use crate::errors::from_store;
use crate::store::StoreError;

#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub text: String,
    /// Why the endpoint gave none, where asking again would not help.
    pub error: Option<String>,
    pub stop_reason: String,
    pub input_tokens: Option<u64>,
    pub output_tokens: Option<u64>,
    pub total_ms: u64,
}

pub struct Answers {
    connection: Mutex<Connection>,
}

/// Who is asked, and where.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Asked<'a> {
    pub account: &'a str,
    pub region: &'a str,
    pub model: &'a str,
}

pub fn key_of(asked: Asked<'_>, request: &ConverseRequest) -> String {
    let turns: Vec<(&str, &str)> = request
        .messages
        .iter()
        .map(|turn| (if turn.role == ChatRole::User { "user" } else { "assistant" }, turn.text.as_str()))
        .collect();
    let whole = (asked, &request.system, turns, request.max_tokens, request.temperature, request.top_p);
    let text = serde_json::to_vec(&whole).unwrap_or_default();
    Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Answers {
    pub fn open(path: &Path) -> Result<Self, AppError> {
        let open = || -> Result<Connection, StoreError> {
            let connection = Connection::open(path)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            // An answer was paid for: once it is acknowledged, it outlives a power cut.
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.execute_batch(
                "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, text TEXT NOT NULL, error TEXT,
                 stop_reason TEXT NOT NULL, input_tokens INTEGER, output_tokens INTEGER, total_ms INTEGER NOT NULL)
                 WITHOUT ROWID;",
            )?;
            Ok(connection)
        };
        Ok(Self { connection: Mutex::new(open().map_err(|error| from_store(&error))?) })
    }

    pub fn get(&self, key: &str) -> Result<Option<Answer>, AppError> {
        let found = self
            .lock()
            .query_row(
                "SELECT text, error, stop_reason, input_tokens, output_tokens, total_ms FROM answers WHERE key = ?1",
                [key],
                |row| {
                    Ok(Answer {
                        text: row.get(0)?,
                        error: row.get(1)?,
                        stop_reason: row.get(2)?,
                        input_tokens: row.get::<_, Option<i64>>(3)?.and_then(|count| u64::try_from(count).ok()),
                        output_tokens: row.get::<_, Option<i64>>(4)?.and_then(|count| u64::try_from(count).ok()),
                        total_ms: u64::try_from(row.get::<_, i64>(5)?).unwrap_or(0),
                    })
                },
            )
            .optional();
        found.map_err(|error| from_store(&error.into()))
    }

    pub fn put(&self, key: &str, answer: &Answer) -> Result<(), AppError> {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let put = self.lock().execute(
            "INSERT OR IGNORE INTO answers VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                key,
                answer.text,
                answer.error,
                answer.stop_reason,
                answer.input_tokens.map(number),
                answer.output_tokens.map(number),
                number(answer.total_ms)
            ],
        );
        put.map(drop).map_err(|error| from_store(&error.into()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_found_by_what_was_asked_and_by_nothing_less() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("answers.db");
        let request = ConverseRequest { max_tokens: Some(8), ..ConverseRequest::default() };
        let asked = Asked { account: "1", region: "us-east-1", model: "m" };
        let key = key_of(asked, &request);
        for other in [
            key_of(Asked { model: "n", ..asked }, &request),
            key_of(Asked { account: "2", ..asked }, &request),
            key_of(asked, &ConverseRequest { max_tokens: Some(9), ..request.clone() }),
            key_of(asked, &ConverseRequest { system: Some("s".into()), ..request.clone() }),
        ] {
            assert_ne!(key, other);
        }
        let answer = Answer {
            text: "blue".into(),
            error: None,
            stop_reason: "end_turn".into(),
            input_tokens: Some(3),
            output_tokens: None,
            total_ms: 12,
        };
        Answers::open(&path)?.put(&key, &answer)?;
        let again = Answers::open(&path)?;
        assert_eq!(again.get(&key)?, Some(answer));
        assert_eq!(again.get("other")?, None);
        Ok(())
    }
}
