//! From S3: an object in one request, or in ranges when it is large; all objects under a prefix.
//!
//! A file is there, under its name, only once all of it is and fits the checksum that the service names.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::types::ChecksumMode;
use tokio::sync::watch;

use super::bandwidth::{Bandwidth, Sent};
use super::engine::{Job, Meter, drive};
use super::handle::{Control, Transfer, TransferOutcome, TransferProgress};
use super::journal::{Entry, Journal, Stamp};
use super::ranges::{self, Ranges};
use super::upload::{LARGE, SMALL};
use super::{PART, TransferOptions, aside, checksum, local};
use crate::error::last_cause;
use crate::{Cloud, CloudError, CloudErrorCode, ObjectSummary, S3Uri};

impl Cloud {
    /// Downloads an object to a file, which may be one that is there: it is replaced once all is here.
    pub fn download_file(&self, from: &S3Uri, to: &Path, options: TransferOptions) -> Transfer {
        let (cloud, from, to) = (self.clone(), from.clone(), to.to_owned());
        self.download(options, async move {
            let head = cloud.head_object(&from.bucket, &from.key).await?;
            Ok(vec![Target::new(from, to, head.size)])
        })
    }

    /// Downloads everything below a prefix into a folder, under names that are the rest of the keys.
    pub fn download_folder(&self, from: &S3Uri, to: &Path, options: TransferOptions) -> Transfer {
        let (cloud, from, to) = (self.clone(), from.clone(), to.to_owned());
        self.download(options, async move {
            let prefix =
                if from.key.is_empty() { String::new() } else { format!("{}/", from.key.trim_end_matches('/')) };
            let objects = cloud.list_objects(&from.bucket, &prefix).await?;
            // Some tools mark a folder by an empty object.
            let files = objects.into_iter().filter(|object| !object.key.ends_with('/'));
            files.map(|object| target_below(&from.bucket, &prefix, &to, object)).collect()
        })
    }

    fn download(
        &self,
        options: TransferOptions,
        targets: impl Future<Output = Result<Vec<Target>, CloudError>> + Send + 'static,
    ) -> Transfer {
        let cloud = self.clone();
        Transfer::start("Download", move |control, tell| async move {
            let journal = options.journal.clone();
            let journal = aside("Download", move || Journal::open(&journal)).await?;
            let job = Download {
                s3: cloud.for_transfers(options.bandwidth.limit()),
                targets: targets.await?,
                journal,
                keep_journal: options.keep_journal,
                bandwidth: options.bandwidth,
                meter: Meter::default(),
            };
            Arc::new(job).run(control, tell).await
        })
    }
}

/// A file that is to be there.
pub(super) struct Target {
    pub(super) from: S3Uri,
    pub(super) path: PathBuf,
    /// As it was listed.
    size: u64,
    /// Once its ranges are begun.
    pub(super) ranges: OnceLock<Ranges>,
}

pub(super) struct Download {
    pub(super) s3: aws_sdk_s3::Client,
    pub(super) targets: Vec<Target>,
    pub(super) journal: Journal,
    keep_journal: bool,
    pub(super) bandwidth: Arc<Bandwidth>,
    pub(super) meter: Meter,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Work {
    Whole(usize),
    Begin(usize),
    Range(usize, u64),
    Finish(usize),
}

impl Target {
    fn new(from: S3Uri, path: PathBuf, size: u64) -> Self {
        Self { from, path, size, ranges: OnceLock::new() }
    }

    pub(super) fn address(&self) -> String {
        self.from.to_string()
    }

    /// Where the content gathers until it is whole.
    pub(super) fn unfinished_path(&self) -> PathBuf {
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.path.with_file_name(format!(".{name}.part"))
    }
}

/// A key is a stranger's text: one that would lead out of the folder is refused.
fn target_below(bucket: &str, prefix: &str, folder: &Path, object: ObjectSummary) -> Result<Target, CloudError> {
    let name = object.key.strip_prefix(prefix).unwrap_or(&object.key);
    let inside = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\0', '\\']);
    if !name.split('/').all(inside) {
        let message = format!("the key {:?} is not the name of a file below the folder", object.key);
        return Err(CloudError::new("Download", CloudErrorCode::Validation, message));
    }
    let path = folder.join(name);
    Ok(Target::new(S3Uri { bucket: bucket.to_owned(), key: object.key }, path, object.size))
}

/// Writes a file that is either whole or not there. Folders above it are made.
fn write_whole(unfinished: &Path, path: &Path, content: &[u8]) -> Result<Stamp, CloudError> {
    let trouble = |error: std::io::Error| local("Download", path, &error);
    let written = std::fs::write(unfinished, content);
    if written.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        path.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(trouble)?;
        std::fs::write(unfinished, content).map_err(trouble)?;
    } else {
        written.map_err(trouble)?;
    }
    std::fs::rename(unfinished, path).map_err(trouble)?;
    std::fs::metadata(path).map(|metadata| Stamp::of(&metadata)).map_err(trouble)
}

/// Whether the SDK held the content to a checksum of the whole as it came.
fn was_checked(object: &GetObjectOutput) -> bool {
    let checksums = [
        &object.checksum_crc64_nvme,
        &object.checksum_crc32,
        &object.checksum_crc32_c,
        &object.checksum_sha256,
        &object.checksum_sha1,
    ];
    checksums.into_iter().flatten().any(|checksum| !checksum.contains('-'))
}

impl Download {
    async fn run(
        self: Arc<Self>,
        mut control: watch::Receiver<Control>,
        tell: watch::Sender<TransferProgress>,
    ) -> Result<TransferOutcome, CloudError> {
        let mut work = Vec::new();
        for (index, target) in self.targets.iter().enumerate() {
            self.meter.total_bytes.fetch_add(target.size, Ordering::Relaxed);
            let here = || std::fs::metadata(&target.path).ok().map(|metadata| Stamp::of(&metadata));
            let done = self.journal.known(&target.address()).done;
            if done.is_some() && done == here() {
                self.meter.skipped(target.size);
                self.meter.file_done();
            } else if target.size <= PART {
                work.push(Work::Whole(index));
            } else {
                work.push(Work::Begin(index));
            }
        }
        self.meter.total_files.store(self.targets.len() as u64, Ordering::Relaxed);
        let small = work.iter().all(|work| matches!(work, Work::Whole(_)));
        match drive(&self, work, if small { SMALL } else { LARGE }, &mut control, &tell).await {
            Ok(()) => {
                if !self.keep_journal {
                    self.journal.remove()?;
                }
                Ok(self.meter.outcome())
            }
            Err(error) if error.code == CloudErrorCode::Cancelled => {
                for target in &self.targets {
                    // One that was not begun has none.
                    std::fs::remove_file(target.unfinished_path()).ok();
                }
                self.journal.remove()?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    async fn get_whole(&self, index: usize) -> Result<(), CloudError> {
        let target = &self.targets[index];
        let sent = Sent::of(&self.meter.bytes);
        let get = self.s3.get_object().bucket(&target.from.bucket).key(&target.from.key);
        let object = get.checksum_mode(ChecksumMode::Enabled).send().await.map_err(CloudError::of("GetObject"))?;
        let checked = was_checked(&object);
        let md5 = object.e_tag.as_deref().filter(|_| !checked && object.ssekms_key_id.is_none());
        let md5 = md5.and_then(checksum::md5_of_etag).map(str::to_ascii_lowercase);
        let length = object.content_length.and_then(|length| usize::try_from(length).ok());
        let mut content = Vec::with_capacity(length.unwrap_or(0).min(PART as usize));
        let mut body = object.body;
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|error| {
                sent.begin_again();
                broke_off(&target.from, &last_cause(&error))
            })?;
            self.bandwidth.wait(piece.len()).await;
            sent.add(piece.len() as u64);
            content.extend_from_slice(&piece);
        }
        if length.is_some_and(|length| length != content.len()) {
            sent.begin_again();
            return Err(broke_off(&target.from, "it is shorter than it was said to be"));
        }
        if !checked && md5.is_none() {
            self.meter.unchecked.fetch_add(1, Ordering::Relaxed);
        }
        let (unfinished, path, from) = (target.unfinished_path(), target.path.clone(), target.from.clone());
        let stamp = aside("Download", move || {
            if md5.is_some_and(|md5| md5 != checksum::md5(&content)) {
                return Err(damaged(&from));
            }
            write_whole(&unfinished, &path, &content)
        })
        .await;
        let stamp = stamp.inspect_err(|_| sent.begin_again())?;
        self.done(target, stamp)
    }

    pub(super) fn done(&self, target: &Target, stamp: Stamp) -> Result<(), CloudError> {
        self.meter.file_done();
        self.journal.note(Entry::Done { of: target.address(), stamp })
    }
}

pub(super) fn broke_off(from: &S3Uri, why: &str) -> CloudError {
    CloudError::new("GetObject", CloudErrorCode::Unreachable, format!("{from} broke off: {why}"))
}

pub(super) fn damaged(from: &S3Uri) -> CloudError {
    let message = format!("{from} arrived damaged: the checksums differ");
    CloudError::new("GetObject", CloudErrorCode::Unavailable, message)
}

impl Job for Download {
    type Work = Work;

    fn meter(&self) -> &Meter {
        &self.meter
    }

    fn weight(&self, work: &Work) -> u64 {
        match work {
            Work::Whole(index) => self.targets[*index].size,
            Work::Range(..) => PART,
            Work::Begin(_) | Work::Finish(_) => 0,
        }
    }

    async fn perform(self: Arc<Self>, work: Work) -> Result<Vec<Work>, CloudError> {
        match work {
            Work::Whole(index) => self.get_whole(index).await.map(|()| Vec::new()),
            Work::Begin(index) => ranges::begin(&self, index).await,
            Work::Range(index, range) => ranges::get(&self, index, range).await,
            Work::Finish(index) => ranges::finish(&self, index).await.map(|()| Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_cannot_lead_out_of_the_folder() {
        let path = |key: &str| {
            let object = ObjectSummary { key: key.into(), size: 1, modified: None };
            target_below("b", "out/", Path::new("/home/ada/out"), object).map(|target| target.path)
        };
        assert_eq!(path("out/a/b.csv").ok(), Some(PathBuf::from("/home/ada/out/a/b.csv")));
        for key in ["out/../.bashrc", "out//etc/passwd", "out/a/../../b", "out/.", "out/a\0b", "out/..\\x", "out/"] {
            assert_eq!(path(key).map_err(|error| error.code), Err(CloudErrorCode::Validation), "{key:?}");
        }
    }
}
