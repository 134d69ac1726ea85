//! What went wrong, in the one shape that crosses to the window.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Says what kind of trouble it is. A code exists while some part of the UI acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ErrorCode {
    /// The person's input is out of bounds; the message names the field.
    InvalidInput,
    /// A file cannot be read as what it claims to be; the message names the place.
    FileBroken,
    /// A file is missing, locked or changed while it was read.
    FileUnavailable,
    /// The thing asked for is not there (any more).
    NotFound,
    /// The state does not allow it now (a job that has ended cannot be stopped).
    Refused,
    /// The disk is full or the data folder cannot be written.
    Storage,
    /// The endpoint cannot be reached.
    Unreachable,
    /// The endpoint does not let these credentials do that.
    AccessDenied,
    /// The session is over; signing in again lets the work go on where it was.
    SignIn,
    /// A role wants the code that a device shows.
    CodeNeeded,
    /// The keys that were typed in are not here any more.
    KeysNeeded,
    /// The connection leads to another account than before: go on only when the person says so.
    AccountChanged,
    /// Too many requests, or a quota is used up; later is better.
    Throttled,
    /// The endpoint refused the request as invalid.
    Validation,
    /// The person cancelled it.
    Cancelled,
    /// A defect of this program.
    Bug,
}

/// An error as the window shows it: what happened, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AppError {
    pub code: ErrorCode,
    /// What happened, one sentence.
    pub message: String,
    /// The cause as it was reported, for those who want it.
    pub detail: Option<String>,
    /// What to do next.
    pub hint: Option<String>,
}

impl AppError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), detail: None, hint: None }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

impl std::fmt::Display for AppError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        if let Some(detail) = &self.detail {
            write!(f, " ({detail})")?;
        }
        Ok(())
    }
}

impl std::error::Error for AppError {}
