//! Small language models on this machine: a Llama-style decoder with its tokenizer, tuned in full or
//! with low-rank adapters, asked with a cache of keys and values.
//!
//! Forward and backward passes are written by hand over the `gemm` crate. That is what the app exists
//! for, and it is what makes a first tune take minutes on two cores: general tensor libraries spend
//! as much time again on allocation and on gradients nobody asked for.
//!
//! A training run is a folder ([`RunSpec`]) and a process ([`worker_process`]) that tells its
//! progress as lines of JSON ([`RunEvent`]). The folder is the caller's; weights in memory belong to
//! whoever holds the [`LanguageModel`].
//!
//! Deliberately absent: any network I/O, any notion of a job or a cloud, and threads that outlive a
//! call (a worker process's watch over its standard input excepted).

mod adapter;
mod chat_template;
mod checkpoint;
pub mod comparison;
mod config;
mod error;
mod files;
mod folder;
mod forecast;
mod generation;
mod kernels;
mod language_model;
mod layout;
mod low_rank;
mod network;
mod optimizer;
mod parameters;
pub mod pretraining;
mod product;
mod records;
mod run;
#[cfg(test)]
mod tests;
mod tokenizer;
mod trainer;
mod training;
mod turns;
mod weights;
mod worker;

pub use error::TunerError;
pub use forecast::Forecast;
pub use generation::{Generated, Piece, SampleOptions, StopReason};
pub use language_model::LanguageModel;
pub use records::first_records;
pub use run::{
    Approach, Decay, EarlyStopping, LoraSettings, MODEL_FOLDER, Objective, RUN_FILE, RunEvent, RunSpec, Savings,
};
pub use tokenizer::LaidOutPiece;
pub use turns::{Role, Turn};
pub use worker::{WorkerEnd, run_worker, worker_process};
