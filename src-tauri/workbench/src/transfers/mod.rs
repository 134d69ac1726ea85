//! Files on their way to and from S3, as activities: rate and time left shown, cancelled from there.
//!
//! Owns the one limit that all transfers keep to. How a transfer goes on after a crash is `cloud`'s; where its journal
//! stands is said by whoever begins it.
//!
//! | file | what it does |
//! | --- | --- |
//! | `mod.rs` | the limit; a transfer followed by its activity |
//! | `browse.rs` | S3 as the window shows it; objects brought here |

mod browse;

use std::path::PathBuf;
use std::sync::Arc;

use whetstone_cloud::{Bandwidth, CloudError, Transfer, TransferOptions, TransferProgress};

use crate::activities::ActivityHandle;

pub struct Transfers {
    bandwidth: Arc<Bandwidth>,
    /// Files that are brought here to be imported.
    folder: PathBuf,
}

impl Transfers {
    /// What an earlier run left in the folder stays: a dataset may have been opened in place from there.
    pub fn open(folder: PathBuf) -> Self {
        Self { bandwidth: Arc::new(Bandwidth::unlimited()), folder }
    }

    /// Bytes a second, all transfers together, from now on.
    pub fn limit(&self, limit: Option<u64>) {
        self.bandwidth.set(limit);
    }

    /// A journal of a transfer that has no folder of its own.
    pub fn journal(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.journal"))
    }

    /// For a transfer whose journal stands there.
    pub fn options(&self, journal: PathBuf) -> TransferOptions {
        TransferOptions { bandwidth: Arc::clone(&self.bandwidth), ..TransferOptions::new(journal) }
    }
}

/// Shows a transfer in an activity until it ends, and cancels it when the activity is.
pub async fn follow(mut transfer: Transfer, activity: &mut ActivityHandle, phase: &str) -> Result<(), CloudError> {
    while let Some(progress) = transfer.next_progress().await {
        if activity.is_cancelled() {
            transfer.cancel();
            break;
        }
        activity.progress(&in_words(phase, &progress), share(&progress));
    }
    transfer.join().await.map(drop)
}

fn share(progress: &TransferProgress) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a share of a bar")]
    (progress.total_bytes > 0).then(|| (progress.bytes as f64 / progress.total_bytes as f64).min(1.0))
}

fn in_words(phase: &str, progress: &TransferProgress) -> String {
    let megabytes = progress.bytes_a_second / 1_000_000.0;
    let files = if progress.total_files > 1 {
        format!(" · {} of {} files", progress.files, progress.total_files)
    } else {
        String::new()
    };
    if megabytes >= 0.05 { format!("{phase}{files} · {megabytes:.1} MB/s") } else { format!("{phase}{files}") }
}
