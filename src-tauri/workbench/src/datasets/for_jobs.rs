//! What a job, the playground and an export need of a dataset.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use whetstone_catalog::DataRules;
use whetstone_contract::{AppError, HoldOutPrompt, PromptFrame};
use whetstone_dataset::{
    Block, Finding, Intent, Record, Row, Severity, SplitKind, SystemHandling, check_record, fitting_format,
    write_record,
};

use super::findings;
use super::rows::sum;
use super::show::in_words;
use super::{Datasets, from_document};
use crate::errors::from_io;
use crate::tokens;

/// The rule that asks where the media of a record lie.
const MEDIA_BUCKET: &str = "media-bucket";

/// A template shows in this many prompts.
const FRAME_RECORDS: usize = 200;

/// What a job on a base model would get from a dataset.
#[derive(Default)]
pub struct DataForModel {
    pub errors: u64,
    pub warnings: u64,
    pub first_error: Option<String>,
    pub training: u64,
    pub validation: u64,
    pub hold_out: u64,
    pub training_tokens: u64,
}

/// One record that a job would train on.
pub struct TrainingLine {
    /// From 0, in the dataset.
    pub position: u64,
    /// As it is uploaded, or why it cannot be.
    pub line: String,
    pub record: Record,
}

/// The files that a job uploads, or an export leaves.
pub struct SplitFiles {
    pub names: Vec<String>,
    pub has_validation: bool,
}

impl Datasets {
    /// With the bucket that the job's files go to, the records whose media lie elsewhere are errors, too; the check that
    /// is kept of a dataset knows no bucket, since it is the same for every connection.
    pub async fn for_model(
        self: &Arc<Self>,
        id: String,
        intent: Intent<'static>,
        bucket: Option<String>,
    ) -> Result<DataForModel, AppError> {
        self.work(id, move |opened| {
            let data = intent.data();
            let checked = findings::wait(opened, intent)?;
            let report = &checked.report;
            let state = opened.whole()?;
            let (mut training_tokens, mut elsewhere, mut first_elsewhere) = (0, 0, None);
            for row in state.iter() {
                let row = row.map_err(|error| from_document(&error))?;
                if row.split.is_none_or(|split| split == SplitKind::Training) {
                    training_tokens += sum(tokens::of_record(&intent, &row.record_or_empty()));
                }
                if let Some(bucket) = bucket.as_deref().filter(|_| row.split != Some(SplitKind::HoldOut))
                    && !checked.breaks(MEDIA_BUCKET, row.id)
                    && let Some(finding) = media_elsewhere(&row.record_or_empty(), &intent.in_bucket(bucket))
                {
                    elsewhere += 1;
                    first_elsewhere.get_or_insert(Finding { record: Some(row.position), ..finding });
                }
            }
            let first_error = report.findings.iter().find(|one| one.severity == Severity::Error);
            let counts = opened.document().split_counts();
            let validation = counts.as_ref().map_or(0, |counts| counts.validation);
            Ok(DataForModel {
                errors: report.errors + elsewhere,
                warnings: report.warnings,
                first_error: first_error.or(first_elsewhere.as_ref()).map(in_words),
                training: counts.as_ref().map_or(state.len(), |counts| counts.training),
                validation: if data.validation_accepted { validation } else { 0 },
                hold_out: counts.map_or(0, |counts| counts.hold_out),
                training_tokens,
            })
        })
        .await
    }

    /// Writes each split as the base model's own JSON Lines.
    pub async fn write_splits(
        self: &Arc<Self>,
        id: String,
        data: &'static DataRules,
        folder: PathBuf,
    ) -> Result<SplitFiles, AppError> {
        self.work(id, move |opened| {
            std::fs::create_dir_all(&folder).map_err(|error| from_io("The folder for the files", &error))?;
            let state = opened.whole()?;
            let mut records = Vec::new();
            for row in state.iter() {
                let row = row.map_err(|error| from_document(&error))?;
                records.push(row.record_or_empty().into_owned());
            }
            let format = fitting_format(data, &records);
            let files = opened.document().export(&folder, format, SystemHandling::PutBeforePrompt);
            let files = files.map_err(|error| from_document(&error))?;
            Ok(SplitFiles {
                has_validation: data.validation_accepted
                    && files.iter().any(|file| file.split == SplitKind::Validation),
                names: files.iter().filter_map(|file| Some(file.path.file_name()?.to_string_lossy().into())).collect(),
            })
        })
        .await
    }

    /// The records that a job would train on, with their positions and the line that each is uploaded as: those at
    /// the places given, in that order. The places count the training records.
    pub async fn training_lines(
        self: &Arc<Self>,
        id: String,
        data: &'static DataRules,
        places: impl FnOnce(u64) -> Vec<u64> + Send + 'static,
    ) -> Result<Vec<TrainingLine>, AppError> {
        self.work(id, move |opened| {
            let state = opened.whole()?;
            let counts = opened.document().split_counts();
            let places = places(counts.map_or(state.len(), |counts| counts.training));
            let wanted: BTreeSet<u64> = places.iter().copied().collect();
            let mut found = BTreeMap::new();
            let mut place = 0;
            for row in state.iter() {
                let row = row.map_err(|error| from_document(&error))?;
                if row.split.is_some_and(|split| split != SplitKind::Training) {
                    continue;
                }
                if wanted.contains(&place) {
                    found.insert(place, (row.position, row.record_or_empty().into_owned()));
                }
                place += 1;
            }
            let format = fitting_format(data, found.values().map(|(_, record)| record));
            let lines = places.into_iter().filter_map(|place| found.get(&place)).map(|(position, record)| {
                let mut line = Vec::new();
                let written = write_record(record, *position, format, SystemHandling::PutBeforePrompt, &mut line);
                let line = match written {
                    Ok(()) => String::from_utf8_lossy(&line).trim_end().to_owned(),
                    Err(error) => error.to_string(),
                };
                TrainingLine { position: *position, line, record: record.clone() }
            });
            Ok(lines.collect())
        })
        .await
    }

    /// Shows each record to a visitor, with two things that it fills.
    pub async fn each_record<A: Send + 'static, B: Send + 'static>(
        self: &Arc<Self>,
        id: String,
        mut one: A,
        mut other: B,
        mut visit: impl FnMut(&mut A, &mut B, &Row) + Send + 'static,
    ) -> Result<(A, B), AppError> {
        self.work(id, move |opened| {
            for row in opened.whole()?.iter() {
                visit(&mut one, &mut other, &row.map_err(|error| from_document(&error))?);
            }
            Ok((one, other))
        })
        .await
    }

    /// A job used the split: from now on it stays as it is.
    pub async fn freeze_split(self: &Arc<Self>, id: String, job: String) -> Result<(), AppError> {
        self.work(id, move |opened| {
            if opened.document().split_counts().is_some() {
                opened.document().freeze_split(&job).map_err(|error| from_document(&error))?;
                opened.tell_changed();
            }
            Ok(())
        })
        .await
    }

    /// The record that stands on a line (from 1) of a split's file, and how many records the split has now.
    pub async fn record_of_line(
        self: &Arc<Self>,
        id: String,
        kind: SplitKind,
        line: u64,
    ) -> Result<Option<(u64, u64)>, AppError> {
        self.work(id, move |opened| {
            let state = opened.whole()?;
            let (mut records, mut found) = (0, None);
            for row in state.iter() {
                let row = row.map_err(|error| from_document(&error))?;
                // A dataset that was not split is all for training.
                if row.split.unwrap_or(SplitKind::Training) == kind {
                    records += 1;
                    if records == line {
                        found = Some(row.position);
                    }
                }
            }
            Ok(found.map(|position| (position, records)))
        })
        .await
    }

    /// What the training prompts have in common. A stretch that ends within a word is cut back to where the word begins.
    pub async fn prompt_frame(self: &Arc<Self>, id: String) -> Result<PromptFrame, AppError> {
        self.work(id, move |opened| {
            let (state, _) = opened.state()?;
            let mut prompts: Vec<String> = Vec::new();
            let mut systems = BTreeSet::new();
            for row in state.iter() {
                let row = row.map_err(|error| from_document(&error))?;
                if row.split.is_some_and(|split| split != SplitKind::Training) {
                    continue;
                }
                let record = row.record_or_empty();
                systems.insert(record.system().map(std::borrow::Cow::into_owned));
                prompts.push(record.prompt().into_owned());
                if prompts.len() == FRAME_RECORDS {
                    break;
                }
            }
            let (before, after) = frame(&prompts);
            let system = if systems.len() == 1 { systems.pop_first().flatten() } else { None };
            Ok(PromptFrame { system, before, after, records: prompts.len() as u64 })
        })
        .await
    }

    pub async fn hold_out_record(self: &Arc<Self>, id: String, index: u64) -> Result<Option<HoldOutPrompt>, AppError> {
        self.work(id, move |opened| {
            let count = opened.document().split_counts().map_or(0, |counts| counts.hold_out);
            if count == 0 {
                return Ok(None);
            }
            let wanted = usize::try_from(index % count).unwrap_or(0);
            let (state, _) = opened.state()?;
            let mut held = state
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
}

/// What a record with media breaks only because of the bucket that it is uploaded to.
fn media_elsewhere(record: &Record, intent: &Intent<'_>) -> Option<Finding> {
    let has_media = record.turns.iter().flat_map(|turn| &turn.content).any(|block| Block::media_uri(block).is_some());
    // Most records are text, and are not looked at again.
    let found = has_media.then(|| check_record(record, intent))?;
    found.into_iter().find(|finding| finding.rule == MEDIA_BUCKET)
}

/// The text that all prompts begin with, and the text that they end with; nothing where fewer than two are to be compared.
fn frame(prompts: &[String]) -> (String, String) {
    let Some((first, others)) = prompts.split_first().filter(|(_, others)| !others.is_empty()) else {
        return (String::new(), String::new());
    };
    let alike =
        |a: &str, b: &str| a.chars().zip(b.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let alike_at_end = |a: &str, b: &str| {
        a.chars().rev().zip(b.chars().rev()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum()
    };
    let before: usize = others.iter().map(|other| alike(first, other)).min().unwrap_or(0);
    let before = first[..before]
        .rfind(|letter: char| !letter.is_alphanumeric())
        .map_or("", |at| &first[..at + first[at..].chars().next().map_or(0, char::len_utf8)]);
    let rest: Vec<&str> = prompts.iter().map(|prompt| &prompt[before.len()..]).collect();
    let end: usize = rest[1..].iter().map(|other| alike_at_end(rest[0], other)).min().unwrap_or(0);
    let end = &rest[0][rest[0].len() - end..];
    // White space or a whole line belongs to a template; a full stop that all share is only how people write.
    let after = end.find('\n').map_or("", |at| &end[at..]);
    (before.to_owned(), after.to_owned())
}

#[cfg(test)]
mod tests {
    use super::frame;

    #[test]
    fn a_template_shows_in_what_all_prompts_share() {
        let of = |texts: &[&str]| frame(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        let (before, after) = of(&["Classify: card lost\n\nLabel:", "Classify: cash gone\n\nLabel:"]);
        assert_eq!((before.as_str(), after.as_str()), ("Classify: ", "\n\nLabel:"));
        assert_eq!(of(&["Where is it?", "When is it?"]), (String::new(), String::new()));
        assert_eq!(of(&["the same\n", "the same\n"]).0, "the same\n");
        assert_eq!(of(&["alone"]), (String::new(), String::new()));
        assert_eq!(of(&["ä: ö", "ä: ü"]).0, "ä: ");
    }
}
