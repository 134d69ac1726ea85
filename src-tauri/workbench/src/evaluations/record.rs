//! What is written down of an evaluation: enough to go on with it after any crash, and to repeat it.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use whetstone_contract::{AppError, Candidate, EvaluationDraft, EvaluationState, EvaluationSummary, Outcome};

use super::judge::most_prompts;
use crate::errors::from_io;
use crate::files::write_whole;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluationRecord {
    pub id: String,
    pub created_at: i64,
    /// Of the app that made it.
    pub version: String,
    pub connection: String,
    pub connection_name: String,
    pub account: String,
    pub region: String,
    pub draft: EvaluationDraft,
    pub dataset_name: String,
    pub records: u64,
    pub state: EvaluationState,
    /// Answers there are, refusals of the endpoint and a judge's included.
    pub answered: u64,
    pub error: Option<AppError>,
    /// What the tokens of each candidate cost when it began; empty where nothing is billed.
    #[serde(default)]
    pub rates: Vec<Option<TokenRates>>,
    pub headline: Option<String>,
    pub outcome: Option<Outcome>,
}

/// Per 1,000 tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TokenRates {
    pub read: f64,
    pub written: f64,
    /// Both with where and when they were seen, in words.
    pub source: String,
}

impl TokenRates {
    pub fn usd(&self, read: u64, written: u64) -> f64 {
        (read as f64 * self.read + written as f64 * self.written) / 1000.0
    }
}

impl EvaluationRecord {
    pub fn prompts(&self) -> u64 {
        let candidates = self.draft.candidates.len() as u64;
        let judged = self.draft.judge.as_ref().map_or(0, |judge| most_prompts(judge, self.records, candidates));
        self.records * candidates + judged
    }

    pub fn summary(&self, activity: Option<String>) -> EvaluationSummary {
        EvaluationSummary {
            id: self.id.clone(),
            name: self.draft.name.clone(),
            state: self.state,
            created_at: self.created_at,
            dataset: self.draft.dataset.clone(),
            dataset_name: self.dataset_name.clone(),
            part: self.draft.part,
            connection_name: self.connection_name.clone(),
            region: self.region.clone(),
            records: self.records,
            prompts: self.prompts(),
            answered: self.answered,
            candidates: self.draft.candidates.iter().map(name_of).collect(),
            stand_in: self.draft.candidates.iter().any(|one| one.stand_in),
            headline: self.headline.clone(),
            outcome: self.outcome,
            error: self.error.clone(),
            activity,
        }
    }
}

/// A candidate with its prompt setting.
pub fn name_of(candidate: &Candidate) -> String {
    let mut name = candidate.name.clone();
    if candidate.examples > 0 {
        let many = if candidate.examples == 1 { "example" } else { "examples" };
        name += &format!(", {} {many}", candidate.examples);
    }
    if candidate.system.is_some() {
        name += ", own system text";
    }
    name
}

/// Written beside, synced and put in place.
pub fn write<T: Serialize>(path: &Path, value: &T) -> Result<(), AppError> {
    let text = serde_json::to_string(value).map_err(std::io::Error::from);
    text.and_then(|text| write_whole(path, text.as_bytes())).map_err(|error| from_io("The evaluation's record", &error))
}

pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, AppError> {
    let text = std::fs::read(path).map_err(|error| from_io("The evaluation's record", &error))?;
    serde_json::from_slice(&text).map_err(|error| from_io("The evaluation's record", &error.into()))
}
