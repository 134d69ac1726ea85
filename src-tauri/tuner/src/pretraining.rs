//! Making a base model from nothing but text: a tokenizer learned from it, random weights, and the
//! same training loop that tunes.
//!
//! Part of the text is laid out as conversations, the first sentences as the person's and what
//! follows as the assistant's, so that the markers mean something before any tuning: an adapter over
//! a frozen embedding could not tell markers apart that had never been trained.

use std::fs;
use std::path::{Path, PathBuf};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::config::{ModelConfig, TokenIds};
use crate::layout::TensorKind;
use crate::network::Network;
use crate::optimizer::{AdamW, RateCourse};
use crate::parameters::Parameters;
use crate::records::Records;
use crate::tokenizer::TurnTokenizer;
use crate::trainer::{Measured, Trainer};
use crate::training::{self, End, Learner, Position, Progress, Schedule, Wish};
use crate::weights::Precision;
use crate::{Decay, LanguageModel, Role, Savings, TunerError, Turn};

/// Columns of an attention head.
const HEAD_WIDTH: usize = 64;
/// Consecutive paragraphs that are held out, or not, together.
const BLOCK: usize = 16;
/// One block in so many is held out.
const HELD_OUT_ONE_IN: usize = 40;

/// The optimizer's constants for pre-training: quicker to forget and stronger to decay than tuning.
const OPTIMIZER: AdamW = AdamW { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, decay: 0.1, clip: 1.0 };

/// The settings of a pre-training run.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// Tokens of the vocabulary.
    pub vocabulary: usize,
    /// Width of the stream between layers; a multiple of 64.
    pub hidden: usize,
    /// Width inside the gated unit.
    pub gated: usize,
    /// Layers.
    pub layers: usize,
    /// The longest sequence the finished model reads.
    pub context: usize,
    /// How often the text is gone through, each time cut and laid out anew.
    pub rounds: u32,
    /// Pieces of text a step.
    pub batch_size: usize,
    /// The highest learning rate.
    pub learning_rate: f64,
    /// Steps of warm-up.
    pub warmup_steps: u64,
    /// Decides weights, cuts and order.
    pub seed: u64,
    /// Processor threads.
    pub threads: usize,
}

/// What a pre-training run came to.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Weights of the model.
    pub parameters: usize,
    /// Steps taken.
    pub steps: u64,
    /// Tokens read, over all rounds.
    pub tokens: u64,
    /// Mean loss over all training steps, in nats a token, each before its change.
    pub training_loss: f64,
    /// Mean loss on the text that was held out, in nats a token.
    pub held_out_loss: f64,
    /// Tokens held out.
    pub held_out_tokens: u64,
}

/// Trains a tokenizer and a model on the `.txt` files in `texts` and writes the model into `out`,
/// with weights of two bytes. `on_step` is told each step, of how many, and its loss.
///
/// # Errors
/// If a file cannot be read or written, or there is no text.
pub fn pretrain(
    texts: &Path,
    out: &Path,
    recipe: &Recipe,
    on_step: &mut dyn FnMut(u64, u64, f64),
) -> Result<Summary, TunerError> {
    let text = Text::read(texts)?;
    let learned = text.training.iter().flatten().map(String::as_str);
    let tokenizer = TurnTokenizer::learn(learned, recipe.vocabulary)?;
    let network = Network::new(recipe.config(&tokenizer));
    let mut random = ChaCha8Rng::seed_from_u64(recipe.seed);
    let weights = random_weights(&network, &mut random);
    let mut training = Records::default();
    for _ in 0..recipe.rounds {
        lay_out(&text.training, &tokenizer, recipe.context, &mut random, &mut training)?;
    }
    let mut held_out = Records::default();
    lay_out(&text.held_out, &tokenizer, recipe.context, &mut random, &mut held_out)?;
    let schedule = recipe.schedule(training.all.len());
    let parameters = Parameters::full(weights, network.layout.clone());
    let mut pupil = Pupil {
        trainer: Trainer::new(&network, parameters, OPTIMIZER, Savings::default(), recipe.threads)?,
        training: &training,
        held_out: &held_out,
    };
    let steps = schedule.course.total_steps;
    let end = training::run(&schedule, Position::default(), &mut pupil, &mut |progress| {
        if let Progress::Step { step, loss, .. } = progress {
            on_step(step, steps, loss);
        }
        Ok(Wish::GoOn)
    })?;
    let End::Done { training_loss, validation_losses, .. } = end else {
        return Err(TunerError::Data("the run was left".to_string()));
    };
    let Some(&held_out_loss) = validation_losses.first() else {
        return Err(TunerError::Data("no text was held out".to_string()));
    };
    let weights = pupil.trainer.into_weights();
    let summary = Summary {
        parameters: weights.len(),
        steps,
        tokens: training.tokens(),
        training_loss,
        held_out_loss,
        held_out_tokens: held_out.tokens(),
    };
    let model = LanguageModel::new(network, weights, tokenizer);
    model.save_as(out, Precision::Half)?;
    Ok(summary)
}

impl Recipe {
    fn config(&self, tokenizer: &TurnTokenizer) -> ModelConfig {
        let heads = self.hidden / HEAD_WIDTH;
        ModelConfig {
            architectures: vec!["LlamaForCausalLM".to_string()],
            model_type: "llama".to_string(),
            vocab_size: self.vocabulary,
            hidden_size: self.hidden,
            intermediate_size: self.gated,
            num_hidden_layers: self.layers,
            num_attention_heads: heads,
            num_key_value_heads: heads,
            head_dim: HEAD_WIDTH,
            max_position_embeddings: self.context,
            sliding_window: None,
            use_sliding_window: None,
            rms_norm_eps: 1e-5,
            rope_theta: 10_000.0,
            rope_scaling: None,
            tie_word_embeddings: true,
            hidden_act: "silu".to_string(),
            attention_bias: false,
            mlp_bias: false,
            bos_token_id: None,
            eos_token_id: tokenizer.ends().first().map(|end| TokenIds::One(*end)),
            torch_dtype: None,
        }
    }

    fn schedule(&self, records: usize) -> Schedule {
        Schedule {
            records,
            batch_size: self.batch_size,
            // The rounds are laid out one after another as one long epoch.
            epochs: 1,
            seed: self.seed,
            course: RateCourse {
                highest: self.learning_rate,
                warmup_steps: self.warmup_steps,
                total_steps: Schedule::steps(records, self.batch_size, 1),
                decay: Decay::Cosine,
                floor: 0.05,
            },
            validate_every: None,
            early_stopping: None,
        }
    }
}

struct Pupil<'a> {
    trainer: Trainer<'a>,
    training: &'a Records,
    held_out: &'a Records,
}

impl Learner for Pupil<'_> {
    fn step(&mut self, records: &[u32], step: u64, rate: f64) -> Measured {
        let all = &self.training.all;
        let records: Vec<_> = records.iter().map(|index| &all[*index as usize]).collect();
        self.trainer.step(&records, step, rate)
    }

    fn validate(&mut self) -> Vec<f64> {
        let records = &self.held_out.all;
        if records.is_empty() { Vec::new() } else { vec![self.trainer.measure(records).mean()] }
    }

    fn keep(&mut self, _position: &Position) -> Result<(), TunerError> {
        // Minutes of work that anyone can repeat; nothing is kept between steps.
        Ok(())
    }
}

/// Even random numbers of standard deviation 0.02, less in the matrices that write into the stream,
/// whose contributions add up over the layers; gains of one.
fn random_weights(network: &Network, random: &mut ChaCha8Rng) -> Vec<f32> {
    let mut weights = vec![1.0; network.layout.total];
    let sums = (2.0 * network.config.num_hidden_layers as f32).sqrt();
    for tensor in &network.layout.tensors {
        let writes = tensor.name.contains("o_proj") || tensor.name.contains("down_proj");
        let deviation = if writes { 0.02 / sums } else { 0.02 };
        if tensor.kind != TensorKind::Norm {
            let bound = deviation * 3.0_f32.sqrt();
            for weight in &mut weights[tensor.range()] {
                *weight = random.random_range(-bound..bound);
            }
        }
    }
    weights
}

/// Text as lists of sentences that follow one another.
#[derive(Default)]
struct Text {
    training: Vec<Vec<String>>,
    held_out: Vec<Vec<String>>,
}

impl Text {
    fn read(dir: &Path) -> Result<Text, TunerError> {
        let entries = fs::read_dir(dir).map_err(TunerError::file("could not read", dir))?;
        let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
        let mut paths = paths.map_err(TunerError::file("could not read", dir))?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
        // A folder is listed in no particular order, but the result must repeat.
        paths.sort();
        let mut text = Text::default();
        for path in paths {
            let whole = fs::read_to_string(&path).map_err(TunerError::file("could not read", &path))?;
            text.add(&whole);
        }
        if text.training.is_empty() {
            let why = format!("no text in {}", dir.display());
            return Err(TunerError::Data(why));
        }
        Ok(text)
    }

    fn add(&mut self, whole: &str) {
        let paragraphs: Vec<&str> = whole.split("\n\n").filter(|text| !text.trim().is_empty()).collect();
        for (index, block) in paragraphs.chunks(BLOCK).enumerate() {
            let list: Vec<String> = block.iter().flat_map(|paragraph| sentences(paragraph)).collect();
            if index % HELD_OUT_ONE_IN == HELD_OUT_ONE_IN / 2 {
                self.held_out.push(list);
            } else if index % HELD_OUT_ONE_IN == HELD_OUT_ONE_IN / 2 + 1 || self.training.is_empty() {
                self.training.push(list);
            } else if let Some(last) = self.training.last_mut() {
                last.extend(list);
            }
        }
    }
}

/// A paragraph's sentences, each with what separates it from the next.
fn sentences(paragraph: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut current = String::new();
    for word in paragraph.trim().split_inclusive(char::is_whitespace) {
        current += word;
        let bare = word.trim_end().trim_end_matches(['”', '’', '"', ')', '_', '*']);
        if bare.ends_with(['.', '?', '!']) && current.len() > 20 {
            found.push(std::mem::take(&mut current));
        }
    }
    current += "\n\n";
    found.push(current);
    found
}

/// Cuts each list into pieces of a few sentences, and lays each piece out as plain text, as a
/// question with its answer, or with a system's turn before them.
fn lay_out(
    lists: &[Vec<String>],
    tokenizer: &TurnTokenizer,
    context: usize,
    random: &mut ChaCha8Rng,
    into: &mut Records,
) -> Result<(), TunerError> {
    for list in lists {
        let mut rest = list.as_slice();
        while !rest.is_empty() {
            let wanted = random.random_range(100..900);
            let mut length = 0;
            let count = rest
                .iter()
                .take_while(|sentence| {
                    let room = length < wanted;
                    length += sentence.len();
                    room
                })
                .count();
            let (piece, after) = rest.split_at(count);
            rest = after;
            into.push(tokenizer.lay_out(&turns(piece, random), true)?, context);
        }
    }
    Ok(())
}

fn turns(piece: &[String], random: &mut ChaCha8Rng) -> Vec<Turn> {
    let joined = |part: &[String]| part.concat().trim().to_string();
    let chance: f32 = random.random();
    if piece.len() >= 3 && chance < 0.15 {
        let question = random.random_range(2..piece.len());
        return vec![
            Turn::new(Role::System, joined(&piece[..1])),
            Turn::new(Role::User, joined(&piece[1..question])),
            Turn::new(Role::Assistant, joined(&piece[question..])),
        ];
    }
    if piece.len() >= 2 && chance < 0.6 {
        let question = random.random_range(1..piece.len());
        return vec![
            Turn::new(Role::User, joined(&piece[..question])),
            Turn::new(Role::Assistant, joined(&piece[question..])),
        ];
    }
    vec![Turn::new(Role::Assistant, joined(piece))]
}
