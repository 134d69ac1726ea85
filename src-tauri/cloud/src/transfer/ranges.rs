//! A large object in ranges, each written at its place in a file beside the one it will be.
//!
//! All ranges are of one state of the object (its ETag): should it change meanwhile, the download ends and says so. After
//! a crash each range that was written down is read again and held to its checksum before it counts.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_s3::types::{ChecksumMode, ChecksumType};

use super::bandwidth::Sent;
use super::download::{Download, Target, Work, broke_off, damaged};
use super::journal::{Entry, Stamp};
use super::{PART, aside, checksum, local};
use crate::error::last_cause;
use crate::{CloudError, CloudErrorCode};

/// Written to the disk at once.
const BLOCK: usize = 1024 * 1024;

/// A download in ranges under way.
pub(super) struct Ranges {
    size: u64,
    etag: String,
    /// Of the whole, where the service names it.
    crc: Option<u64>,
    /// Of what is here, in order.
    here: Mutex<Vec<Option<u64>>>,
    missing: AtomicUsize,
}

impl Ranges {
    fn length(&self, index: u64) -> u64 {
        PART.min(self.size - index * PART)
    }
}

pub(super) async fn begin(job: &Download, index: usize) -> Result<Vec<Work>, CloudError> {
    let target = &job.targets[index];
    if target.ranges.get().is_some() {
        return Ok(Vec::new());
    }
    let head = job.s3.head_object().bucket(&target.from.bucket).key(&target.from.key);
    let head = head.checksum_mode(ChecksumMode::Enabled).send().await.map_err(CloudError::of("HeadObject"))?;
    let size = head.content_length.and_then(|length| u64::try_from(length).ok()).unwrap_or(0);
    let etag = head.e_tag.unwrap_or_default();
    let whole = head.checksum_type != Some(ChecksumType::Composite);
    let crc = head.checksum_crc64_nvme.as_deref().filter(|_| whole).and_then(checksum::read);

    let address = target.address();
    let known = job.journal.known(&address);
    let count = usize::try_from(size.div_ceil(PART)).unwrap_or(usize::MAX);
    let goes_on = known.object.as_ref() == Some(&(size, etag.clone())) && target.unfinished_path().exists();
    let here = if goes_on {
        let (path, ranges) = (target.unfinished_path(), known.ranges);
        aside("Download", move || Ok(what_is_here(&path, size, count, &ranges))).await?
    } else {
        job.journal.note_durably(Entry::Object { of: address, size, etag: etag.clone() })?;
        let (unfinished, path) = (target.unfinished_path(), target.path.clone());
        aside("Download", move || make_room(&unfinished, &path, size)).await?;
        vec![None; count]
    };
    let missing: Vec<u64> = (0..).zip(&here).filter(|(_, crc)| crc.is_none()).map(|(index, _)| index).collect();
    let ranges = Ranges { size, etag, crc, missing: AtomicUsize::new(missing.len()), here: Mutex::new(here) };
    let skipped = size - missing.iter().map(|index| ranges.length(*index)).sum::<u64>();
    job.meter.skipped(skipped);
    // Begun once a target, so there is nothing that could be in its place.
    target.ranges.set(ranges).ok();
    if missing.is_empty() {
        return Ok(vec![Work::Finish(index)]);
    }
    Ok(missing.into_iter().map(|range| Work::Range(index, range)).collect())
}

fn make_room(unfinished: &Path, path: &Path, size: u64) -> Result<(), CloudError> {
    let trouble = |error: std::io::Error| local("Download", path, &error);
    path.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(trouble)?;
    File::create(unfinished).and_then(|file| file.set_len(size)).map_err(trouble)
}

/// The ranges that were written down and are on the disk as they were written down.
fn what_is_here(path: &Path, size: u64, count: usize, known: &std::collections::HashMap<u64, u64>) -> Vec<Option<u64>> {
    let mut here = vec![None; count];
    let Ok(mut file) = File::open(path) else { return here };
    let mut content = Vec::new();
    for (place, index) in here.iter_mut().zip(0_u64..) {
        let Some(crc) = known.get(&index) else { continue };
        let length = PART.min(size - index * PART);
        content.clear();
        let read =
            file.seek(SeekFrom::Start(index * PART)).and_then(|_| (&mut file).take(length).read_to_end(&mut content));
        *place = (read.is_ok() && checksum::of(&content) == *crc).then_some(*crc);
    }
    here
}

pub(super) async fn get(job: &Download, index: usize, range: u64) -> Result<Vec<Work>, CloudError> {
    let target = &job.targets[index];
    let Some(ranges) = target.ranges.get() else { return Ok(vec![Work::Begin(index)]) };
    let sent = Sent::of(&job.meter.bytes);
    let crc = fetch(job, target, ranges, range, &sent).await.inspect_err(|_| sent.begin_again())?;
    job.journal.note(Entry::Range { of: target.address(), index: range, crc })?;
    // There are as many as fit into memory, being listed there.
    ranges.here.lock().unwrap_or_else(PoisonError::into_inner)[range as usize] = Some(crc);
    let last = ranges.missing.fetch_sub(1, Ordering::AcqRel) == 1;
    Ok(if last { vec![Work::Finish(index)] } else { Vec::new() })
}

async fn fetch(
    job: &Download,
    target: &Target,
    ranges: &Ranges,
    range: u64,
    sent: &Arc<Sent>,
) -> Result<u64, CloudError> {
    let (begin, length) = (range * PART, ranges.length(range));
    let get = job.s3.get_object().bucket(&target.from.bucket).key(&target.from.key);
    let get = get.range(format!("bytes={begin}-{}", begin + length - 1)).if_match(&ranges.etag);
    let object = get.send().await.map_err(CloudError::of("GetObject")).map_err(|error| changed(target, error))?;
    let path = target.unfinished_path();
    let opened = aside("Download", {
        let path = path.clone();
        move || {
            let mut file =
                OpenOptions::new().write(true).open(&path).map_err(|error| local("Download", &path, &error))?;
            file.seek(SeekFrom::Start(begin)).map_err(|error| local("Download", &path, &error))?;
            Ok(file)
        }
    });
    let mut state = (opened.await?, Vec::with_capacity(BLOCK), checksum::of(&[]));
    let mut body = object.body;
    let mut arrived = 0_u64;
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| broke_off(&target.from, &last_cause(&error)))?;
        job.bandwidth.wait(piece.len()).await;
        arrived += piece.len() as u64;
        if arrived > length {
            return Err(broke_off(&target.from, "the range is longer than what was asked for"));
        }
        sent.add(piece.len() as u64);
        state.1.extend_from_slice(&piece);
        if state.1.len() >= BLOCK {
            state = write_block(&path, state).await?;
        }
    }
    if arrived != length {
        return Err(broke_off(&target.from, "the range is shorter than what was asked for"));
    }
    Ok(write_block(&path, state).await?.2)
}

/// Writes what has gathered, and takes it into the checksum of what was before it.
async fn write_block(path: &Path, state: (File, Vec<u8>, u64)) -> Result<(File, Vec<u8>, u64), CloudError> {
    let path = path.to_owned();
    aside("Download", move || {
        let (mut file, mut content, crc) = state;
        file.write_all(&content).map_err(|error| local("Download", &path, &error))?;
        let crc = checksum::after(crc, &content);
        content.clear();
        Ok((file, content, crc))
    })
    .await
}

fn changed(target: &Target, error: CloudError) -> CloudError {
    if error.aws_code.as_deref() != Some("PreconditionFailed") {
        return error;
    }
    let message = format!("{} changed while it was being downloaded; try again", target.from);
    CloudError { code: CloudErrorCode::Conflict, message, ..error }
}

pub(super) async fn finish(job: &Download, index: usize) -> Result<(), CloudError> {
    let target = &job.targets[index];
    let Some(ranges) = target.ranges.get() else { return Ok(()) };
    let crc = {
        let here = ranges.here.lock().unwrap_or_else(PoisonError::into_inner);
        checksum::joined(here.iter().flatten().copied().zip((0..).map(|index| ranges.length(index))))
    };
    let md5 = checksum::md5_of_etag(&ranges.etag).filter(|_| ranges.crc.is_none()).map(str::to_ascii_lowercase);
    if ranges.crc.is_none() && md5.is_none() {
        job.meter.unchecked.fetch_add(1, Ordering::Relaxed);
    }
    let (unfinished, path, from) = (target.unfinished_path(), target.path.clone(), target.from.clone());
    let differs = ranges.crc.is_some_and(|whole| whole != crc);
    let stamp = aside("Download", move || {
        let trouble = |error: std::io::Error| local("Download", &path, &error);
        if differs || md5.is_some_and(|md5| checksum::md5_of_file(&unfinished).is_ok_and(|found| found != md5)) {
            std::fs::remove_file(&unfinished).map_err(trouble)?;
            return Err(damaged(&from));
        }
        std::fs::rename(&unfinished, &path).map_err(trouble)?;
        std::fs::metadata(&path).map(|metadata| Stamp::of(&metadata)).map_err(trouble)
    })
    .await;
    match stamp {
        Ok(stamp) => job.done(target, stamp),
        Err(error) => {
            job.journal.note(Entry::Forgotten { of: target.address() })?;
            // Not one that passes: the same ranges would be put together again.
            Err(CloudError { code: CloudErrorCode::Other, ..error })
        }
    }
}
