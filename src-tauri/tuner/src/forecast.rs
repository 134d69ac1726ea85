//! How much memory a run will take, before it starts.
//!
//! Everything that grows with the model, the data or the settings is counted as the code lays it out: weights, gradients,
//! the optimizer's averages, what a pass keeps for the way back, and the copies made when something is saved. What does
//! not (the program itself, the tokenizer) is a constant, so a forecast for a very small model is mostly that constant.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::config::ModelConfig;
use crate::network::Rows;
use crate::records::{Records, epoch_order, share_out};
use crate::worker::{Data, check};
use crate::{Approach, LanguageModel, RunSpec, TunerError};

const NUMBER: u64 = 4;
/// Rows of logits at a time, as the output head has it.
const HEAD_ROWS: u64 = crate::network::HEAD_ROWS_AT_ONCE as u64;
/// The program, its libraries and the tokenizer.
const PROGRAM: u64 = 40 << 20;

/// The bytes a run takes at its height, by what they are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// The weights, and those with adapters merged.
    pub weights: u64,
    /// The gradient of what changes, once for each thread.
    pub gradients: u64,
    /// The optimizer's averages.
    pub averages: u64,
    /// What the passes of all threads keep for the way back.
    pub passes: u64,
    /// The copies made when a checkpoint or the tuned model is written.
    pub saving: u64,
    /// The program and the records.
    pub rest: u64,
}

impl Forecast {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.weights + self.gradients + self.averages + self.passes + self.saving + self.rest
    }
}

impl RunSpec {
    /// What the run in `dir` will take. It reads the run's data and its model.
    ///
    /// # Errors
    /// Those that keep the run from starting.
    pub fn forecast(&self, dir: &Path) -> Result<Forecast, TunerError> {
        check(self)?;
        let model = self.load_model(dir)?;
        let data = Data::read(dir, self, &model)?;
        Ok(forecast(self, &model, &data))
    }
}

pub(crate) fn forecast(spec: &RunSpec, model: &LanguageModel, data: &Data) -> Forecast {
    let layout = &model.network.layout;
    let all = layout.total as u64;
    let (trained, weights) = match &spec.approach {
        Approach::Full => (all, all),
        Approach::Lora(settings) => (settings.trained(layout), 2 * all),
    };
    let embedding = match &spec.approach {
        Approach::Full => 0,
        Approach::Lora(_) => layout.embedding.len() as u64,
    };
    let threads = spec.threads as u64;
    let (rows, targets, longest) = largest(spec, data);
    let desk = numbers_of_a_pass(&model.network.config, rows, targets, longest, spec.savings.gradient_checkpointing);
    let average = if spec.savings.half_averages { 2 } else { NUMBER };
    let averages = 2 * trained * average;
    // A checkpoint and a model are each made twice: as the bytes of every tensor, and as the file.
    let checkpoint = 2 * (trained * NUMBER + averages);
    let model_file = 2 * all * NUMBER;
    let gradients = threads * (trained + embedding) * NUMBER;
    let passes = threads * desk * NUMBER;
    // The model is written when gradients, averages and passes are gone.
    let saving = checkpoint.max(model_file.saturating_sub(gradients + averages + passes));
    let sets = data.validation.iter().chain([&data.training]);
    // A token and whether it is learned; the records are there, and once more while they are read.
    let rest = PROGRAM + sets.map(|records| 10 * records.tokens()).sum::<u64>();
    Forecast { weights: weights * NUMBER, gradients, averages, passes, saving, rest }
}

/// The most rows and targets that a thread works on at a time, and the longest sequence, over a first epoch and all
/// validation.
fn largest(spec: &RunSpec, data: &Data) -> (u64, u64, u64) {
    let (all, at_once) = (&data.training.all, spec.savings.rows_at_once());
    let order = epoch_order(all.len(), spec.seed, 0);
    let steps = order.chunks(spec.batch_size as usize).map(|step| {
        let records: Vec<_> = step.iter().map(|index| &all[*index as usize]).collect();
        share_out(&records, spec.threads, at_once)
    });
    let whole = |set: &Records| share_out(&set.all.iter().collect::<Vec<_>>(), spec.threads, at_once);
    let measured = data.validation.iter().map(whole);
    let mut most = (0, 0, 0);
    for portion in steps.chain(measured).flatten().flatten() {
        let Rows { tokens, sequences, targets } = portion;
        let longest = sequences.iter().map(ExactSizeIterator::len).max().unwrap_or(0);
        most = (most.0.max(tokens.len()), most.1.max(targets.len()), most.2.max(longest));
    }
    (most.0 as u64, most.1 as u64, most.2 as u64)
}

/// The numbers that one thread's pass and way back keep, as `network` has them.
fn numbers_of_a_pass(config: &ModelConfig, rows: u64, targets: u64, longest: u64, checkpointing: bool) -> u64 {
    let [hidden, gated, fused, query, heads, layers] = [
        config.hidden_size,
        config.intermediate_size,
        config.attention_width(),
        config.query_width(),
        config.num_attention_heads,
        config.num_hidden_layers,
    ]
    .map(|number| number as u64);
    let normed = if config.has_head_norms() { fused } else { 0 };
    let attention = hidden + fused + query + heads + normed + 1;
    let second = 2 * hidden + 3 * gated + 1;
    let layer = attention + second;
    let traces = if checkpointing {
        rows * layer + targets * query
    } else {
        (layers - 1) * rows * layer + rows * attention + targets * (query + second)
    };
    let streams = layers * rows * hidden + targets * hidden;
    let back = rows * (2 * hidden + query + query.max(hidden) + fused + gated);
    let head = targets.min(HEAD_ROWS) * config.vocab_size as u64 + targets * (2 * hidden + 1);
    let scores = 2 * 64 * longest;
    traces + streams + back + head + scores
}
