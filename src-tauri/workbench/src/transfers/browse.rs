//! S3 as the window shows it, and objects brought to this computer: to a place that the person chooses, or into the app's
//! own folder to become a dataset.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use whetstone_cloud::{CloudErrorCode, ObjectSummary, S3Uri, Transfer};
use whetstone_contract::{
    AbandonedRequest, AbandonedUpload, ActivityId, AppError, Bucket, ErrorCode, FolderRequest, ObjectPreview,
    ObjectRequest, PickedFile, PlaceFolder, PlaceListing, PlaceObject, PlaceRequest,
};

use super::follow;
use crate::Workbench;
use crate::errors::{from_cloud, from_io};

/// So much of an object is shown before it is taken.
const PREVIEWED: usize = 16 * 1024;

impl Workbench {
    pub(crate) async fn list_buckets(&self) -> Result<Vec<Bucket>, AppError> {
        let buckets = self.connections.link().await?.cloud.buckets().await.map_err(|error| from_cloud(&error))?;
        let shown = |bucket: whetstone_cloud::BucketSummary| Bucket {
            created_at: bucket.created.and_then(millis),
            name: bucket.name,
        };
        Ok(buckets.into_iter().map(shown).collect())
    }

    pub(crate) async fn place(&self, asked: PlaceRequest) -> Result<PlaceListing, AppError> {
        let PlaceRequest { bucket, prefix, after } = asked;
        let cloud = self.connections.link().await?.cloud;
        let page = cloud.folder_page(&bucket, &prefix, after).await.map_err(|error| from_cloud(&error))?;
        let folder = |of: String| PlaceFolder { name: name_below(&prefix, of.trim_end_matches('/')), prefix: of };
        let object = |of: ObjectSummary| PlaceObject {
            name: name_below(&prefix, &of.key),
            bytes: of.size,
            modified_at: of.modified.and_then(millis),
            key: of.key,
        };
        Ok(PlaceListing {
            folders: page.folders.into_iter().map(folder).collect(),
            // Some tools mark a folder by an empty object of its name.
            objects: page.objects.into_iter().filter(|of| of.key != prefix).map(object).collect(),
            next: page.next,
        })
    }

    pub(crate) async fn object_start(&self, asked: ObjectRequest) -> Result<ObjectPreview, AppError> {
        let cloud = self.connections.link().await?.cloud;
        let start = cloud.object_start(&asked.bucket, &asked.key, PREVIEWED).await;
        let start = start.map_err(|error| from_cloud(&error))?;
        let cut = start.head.size > start.content.len() as u64;
        Ok(ObjectPreview {
            bytes: start.head.size,
            modified_at: start.head.modified.and_then(millis),
            content_type: start.head.content_type,
            text: as_text(&start.content, cut),
            cut,
        })
    }

    /// Asks for a place and brings the object there; null when the dialog was closed.
    pub(crate) async fn bring_object(&self, asked: ObjectRequest) -> Result<Option<ActivityId>, AppError> {
        let name = name_below("", &asked.key);
        let Some(to) = self.host.pick_new_file(&name).await else { return Ok(None) };
        let from = S3Uri { bucket: asked.bucket, key: asked.key };
        let options = self.transfers.options(journal_beside(&to));
        let transfer = self.connections.link().await?.cloud.download_file(&from, &to, options);
        Ok(Some(self.in_background(transfer, format!("Download {name}"))))
    }

    /// Asks for a folder and brings everything below a prefix into a new folder there.
    pub(crate) async fn bring_folder(&self, asked: FolderRequest) -> Result<Option<ActivityId>, AppError> {
        let Some(place) = self.host.pick_folder().await else { return Ok(None) };
        let name = name_below("", asked.prefix.trim_end_matches('/'));
        let name = if name.is_empty() { asked.bucket.clone() } else { name };
        let to = place.join(&name);
        let from = S3Uri { bucket: asked.bucket, key: asked.prefix };
        let options = self.transfers.options(journal_beside(&to));
        let transfer = self.connections.link().await?.cloud.download_folder(&from, &to, options);
        Ok(Some(self.in_background(transfer, format!("Download {name}"))))
    }

    /// Brings an object into the app's own folder, for an import to read.
    pub(crate) async fn fetch(&self, asked: ObjectRequest) -> Result<PickedFile, AppError> {
        let name = name_below("", &asked.key);
        let link = self.connections.link().await?;
        let folder = self.transfers.new_folder()?;
        let to = folder.join(safe_name(&name));
        let from = S3Uri { bucket: asked.bucket, key: asked.key };
        let transfer = link.cloud.download_file(&from, &to, self.transfers.options(folder.join("journal")));
        let mut activity = self.activities.start(format!("Download {name}"), "Downloading", true);
        let result = follow(transfer, &mut activity, "Downloading").await.map_err(|error| from_cloud(&error));
        activity.finish(result.as_ref().copied());
        match result {
            Ok(()) => Ok(self.picked.remember(&to)),
            Err(error) => {
                // What is left of it is found and removed at the next start, if not now.
                std::fs::remove_dir_all(&folder).ok();
                Err(error)
            }
        }
    }

    /// Uploads under the app's own bucket that are not completed and that no job here is at.
    pub(crate) async fn find_abandoned(&self) -> Result<Vec<AbandonedUpload>, AppError> {
        let link = self.connections.link().await?;
        // Until the person chose a bucket there is nothing in it.
        let Some(bucket) = link.bucket else { return Ok(Vec::new()) };
        let found = match link.cloud.abandoned_uploads(&bucket, &link.prefix).await {
            // The bucket is made with the first job.
            Err(error) if error.code == CloudErrorCode::NotFound => Vec::new(),
            found => found.map_err(|error| from_cloud(&error))?,
        };
        let wanted = self.jobs.keys_on_their_way()?;
        let left = found.into_iter().filter(|upload| !wanted.contains(&upload.to.key));
        Ok(left
            .map(|upload| AbandonedUpload {
                begun_at: upload.begun.and_then(millis),
                bucket: upload.to.bucket,
                key: upload.to.key,
                id: upload.id,
                parts: upload.parts,
                bytes: upload.bytes,
            })
            .collect())
    }

    pub(crate) async fn remove_abandoned(&self, asked: AbandonedRequest) -> Result<(), AppError> {
        if self.jobs.keys_on_their_way()?.contains(&asked.key) {
            return Err(AppError::new(ErrorCode::Refused, "This upload belongs to a job that is about to start.")
                .hint("Stop the job first."));
        }
        let upload = whetstone_cloud::AbandonedUpload {
            to: S3Uri { bucket: asked.bucket, key: asked.key },
            id: asked.id,
            begun: None,
            parts: 0,
            bytes: 0,
        };
        let cloud = self.connections.link().await?.cloud;
        cloud.remove_abandoned(&upload).await.map_err(|error| from_cloud(&error))
    }

    fn in_background(&self, transfer: Transfer, title: String) -> ActivityId {
        let mut activity = self.activities.start(title, "Downloading", true);
        let id = ActivityId { activity: activity.id() };
        tokio::spawn(async move {
            let result = follow(transfer, &mut activity, "Downloading").await.map_err(|error| from_cloud(&error));
            activity.finish(result.as_ref().copied());
        });
        id
    }
}

impl super::Transfers {
    /// A folder for one file that is brought here to be imported.
    fn new_folder(&self) -> Result<PathBuf, AppError> {
        let folder = self.folder.join(format!("{:016x}", rand::random::<u64>()));
        std::fs::create_dir_all(&folder).map_err(|error| from_io("The folder for downloads", &error))?;
        Ok(folder)
    }
}

/// Text as far as it is one; the last letter may be cut in half.
fn as_text(content: &[u8], cut: bool) -> Option<String> {
    let whole = match std::str::from_utf8(content) {
        Ok(text) => text,
        Err(error) if cut && error.error_len().is_none() => {
            std::str::from_utf8(&content[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let shown = |letter: char| !letter.is_control() || matches!(letter, '\n' | '\r' | '\t');
    whole.chars().all(shown).then(|| whole.to_owned())
}

fn name_below(prefix: &str, key: &str) -> String {
    let rest = key.strip_prefix(prefix).unwrap_or(key);
    rest.rsplit('/').next().unwrap_or(rest).to_owned()
}

/// A key is a stranger's text; what it becomes on this disk is the name of one file.
fn safe_name(name: &str) -> String {
    let kept: String = name
        .chars()
        .map(|letter| if letter.is_control() || "\\/:*?\"<>|".contains(letter) { '_' } else { letter })
        .collect();
    if kept.is_empty() || kept.starts_with('.') { format!("object{kept}") } else { kept }
}

fn journal_beside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.download"))
}

fn millis(time: SystemTime) -> Option<i64> {
    i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_not_shown_as_text() {
        assert_eq!(as_text(b"a\tb\n", false).as_deref(), Some("a\tb\n"));
        assert_eq!(as_text("ab\u{e9}".as_bytes().get(..3).unwrap_or_default(), true).as_deref(), Some("ab"));
        assert_eq!(as_text(&"ab\u{e9}".as_bytes()[..3], false), None);
        assert_eq!(as_text(b"PAR1\x00\x01", true), None);
    }

    #[test]
    fn a_key_becomes_the_name_of_one_file() {
        assert_eq!(safe_name("training data.jsonl"), "training data.jsonl");
        assert_eq!(safe_name("..\\..\\x"), "object.._.._x");
        assert_eq!(safe_name(".."), "object..");
        assert_eq!(name_below("a/", "a/b.csv"), "b.csv");
        assert_eq!(name_below("", "a/b/c.csv"), "c.csv");
    }
}
