//! The file of a dataset: opened in place, saved, and what to do when it changed beneath.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use whetstone_contract::{
    AppError, DatasetPart, DatasetSummary, ErrorCode, FileChoice, FileChoiceRequest, ImportOutcome, SaveOutcome,
    SaveRequest,
};
use whetstone_dataset::{
    Document, DocumentError, DocumentMeta, DocumentWriter, ReadOptions, RecordReader, SaveJob, Schema, import_jsonl,
};

use super::opened::Opened;
use super::show::summarise;
use super::{Datasets, from_document};
use crate::import::{from_read, show_problem};

impl Datasets {
    /// Opens a JSONL file where it lies.
    pub fn take_in_place(
        &self,
        file: &Path,
        options: &ReadOptions,
        meta: DocumentMeta,
    ) -> Result<ImportOutcome, AppError> {
        let schema = RecordReader::open(file, options).map_err(|error| from_read(&error))?.line_schema();
        let (id, folder) = self.place(meta.created_at);
        let document = Document::open_file(&folder, file, schema, meta).map_err(|error| from_document(&error))?;
        let dataset = self.keep(id, document)?;
        let readable_records = dataset.records;
        Ok(ImportOutcome { dataset: Some(dataset), problems: Vec::new(), problem_count: 0, readable_records })
    }

    /// Copies the records of a file into one of the app's own. A file with places that cannot be read is reported and
    /// not kept, unless they are to be left out.
    pub fn import(
        &self,
        file: &Path,
        options: &ReadOptions,
        meta: DocumentMeta,
        skip_broken: bool,
        progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
    ) -> Result<ImportOutcome, AppError> {
        let schema = RecordReader::open(file, options).map_err(|error| from_read(&error))?.line_schema();
        let (id, folder) = self.place(meta.created_at);
        let brought = || -> Result<ImportOutcome, AppError> {
            let mut writer = DocumentWriter::new(&folder, schema).map_err(|error| from_document(&error))?;
            let imported = import_jsonl(file, options, &mut writer, progress).map_err(|error| from_read(&error))?;
            let mut outcome = ImportOutcome {
                dataset: None,
                problems: imported.problems.into_iter().map(show_problem).collect(),
                problem_count: imported.problem_count,
                readable_records: imported.records,
            };
            if imported.problem_count == 0 || skip_broken {
                let document = writer.finish(meta).map_err(|error| from_document(&error))?;
                outcome.dataset = Some(self.keep(id, document)?);
            }
            Ok(outcome)
        };
        let outcome = brought();
        if outcome.as_ref().map_or(true, |outcome| outcome.dataset.is_none()) {
            // An import that came to nothing leaves at most an empty folder; what is in it is no dataset.
            let _ = std::fs::remove_dir_all(&folder);
        }
        outcome
    }

    pub fn take_sample(&self, lines: &str, meta: DocumentMeta) -> Result<DatasetSummary, AppError> {
        let (id, folder) = self.place(meta.created_at);
        let written = || -> Result<Document, DocumentError> {
            let mut writer = DocumentWriter::new(&folder, Schema::PromptCompletion)?;
            lines.lines().try_for_each(|line| writer.push_line(line.as_bytes()))?;
            writer.finish(meta)
        };
        self.keep(id, written().map_err(|error| from_document(&error))?)
    }

    pub async fn save(self: &Arc<Self>, asked: SaveRequest) -> Result<SaveOutcome, AppError> {
        self.work(asked.dataset, move |opened| {
            if asked.replace_changed {
                opened.document().keep_mine().map_err(|error| from_document(&error))?;
            }
            let job = opened.document().save_job();
            match job.and_then(|job| run(opened, job)) {
                Ok(path) => saved(opened, Some(path)),
                // The person is asked what to do: the summary says what there is to choose from.
                Err(DocumentError::SourceChanged { .. }) => saved(opened, None),
                Err(error) => Err(from_document(&error)),
            }
        })
        .await
    }

    pub async fn save_as(self: &Arc<Self>, id: String, path: PathBuf) -> Result<SaveOutcome, AppError> {
        self.work(id, move |opened| {
            let job = opened.document().save_as_job(&path);
            let path = job.and_then(|job| run(opened, job)).map_err(|error| from_document(&error))?;
            saved(opened, Some(path))
        })
        .await
    }

    /// The answer of a save that the person broke off in the dialog.
    pub async fn not_saved(self: &Arc<Self>, id: String) -> Result<SaveOutcome, AppError> {
        self.work(id, |opened| saved(opened, None)).await
    }

    pub async fn choose_file(self: &Arc<Self>, asked: FileChoiceRequest) -> Result<DatasetSummary, AppError> {
        self.work(asked.dataset, move |opened| {
            match asked.choice {
                FileChoice::Reload => {
                    opened
                        .long_edit("Read the file again", |document, watched| document.reload(watched).map(|_| ()))?;
                    opened.arranged();
                }
                FileChoice::Keep => opened.document().keep_mine().map_err(|error| from_document(&error))?,
                FileChoice::SaveAs => {
                    return Err(AppError::new(ErrorCode::Bug, "Saving as another file is a call of its own."));
                }
            }
            opened.tell_changed();
            summarise(opened)
        })
        .await
    }
}

/// Writes the file without holding the document, so that the table can be looked at meanwhile.
fn run(opened: &Arc<Opened>, job: SaveJob) -> Result<PathBuf, DocumentError> {
    let watched = opened.watched(format!("Save {}", opened.document().meta().name), "Writing", DatasetPart::View);
    let result = job.run(&watched).and_then(|saved| {
        let path = saved.path().to_owned();
        opened.document().finish_save(saved).map(|()| path)
    });
    match &result {
        Ok(_) => watched.finish(Ok(())),
        Err(error) => watched.finish(Err(&from_document(error))),
    }
    result
}

fn saved(opened: &Arc<Opened>, path: Option<PathBuf>) -> Result<SaveOutcome, AppError> {
    opened.tell_changed();
    let summary = summarise(opened)?;
    Ok(SaveOutcome { records: summary.records, summary, file: path.map(|path| path.display().to_string()) })
}
