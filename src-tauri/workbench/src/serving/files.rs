//! Models as files: one that was trained here into a folder, and a Hugging Face folder into Bedrock by way of S3.

use std::path::{Path, PathBuf};

use whetstone_cloud::{NewImport, S3Uri};
use whetstone_contract::{ActivityId, AppError, ErrorCode, ExportedModel, ImportModelRequest};

use super::copy::settled;
use crate::Workbench;
use crate::activities::ActivityHandle;
use crate::connections::Link;
use crate::errors::{from_cloud, from_io, from_join};
use crate::names::{check_model_name, random_id};
use crate::transfers::follow;

impl Workbench {
    /// Asks for a folder and writes the model into one of its own there, whole or not at all.
    pub(crate) async fn write_model(&self, arn: &str) -> Result<Option<ExportedModel>, AppError> {
        let link = self.connections.link().await?;
        if !link.on_this_computer {
            return Err(AppError::new(ErrorCode::Refused, "Bedrock does not give out the weights of a custom model.")
                .hint("A model that was trained on this computer can be exported."));
        }
        let model = link.cloud.custom_model(arn).await.map_err(|error| from_cloud(&error))?;
        let from = self.connections.model_files(arn).await?;
        let Some(parent) = self.host.pick_folder().await else { return Ok(None) };
        let to = parent.join(&model.name);
        let written = tokio::task::spawn_blocking(move || copy_folder(&from, &to).map(|files| (to, files)));
        let (folder, files) = written.await.map_err(|error| from_join(&error))??;
        Ok(Some(ExportedModel { folder: folder.display().to_string(), files }))
    }

    pub(crate) async fn begin_import(&self, request: ImportModelRequest) -> Result<Option<ActivityId>, AppError> {
        if let Some(problem) = check_model_name("name", &request.name) {
            return Err(AppError::new(ErrorCode::InvalidInput, problem.message));
        }
        let link = self.link_for_long_work(&self.connections.shown().id).await?;
        let (Some(bucket), Some(role)) = (link.bucket.clone(), link.role_arn.clone()) else {
            return Err(AppError::new(ErrorCode::Refused, "An import needs a bucket and a role.")
                .hint("Choose both for this connection under Settings."));
        };
        let Some(folder) = self.host.pick_folder().await else { return Ok(None) };
        for needed in ["config.json", "tokenizer.json"] {
            if !folder.join(needed).is_file() {
                return Err(AppError::new(ErrorCode::FileBroken, format!("This folder has no {needed}."))
                    .hint("Choose a model's folder as Hugging Face lays it out, with its weights as safetensors."));
            }
        }
        let activity = self.activities.start(format!("Import {}", request.name), "The upload begins", true);
        let id = activity.id();
        let Some(workbench) = self.me.upgrade() else { return Err(AppError::new(ErrorCode::Cancelled, "Closing.")) };
        tokio::spawn(async move { workbench.bring_in(link, bucket, role, folder, request.name, activity).await });
        Ok(Some(ActivityId { activity: id }))
    }

    async fn bring_in(
        &self,
        link: Link,
        bucket: String,
        role: String,
        folder: PathBuf,
        name: String,
        mut activity: ActivityHandle,
    ) {
        let result = self.upload_and_import(&link, &bucket, role, &folder, &name, &mut activity).await;
        activity.end(&result);
        self.models_changed();
    }

    async fn upload_and_import(
        &self,
        link: &Link,
        bucket: &str,
        role: String,
        folder: &Path,
        name: &str,
        activity: &mut ActivityHandle,
    ) -> Result<(), AppError> {
        let id = random_id();
        link.cloud.ensure_bucket(bucket).await.map_err(|error| from_cloud(&error))?;
        let to = S3Uri { bucket: bucket.to_owned(), key: format!("{}imports/{name}-{id}/", link.prefix) };
        let journal = self.transfers.journal(&format!("import-{id}"));
        let upload = link.cloud.upload_folder(folder, &to, self.transfers.options(journal));
        follow(upload, activity, "Uploads the files").await.map_err(|error| from_cloud(&error))?;
        activity.progress("The endpoint imports it", None);
        let wanted = NewImport {
            job_name: format!("{name}-{id}"),
            model_name: name.to_owned(),
            role_arn: role,
            uri: to.to_string(),
            client_token: format!("whetstone-{id}"),
        };
        let job = link.cloud.import_model(wanted).await.map_err(|error| from_cloud(&error))?;
        settled(|| link.cloud.import_job(&job)).await.map(drop)
    }
}

/// Copies what is in a folder, an adapter's own folder with it, and notes the paths in it.
fn copy_files(from: &Path, to: &Path, below: &str, files: &mut Vec<String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            std::fs::create_dir_all(&target)?;
            copy_files(&entry.path(), &target, &format!("{name}/"), files)?;
        } else {
            std::fs::copy(entry.path(), target)?;
            files.push(name);
        }
    }
    Ok(())
}

/// Copies the files of a folder beside the place they are to be in, and renames that.
fn copy_folder(from: &Path, to: &Path) -> Result<Vec<String>, AppError> {
    let trouble = |error: std::io::Error| from_io("The model's folder", &error);
    if to.exists() {
        return Err(AppError::new(ErrorCode::Refused, format!("There is something at {} already.", to.display()))
            .hint("Choose another folder, or move it away."));
    }
    let draft = tempfile::tempdir_in(to.parent().unwrap_or(Path::new("."))).map_err(trouble)?;
    let mut files = Vec::new();
    copy_files(from, draft.path(), "", &mut files).map_err(trouble)?;
    std::fs::rename(draft.keep(), to).map_err(trouble)?;
    files.sort();
    Ok(files)
}
