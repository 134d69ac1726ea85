//! To S3: a file in one request, or in parts when it is large; a folder with all that is in it.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_sdk_s3::types::{ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use tokio::sync::watch;

use super::bandwidth::{Bandwidth, Paced, Sent};
use super::engine::{Job, Meter, drive};
use super::handle::{Control, Transfer, TransferOutcome, TransferProgress};
use super::journal::{Entry, Journal, Stamp};
use super::{MOST_PARTS, PART, TransferOptions, aside, checksum, local};
use crate::{Cloud, CloudError, CloudErrorCode, S3Uri};

/// How many requests run at once in the beginning, and at most: of large files, whose parts fill the line, and of many
/// small ones, most of whose time is spent waiting.
pub(super) const LARGE: (usize, usize) = (4, 16);
pub(super) const SMALL: (usize, usize) = (8, 64);

impl Cloud {
    /// Uploads a file. The object is there only once all of it has arrived, and is known to be what the file holds.
    pub fn upload_file(&self, from: &Path, to: &S3Uri, options: TransferOptions) -> Transfer {
        let (from, to) = (from.to_owned(), to.clone());
        self.upload(options, move || Ok(vec![Source::of(&from, to)?]))
    }

    /// Uploads all files below a folder, under keys that are their paths in it. Links are not followed.
    pub fn upload_folder(&self, from: &Path, to: &S3Uri, options: TransferOptions) -> Transfer {
        let (from, to) = (from.to_owned(), to.clone());
        self.upload(options, move || sources_below(&from, &to))
    }

    fn upload(
        &self,
        options: TransferOptions,
        sources: impl FnOnce() -> Result<Vec<Source>, CloudError> + Send + 'static,
    ) -> Transfer {
        let cloud = self.clone();
        Transfer::start("Upload", move |control, tell| async move {
            let journal = options.journal.clone();
            let (sources, journal) = aside("Upload", move || Ok((sources()?, Journal::open(&journal)?))).await?;
            let job = Upload {
                s3: cloud.for_transfers(options.bandwidth.limit()),
                sign_payload: cloud.sign_payload,
                sources,
                journal,
                keep_journal: options.keep_journal,
                bandwidth: options.bandwidth,
                meter: Meter::default(),
            };
            Arc::new(job).run(control, tell).await
        })
    }
}

/// A file that is to be uploaded.
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) to: S3Uri,
    /// How it was when the upload began.
    pub(super) stamp: Stamp,
    /// Once its parts are begun.
    pub(super) parts: OnceLock<Parts>,
}

/// An upload in parts under way.
pub(super) struct Parts {
    pub(super) id: String,
    pub(super) length: u64,
    /// ETag and checksum of what has arrived, in order.
    pub(super) arrived: Mutex<Vec<Option<(String, u64)>>>,
    pub(super) missing: AtomicUsize,
}

pub(super) struct Upload {
    pub(super) s3: aws_sdk_s3::Client,
    sign_payload: bool,
    pub(super) sources: Vec<Source>,
    pub(super) journal: Journal,
    keep_journal: bool,
    bandwidth: Arc<Bandwidth>,
    pub(super) meter: Meter,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Work {
    /// In one request.
    Whole(usize),
    /// The parts of this one, or what is missing of them.
    Begin(usize),
    Part(usize, u32),
    Complete(usize),
}

impl Source {
    fn of(path: &Path, to: S3Uri) -> Result<Self, CloudError> {
        let metadata = std::fs::metadata(path).map_err(|error| local("Upload", path, &error))?;
        if !metadata.is_file() {
            return Err(local("Upload", path, &"it is not a file"));
        }
        Ok(Self { path: path.to_owned(), to, stamp: Stamp::of(&metadata), parts: OnceLock::new() })
    }

    pub(super) fn address(&self) -> String {
        self.to.to_string()
    }

    /// Small enough for S3's limit on their number.
    pub(super) fn part_length(&self) -> u64 {
        PART.max(self.stamp.size.div_ceil(MOST_PARTS).next_multiple_of(1024 * 1024))
    }

    pub(super) fn changed(&self) -> CloudError {
        local("Upload", &self.path, &"the file changed while it was being uploaded; nothing of it was kept. Try again")
    }

    /// Fails when the file is no longer what it was.
    fn check(&self) -> Result<(), CloudError> {
        let metadata = std::fs::metadata(&self.path).map_err(|error| local("Upload", &self.path, &error))?;
        if Stamp::of(&metadata) == self.stamp { Ok(()) } else { Err(self.changed()) }
    }
}

/// A stretch of a file, and its checksum.
pub(super) fn read_part(path: &Path, offset: u64, length: u64) -> Result<(Bytes, u64), CloudError> {
    let unreadable = |error: std::io::Error| local("Upload", path, &error);
    let mut file = File::open(path).map_err(unreadable)?;
    file.seek(SeekFrom::Start(offset)).map_err(unreadable)?;
    let mut content = vec![0; usize::try_from(length).map_err(|error| local("Upload", path, &error))?];
    file.read_exact(&mut content).map_err(unreadable)?;
    let crc = checksum::of(&content);
    Ok((Bytes::from(content), crc))
}

fn sources_below(folder: &Path, to: &S3Uri) -> Result<Vec<Source>, CloudError> {
    let mut sources = Vec::new();
    let mut folders = VecDeque::from([(folder.to_owned(), to.clone())]);
    while let Some((folder, to)) = folders.pop_front() {
        let unreadable = |error: std::io::Error| local("Upload", &folder, &error);
        let mut entries =
            std::fs::read_dir(&folder).map_err(unreadable)?.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name();
            let name = name.to_str().ok_or_else(|| local("Upload", &entry.path(), &"its name is not text"))?;
            let kind = entry.file_type().map_err(unreadable)?;
            if kind.is_dir() {
                folders.push_back((entry.path(), to.child(name)));
            } else if kind.is_file() {
                sources.push(Source::of(&entry.path(), to.child(name))?);
            }
        }
    }
    Ok(sources)
}

impl Upload {
    async fn run(
        self: Arc<Self>,
        mut control: watch::Receiver<Control>,
        tell: watch::Sender<TransferProgress>,
    ) -> Result<TransferOutcome, CloudError> {
        let mut work = Vec::new();
        for (index, source) in self.sources.iter().enumerate() {
            self.meter.total_bytes.fetch_add(source.stamp.size, Ordering::Relaxed);
            if self.journal.known(&source.address()).done == Some(source.stamp) {
                self.meter.skipped(source.stamp.size);
                self.meter.file_done();
            } else if source.stamp.size <= PART {
                work.push(Work::Whole(index));
            } else {
                work.push(Work::Begin(index));
            }
        }
        self.meter.total_files.store(self.sources.len() as u64, Ordering::Relaxed);
        let small = work.iter().all(|work| matches!(work, Work::Whole(_)));
        let result = drive(&self, work, if small { SMALL } else { LARGE }, &mut control, &tell).await;
        match result {
            Ok(()) => {
                if !self.keep_journal {
                    self.journal.remove()?;
                }
                Ok(self.meter.outcome())
            }
            Err(error) if error.code == CloudErrorCode::Cancelled => {
                self.take_away().await?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    async fn send_whole(&self, index: usize) -> Result<(), CloudError> {
        let source = &self.sources[index];
        let (path, size) = (source.path.clone(), source.stamp.size);
        let (content, crc) = aside("Upload", move || read_part(&path, 0, size)).await?;
        source.check()?;
        let sent = Sent::of(&self.meter.bytes);
        let (body, length) = self.body(content, &sent);
        let put = self.s3.put_object().bucket(&source.to.bucket).key(&source.to.key);
        let put = put.body(body).content_length(length).checksum_crc64_nvme(checksum::written(crc)).customize();
        let put = if self.sign_payload { put } else { put.disable_payload_signing() };
        let answer = put.send().await.map_err(|error| {
            sent.begin_again();
            CloudError::of("PutObject")(error)
        })?;
        self.compare(source, crc, answer.checksum_crc64_nvme.as_deref())?;
        self.done(source)
    }

    async fn send_part(&self, index: usize, number: u32) -> Result<Vec<Work>, CloudError> {
        let source = &self.sources[index];
        let Some(parts) = source.parts.get() else { return Ok(vec![Work::Begin(index)]) };
        let offset = u64::from(number - 1) * parts.length;
        let (path, length) = (source.path.clone(), parts.length.min(source.stamp.size - offset));
        let (content, crc) = aside("Upload", move || read_part(&path, offset, length)).await?;
        source.check()?;
        let sent = Sent::of(&self.meter.bytes);
        let (body, length) = self.body(content, &sent);
        let part = self.s3.upload_part().bucket(&source.to.bucket).key(&source.to.key).upload_id(&parts.id);
        // There are at most MOST_PARTS.
        let part = part.part_number(number.try_into().unwrap_or(i32::MAX)).body(body).content_length(length);
        let part = part.checksum_crc64_nvme(checksum::written(crc)).customize();
        let part = if self.sign_payload { part } else { part.disable_payload_signing() };
        let answer = part.send().await.map_err(|error| {
            sent.begin_again();
            CloudError::of("UploadPart")(error)
        })?;
        let etag = answer.e_tag.unwrap_or_default();
        self.journal.note(Entry::Part { of: source.address(), number, etag: etag.clone(), crc })?;
        parts.arrived.lock().unwrap_or_else(PoisonError::into_inner)[number as usize - 1] = Some((etag, crc));
        let last = parts.missing.fetch_sub(1, Ordering::AcqRel) == 1;
        Ok(if last { vec![Work::Complete(index)] } else { Vec::new() })
    }

    /// A body that is counted and held back as it goes; one that must be signed is handed over whole.
    fn body(&self, content: Bytes, sent: &Arc<Sent>) -> (ByteStream, i64) {
        let length = i64::try_from(content.len()).unwrap_or(i64::MAX);
        if self.sign_payload {
            sent.add(content.len() as u64);
            return (ByteStream::from(content), length);
        }
        let (sent, bandwidth) = (Arc::clone(sent), Arc::clone(&self.bandwidth));
        let body = SdkBody::retryable(move || {
            SdkBody::from_body_1_x(Paced::new(content.clone(), Arc::clone(&sent), Arc::clone(&bandwidth)))
        });
        (ByteStream::new(body), length)
    }

    async fn complete(&self, index: usize) -> Result<Vec<Work>, CloudError> {
        let source = &self.sources[index];
        let Some(parts) = source.parts.get() else { return Ok(vec![Work::Begin(index)]) };
        if let Err(error) = source.check() {
            self.forget(source, &parts.id).await?;
            return Err(error);
        }
        let (listed, crc) = {
            let arrived = parts.arrived.lock().unwrap_or_else(PoisonError::into_inner);
            let all = (1_i32..).zip(arrived.iter().flatten());
            let listed = all.map(|(number, (etag, crc))| {
                let part = CompletedPart::builder().part_number(number).e_tag(etag);
                part.checksum_crc64_nvme(checksum::written(*crc)).build()
            });
            (listed.collect::<Vec<_>>(), whole_of(&arrived, parts.length, source.stamp.size))
        };
        let complete = self.s3.complete_multipart_upload().bucket(&source.to.bucket).key(&source.to.key);
        let complete = complete.upload_id(&parts.id).checksum_type(ChecksumType::FullObject);
        let complete = complete.checksum_crc64_nvme(checksum::written(crc));
        let answer =
            complete.multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(listed)).build()).send().await;
        let said = match answer {
            Ok(answer) => answer.checksum_crc64_nvme,
            // Its answer to an earlier request may have been lost.
            Err(error) => {
                let error = CloudError::of("CompleteMultipartUpload")(error);
                if error.code == CloudErrorCode::NotFound && self.is_there(source, crc).await? {
                    return self.done(source).map(|()| Vec::new());
                }
                return Err(error);
            }
        };
        let said = match said {
            Some(said) => Some(said),
            None => self.head(source).await?.and_then(|head| head.crc),
        };
        self.compare(source, crc, said.as_deref())?;
        self.done(source)?;
        Ok(Vec::new())
    }

    /// The service has what was sent, as far as it says so.
    fn compare(&self, source: &Source, crc: u64, said: Option<&str>) -> Result<(), CloudError> {
        match said.and_then(checksum::read) {
            Some(theirs) if theirs == crc => Ok(()),
            Some(_) => {
                let message = format!("{} arrived damaged: the checksums differ", source.to);
                Err(CloudError::new("Upload", CloudErrorCode::Unavailable, message))
            }
            None => {
                self.meter.unchecked.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
        }
    }

    pub(super) fn done(&self, source: &Source) -> Result<(), CloudError> {
        self.meter.file_done();
        self.journal.note(Entry::Done { of: source.address(), stamp: source.stamp })
    }

    /// Whether the object is what the file holds.
    pub(super) async fn is_there(&self, source: &Source, crc: u64) -> Result<bool, CloudError> {
        let Some(head) = self.head(source).await? else { return Ok(false) };
        let same = head.crc.as_deref().and_then(checksum::read) == Some(crc);
        Ok(head.size == source.stamp.size && same)
    }

    async fn head(&self, source: &Source) -> Result<Option<Head>, CloudError> {
        let head = self.s3.head_object().bucket(&source.to.bucket).key(&source.to.key);
        match head.checksum_mode(ChecksumMode::Enabled).send().await.map_err(CloudError::of("HeadObject")) {
            Ok(head) => {
                let size = head.content_length.and_then(|length| u64::try_from(length).ok()).unwrap_or(0);
                Ok(Some(Head { size, crc: head.checksum_crc64_nvme }))
            }
            Err(error) if error.code == CloudErrorCode::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

struct Head {
    size: u64,
    crc: Option<String>,
}

/// The checksum of the whole, once all parts are there.
pub(super) fn whole_of(arrived: &[Option<(String, u64)>], length: u64, size: u64) -> u64 {
    let lengths = (0..).map(|index| length.min(size.saturating_sub(index * length)));
    checksum::joined(arrived.iter().flatten().map(|(_, crc)| *crc).zip(lengths))
}

impl Job for Upload {
    type Work = Work;

    fn meter(&self) -> &Meter {
        &self.meter
    }

    fn weight(&self, work: &Work) -> u64 {
        match work {
            Work::Whole(index) => self.sources[*index].stamp.size,
            Work::Part(index, _) => self.sources[*index].part_length(),
            Work::Begin(_) | Work::Complete(_) => 0,
        }
    }

    async fn perform(self: Arc<Self>, work: Work) -> Result<Vec<Work>, CloudError> {
        match work {
            Work::Whole(index) => self.send_whole(index).await.map(|()| Vec::new()),
            Work::Begin(index) => self.begin(index).await,
            Work::Part(index, number) => self.send_part(index, number).await,
            Work::Complete(index) => self.complete(index).await,
        }
    }
}
