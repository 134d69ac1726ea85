//! The shapes that cross between a training worker and the process that started it: the settings of
//! a run, written to its folder before the worker starts, and the events the worker prints.
//!
//! The folder is owned by whoever starts the run; the worker owns `lock`, `checkpoint` and `model`
//! in it. Deliberately absent: any knowledge of jobs, buckets or clouds.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::TunerError;
use crate::files;
use crate::records::ROWS_AT_ONCE;

/// The settings' file name inside a run's folder.
pub const RUN_FILE: &str = "run.json";
/// The tuned model's folder name inside a run's folder; it appears whole or not at all.
pub const MODEL_FOLDER: &str = "model";

/// Which tokens of a record the model is asked to predict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// The assistant's turns and their end: fine-tuning.
    Completion,
    /// Every token: continued pre-training on plain text.
    AllTokens,
}

/// Which numbers of the model a run may change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approach {
    /// Every weight.
    Full,
    /// Low-rank adapters beside frozen weights.
    Lora(LoraSettings),
}

/// Low-rank adapters: what they are, and on what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoraSettings {
    /// The rank, at least 1.
    pub rank: u32,
    /// What an adapter adds is scaled by `alpha / rank`. None means twice the rank.
    #[serde(default)]
    pub alpha: Option<f64>,
    /// The share of each adapter's inputs that a step leaves out, below 1. Which ones is drawn once a step, for all of
    /// its tokens: PEFT draws for each token. The embedding, whose inputs are tokens, leaves none out.
    #[serde(default)]
    pub dropout: f64,
    /// The modules, by the names of Hugging Face (`q_proj`); a norm among them is trained whole. None means every matrix,
    /// the embedding too, and the norms.
    #[serde(default)]
    pub targets: Option<Vec<String>>,
}

impl LoraSettings {
    /// Adapters of `rank` on everything.
    pub const fn of_rank(rank: u32) -> LoraSettings {
        LoraSettings { rank, alpha: None, dropout: 0.0, targets: None }
    }

    /// By how much an adapter's product counts.
    pub(crate) fn scale(&self) -> f32 {
        self.alpha.map_or(2.0, |alpha| (alpha / f64::from(self.rank)) as f32)
    }
}

/// What a run does without to take less memory. It decides the losses a little, so it is part of what makes them repeat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Savings {
    /// Keep only what enters each layer, and work out the rest again on the way back: the same losses, in more time.
    #[serde(default)]
    pub gradient_checkpointing: bool,
    /// Keep the optimizer's averages as bfloat16: half their memory, and losses that differ a little.
    #[serde(default)]
    pub half_averages: bool,
    /// Gradient accumulation: a thread works on so many tokens of a step at a time, at least 1, and sums the gradients. A
    /// record is never divided. None means 4,096. The losses are the same but for the order of the sums.
    #[serde(default)]
    pub tokens_at_once: Option<u32>,
}

impl Savings {
    pub(crate) fn rows_at_once(self) -> usize {
        self.tokens_at_once.map_or(ROWS_AT_ONCE, |tokens| tokens as usize)
    }
}

/// How the learning rate goes down after the warm-up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decay {
    /// Along half a cosine, to 2 % of the highest rate.
    #[default]
    Cosine,
    /// Along a straight line, to nothing.
    Linear,
}

/// When validation that no longer gets better ends a run before its last epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EarlyStopping {
    /// So many measurements without progress end it, at least 1.
    pub patience: u32,
    /// By how much the validation loss must get below the least one so far to be progress, in nats.
    pub threshold: f64,
}

/// Everything a worker needs to know; written to the run's folder as [`RUN_FILE`].
///
/// The same spec on the same data and machine gives the same losses. Paths that are not absolute are
/// taken from the run's folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSpec {
    /// The folder of the model to start from; none means the bundled `tiny-v1`.
    pub model: Option<PathBuf>,
    /// JSONL, one `{"turns":[{"role","text"}]}` a line.
    pub training: PathBuf,
    /// The same form, any number of sets; the loss of each is measured at intervals and after each epoch.
    pub validation: Vec<PathBuf>,
    /// Which tokens are predicted.
    pub objective: Objective,
    /// Which weights change.
    pub approach: Approach,
    /// How often the training data is gone through, at least 1.
    pub epochs: u32,
    /// Records a step, at least 1; an epoch's last step may have fewer.
    pub batch_size: u32,
    /// The highest learning rate, reached after the warm-up.
    pub learning_rate: f64,
    /// How the rate goes down from there.
    #[serde(default)]
    pub decay: Decay,
    /// Steps over which the rate rises from nothing; capped to a third of the run.
    pub warmup_steps: u32,
    /// Decides the order of the records, the adapters' first values and what dropout leaves out.
    pub seed: u64,
    /// Processor threads to use, at least 1. Part of what makes losses repeat.
    pub threads: usize,
    /// What is done without to take less memory.
    #[serde(default)]
    pub savings: Savings,
    /// Measure the validation loss every so many steps; none means after each epoch only.
    pub validate_every: Option<u32>,
    /// None means that every epoch is trained. It takes validation data.
    pub early_stopping: Option<EarlyStopping>,
    /// Write a checkpoint when so many seconds have passed since the last.
    pub checkpoint_every_seconds: u32,
}

impl RunSpec {
    /// Writes the spec into `dir` (which must exist), whole or not at all.
    pub fn write(&self, dir: &Path) -> Result<(), TunerError> {
        let path = dir.join(RUN_FILE);
        let text = serde_json::to_vec_pretty(self).map_err(|error| TunerError::Settings(error.to_string()))?;
        files::write_atomically(&path, &text).map_err(TunerError::file("could not write", &path))
    }

    /// Reads the spec of the run in `dir`.
    pub fn read(dir: &Path) -> Result<RunSpec, TunerError> {
        let path = dir.join(RUN_FILE);
        let bytes = std::fs::read(&path).map_err(TunerError::file("could not read", &path))?;
        serde_json::from_slice(&bytes).map_err(|error| TunerError::Settings(format!("{RUN_FILE}: {error}")))
    }
}

/// One line of a worker's output, as JSON with the variant's name under `event`.
///
/// Steps count from 0. After a resume the steps since the checkpoint are trained, and told, again,
/// with the same figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// The data is read and the first step is about to be taken.
    Started {
        /// Steps the whole run takes.
        total_steps: u64,
        /// Training records.
        records: u64,
        /// Tokens read in one epoch.
        tokens_per_epoch: u64,
        /// Records longer than the model's context, of which only the end is read.
        shortened_records: u64,
        /// The step a checkpoint let the run go on from.
        resumed_from: Option<u64>,
    },
    /// A step was taken.
    Step {
        /// The step.
        step: u64,
        /// The epoch it belongs to, from 0.
        epoch: u32,
        /// Mean cross-entropy over the step's predicted tokens, in nats, before the step's change.
        loss: f64,
        /// The learning rate of the step.
        learning_rate: f64,
        /// Tokens read in the step.
        tokens: u64,
        /// Tokens read a second, over the step.
        tokens_per_second: f64,
    },
    /// A validation loss was measured, after the change of `step`.
    Validation {
        /// Which set of validation data, from 0.
        set: usize,
        /// The last step taken.
        step: u64,
        /// Its epoch.
        epoch: u32,
        /// Mean cross-entropy over all predicted tokens of the validation data, in nats.
        loss: f64,
    },
    /// A checkpoint is safely on disk.
    Checkpoint {
        /// The first step that is not in it.
        step: u64,
    },
    /// The tuned model is in the run's folder under [`MODEL_FOLDER`].
    Finished {
        /// Steps taken over the whole run: fewer than were to be taken when it ended early.
        steps: u64,
        /// Mean training loss over the last epoch.
        training_loss: f64,
        /// The loss of the finished model on each set of validation data.
        validation_losses: Vec<f64>,
    },
    /// The run ended without a model.
    Failed {
        /// Why, in words for a person.
        message: String,
    },
}
