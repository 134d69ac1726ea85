//! Several jobs side by side: how their settings, their data and their results differ.
//!
//! Data is compared by the lines that were uploaded, which are kept here with each job: a record that only changed its
//! completion is told as changed, by its prompt.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use whetstone_contract::{AppError, CompareRequest, ComparedRow, ErrorCode, JobComparison};

use super::chart::MOST_RUNS;
use super::record::JobRecord;
use super::submit::{training_file, validation_file};
use crate::Workbench;
use crate::errors::from_join;

const UNKNOWN: &str = "–";

impl Workbench {
    pub(crate) async fn compare(&self, request: CompareRequest) -> Result<JobComparison, AppError> {
        if request.jobs.len() < 2 || request.jobs.len() > MOST_RUNS {
            let words = format!("Two to {MOST_RUNS} jobs can be compared.");
            return Err(AppError::new(ErrorCode::InvalidInput, words));
        }
        let jobs = request.jobs.iter().map(|id| self.jobs.get(id)).collect::<Result<Vec<_>, _>>()?;
        let folder = self.jobs.folder.clone();
        let of = jobs.clone();
        let data = tokio::task::spawn_blocking(move || data_rows(&of, &folder)).await;
        let mut results = Vec::new();
        for job in &jobs {
            let metrics = self.metrics_of(job).await?.unwrap_or_default();
            let best =
                metrics.validation.iter().map(|point| point.loss).filter(|loss| loss.is_finite()).reduce(f64::min);
            let summary = self.summary_of(job);
            results.push((summary.training_loss, summary.validation_loss, best, metrics.training.len(), took(job)));
        }
        let loss = |value: Option<f64>| value.map_or_else(|| UNKNOWN.to_owned(), |loss| format!("{loss:.3}"));
        Ok(JobComparison {
            settings: setting_rows(&jobs),
            data: data.map_err(|error| from_join(&error))?,
            results: vec![
                row("Final training loss", results.iter().map(|one| loss(one.0))),
                row("Final validation loss", results.iter().map(|one| loss(one.1))),
                row("Best validation loss", results.iter().map(|one| loss(one.2))),
                row("Steps", results.iter().map(|one| one.3.to_string())),
                row("Took", results.iter().map(|one| one.4.clone())),
            ],
            jobs: jobs.iter().map(|job| self.summary_of(job)).collect(),
        })
    }
}

fn row(name: impl Into<String>, cells: impl Iterator<Item = String>) -> ComparedRow {
    let cells: Vec<String> = cells.collect();
    ComparedRow { name: name.into(), differs: cells.windows(2).any(|pair| pair[0] != pair[1]), cells }
}

fn took(job: &JobRecord) -> String {
    job.ended_at.map_or_else(|| UNKNOWN.to_owned(), |ended| format!("{} s", (ended - job.created_at) / 1000))
}

fn setting_rows(jobs: &[JobRecord]) -> Vec<ComparedRow> {
    let mut rows = vec![row("Base model", jobs.iter().map(|job| job.base_model_name.clone()))];
    let keys: BTreeSet<&String> = jobs.iter().flat_map(|job| job.draft.hyperparameters.keys()).collect();
    rows.extend(keys.into_iter().map(|key| {
        row(key, jobs.iter().map(|job| job.draft.hyperparameters.get(key).cloned().unwrap_or_else(|| UNKNOWN.into())))
    }));
    rows
}

fn data_rows(jobs: &[JobRecord], folder: &Path) -> Vec<ComparedRow> {
    let count = |records: u64| if records == 0 { UNKNOWN.to_owned() } else { records.to_string() };
    let mut rows = vec![
        row("Dataset", jobs.iter().map(|job| job.dataset_name.clone())),
        row("Training records", jobs.iter().map(|job| count(job.training_records))),
        row("Validation records", jobs.iter().map(|job| count(job.validation_records))),
    ];
    type File = fn(&Path) -> std::path::PathBuf;
    for (split, file) in [("training", training_file as File), ("validation", validation_file as File)] {
        let contents: Vec<Option<Lines>> = jobs
            .iter()
            .map(|job| std::fs::read(file(&folder.join(&job.id))).ok().map(|bytes| Lines::of(&bytes)))
            .collect();
        let first = contents.first().and_then(Option::as_ref);
        let cells = contents.iter().enumerate().map(|(number, lines)| match (number, first, lines) {
            (0, _, _) => "the one compared with".to_owned(),
            (_, Some(first), Some(lines)) => lines.compared_with(first),
            _ => UNKNOWN.to_owned(),
        });
        let cells: Vec<String> = cells.collect();
        let differs = cells.iter().skip(1).any(|cell| cell != SAME);
        rows.push(ComparedRow { name: format!("Records for {split}"), cells, differs });
    }
    rows
}

const SAME: &str = "the same";

/// The lines of a file: how often each whole line is there, and each prompt.
struct Lines {
    whole: HashMap<u64, i64>,
    /// The hash of what is asked, by the hash of the line.
    asked: HashMap<u64, u64>,
}

impl Lines {
    fn of(bytes: &[u8]) -> Self {
        let mut lines = Self { whole: HashMap::new(), asked: HashMap::new() };
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let hash = hashed(line);
            *lines.whole.entry(hash).or_default() += 1;
            lines.asked.insert(hash, asked(line));
        }
        lines
    }

    /// "12 added, 3 removed, 1 changed", seen from the other file.
    fn compared_with(&self, before: &Self) -> String {
        let mut added = HashMap::<u64, i64>::new();
        let mut removed = HashMap::<u64, i64>::new();
        for (line, count) in &self.whole {
            let more = count - before.whole.get(line).copied().unwrap_or(0);
            if more > 0 {
                *added.entry(self.asked[line]).or_default() += more;
            }
        }
        for (line, count) in &before.whole {
            let less = count - self.whole.get(line).copied().unwrap_or(0);
            if less > 0 {
                *removed.entry(before.asked[line]).or_default() += less;
            }
        }
        let changed: i64 =
            added.iter().map(|(asked, more)| (*more).min(removed.get(asked).copied().unwrap_or(0))).sum();
        let (added, removed) = (added.values().sum::<i64>() - changed, removed.values().sum::<i64>() - changed);
        let parts = [(added, "added"), (removed, "removed"), (changed, "changed")];
        let said: Vec<String> =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        if said.is_empty() { SAME.to_owned() } else { said.join(", ") }
    }
}

/// What a record asks: all of it but the last thing that is answered.
fn asked(line: &[u8]) -> u64 {
    let Ok(mut record) = serde_json::from_slice::<serde_json::Value>(line) else { return hashed(line) };
    if let Some(object) = record.as_object_mut() {
        object.remove("completion");
        for turns in ["messages", "turns"] {
            if let Some(turns) = object.get_mut(turns).and_then(serde_json::Value::as_array_mut) {
                turns.pop();
            }
        }
    }
    hashed(record.to_string().as_bytes())
}

fn hashed(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_added_removed_and_changed_are_told_apart() {
        let before = Lines::of(b"{\"prompt\":\"a\",\"completion\":\"1\"}\n{\"prompt\":\"b\",\"completion\":\"2\"}\n{\"prompt\":\"c\",\"completion\":\"3\"}\n");
        let after = Lines::of(b"{\"prompt\":\"a\",\"completion\":\"1\"}\n{\"prompt\":\"b\",\"completion\":\"9\"}\n{\"prompt\":\"d\",\"completion\":\"4\"}\n{\"prompt\":\"e\",\"completion\":\"5\"}\n");
        assert_eq!(after.compared_with(&before), "2 added, 1 removed, 1 changed");
        assert_eq!(before.compared_with(&before), SAME);
    }

    #[test]
    fn the_same_record_twice_is_one_added() {
        let once = Lines::of(b"{\"prompt\":\"a\",\"completion\":\"1\"}\n");
        let twice = Lines::of(b"{\"prompt\":\"a\",\"completion\":\"1\"}\n{\"prompt\":\"a\",\"completion\":\"1\"}\n");
        assert_eq!(twice.compared_with(&once), "1 added");
        assert_eq!(once.compared_with(&twice), "1 removed");
    }
}
