//! What the caller of a transfer holds: how far it is, and pause, cancel, join.

use std::future::Future;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::{CloudError, CloudErrorCode};

/// How far a transfer is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TransferProgress {
    /// Bytes that are where they belong or on their way there, earlier runs included.
    pub bytes: u64,
    pub total_bytes: u64,
    pub files: u64,
    pub total_files: u64,
    /// Over the last seconds.
    pub bytes_a_second: f64,
    /// None while it cannot be told.
    pub seconds_left: Option<f64>,
    /// How many requests may run at once right now.
    pub at_once: usize,
    pub paused: bool,
}

/// What a transfer did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TransferOutcome {
    pub files: u64,
    pub bytes: u64,
    /// Files for which the service named no checksum of the whole to compare with; their sizes were compared.
    pub unchecked: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Control {
    Run,
    Pause,
    Stop,
    Cancel,
}

/// A transfer under way. Dropping it stops the work as the end of the program would: the journal and the parts stay,
/// and the same call goes on from there.
#[derive(Debug)]
pub struct Transfer {
    operation: &'static str,
    progress: watch::Receiver<TransferProgress>,
    control: watch::Sender<Control>,
    task: JoinHandle<Result<TransferOutcome, CloudError>>,
}

impl Transfer {
    pub(super) fn start<F>(
        operation: &'static str,
        work: impl FnOnce(watch::Receiver<Control>, watch::Sender<TransferProgress>) -> F,
    ) -> Self
    where
        F: Future<Output = Result<TransferOutcome, CloudError>> + Send + 'static,
    {
        let (tell, progress) = watch::channel(TransferProgress::default());
        let (control, controlled) = watch::channel(Control::Run);
        let task = tokio::spawn(work(controlled, tell));
        Self { operation, progress, control, task }
    }

    pub fn progress(&self) -> TransferProgress {
        *self.progress.borrow()
    }

    /// Waits for news; none once the work has ended.
    pub async fn next_progress(&mut self) -> Option<TransferProgress> {
        self.progress.changed().await.ok()?;
        Some(*self.progress.borrow_and_update())
    }

    /// Begins no further request; those under way come to their end.
    pub fn pause(&self) {
        self.control.send_replace(Control::Pause);
    }

    pub fn resume(&self) {
        self.control.send_replace(Control::Run);
    }

    /// Ends the work and takes away what it left half done, at both ends. [`Transfer::join`] then says `Cancelled`.
    pub fn cancel(&self) {
        self.control.send_replace(Control::Cancel);
    }

    /// Stops the work as dropping it does, and waits until nothing of it runs any more, so that the same call may follow.
    pub async fn stop(self) {
        self.control.send_replace(Control::Stop);
        // It was stopped, or had come to its end before.
        self.join().await.ok();
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// `Cancelled` after [`Transfer::cancel`]; `LocalFile` for a file that cannot be read or written, or that changed
    /// meanwhile; what the service refused; and what did not pass by itself after some patience. Except after `Cancelled`
    /// the same call goes on where this one ended.
    pub async fn join(mut self) -> Result<TransferOutcome, CloudError> {
        match (&mut self.task).await {
            Ok(result) => result,
            Err(error) => Err(CloudError::new(self.operation, CloudErrorCode::Other, error.to_string())),
        }
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
