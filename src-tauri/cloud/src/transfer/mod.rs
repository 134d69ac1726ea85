//! Files and folders to S3 and back: in parts, several at once, checked, resumed after any end of the program.
//!
//! Better than a call of the SDK in what a person notices: a transfer goes on where it was killed, tells how fast it is
//! and how long it will take, can be paused and slowed down, and never mixes two states of a file. How many requests run
//! at once is found out by measuring; what they hold in memory is bounded.
//!
//! What is under way is written down in a journal whose place the caller chooses; the same call with the same journal
//! goes on. Owner of all state is the task behind a [`Transfer`]; dropping that stops it as a crash would.
//! Deliberately absent: synchronising two folders, deleting, encryption beyond what the bucket does by itself.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `handle` | the handle: progress, pause, cancel, join |
//! | `engine` | pieces of work, several at once; how many is measured in `pace` |
//! | `bandwidth` | a limit in bytes a second; a body that keeps to it |
//! | `checksum` | CRC64NVME of pieces and of the whole |
//! | `journal` | what is written down |
//! | `upload`, `resume` | to S3; what was there already when the program ended |
//! | `download`, `ranges` | from S3; a large object in ranges |
//! | `abandoned` | parts that nobody will complete |

mod abandoned;
mod bandwidth;
mod checksum;
mod download;
mod engine;
mod handle;
mod journal;
mod pace;
mod ranges;
mod resume;
mod upload;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use abandoned::AbandonedUpload;
pub use bandwidth::Bandwidth;
pub use handle::{Transfer, TransferOutcome, TransferProgress};

use crate::{CloudError, CloudErrorCode};

/// A file up to this size goes in one request, and parts are this long: small enough to be sent again when a connection
/// breaks and to be held in memory several times; S3 wants at least 5 MiB.
pub(crate) const PART: u64 = 8 * 1024 * 1024;
/// S3 takes no more parts than this; a file so large that it would need more gets larger parts.
const MOST_PARTS: u64 = 10_000;

/// How a transfer is to go.
#[derive(Debug, Clone)]
pub struct TransferOptions {
    /// Where it is written down what is under way: a file of this transfer's own.
    pub journal: PathBuf,
    /// Shared by all transfers that are to keep to one limit.
    pub bandwidth: Arc<Bandwidth>,
    /// Leave the journal when all is done, so that the same call again finds that it is; else it is removed.
    pub keep_journal: bool,
}

impl TransferOptions {
    /// As fast as it goes.
    pub fn new(journal: impl Into<PathBuf>) -> Self {
        Self { journal: journal.into(), bandwidth: Arc::new(Bandwidth::unlimited()), keep_journal: false }
    }
}

/// A file on this computer could not be read or written.
fn local(operation: &'static str, path: &Path, error: &dyn fmt::Display) -> CloudError {
    CloudError::new(operation, CloudErrorCode::LocalFile, format!("{}: {error}", path.display()))
}

/// Blocking work aside. A panic there is this program's defect.
async fn aside<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> Result<T, CloudError> + Send + 'static,
) -> Result<T, CloudError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(CloudError::new(operation, CloudErrorCode::Other, error.to_string())),
    }
}
