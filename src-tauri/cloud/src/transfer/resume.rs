//! How an upload in parts begins, and how it goes on after the program ended in the middle of one.
//!
//! Told apart by what the journal says: nothing (begin one), begun without an id (the program ended around the create
//! call: the service is asked whether there is one), begun with an id (the service is asked which parts have arrived).
//! A part that arrived is not sent again. One that the journal does not know, because the program ended before it could
//! be written down, is held beside the file first.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType};

use super::journal::{Entry, Known};
use super::upload::{Parts, Source, Upload, Work, read_part, whole_of};
use super::{abandoned, aside, checksum};
use crate::{Cloud, CloudError, CloudErrorCode, S3Uri};

/// A part as the service lists it.
struct Listed {
    number: u32,
    size: u64,
    etag: String,
    crc: Option<u64>,
}

impl Upload {
    /// What is to be sent of a large file, once its upload is there.
    pub(super) async fn begin(&self, index: usize) -> Result<Vec<Work>, CloudError> {
        let source = &self.sources[index];
        if source.parts.get().is_some() {
            return Ok(Vec::new());
        }
        let known = self.journal.known(&source.address());
        if let Some((stamp, length)) = known.begun {
            let id = match &known.id {
                Some(id) => Some(id.clone()),
                None => abandoned::newest_of(&self.s3, &source.to).await?,
            };
            if stamp != source.stamp {
                if let Some(id) = id {
                    self.forget(source, &id).await?;
                }
                return Err(source.changed());
            }
            if let Some(id) = id
                && let Some(work) = self.go_on(index, &known, id, length).await?
            {
                return Ok(work);
            }
        }
        let length = source.part_length();
        let id = self.create(source, length).await?;
        Ok(self.parts_from(index, id, length, vec![None; count(source, length)]))
    }

    async fn create(&self, source: &Source, length: u64) -> Result<String, CloudError> {
        self.journal.note_durably(Entry::Begun { of: source.address(), stamp: source.stamp, part: length })?;
        let create = self.s3.create_multipart_upload().bucket(&source.to.bucket).key(&source.to.key);
        let create = create.checksum_algorithm(ChecksumAlgorithm::Crc64Nvme).checksum_type(ChecksumType::FullObject);
        // Repeated by the SDK after a lost answer it would leave a second upload behind; repeated here, it is looked for first.
        let once = aws_sdk_s3::config::Builder::new().retry_config(RetryConfig::disabled());
        let created = create.customize().config_override(once).send().await;
        let created = created.map_err(CloudError::of("CreateMultipartUpload"))?;
        let id = created.upload_id.ok_or_else(|| {
            CloudError::new("CreateMultipartUpload", CloudErrorCode::Other, "the answer has no upload id")
        })?;
        self.journal.note_durably(Entry::Upload { of: source.address(), id: id.clone() })?;
        Ok(id)
    }

    /// None when there is no such upload (any more) and the object is not there either.
    async fn go_on(
        &self,
        index: usize,
        known: &Known,
        id: String,
        length: u64,
    ) -> Result<Option<Vec<Work>>, CloudError> {
        let source = &self.sources[index];
        let Some(listed) = self.list_parts(&source.to, &id).await? else {
            return self.completed_already(source, known, length).await;
        };
        if known.id.is_none() {
            self.journal.note_durably(Entry::Upload { of: source.address(), id: id.clone() })?;
        }
        let mut arrived = vec![None; count(source, length)];
        for part in listed {
            let offset = u64::from(part.number.saturating_sub(1)) * length;
            let Some(place) = arrived.get_mut(part.number.saturating_sub(1) as usize) else { continue };
            let expected = length.min(source.stamp.size - offset);
            if part.size != expected {
                continue;
            }
            let crc = match known.parts.get(&part.number) {
                // A store that lists no ETag says at least that the part is there, and how long it is.
                Some((etag, crc)) if *etag == part.etag || part.etag.is_empty() => Some(*crc),
                _ => same_as_file(&source.path, offset, expected, &part).await?,
            };
            if let Some(crc) = crc {
                let noted = known.parts.get(&part.number).map(|(etag, _)| etag.clone());
                let etag = noted.filter(|_| part.etag.is_empty()).unwrap_or(part.etag);
                self.journal.note(Entry::Part {
                    of: source.address(),
                    number: part.number,
                    etag: etag.clone(),
                    crc,
                })?;
                self.meter.skipped(expected);
                *place = Some((etag, crc));
            }
        }
        Ok(Some(self.parts_from(index, id, length, arrived)))
    }

    /// The program may have ended after the service completed the upload and before it said so.
    async fn completed_already(
        &self,
        source: &Source,
        known: &Known,
        length: u64,
    ) -> Result<Option<Vec<Work>>, CloudError> {
        let parts: Option<Vec<_>> =
            (1..).take(count(source, length)).map(|number| known.parts.get(&number).cloned()).map(Some).collect();
        let parts = parts.unwrap_or_default();
        if parts.iter().all(Option::is_some) {
            let crc = whole_of(&parts, length, source.stamp.size);
            if self.is_there(source, crc).await? {
                self.meter.skipped(source.stamp.size);
                self.done(source)?;
                return Ok(Some(Vec::new()));
            }
        }
        Ok(None)
    }

    fn parts_from(&self, index: usize, id: String, length: u64, arrived: Vec<Option<(String, u64)>>) -> Vec<Work> {
        let missing: Vec<u32> =
            (1..).zip(&arrived).filter(|(_, part)| part.is_none()).map(|(number, _)| number).collect();
        let parts = Parts { id, length, missing: AtomicUsize::new(missing.len()), arrived: Mutex::new(arrived) };
        // Begun once a source, so there is nothing that could be in its place.
        self.sources[index].parts.set(parts).ok();
        if missing.is_empty() {
            return vec![Work::Complete(index)];
        }
        missing.into_iter().map(|number| Work::Part(index, number)).collect()
    }

    /// None when there is no such upload.
    async fn list_parts(&self, of: &S3Uri, id: &str) -> Result<Option<Vec<Listed>>, CloudError> {
        let mut parts = Vec::new();
        let mut after = None;
        loop {
            let list = self.s3.list_parts().bucket(&of.bucket).key(&of.key).upload_id(id);
            let page = match list.set_part_number_marker(after).send().await.map_err(CloudError::of("ListParts")) {
                Ok(page) => page,
                Err(error) if error.code == CloudErrorCode::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            for part in page.parts.unwrap_or_default() {
                let (Some(number), Some(size)) = (part.part_number, part.size) else { continue };
                parts.push(Listed {
                    number: number.try_into().unwrap_or(0),
                    size: size.try_into().unwrap_or(0),
                    etag: part.e_tag.unwrap_or_default(),
                    crc: part.checksum_crc64_nvme.as_deref().and_then(checksum::read),
                });
            }
            after = page.next_part_number_marker.filter(|_| page.is_truncated == Some(true));
            if after.is_none() {
                return Ok(Some(parts));
            }
        }
    }

    /// Takes away the parts of an upload that will not be completed.
    pub(super) async fn forget(&self, source: &Source, id: &str) -> Result<(), CloudError> {
        abandoned::abort(&self.s3, &source.to, id).await?;
        self.journal.note(Entry::Forgotten { of: source.address() })
    }

    /// Takes away all that was begun, and the journal.
    pub(super) async fn take_away(&self) -> Result<(), CloudError> {
        abandoned::abort_all(&self.s3, &self.journal).await?;
        self.journal.remove()
    }
}

/// Whether what arrived is what the file holds there, by the checksum that the service computed; its checksum if so.
async fn same_as_file(path: &Path, offset: u64, length: u64, part: &Listed) -> Result<Option<u64>, CloudError> {
    let (path, crc, etag) = (path.to_owned(), part.crc, part.etag.clone());
    aside("Upload", move || {
        let (content, ours) = read_part(&path, offset, length)?;
        let same = match (crc, checksum::md5_of_etag(&etag)) {
            (Some(theirs), _) => theirs == ours,
            (None, Some(md5)) => checksum::md5(&content) == md5.to_ascii_lowercase(),
            (None, None) => false,
        };
        Ok(same.then_some(ours))
    })
    .await
}

fn count(source: &Source, length: u64) -> usize {
    usize::try_from(source.stamp.size.div_ceil(length)).unwrap_or(usize::MAX)
}

impl Cloud {
    /// Gives up a transfer that is not under way: what it left half done at the service is taken away, and its journal.
    ///
    /// # Errors
    /// `LocalFile` for a journal that cannot be read, and what the service refused.
    pub async fn discard_transfer(&self, journal: &Path) -> Result<(), CloudError> {
        if !journal.exists() {
            return Ok(());
        }
        let path = journal.to_owned();
        let journal = aside("Journal", move || super::journal::Journal::open(&path)).await?;
        abandoned::abort_all(&self.s3, &journal).await?;
        journal.remove()
    }
}
