//! What is asked: the records that were drawn, the examples, and the prompt that a model gets of them.
//!
//! Frozen when the evaluation begins, so that an edit of the dataset changes nothing of it.

use std::sync::Arc;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use whetstone_cloud::{ChatMessage, ChatRole, ConverseRequest};
use whetstone_contract::{AppError, Candidate, EvaluationDraft, EvaluationPart};
use whetstone_dataset::{Record, Role, SplitKind};

use crate::datasets::Datasets;

/// Examples that any model of an evaluation may be given.
pub const MOST_EXAMPLES: u32 = 32;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Cases {
    pub cases: Vec<Case>,
    /// From the training part: prompt and completion. A model that wants few takes the first.
    pub examples: Vec<(String, String)>,
    /// Records of the part, before some were drawn.
    pub available: u64,
    /// Records of it that cannot be asked: no prompt, or no reference.
    pub unusable: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    pub position: u64,
    pub system: Option<String>,
    /// The user's first, then taken in turns; the last is the user's.
    pub turns: Vec<String>,
    pub reference: String,
    /// A member named `tag`, `tags` or `category` beside the turns.
    pub tag: Option<String>,
}

impl Case {
    fn of(position: u64, record: &Record) -> Option<Self> {
        let reference = record.completion().into_owned();
        let mut turns: Vec<String> = Vec::new();
        let mut wanted = Role::User;
        for turn in record.context().iter().filter(|turn| turn.role != Role::System) {
            if turn.role != wanted {
                return None;
            }
            turns.push(turn.text().into_owned());
            wanted = if wanted == Role::User { Role::Assistant } else { Role::User };
        }
        let asks = turns.len() % 2 == 1 && !turns.iter().any(|text| text.trim().is_empty());
        let tag = ["tag", "tags", "category"].iter().find_map(|name| record.extra.get(*name));
        let tag = tag.map(|tag| tag.as_str().map_or_else(|| tag.to_string(), str::to_owned));
        (asks && !reference.is_empty()).then(|| Self {
            position,
            system: record.system().map(std::borrow::Cow::into_owned),
            turns,
            reference,
            tag,
        })
    }

    /// The last thing the user says.
    pub fn prompt(&self) -> &str {
        self.turns.last().map_or("", String::as_str)
    }
}

impl Cases {
    pub fn request(&self, case: &Case, candidate: &Candidate, draft: &EvaluationDraft) -> ConverseRequest {
        let mut messages = Vec::new();
        let mut say = |role, text: &str| messages.push(ChatMessage::text(role, text));
        for (prompt, completion) in self.examples.iter().take(candidate.examples as usize) {
            say(ChatRole::User, prompt);
            say(ChatRole::Assistant, completion);
        }
        for (at, text) in case.turns.iter().enumerate() {
            say(if at % 2 == 0 { ChatRole::User } else { ChatRole::Assistant }, text);
        }
        let system = candidate.system.clone().or_else(|| case.system.clone());
        ConverseRequest {
            system: system.filter(|text| !text.trim().is_empty()),
            messages,
            max_tokens: Some(i32::try_from(draft.max_tokens).unwrap_or(i32::MAX)),
            temperature: Some(draft.temperature as f32),
            top_p: None,
            stop_sequences: Vec::new(),
            additional: None,
        }
    }
}

impl Datasets {
    /// Draws the records and the examples of an evaluation.
    pub async fn cases(self: &Arc<Self>, draft: &EvaluationDraft) -> Result<Cases, AppError> {
        let (part, records, seed) = (draft.part, draft.records, draft.seed);
        let examples = draft.candidates.iter().map(|one| one.examples.min(MOST_EXAMPLES)).max().unwrap_or(0);
        self.each_record(draft.dataset.clone(), Cases::default(), Vec::new(), move |cases, training, row| {
            let split = row.split.unwrap_or(SplitKind::Training);
            let wanted = match part {
                EvaluationPart::HoldOut => split == SplitKind::HoldOut,
                EvaluationPart::Validation => split == SplitKind::Validation,
                EvaluationPart::Training => split == SplitKind::Training,
                EvaluationPart::All => true,
            };
            let case = Case::of(row.position, &row.record_or_empty());
            // An example may not be one of the records that are asked.
            if !wanted
                && split == SplitKind::Training
                && let Some(case) = &case
                && case.turns.len() == 1
            {
                training.push((case.prompt().to_owned(), case.reference.clone()));
            }
            if wanted {
                cases.available += 1;
                match case {
                    Some(case) => cases.cases.push(case),
                    None => cases.unusable += 1,
                }
            }
        })
        .await
        .map(|(mut cases, mut training)| {
            let mut chance = ChaCha8Rng::seed_from_u64(seed);
            training.shuffle(&mut chance);
            training.truncate(examples as usize);
            cases.examples = training;
            if let Some(records) = records.and_then(|records| usize::try_from(records).ok()) {
                cases.cases.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
                cases.cases.truncate(records);
                cases.cases.sort_by_key(|case| case.position);
            }
            cases
        })
    }
}
