//! Evaluations: models asked the same records, and what their answers show.
//!
//! Owns a folder: one an evaluation with what was asked (`record.json`, `cases.json`, written before the first call), and
//! `answers.db`, every answer that came, by what was asked of whom; and people's votes (`votes.json`). The numbers are made anew from those and kept in memory.
//!
//! | file | what it does |
//! | --- | --- |
//! | `record.rs` | what is written down of an evaluation |
//! | `cases.rs` | the records and examples that are drawn, and the prompt that a model gets |
//! | `answers.rs` | answers on disk, by content |
//! | `plan.rs` | what is wrong with a draft, what it would cost, how precise it would be |
//! | `run.rs` | asks what is not answered yet, several at once, as an activity |
//! | `scores.rs`, `verdict.rs`, `slices.rs` | the numbers, what they say in words, parts of the records |
//! | `rows.rs` | records side by side, and the picture of confusions |
//! | `own_metrics.rs` | expressions over each answer |
//! | `judge.rs`, `judged.rs` | a model that judges: what it is asked, what it found |
//! | `duel.rs` | people who compare blind: what is next, their votes |
//! | `preferences.rs` | what judges and people prefer, in numbers, words and as a file |
//! | `report.rs`, `recipe.rs` | the report as a file; an evaluation as a file, for scripts |
//!
//! Deliberately absent: any metric or interval, which are `whetstone-evaluation`'s.

mod answers;
mod cases;
mod duel;
mod judge;
mod judged;
mod own_metrics;
mod plan;
mod preferences;
mod recipe;
mod record;
#[cfg(test)]
mod recorded;
mod report;
mod rows;
mod run;
mod scores;
mod slices;
mod verdict;

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use whetstone_contract::{AppError, AppEvent, ErrorCode, Evaluation, EvaluationState, EvaluationSummary};

use crate::Workbench;
use crate::errors::{from_io, from_join};
use answers::Answers;
use cases::Cases;
use record::EvaluationRecord;
use scores::Scores;

const RECORD: &str = "record.json";
const CASES: &str = "cases.json";

pub struct Evaluations {
    folder: PathBuf,
    answers: Arc<Answers>,
    all: Mutex<HashMap<String, EvaluationRecord>>,
    /// The activities that carry one on right now.
    running: Mutex<HashMap<String, String>>,
    /// Held while votes are changed.
    voting: Mutex<()>,
    /// The numbers that were made last, and for how many answers.
    scored: Mutex<HashMap<String, (u64, Arc<Scores>)>>,
}

impl Evaluations {
    pub fn open(folder: PathBuf) -> Result<Self, AppError> {
        let trouble = |error: std::io::Error| from_io("The folder of the evaluations", &error);
        std::fs::create_dir_all(&folder).map_err(trouble)?;
        let answers = Arc::new(Answers::open(&folder.join("answers.db"))?);
        let mut all = HashMap::new();
        for entry in std::fs::read_dir(&folder).map_err(trouble)? {
            let path = entry.map_err(trouble)?.path();
            let Ok(text) = std::fs::read(path.join(RECORD)) else { continue };
            match serde_json::from_slice::<EvaluationRecord>(&text) {
                Ok(record) => drop(all.insert(record.id.clone(), record)),
                Err(error) => tracing::error!(%error, path = %path.display(), "an evaluation cannot be read"),
            }
        }
        let all = Mutex::new(all);
        Ok(Self { folder, answers, all, running: Mutex::default(), voting: Mutex::default(), scored: Mutex::default() })
    }

    pub fn connections_at_work(&self) -> BTreeSet<String> {
        let all = lock(&self.all);
        all.values().filter(|one| one.state == EvaluationState::Running).map(|one| one.connection.clone()).collect()
    }

    fn get(&self, id: &str) -> Result<EvaluationRecord, AppError> {
        lock(&self.all).get(id).cloned().ok_or_else(|| {
            AppError::new(ErrorCode::NotFound, "This evaluation is not known here (any more).")
                .hint("Go back to the list.")
        })
    }

    /// On disk when it returns.
    fn save(&self, record: &EvaluationRecord) -> Result<(), AppError> {
        record::write(&self.folder.join(&record.id).join(RECORD), record)?;
        lock(&self.all).insert(record.id.clone(), record.clone());
        Ok(())
    }

    fn cases(&self, id: &str) -> Result<Cases, AppError> {
        record::read(&self.folder.join(id).join(CASES))
    }

    fn summary(&self, record: &EvaluationRecord) -> EvaluationSummary {
        let activity = lock(&self.running).get(&record.id).cloned();
        record.summary(activity)
    }
}

impl Workbench {
    pub(crate) fn list_evaluations(&self) -> Result<Vec<EvaluationSummary>, AppError> {
        let records: Vec<EvaluationRecord> = lock(&self.evaluations.all).values().cloned().collect();
        let mut all: Vec<EvaluationSummary> = records.iter().map(|one| self.evaluations.summary(one)).collect();
        all.sort_by_key(|one| (std::cmp::Reverse(one.created_at), one.id.clone()));
        Ok(all)
    }

    pub(crate) async fn evaluated(&self, id: &str) -> Result<Evaluation, AppError> {
        let scores = self.scores_of(id).await?;
        let record = self.evaluations.get(id)?;
        let votes = self.evaluations.votes(id)?;
        Ok(scores.shown(self.evaluations.summary(&record), &votes))
    }

    /// The numbers over what is answered so far. Off the threads that answer calls: it draws thousands of sets.
    async fn scores_of(&self, id: &str) -> Result<Arc<Scores>, AppError> {
        let record = self.evaluations.get(id)?;
        if let Some((answered, scores)) = lock(&self.evaluations.scored).get(id)
            && *answered == record.answered
        {
            return Ok(Arc::clone(scores));
        }
        let (cases, answers) = (self.evaluations.cases(id)?, Arc::clone(&self.evaluations.answers));
        let answered = record.answered;
        let scores = tokio::task::spawn_blocking(move || Scores::new(record, cases, &answers)).await;
        let scores = Arc::new(scores.map_err(|error| from_join(&error))??);
        lock(&self.evaluations.scored).insert(id.to_owned(), (answered, Arc::clone(&scores)));
        Ok(scores)
    }

    /// Its answers stay: another evaluation may ask the same.
    pub(crate) fn forget_evaluation(&self, id: &str) -> Result<(), AppError> {
        self.evaluations.get(id)?;
        if let Some(activity) = lock(&self.evaluations.running).get(id).cloned() {
            self.activities.cancel(&activity)?;
        }
        lock(&self.evaluations.all).remove(id);
        lock(&self.evaluations.scored).remove(id);
        std::fs::remove_dir_all(self.evaluations.folder.join(id))
            .map_err(|error| from_io("The evaluation's folder", &error))?;
        self.evaluations_changed(id);
        Ok(())
    }

    fn evaluations_changed(&self, id: &str) {
        self.host.emit(AppEvent::EvaluationsChanged { evaluation: Some(id.to_owned()) });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
