//! What it takes to hold this crate to another implementation: logits, gradients, a curve of steps and
//! greedy tokens, for token sequences that the other one is given as well.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::generation::{Memory, likeliest};
use crate::network::{Pass, Rows};
use crate::parameters::{Gradient, Parameters};
use crate::product::{Into, View, ViewMut, multiply};
use crate::tokenizer::LaidOut;
use crate::trainer::Trainer;
use crate::worker::TUNING;
use crate::{LanguageModel, Savings, TunerError};

/// What one pass over some sequences found, every next token predicted.
#[derive(Debug, Clone)]
pub struct Found {
    /// Mean cross-entropy over the predicted tokens, in nats.
    pub loss: f64,
    /// The logits after each token, sequence after sequence.
    pub logits: Vec<Vec<f32>>,
    /// The mean loss's gradient by each tensor, under its name in the files.
    pub gradients: BTreeMap<String, Vec<f32>>,
}

/// Runs `model` over `sequences`, forward and back.
pub fn examine(model: &LanguageModel, sequences: &[Vec<u32>]) -> Found {
    let (network, weights) = (&model.network, &model.weights);
    let mut rows = Rows::default();
    let mut every = Vec::new();
    for sequence in sequences {
        let start = rows.tokens.len();
        rows.tokens.extend(sequence);
        rows.sequences.push(start..rows.tokens.len());
        every.extend((start..rows.tokens.len()).map(|row| (row, 0)));
        rows.targets.extend(sequence.iter().skip(1).enumerate().map(|(at, token)| (start + at, *token)));
    }
    let mut pass = Pass::default();
    network.forward(weights, &Rows { targets: every, ..rows.clone() }, &mut pass, 1);
    network.logits(weights, &mut pass, 1);
    let logits = pass.head.logits.chunks(network.config.vocab_size).map(<[f32]>::to_vec).collect();

    let parameters = Parameters::full(weights.to_vec(), network.layout.clone());
    let mut gradient = Gradient::default();
    parameters.clear(&mut gradient);
    let scale = 1.0 / rows.targets.len() as f32;
    network.forward(weights, &rows, &mut pass, 1);
    let mut sink = parameters.sink(&mut gradient);
    let loss = network.backward(weights, &rows, &mut pass, scale, sink.as_mut(), 1) * f64::from(scale);
    drop(sink);
    let of = |tensor: &crate::layout::Tensor| (tensor.name.clone(), gradient.values[tensor.range()].to_vec());
    Found { loss, logits, gradients: network.layout.tensors.iter().map(of).collect() }
}

/// The mean loss of each step of a full tuning at a steady rate, every next token predicted: a step for each of
/// `batches`, with the optimizer that every run has.
///
/// # Errors
/// [`TunerError::Settings`] where there cannot be so many threads.
pub fn curve(
    model: &LanguageModel,
    batches: &[Vec<Vec<u32>>],
    rate: f64,
    threads: usize,
) -> Result<Vec<f64>, TunerError> {
    let parameters = Parameters::full(model.weights.to_vec(), model.network.layout.clone());
    let mut trainer = Trainer::new(&model.network, parameters, TUNING, Savings::default(), threads)?;
    let whole = |tokens: &Vec<u32>| LaidOut { tokens: tokens.clone(), learned: vec![true; tokens.len()] };
    let steps = batches.iter().zip(0..).map(|(batch, step)| {
        let records: Vec<LaidOut> = batch.iter().map(whole).collect();
        trainer.step(&records.iter().collect::<Vec<_>>(), step, rate).mean()
    });
    Ok(steps.collect())
}

/// Floating-point operations a second of large matrix products on `threads` threads: what no training can surpass here.
///
/// # Errors
/// [`TunerError::Settings`] where there cannot be so many threads.
pub fn peak(threads: usize) -> Result<f64, TunerError> {
    const SIZE: usize = 1024;
    const TIMES: usize = 20;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| TunerError::Settings(format!("{threads} threads: {error}")))?;
    let (left, right) = (vec![0.5_f32; SIZE * SIZE], vec![0.25_f32; SIZE * SIZE]);
    let mut out = vec![0.0_f32; SIZE * SIZE];
    let mut product = || {
        let (left, right) = (View::packed(&left, SIZE, SIZE), View::packed(&right, SIZE, SIZE));
        multiply(ViewMut::packed(&mut out, SIZE, SIZE), Into::Replace, 1.0, left, right, threads);
    };
    // The quickest counts: whatever else the machine did can only have slowed a product down.
    let quickest = pool.install(|| {
        product();
        let mut time = || {
            let started = Instant::now();
            product();
            started.elapsed()
        };
        (0..TIMES).map(|_| time()).min()
    });
    let seconds = quickest.unwrap_or_default().as_secs_f64();
    Ok(2.0 * (SIZE as f64).powi(3) / seconds)
}

/// The likeliest token after `prompt`, and after that one, and so on.
pub fn greedy(model: &LanguageModel, prompt: &[u32], count: usize) -> Vec<u32> {
    let mut memory = Memory::new(&model.network);
    let mut unread = prompt.to_vec();
    let mut tokens = Vec::new();
    while tokens.len() < count {
        let logits = memory.read(&model.network, &model.weights, &unread);
        let best = likeliest(logits);
        tokens.push(best);
        unread = vec![best];
    }
    tokens
}
