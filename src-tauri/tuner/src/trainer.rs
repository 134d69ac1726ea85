//! One training step, and the loss without one: the records of a step are shared among threads, each
//! runs its own passes into its own gradient, and the gradients are summed in a fixed order.
//!
//! Sharing by record beats splitting every product: small matrices leave little to split, and all
//! that is not a product is shared for free. When there are fewer records than threads, the products
//! of each record are split as well.

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::kernels::lanes::widest;
use crate::network::{Network, Pass, Rows};
use crate::optimizer::{AdamW, Moments};
use crate::parameters::{Gradient, Parameters};
use crate::records::share_out;
use crate::tokenizer::LaidOut;
use crate::{Savings, TunerError};

/// What training changes, with the room to do it.
pub(crate) struct Trainer<'a> {
    network: &'a Network,
    parameters: Parameters,
    moments: Moments,
    optimizer: AdamW,
    threads: usize,
    /// Rows that a thread works on at a time.
    at_once: usize,
    pool: ThreadPool,
    desks: Vec<Desk>,
}

/// One thread's room.
#[derive(Default)]
struct Desk {
    pass: Pass,
    gradient: Gradient,
    loss: f64,
}

/// What a step or a measurement found.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Measured {
    /// Summed loss over the predicted tokens, in nats.
    pub loss: f64,
    /// Predicted tokens.
    pub predicted: u64,
    /// Tokens read.
    pub tokens: u64,
}

impl Measured {
    /// The loss of a token.
    pub fn mean(&self) -> f64 {
        self.loss / self.predicted.max(1) as f64
    }
}

impl<'a> Trainer<'a> {
    /// A trainer that has taken no step.
    pub fn new(
        network: &'a Network,
        parameters: Parameters,
        optimizer: AdamW,
        savings: Savings,
        threads: usize,
    ) -> Result<Trainer<'a>, TunerError> {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|error| TunerError::Settings(format!("{threads} threads: {error}")))?;
        Ok(Trainer {
            moments: Moments::new(parameters.trainable().len(), savings.half_averages),
            desks: (0..threads).map(|_| Desk::new(savings.gradient_checkpointing)).collect(),
            network,
            parameters,
            optimizer,
            threads,
            at_once: savings.rows_at_once(),
            pool,
        })
    }

    /// What may change, and what the optimizer remembers of it.
    pub fn state(&self) -> (&[f32], &Moments) {
        (self.parameters.trainable(), &self.moments)
    }

    /// Takes up the state of an earlier trainer of the same form.
    pub fn restore(&mut self, trainable: &[f32], moments: Moments) {
        let Trainer { pool, parameters, .. } = self;
        pool.install(|| parameters.update(|values| values.copy_from_slice(trainable)));
        self.moments = moments;
    }

    /// What may change, in its own form.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The weights as they are now.
    pub fn into_weights(self) -> Vec<f32> {
        self.parameters.into_weights()
    }

    /// Learns from `records`: the `step`-th change, from 0, at learning rate `rate`. The loss is the
    /// one before the change.
    pub fn step(&mut self, records: &[&LaidOut], step: u64, rate: f64) -> Measured {
        let shares = share_out(records, self.threads, self.at_once);
        let mut measured = count(&shares);
        let scale = 1.0 / measured.predicted.max(1) as f32;
        let split = self.threads / shares.len();
        let Trainer { network, parameters, moments, optimizer, pool, desks, .. } = self;
        pool.install(|| {
            parameters.begin_step(step);
            let parameters_now = &*parameters;
            let desks = &mut desks[..shares.len()];
            desks.par_iter_mut().zip(&shares).for_each(|(desk, share)| {
                desk.learn(network, parameters_now, share, scale, split);
            });
            measured.loss = desks.iter().map(|desk| desk.loss).sum();
            let Some((first, others)) = desks.split_first_mut() else {
                return;
            };
            for other in others {
                sum(&mut first.gradient.values, &other.gradient.values);
            }
            let gains = parameters.gains();
            parameters.update(|values| {
                let gradient = &first.gradient.values;
                optimizer.step(values, gradient, moments, &gains, step, rate);
            });
        });
        measured
    }

    /// The loss over all of `records`, changing nothing.
    pub fn measure(&mut self, records: &[LaidOut]) -> Measured {
        let shares = share_out(&records.iter().collect::<Vec<_>>(), self.threads, self.at_once);
        let mut measured = count(&shares);
        let split = self.threads / shares.len();
        let Trainer { network, parameters, pool, desks, .. } = self;
        pool.install(|| {
            desks.par_iter_mut().zip(&shares).for_each(|(desk, share)| {
                desk.measure(network, parameters.weights(), share, split);
            });
        });
        measured.loss = desks.iter().take(shares.len()).map(|desk| desk.loss).sum();
        measured
    }
}

impl Desk {
    fn new(checkpointing: bool) -> Desk {
        Desk { pass: Pass { checkpointing, ..Pass::default() }, ..Desk::default() }
    }

    fn learn(&mut self, network: &Network, parameters: &Parameters, share: &[Rows], scale: f32, threads: usize) {
        self.loss = 0.0;
        parameters.clear(&mut self.gradient);
        let weights = parameters.weights();
        for rows in share {
            network.forward(weights, rows, &mut self.pass, threads);
            let mut sink = parameters.sink(&mut self.gradient);
            let pass = &mut self.pass;
            self.loss += network.backward(weights, rows, pass, scale, sink.as_mut(), threads);
        }
        parameters.settle(&mut self.gradient, threads);
    }

    fn measure(&mut self, network: &Network, weights: &[f32], share: &[Rows], threads: usize) {
        self.loss = 0.0;
        for rows in share {
            network.forward(weights, rows, &mut self.pass, threads);
            self.loss += network.loss(weights, rows, &mut self.pass, threads);
        }
    }
}

fn count(shares: &[Vec<Rows>]) -> Measured {
    let rows = || shares.iter().flatten();
    Measured {
        loss: 0.0,
        predicted: rows().map(|rows| rows.targets.len() as u64).sum(),
        tokens: rows().map(|rows| rows.tokens.len() as u64).sum(),
    }
}

fn sum(into: &mut [f32], values: &[f32]) {
    const CHUNK: usize = 1 << 15;
    into.par_chunks_mut(CHUNK).zip(values.par_chunks(CHUNK)).for_each(|(into, values)| {
        widest!({
            for (into, value) in into.iter_mut().zip(values) {
                *into += value;
            }
        });
    });
}
