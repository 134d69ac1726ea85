//! The records of the first step, as the model reads them.
//!
//! A model that is trained here as itself takes them in an order that the seed decides, laid out by its own tokenizer:
//! both are known exactly. What Bedrock does with a file is not documented, so there the first records of the file are
//! shown as they are uploaded.

use whetstone_catalog::BaseModel;
use whetstone_contract::{AppError, BatchPiece, BatchRecord, FirstBatch, JobDraft};
use whetstone_dataset::{Intent, Record, Role};
use whetstone_tuner::{LanguageModel, Turn, first_records};

use super::kinds;
use crate::Workbench;
use crate::datasets::TrainingLine;
use crate::{models, tokens};

/// So many are shown of a larger batch.
const MOST: usize = 16;
/// Shown where the batch of the service is a single record.
const FEW: u64 = 4;

impl Workbench {
    pub(crate) async fn batch(&self, draft: &JobDraft) -> Result<FirstBatch, AppError> {
        let model = models::find(&draft.base_model)?;
        let data = model.data_for(kinds::of(draft));
        let number = |key: &str| {
            let preset = model.hyperparameter(key).map(|parameter| parameter.default.clone());
            draft.hyperparameters.get(key).cloned().or(preset)?.parse::<u64>().ok()
        };
        let batch = number("batchSize").unwrap_or(1).max(1);
        let seed = number("seed").unwrap_or(1);
        let known = model.local;
        let places = move |count: u64| {
            if known { first_records(count, batch, seed) } else { (0..count.min(batch.max(FEW))).collect() }
        };
        let lines = self.datasets.training_lines(draft.dataset.clone(), data, places).await?;
        let about = if known {
            format!("The first step takes these {} records: seed {seed} decides which.", lines.len())
        } else {
            "The first records of the file, as they are uploaded. In which order the service takes them is not documented."
                .to_owned()
        };
        let tokenizer = if known { tokens::bundled() } else { None };
        let shown: Vec<(BatchRecord, u64)> = lines.iter().map(|line| show(model, tokenizer, line)).collect();
        Ok(FirstBatch {
            about,
            tokens: shown.iter().map(|(record, _)| record.tokens).sum(),
            learned: shown.iter().map(|(_, learned)| learned).sum(),
            records: shown.into_iter().map(|(record, _)| record).take(MOST).collect(),
        })
    }
}

fn show(model: &BaseModel, tokenizer: Option<&LanguageModel>, line: &TrainingLine) -> (BatchRecord, u64) {
    let exact = tokenizer.and_then(|model| model.laid_out(&turns(&line.record)).ok());
    let (pieces, tokens, learned): (Vec<BatchPiece>, u64, u64) = match exact {
        Some(laid_out) => {
            let count = |learned: bool| {
                laid_out.iter().filter(|piece| piece.learned == learned).map(|piece| piece.tokens as u64).sum::<u64>()
            };
            let (read, learned) = (count(false), count(true));
            let pieces = laid_out.into_iter().map(|piece| BatchPiece { text: piece.text, learned: piece.learned });
            (pieces.collect(), read + learned, learned)
        }
        None => {
            let (prompt, completion) = tokens::of_record(&Intent::new(model), &line.record);
            let text = |learned: bool| {
                let context = line.record.context().len();
                let turns = if learned { &line.record.turns[context..] } else { line.record.context() };
                turns.iter().map(|turn| turn.text().into_owned()).collect::<Vec<_>>().join("\n\n")
            };
            let pieces = [false, true].map(|learned| BatchPiece { text: text(learned), learned });
            let told = pieces.into_iter().filter(|piece| !piece.text.is_empty()).collect();
            (told, prompt + completion, completion)
        }
    };
    (BatchRecord { position: line.position, line: line.line.clone(), pieces, tokens }, learned)
}

fn turns(record: &Record) -> Vec<Turn> {
    let role = |role: &Role| match role {
        Role::System => whetstone_tuner::Role::System,
        Role::Assistant => whetstone_tuner::Role::Assistant,
        Role::User | Role::Tool | Role::Other(_) => whetstone_tuner::Role::User,
    };
    record.turns.iter().map(|turn| Turn::new(role(&turn.role), turn.text())).collect()
}
