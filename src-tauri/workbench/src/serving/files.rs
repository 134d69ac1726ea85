//! Models as files: one that was trained here into a folder, and a Hugging Face folder into Bedrock by way of S3.

use std::path::Path;

use whetstone_contract::{ActivityId, AppError, ErrorCode, ExportedModel, ImportModelRequest};

use super::bringing::{UnderWay, Wish};
use crate::Workbench;
use crate::errors::{from_cloud, from_io, from_join};
use crate::names::{check_model_name, random_id};

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
        // The folder of an import in S3 is its own, so that nothing else is in it.
        let key = format!("{}imports/{}-{}/", link.prefix, request.name, random_id());
        let wish = Wish::Import { folder, bucket, key, role, name: request.name };
        let under_way = UnderWay::new(&link.connection, wish);
        self.note_bringing(&under_way)?;
        self.bring(link, under_way).map(Some)
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
