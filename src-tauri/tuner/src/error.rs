//! What can go wrong in this crate, told apart by what the caller can do about it.

use std::path::{Path, PathBuf};

/// An error of the tuner. The message says what happened; the variant says whose turn it is.
#[derive(Debug, thiserror::Error)]
pub enum TunerError {
    /// A file or folder could not be read or written.
    #[error("{action} {}: {source}", path.display())]
    File {
        /// What was being done, as a verb with its object: "could not read".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A checkpoint's folder holds something this crate cannot run: another architecture, a missing
    /// or misshapen tensor, a broken tokenizer.
    #[error("the model cannot be used: {0}")]
    Model(String),
    /// The model's own chat template cannot lay out these turns, or none at all.
    #[error("the model's chat template refuses this conversation: {0}")]
    Template(String),
    /// A prompt leaves no room for an answer within the model's context.
    #[error("the prompt has {tokens} tokens, and this model reads at most {limit}")]
    PromptTooLong {
        /// Tokens of the prompt, with its role markers.
        tokens: usize,
        /// The most that still leaves room for one token of answer.
        limit: usize,
    },
    /// The training or validation data cannot be trained on.
    #[error("the training data cannot be used: {0}")]
    Data(String),
    /// The run's settings contradict themselves or lie outside what this crate can do.
    #[error("the run cannot be started: {0}")]
    Settings(String),
    /// Another worker holds the run's folder.
    #[error("another worker is already running in {}", .0.display())]
    Busy(PathBuf),
    /// A checkpoint is there, but it is not this run's or it is damaged.
    #[error("the checkpoint cannot be used: {0}")]
    Checkpoint(String),
    /// The loss stopped being a number: the learning rate is too high for this data.
    #[error("the loss is no longer a number after step {step}; a lower learning rate is needed")]
    Diverged {
        /// The step whose loss was not finite.
        step: u64,
    },
    /// The reader of the events went away.
    #[error("the run's events could not be delivered: {0}")]
    Events(std::io::Error),
}

impl TunerError {
    /// Attaches the path and the action to an operating system error.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> TunerError {
        let path = path.to_path_buf();
        move |source| TunerError::File { action, path, source }
    }
}
