//! Files become datasets: chosen by the person, previewed, mapped, read into a folder of the app.
//!
//! Owns the tokens of chosen files: the window names a file by its token and never by a path of its own making.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use whetstone_contract::{
    AppError, Choice, ColumnMapping, ConversionOutcome, ConversionRequest, DatasetSummary, ErrorCode, ExportOutcome,
    ExportRequest, FilePreview, ImportOutcome, ImportRequest, PickedFile, PreviewRecord, PreviewRequest, ReadProblem,
    Reading, SampleId, SaveOutcome, SaveRequest, TextProblem,
};
use whetstone_dataset::{
    self as dataset, DocumentMeta, Encoding, Format, Item, Mapping, ReadError, ReadOptions, RecordReader, Template,
};

use crate::errors::from_join;
use crate::playground::attaches_as;
use crate::samples::SAMPLES;
use crate::{Workbench, datasets, models};

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
        PickedFile { attaches_as: attaches_as(&name), token, name, bytes }
    }

    pub(crate) fn path(&self, token: &str) -> Result<PathBuf, AppError> {
        self.lock().get(token).cloned().ok_or_else(|| {
            AppError::new(ErrorCode::NotFound, "This file was chosen before the app was started again.")
                .hint("Choose the file again.")
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, PathBuf>> {
        self.paths.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// What a file is is told by itself; there is nothing else to choose from.
const DETECTED: &str = "detected";
/// So many records are shown before a file is imported.
const PREVIEWED: usize = 8;

impl Workbench {
    pub(crate) async fn preview(&self, asked: PreviewRequest) -> Result<FilePreview, AppError> {
        let path = self.picked.path(&asked.token)?;
        let reading = asked.reading.unwrap_or_default();
        blocking(move || preview(&path, asked.token, reading)).await
    }

    pub(crate) async fn import(&self, request: ImportRequest) -> Result<ImportOutcome, AppError> {
        let path = self.picked.path(&request.token)?;
        let options = options(request.reading.unwrap_or_default());
        let meta = DocumentMeta { name: request.name, source: name_of(&path), created_at: self.host.now_ms() };
        let datasets = Arc::clone(&self.datasets);
        if request.in_place {
            return blocking(move || datasets.take_in_place(&path, &options, meta)).await;
        }
        let mut activity = self.activities.start(format!("Import {}", meta.source), "Reading", true);
        blocking(move || {
            let imported = datasets.import(&path, &options, meta, request.skip_broken, &mut |done, total| {
                #[expect(clippy::cast_precision_loss, reason = "a share of a bar")]
                activity.progress("Reading", (total > 0).then(|| done as f64 / total as f64));
                if activity.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            activity.finish(imported.as_ref().map(|_| ()));
            imported
        })
        .await
    }

    pub(crate) async fn import_bundled(&self, sample: SampleId) -> Result<DatasetSummary, AppError> {
        let Some(bundled) = SAMPLES.iter().find(|bundled| bundled.id == sample.sample) else {
            return Err(AppError::new(ErrorCode::NotFound, "There is no such sample."));
        };
        let created_at = self.host.now_ms();
        let meta = DocumentMeta { name: bundled.name.to_owned(), source: bundled.file.to_owned(), created_at };
        let datasets = Arc::clone(&self.datasets);
        blocking(move || datasets.take_sample(bundled.text, meta)).await
    }

    pub(crate) async fn export(&self, request: ExportRequest) -> Result<ExportOutcome, AppError> {
        let model = models::intent(&request.base_model)?;
        let Some(folder) = self.host.pick_folder().await else {
            return Ok(ExportOutcome { folder: None, files: Vec::new() });
        };
        let name = self.datasets.summary(request.dataset.clone()).await?.name;
        let folder = free_folder(&folder, &format!("{} for {}", file_name(&name), model.name()));
        let files = self.datasets.write_splits(request.dataset, model.data(), folder.clone()).await?;
        Ok(ExportOutcome { folder: Some(folder.display().to_string()), files: files.names })
    }

    pub(crate) async fn save(&self, request: SaveRequest) -> Result<SaveOutcome, AppError> {
        let summary = self.datasets.summary(request.dataset.clone()).await?;
        // An import has no file yet: saving it asks for one.
        if summary.file.path.is_none() {
            self.save_as(request.dataset).await
        } else {
            self.datasets.save(request).await
        }
    }

    pub(crate) async fn save_as(&self, dataset: String) -> Result<SaveOutcome, AppError> {
        let name = self.datasets.summary(dataset.clone()).await?.name;
        let stem = name.strip_suffix(".jsonl").unwrap_or(&name);
        match self.host.pick_new_file(&format!("{}.jsonl", file_name(stem))).await {
            Some(path) => self.datasets.save_as(dataset, path).await,
            None => self.datasets.not_saved(dataset).await,
        }
    }

    pub(crate) async fn convert(&self, request: ConversionRequest) -> Result<ConversionOutcome, AppError> {
        let summary = self.datasets.summary(request.dataset.clone()).await?;
        let stem = Path::new(&summary.name).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let suggested = format!("{} converted.{}", file_name(&stem), datasets::extension_of(&request)?);
        match self.host.pick_new_file(&suggested).await {
            Some(path) => self.datasets.convert(request, path).await,
            None => {
                let report = self.datasets.preview_conversion(request).await?;
                Ok(ConversionOutcome { file: None, bytes: 0, report })
            }
        }
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

pub fn options(reading: Reading) -> ReadOptions {
    ReadOptions {
        mapping: reading.mapping.map(|mapping| Mapping {
            prompt: mapping.prompt,
            completion: mapping.completion,
            system: mapping.system,
        }),
        template: reading.template.map(|template| Template {
            prompt: template.prompt,
            completion: template.completion,
            system: template.system,
        }),
        header: reading.header,
        sheet: reading.sheet,
        encoding: reading.encoding.as_deref().and_then(Encoding::from_id),
        // One byte in UTF-8: what stands between columns is a sign of ASCII.
        delimiter: reading.delimiter.and_then(|delimiter| delimiter.bytes().next()).filter(u8::is_ascii),
    }
}

fn preview(path: &Path, token: String, mut reading: Reading) -> Result<FilePreview, AppError> {
    let source = dataset::sniff_with(path, &options(reading.clone())).map_err(|error| from_read(&error))?;
    if reading.mapping.is_none() {
        reading.mapping = source.mapping.clone().map(|mapping| ColumnMapping {
            prompt: mapping.prompt,
            completion: mapping.completion,
            system: mapping.system,
        });
    }
    let described = source.format.describe();
    let schema = source.schema(None).map(|schema| schema.name().to_owned());
    let only = |label: String| Choice { id: DETECTED.to_owned(), label, note: None };
    let (records, problem) = first_records(path, &options(reading.clone()));
    reading.format = Some(DETECTED.to_owned());
    reading.schema = schema.as_ref().map(|_| DETECTED.to_owned());
    let mut sheets = Vec::new();
    let mut encodings = Vec::new();
    match &source.format {
        Format::Xlsx { sheet, .. } => {
            sheets = dataset::sheets(path).map_err(|error| from_read(&error))?;
            reading.sheet = Some(sheet.clone());
        }
        Format::Parquet { .. } => {}
        format => {
            encodings = Encoding::ALL
                .map(|one| Choice { id: one.id().to_owned(), label: one.name().to_owned(), note: None })
                .into();
            reading.encoding = Some(source.encoding.id().to_owned());
            if let Format::Csv { dialect, .. } = format {
                reading.delimiter = Some(char::from(dialect.delimiter).to_string());
            }
        }
    }
    let in_place = source.opens_in_place() && reading.template.is_none();
    let obstacle = if in_place {
        None
    } else if reading.template.is_some() {
        Some("A template makes new texts of what the file holds, so the records are copied.".to_owned())
    } else {
        Some("Only JSON Lines in UTF-8 that are not packed can be edited where they lie.".to_owned())
    };
    Ok(FilePreview {
        file: PickedFile { token, attaches_as: attaches_as(&name_of(path)), name: name_of(path), bytes: source.bytes },
        formats: vec![only(described.clone())],
        schemas: schema.into_iter().map(only).collect(),
        encodings,
        format: described,
        reading,
        sheets,
        in_place,
        in_place_obstacle: obstacle,
        columns: source.format.columns().to_vec(),
        sample: source.sample,
        records,
        problem,
        notes: source.notes,
    })
}

/// The first records as they would become, and what stands in the way of reading them.
fn first_records(path: &Path, options: &ReadOptions) -> (Vec<PreviewRecord>, Option<TextProblem>) {
    let problem = |error: &ReadError| {
        let at = match error {
            ReadError::Template(fault) => u32::try_from(fault.at).unwrap_or(0),
            _ => 0,
        };
        let hint = Some(error.hint().to_owned());
        TextProblem { message: sentence(&error.to_string()), hint, start: at, end: at }
    };
    let mut records = Vec::new();
    let mut reader = match RecordReader::open(path, options) {
        Ok(reader) => reader,
        // What no column was chosen for yet is asked for by the mapping itself.
        Err(ReadError::NeedsMapping { .. }) => return (records, None),
        Err(error) => return (records, Some(problem(&error))),
    };
    while records.len() < PREVIEWED {
        match reader.next_item() {
            Ok(Some(Item::Record(sourced))) => records.push(PreviewRecord {
                line: sourced.line,
                turns: datasets::show_turns(&sourced.record),
                problem: None,
            }),
            Ok(Some(Item::Problem(broken))) => records.push(PreviewRecord {
                line: Some(broken.line),
                turns: Vec::new(),
                problem: Some(broken.message),
            }),
            Ok(None) => break,
            Err(error) => return (records, Some(problem(&error))),
        }
    }
    (records, None)
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

/// Files are read off the async threads, so that the window is never kept waiting.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AppError> + Send + 'static,
) -> Result<T, AppError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| from_join(&error))?
}

pub fn from_read(error: &ReadError) -> AppError {
    let code = match error {
        ReadError::Io { .. } | ReadError::Changed => ErrorCode::FileUnavailable,
        ReadError::Written(_) => ErrorCode::Storage,
        ReadError::Cancelled => ErrorCode::Cancelled,
        ReadError::MissingColumns { .. } | ReadError::NeedsMapping { .. } | ReadError::Template(_) => {
            ErrorCode::InvalidInput
        }
        _ => ErrorCode::FileBroken,
    };
    AppError::new(code, sentence(&error.to_string())).hint(error.hint())
}

/// Causes are written to stand behind a colon; alone they begin with a capital and end with a full stop.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

pub fn show_problem(problem: dataset::ReadProblem) -> ReadProblem {
    ReadProblem {
        line: problem.line,
        column: problem.column,
        message: problem.message,
        hint: problem.hint,
        excerpt: problem.excerpt,
    }
}
