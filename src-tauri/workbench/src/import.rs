//! Files become datasets: chosen by the person, previewed, mapped, read into a folder of the app.
//!
//! Owns the tokens of chosen files: the window names a file by its token and never by a path of its own making.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use whetstone_contract::{
    AppError, AppEvent, ColumnMapping, DatasetSummary, ErrorCode, ExportOutcome, ExportRequest, FilePreview, FileToken,
    ImportOutcome, ImportRequest, PickedFile, ReadProblem, SampleId,
};
use whetstone_dataset::{self as dataset, Mapping, ReadError, ReadOptions, Record, SourcedRecord};

use crate::Workbench;
use crate::errors::from_join;
use crate::models;
use crate::samples::SAMPLES;

#[derive(Default)]
pub struct PickedFiles {
    next: AtomicU64,
    paths: Mutex<HashMap<String, PathBuf>>,
}

impl PickedFiles {
    pub fn remember(&self, path: &Path) -> PickedFile {
        let token = format!("file-{}", self.next.fetch_add(1, Ordering::Relaxed));
        self.lock().insert(token.clone(), path.to_owned());
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        // A file that is not there gets its clear error when it is read.
        let bytes = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        PickedFile { token, name, bytes }
    }

    fn path(&self, token: &str) -> Result<PathBuf, AppError> {
        self.lock().get(token).cloned().ok_or_else(|| {
            AppError::new(ErrorCode::NotFound, "This file was chosen before the app was started again.")
                .hint("Choose the file again.")
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, PathBuf>> {
        self.paths.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Workbench {
    pub(crate) async fn preview(&self, file: FileToken) -> Result<FilePreview, AppError> {
        let path = self.picked.path(&file.token)?;
        let source = blocking({
            let path = path.clone();
            move || dataset::sniff(&path).map_err(|error| from_read(&error))
        })
        .await?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(FilePreview {
            file: PickedFile { token: file.token, name, bytes: source.bytes },
            format: source.format.describe(),
            columns: source.format.columns().to_vec(),
            sample: source.sample,
            mapping: source.mapping.map(|mapping| ColumnMapping {
                prompt: mapping.prompt,
                completion: mapping.completion,
                system: mapping.system,
            }),
            notes: source.notes,
        })
    }

    pub(crate) async fn import(&self, request: ImportRequest) -> Result<ImportOutcome, AppError> {
        let path = self.picked.path(&request.token)?;
        let mapping = request.mapping.map(|mapping| Mapping {
            prompt: mapping.prompt,
            completion: mapping.completion,
            system: mapping.system,
        });
        let options = ReadOptions { mapping, ..ReadOptions::default() };
        let source = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut activity = self.activities.start(format!("Import {source}"), "Reading", true);
        let read = blocking(move || {
            let result = dataset::read(&path, &options, &mut |done, total| {
                #[expect(clippy::cast_precision_loss, reason = "a share of a bar")]
                activity.progress("Reading", (total > 0).then(|| done as f64 / total as f64));
                if activity.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .map_err(|error| from_read(&error));
            activity.finish(result.as_ref().map(|_| ()));
            result
        })
        .await?;
        let readable_records = read.records.len() as u64;
        let dataset = if read.problem_count == 0 || request.skip_broken {
            Some(self.keep(request.name, source, read.records).await?)
        } else {
            None
        };
        Ok(ImportOutcome {
            dataset,
            problems: read.problems.into_iter().map(show_problem).collect(),
            problem_count: read.problem_count,
            readable_records,
        })
    }

    pub(crate) async fn import_bundled(&self, sample: SampleId) -> Result<DatasetSummary, AppError> {
        let Some(bundled) = SAMPLES.iter().find(|bundled| bundled.id == sample.sample) else {
            return Err(AppError::new(ErrorCode::NotFound, "There is no such sample."));
        };
        let lines: Result<Vec<PromptCompletion>, _> = bundled.text.lines().map(serde_json::from_str).collect();
        let lines = lines.map_err(|error| {
            AppError::new(ErrorCode::Bug, "The bundled sample cannot be read.").detail(error.to_string())
        })?;
        let records = lines
            .into_iter()
            .map(|line| Record::prompt_completion(None, line.prompt, line.completion))
            .zip(1..)
            .map(|(record, line)| SourcedRecord { record, line: Some(line) })
            .collect();
        self.keep(bundled.name.to_owned(), bundled.file.to_owned(), records).await
    }

    async fn keep(
        &self,
        name: String,
        source: String,
        records: Vec<SourcedRecord>,
    ) -> Result<DatasetSummary, AppError> {
        let summary = self.datasets.create(name, source, self.host.now_ms(), records).await?;
        self.host.emit(AppEvent::DatasetsChanged { dataset: Some(summary.id.clone()) });
        Ok(summary)
    }

    pub(crate) async fn export(&self, request: ExportRequest) -> Result<ExportOutcome, AppError> {
        let model = models::find(&request.base_model)?;
        let Some(folder) = self.host.pick_folder().await else {
            return Ok(ExportOutcome { folder: None, files: Vec::new() });
        };
        let name = self.datasets.summary(request.dataset.clone()).await?.name;
        let folder = free_folder(&folder, &format!("{} for {}", file_name(&name), model.name));
        let files = self.datasets.write_splits(request.dataset, model, folder.clone()).await?;
        Ok(ExportOutcome { folder: Some(folder.display().to_string()), files: files.names })
    }
}

/// A folder that is not there yet, so that an export never replaces a file.
fn free_folder(parent: &Path, name: &str) -> PathBuf {
    let numbered = (2_u32..).map(|number| parent.join(format!("{name} {number}")));
    let mut candidates = std::iter::once(parent.join(name)).chain(numbered);
    candidates.find(|folder| !folder.exists()).unwrap_or_else(|| parent.join(name))
}

/// What every file system takes as a part of a name.
fn file_name(text: &str) -> String {
    text.chars().map(|letter| if letter.is_alphanumeric() || " -_.".contains(letter) { letter } else { '_' }).collect()
}

#[derive(serde::Deserialize)]
struct PromptCompletion {
    prompt: String,
    completion: String,
}

/// Files are read off the async threads, so that the window is never kept waiting.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AppError> + Send + 'static,
) -> Result<T, AppError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| from_join(&error))?
}

fn from_read(error: &ReadError) -> AppError {
    let code = match error {
        ReadError::Io { .. } | ReadError::Changed => ErrorCode::FileUnavailable,
        ReadError::Written(_) => ErrorCode::Storage,
        ReadError::Cancelled => ErrorCode::Cancelled,
        ReadError::MissingColumns { .. } | ReadError::NeedsMapping { .. } | ReadError::Template(_) => {
            ErrorCode::InvalidInput
        }
        ReadError::Empty
        | ReadError::NoRecords
        | ReadError::Binary { .. }
        | ReadError::Damaged { .. }
        | ReadError::Bomb
        | ReadError::TooLarge { .. }
        | ReadError::Archive
        | ReadError::RecordTooLong { .. }
        | ReadError::ColumnNames { .. }
        | ReadError::UnknownFormat { .. } => ErrorCode::FileBroken,
    };
    AppError::new(code, sentence(&error.to_string())).hint(error.hint())
}

/// Causes are written to stand behind a colon; alone they begin with a capital and end with a full stop.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

fn show_problem(problem: dataset::ReadProblem) -> ReadProblem {
    ReadProblem {
        line: problem.line,
        column: problem.column,
        message: problem.message,
        hint: problem.hint,
        excerpt: problem.excerpt,
    }
}
