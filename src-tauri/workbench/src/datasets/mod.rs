//! The datasets of the app: a folder each, opened once and kept open.
//!
//! Every call works on the disk and therefore runs off the async threads. What a record, an edit, a split or a finding
//! is, `whetstone_dataset` knows; this module finds the dataset and turns the answer into the contract's shapes.

mod show;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use whetstone_catalog::BaseModel;
use whetstone_contract as contract;
use whetstone_contract::{
    AppError, DatasetSummary, DeleteRecordRequest, EditRequest, ErrorCode, FindingsReport, FindingsRequest,
    HoldOutPrompt, InsertRequest, RecordDetail, RecordRequest, RowWindow, RowsRequest, SplitRequest,
};
use whetstone_dataset::{
    Document, DocumentError, DocumentMeta, DocumentWriter, IdSet, Intent, Record, RecordId, Report, Schema, Severity,
    Share, SourcedRecord, SplitBy, SplitKind, SplitPlan, SystemHandling, Unwatched, check_dataset, check_record,
    fitting_format,
};

use crate::errors::from_io;
use crate::import::blocking;
use crate::models;
use show::{from_document, in_words, show_finding, show_row, show_split, show_turn, summarise, take_turn};

/// The most rows a window of the table asks for.
const MOST_ROWS: u32 = 1_000;
const MOST_FINDINGS: usize = 1_000;
/// A folder on its way out. It holds no dataset any more, whatever is still in it.
const LEAVING: &str = ".deleted-";

pub struct Datasets {
    folder: PathBuf,
    open: Mutex<HashMap<String, Arc<Mutex<Document>>>>,
}

/// What a job on this base model would get from a dataset.
pub struct DataForModel {
    pub errors: u64,
    pub warnings: u64,
    pub first_error: Option<String>,
    pub training: u64,
    pub validation: u64,
    pub hold_out: u64,
    pub training_tokens: u64,
}

/// The files that a job uploads, or an export leaves.
pub struct SplitFiles {
    pub names: Vec<String>,
    pub has_validation: bool,
}

impl Datasets {
    pub fn open(folder: PathBuf) -> Result<Self, AppError> {
        let trouble = |error: std::io::Error| from_io("The folder of the datasets", &error);
        std::fs::create_dir_all(&folder).map_err(trouble)?;
        for entry in std::fs::read_dir(&folder).map_err(trouble)? {
            let entry = entry.map_err(trouble)?;
            if entry.file_name().to_string_lossy().starts_with(LEAVING) {
                std::fs::remove_dir_all(entry.path()).map_err(trouble)?;
            }
        }
        Ok(Self { folder, open: Mutex::default() })
    }

    /// Newest first. A folder that cannot be read is told in the log and does not hide the others.
    pub async fn list(self: &Arc<Self>) -> Result<Vec<DatasetSummary>, AppError> {
        let datasets = Arc::clone(self);
        blocking(move || {
            let entries = std::fs::read_dir(&datasets.folder);
            let entries = entries.map_err(|error| from_io("The folder of the datasets", &error))?;
            let mut summaries: Vec<DatasetSummary> = entries
                .filter_map(|entry| {
                    let id = entry.ok()?.file_name().into_string().ok()?;
                    match datasets.with(&id, |document| Ok(summarise(&id, document))) {
                        Ok(summary) => Some(summary),
                        Err(error) => {
                            tracing::error!(dataset = id, %error, "a dataset could not be opened");
                            None
                        }
                    }
                })
                .collect();
            summaries.sort_by_key(|summary| (std::cmp::Reverse(summary.created_at), summary.id.clone()));
            Ok(summaries)
        })
        .await
    }

    pub async fn create(
        self: &Arc<Self>,
        name: String,
        source: String,
        created_at: i64,
        records: Vec<SourcedRecord>,
    ) -> Result<DatasetSummary, AppError> {
        let datasets = Arc::clone(self);
        blocking(move || {
            // Imports within one millisecond get numbers of their own.
            let base = format!("{created_at:x}");
            let free = |id: &String| !datasets.folder.join(id).exists();
            let id = std::iter::once(base.clone()).chain((2..).map(|number| format!("{base}-{number}"))).find(free);
            let id = id.unwrap_or(base);
            let meta = DocumentMeta { name, source, created_at };
            let document =
                written(&datasets.folder.join(&id), &records, meta).map_err(|error| from_document(&error))?;
            let summary = summarise(&id, &document);
            datasets.lock().insert(id, Arc::new(Mutex::new(document)));
            Ok(summary)
        })
        .await
    }

    pub async fn delete(self: &Arc<Self>, id: String) -> Result<(), AppError> {
        let datasets = Arc::clone(self);
        blocking(move || {
            datasets.with(&id, |_| Ok(()))?;
            datasets.lock().remove(&id);
            let leaving = datasets.folder.join(format!("{LEAVING}{id}"));
            let gone =
                std::fs::rename(datasets.folder.join(&id), &leaving).and_then(|()| std::fs::remove_dir_all(&leaving));
            gone.map_err(|error| from_io("The dataset's folder", &error))
        })
        .await
    }

    pub async fn summary(self: &Arc<Self>, id: String) -> Result<DatasetSummary, AppError> {
        self.work(id, |id, document| Ok(summarise(id, document))).await
    }

    pub async fn rows(self: &Arc<Self>, asked: RowsRequest) -> Result<RowWindow, AppError> {
        let model = models::find(&asked.base_model)?;
        let window = asked.offset..asked.offset.saturating_add(u64::from(asked.count.min(MOST_ROWS)));
        self.work(asked.dataset, move |_, document| {
            let rows = document.rows(window).map_err(|error| from_document(&error))?;
            Ok(RowWindow {
                total: document.len(),
                offset: asked.offset,
                rows: rows.iter().map(|row| show_row(row, model)).collect(),
            })
        })
        .await
    }

    pub async fn record(self: &Arc<Self>, asked: RecordRequest) -> Result<RecordDetail, AppError> {
        let model = models::find(&asked.base_model)?;
        self.work(asked.dataset, move |_, document| detail(document, asked.position, model)).await
    }

    pub async fn edit(self: &Arc<Self>, edit: EditRequest) -> Result<RecordDetail, AppError> {
        let model = models::find(&edit.base_model)?;
        self.work(edit.dataset, move |_, document| {
            let record = Record::new(edit.turns.into_iter().map(take_turn).collect());
            let id = place(document, edit.position)?;
            document.replace(id, &record).map_err(|error| from_document(&error))?;
            detail(document, edit.position, model)
        })
        .await
    }

    pub async fn insert(self: &Arc<Self>, asked: InsertRequest) -> Result<DatasetSummary, AppError> {
        self.work(asked.dataset, move |id, document| {
            let record = Record::new(asked.turns.into_iter().map(take_turn).collect());
            document.insert(asked.position, &[record]).map_err(|error| from_document(&error))?;
            Ok(summarise(id, document))
        })
        .await
    }

    pub async fn delete_record(self: &Arc<Self>, asked: DeleteRecordRequest) -> Result<DatasetSummary, AppError> {
        self.work(asked.dataset, move |id, document| {
            let gone = IdSet::from_iter([place(document, asked.position)?]);
            document.delete(&gone).map_err(|error| from_document(&error))?;
            Ok(summarise(id, document))
        })
        .await
    }

    pub async fn undo(self: &Arc<Self>, id: String) -> Result<DatasetSummary, AppError> {
        self.work(id, |id, document| {
            document.undo().map_err(|error| from_document(&error))?;
            Ok(summarise(id, document))
        })
        .await
    }

    pub async fn redo(self: &Arc<Self>, id: String) -> Result<DatasetSummary, AppError> {
        self.work(id, |id, document| {
            document.redo().map_err(|error| from_document(&error))?;
            Ok(summarise(id, document))
        })
        .await
    }

    pub async fn split(self: &Arc<Self>, asked: SplitRequest) -> Result<DatasetSummary, AppError> {
        let plan = SplitPlan {
            validation: Share::Percent(f64::from(asked.validation_percent)),
            hold_out: Share::Percent(f64::from(asked.hold_out_percent)),
            seed: asked.seed,
            by: SplitBy::Record,
        };
        self.work(asked.dataset, move |id, document| {
            document.assign_split(&plan, &Unwatched).map_err(|error| from_document(&error))?;
            Ok(summarise(id, document))
        })
        .await
    }

    pub async fn findings(self: &Arc<Self>, asked: FindingsRequest) -> Result<FindingsReport, AppError> {
        let model = models::find(&asked.base_model)?;
        self.work(asked.dataset, move |_, document| {
            let report = check(document, model)?;
            Ok(FindingsReport {
                errors: report.errors,
                warnings: report.warnings,
                findings: report.findings.into_iter().take(MOST_FINDINGS).map(show_finding).collect(),
            })
        })
        .await
    }

    pub async fn for_model(self: &Arc<Self>, id: String, model: &'static BaseModel) -> Result<DataForModel, AppError> {
        self.work(id, move |_, document| {
            let report = check(document, model)?;
            let mut chars = 0;
            for row in document.iter() {
                let row = row.map_err(|error| from_document(&error))?;
                if row.split.is_none_or(|split| split == SplitKind::Training) {
                    chars += row.record_or_empty().chars();
                }
            }
            let counts = document.split_counts();
            let validation = counts.as_ref().map_or(0, |counts| counts.validation);
            Ok(DataForModel {
                errors: report.errors,
                warnings: report.warnings,
                first_error: report.findings.into_iter().find(|one| one.severity == Severity::Error).map(in_words),
                training: counts.as_ref().map_or(document.len(), |counts| counts.training),
                validation: if model.data.validation_accepted { validation } else { 0 },
                hold_out: counts.map_or(0, |counts| counts.hold_out),
                training_tokens: model.data.estimate_tokens(chars),
            })
        })
        .await
    }

    /// Writes each split as the base model's own JSON Lines.
    pub async fn write_splits(
        self: &Arc<Self>,
        id: String,
        model: &'static BaseModel,
        folder: PathBuf,
    ) -> Result<SplitFiles, AppError> {
        self.work(id, move |_, document| {
            std::fs::create_dir_all(&folder).map_err(|error| from_io("The folder for the files", &error))?;
            let mut records = Vec::new();
            for row in document.iter() {
                records.push(row.map_err(|error| from_document(&error))?.record_or_empty().into_owned());
            }
            let format = fitting_format(model, &records);
            let files = document.export(&folder, format, SystemHandling::PutBeforePrompt);
            let files = files.map_err(|error| from_document(&error))?;
            Ok(SplitFiles {
                has_validation: model.data.validation_accepted
                    && files.iter().any(|file| file.split == SplitKind::Validation),
                names: files.iter().filter_map(|file| Some(file.path.file_name()?.to_string_lossy().into())).collect(),
            })
        })
        .await
    }

    pub async fn hold_out_record(self: &Arc<Self>, id: String, index: u64) -> Result<Option<HoldOutPrompt>, AppError> {
        self.work(id, move |_, document| {
            let count = document.split_counts().map_or(0, |counts| counts.hold_out);
            if count == 0 {
                return Ok(None);
            }
            let wanted = usize::try_from(index % count).unwrap_or(0);
            let mut held = document
                .iter()
                .filter(|row| row.as_ref().is_ok_and(|row| row.split == Some(SplitKind::HoldOut)) || row.is_err());
            let row = held.nth(wanted).transpose().map_err(|error| from_document(&error))?;
            Ok(row.map(|row| {
                let record = row.record_or_empty();
                HoldOutPrompt {
                    position: row.position,
                    prompt: record.prompt().into_owned(),
                    completion: record.completion().into_owned(),
                }
            }))
        })
        .await
    }

    /// Runs work on one dataset off the async threads.
    async fn work<T: Send + 'static>(
        self: &Arc<Self>,
        id: String,
        work: impl FnOnce(&str, &mut Document) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, AppError> {
        let datasets = Arc::clone(self);
        blocking(move || datasets.with(&id, |document| work(&id, document))).await
    }

    fn with<T>(&self, id: &str, work: impl FnOnce(&mut Document) -> Result<T, AppError>) -> Result<T, AppError> {
        let document = self.document(id)?;
        let mut document = document.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut document)
    }

    fn document(&self, id: &str) -> Result<Arc<Mutex<Document>>, AppError> {
        let mut open = self.lock();
        if let Some(document) = open.get(id) {
            return Ok(Arc::clone(document));
        }
        // An id is one folder's name: it leads nowhere else.
        if Path::new(id).components().count() != 1 || id.starts_with('.') {
            return Err(AppError::new(ErrorCode::NotFound, "There is no such dataset."));
        }
        let document = Document::open(&self.folder.join(id)).map_err(|error| from_document(&error))?;
        if let Some(recovery) = document.recovery() {
            tracing::warn!(dataset = id, ?recovery, "the journal had lines that could not be read");
        }
        let document = Arc::new(Mutex::new(document));
        open.insert(id.to_owned(), Arc::clone(&document));
        Ok(document)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Mutex<Document>>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes an import down, in the first schema that holds all of its records as they are.
fn written(folder: &Path, records: &[SourcedRecord], meta: DocumentMeta) -> Result<Document, DocumentError> {
    let holds = |schema: &Schema| records.iter().all(|sourced| schema.render(&sourced.record).is_ok());
    let schema = [Schema::Conversation, Schema::OpenAiChat].into_iter().find(holds).unwrap_or(Schema::Conversation);
    let mut writer = DocumentWriter::new(folder, schema)?;
    for sourced in records {
        writer.push(&sourced.record)?;
    }
    writer.finish(meta)
}

/// The record at a position, by the name that it keeps.
fn place(document: &Document, position: u64) -> Result<RecordId, AppError> {
    let missing = DocumentError::OutOfRange { position, records: document.len() };
    document.state().id_at(position).ok_or_else(|| from_document(&missing))
}

fn check(document: &Document, model: &BaseModel) -> Result<Report, AppError> {
    let mut broken = None;
    let records = document.iter().map_while(|row| match row {
        Ok(row) => Some((row.record_or_empty().into_owned(), row.split.unwrap_or(SplitKind::Training))),
        Err(error) => {
            broken = Some(from_document(&error));
            None
        }
    });
    let report = check_dataset(records, &Intent::new(model));
    broken.map_or(Ok(report), Err)
}

fn detail(document: &Document, position: u64, model: &BaseModel) -> Result<RecordDetail, AppError> {
    let row = document.row(position).map_err(|error| from_document(&error))?;
    let record = row.record_or_empty();
    let findings = check_record(&record, &Intent::new(model));
    Ok(RecordDetail {
        position,
        tokens: model.data.estimate_tokens(record.chars()),
        split: row.split.map(show_split),
        turns: record.turns.iter().map(show_turn).collect(),
        findings: findings
            .into_iter()
            .map(|finding| contract::Finding { position: Some(position), ..show_finding(finding) })
            .collect(),
    })
}
