//! Carries an evaluation on: asks what is not answered yet, several at once, and writes each answer down as it comes.
//!
//! Record by record, all models of one before the next: what is there at any time can be compared; a judge comes after all
//! of them. Trouble that passes
//! by itself (too many requests, a network that is away) is waited for, by all askers together.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::Rng;
use whetstone_cloud::{Cloud, CloudError, CloudErrorCode, ConverseEvent, ConverseRequest};
use whetstone_contract::{AppError, ErrorCode, EvaluationDraft, EvaluationState, EvaluationSummary};

use super::answers::{Answer, Asked, key_of};
use super::judge;
use super::record::{self, EvaluationRecord};
use super::{CASES, lock};
use crate::Workbench;
use crate::activities::ActivityHandle;
use crate::connections::{Link, account_changed};
use crate::errors::{from_cloud, passes_by_itself, wants_sign_in};
use crate::names::random_id;

/// Askers at once: enough to hide the way there and back, few enough for the smallest quota's requests a minute.
const AT_ONCE: usize = 4;
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Trouble other than too many requests is waited for so often before the evaluation stops and says so.
const PATIENCE: u32 = 8;
/// The window hears of answers at most this often.
const QUIET: Duration = Duration::from_millis(500);

pub(super) struct Question {
    key: String,
    model: String,
    request: ConverseRequest,
}

impl Workbench {
    /// Written down with all that is asked before the first call.
    pub(crate) async fn begin_evaluation(&self, draft: EvaluationDraft) -> Result<EvaluationSummary, AppError> {
        let plan = self.plan_of_evaluation(&draft).await?;
        if let Some(problem) = plan.problems.first() {
            return Err(
                AppError::new(ErrorCode::InvalidInput, problem.message.clone()).hint("Change it and try again.")
            );
        }
        let link = self.connections.link().await?;
        let cases = self.datasets.cases(&draft).await?;
        let dataset = self.datasets.summary(draft.dataset.clone()).await?;
        let mut rates = Vec::new();
        if !link.on_this_computer {
            for one in &draft.candidates {
                rates.push(self.token_rates(&link, &one.model_id, one.base_model.as_deref(), one.tuned).await);
            }
        }
        let record = EvaluationRecord {
            id: random_id(),
            created_at: self.host.now_ms(),
            version: self.version.clone(),
            connection: link.connection.clone(),
            connection_name: link.name.clone(),
            account: link.whose(),
            region: link.region.clone(),
            dataset_name: dataset.name,
            records: cases.cases.len() as u64,
            state: EvaluationState::Running,
            answered: 0,
            error: None,
            rates,
            headline: None,
            outcome: None,
            draft,
        };
        record::write(&self.evaluations.folder.join(&record.id).join(CASES), &cases)?;
        self.evaluations.save(&record)?;
        self.carry_evaluation_on(&record);
        self.evaluations_changed(&record.id);
        Ok(self.evaluations.summary(&record))
    }

    pub(crate) fn go_on_with_evaluation(&self, id: &str) -> Result<EvaluationSummary, AppError> {
        let mut record = self.evaluations.get(id)?;
        if record.state != EvaluationState::Done {
            record.state = EvaluationState::Running;
            record.error = None;
            self.evaluations.save(&record)?;
            self.carry_evaluation_on(&record);
            self.evaluations_changed(id);
        }
        Ok(self.evaluations.summary(&record))
    }

    /// Takes up what was under way with a connection when the program ended.
    pub(crate) fn resume_evaluations(&self, connection: &str) {
        let all: Vec<EvaluationRecord> = lock(&self.evaluations.all).values().cloned().collect();
        for record in all {
            if record.connection == connection && record.state == EvaluationState::Running {
                self.carry_evaluation_on(&record);
            }
        }
    }

    pub(super) fn carry_evaluation_on(&self, record: &EvaluationRecord) {
        let Some(workbench) = self.me.upgrade() else { return };
        let mut running = lock(&self.evaluations.running);
        if running.contains_key(&record.id) {
            return;
        }
        let mut activity = self.activities.start(format!("Evaluate {}", record.draft.name), "Starting", true);
        running.insert(record.id.clone(), activity.id());
        drop(running);
        let id = record.id.clone();
        tokio::spawn(async move {
            let mut ended = workbench.ask_all(&id, &mut activity).await;
            if ended.is_ok() {
                ended = workbench.conclude(&id).await;
            }
            lock(&workbench.evaluations.running).remove(&id);
            workbench.note_end(&id, ended.as_ref().err());
            activity.finish(ended.as_ref().copied());
        });
    }

    async fn ask_all(self: &Arc<Self>, id: &str, activity: &mut ActivityHandle) -> Result<(), AppError> {
        let record = self.evaluations.get(id)?;
        let link = self.connections.link_of(&record.connection).await?;
        if link.whose() != record.account {
            return Err(account_changed(&link.name, &record.account, &link.whose()));
        }
        let open = self.unanswered(&record)?;
        if !open.is_empty() {
            let answered = record.records * record.draft.candidates.len() as u64 - open.len() as u64;
            self.ask_each(&record, &link, open, answered, "Asking", activity).await?;
        }
        let unjudged = self.unjudged(&record).await?;
        let answered = record.prompts() - unjudged.len() as u64;
        self.ask_each(&record, &link, unjudged, answered, "Judging", activity).await
    }

    /// Asks all of them; `answered` counts what was answered before.
    async fn ask_each(
        self: &Arc<Self>,
        record: &EvaluationRecord,
        link: &Link,
        mut questions: VecDeque<Question>,
        mut answered: u64,
        what: &str,
        activity: &mut ActivityHandle,
    ) -> Result<(), AppError> {
        let (id, total) = (record.id.as_str(), record.prompts());
        self.note_answered(id, answered)?;
        let pause = Arc::new(Mutex::new(None));
        let mut asking = tokio::task::JoinSet::new();
        let mut told = Instant::now();
        while !activity.is_cancelled() {
            while asking.len() < AT_ONCE
                && let Some(question) = questions.pop_front()
            {
                asking.spawn(ask_until_answered(link.cloud.clone(), question, Arc::clone(&pause)));
            }
            // A cancelled activity is seen also while a model is silent.
            let next = tokio::time::timeout(QUIET, asking.join_next()).await;
            let waits = lock(&pause).is_some_and(|until: Instant| until > Instant::now());
            let phase = if waits { "Waiting: the endpoint asks for fewer requests" } else { what };
            let words = format!("{phase} · {answered} of {total}");
            #[expect(clippy::cast_precision_loss, reason = "a share of a bar")]
            activity.progress(&words, Some(answered as f64 / total.max(1) as f64));
            match next {
                Err(_) => continue,
                Ok(None) => return self.note_answered(id, answered),
                Ok(Some(joined)) => {
                    let (key, answer) = joined
                        .map_err(|error| crate::errors::from_join(&error))?
                        .inspect_err(|error| {
                            if wants_sign_in(error) {
                                self.connections.session_over(link, from_cloud(error));
                            }
                        })
                        .map_err(|error| from_cloud(&error))?;
                    self.evaluations.answers.put(&key, &answer)?;
                    answered += 1;
                }
            }
            if told.elapsed() > QUIET {
                told = Instant::now();
                self.note_answered(id, answered)?;
            }
        }
        // What is on its way was asked, and may have been paid for: it is waited for, and nothing new is asked.
        while let Some(joined) = asking.join_next().await {
            if let Ok(Ok((key, answer))) = joined {
                self.evaluations.answers.put(&key, &answer)?;
                answered += 1;
            }
        }
        self.note_answered(id, answered)?;
        Err(AppError::new(ErrorCode::Cancelled, "The evaluation was stopped.").hint("Go on with it when you like."))
    }

    pub(super) fn unanswered(&self, record: &EvaluationRecord) -> Result<VecDeque<Question>, AppError> {
        let cases = self.evaluations.cases(&record.id)?;
        let mut questions = VecDeque::new();
        for case in &cases.cases {
            for candidate in &record.draft.candidates {
                let request = cases.request(case, candidate, &record.draft);
                let asked = Asked { account: &record.account, region: &record.region, model: &candidate.model_id };
                let key = key_of(asked, &request);
                if self.evaluations.answers.get(&key)?.is_none() {
                    questions.push_back(Question { key, model: candidate.model_id.clone(), request });
                }
            }
        }
        Ok(once(questions))
    }

    /// What the judge is still to be asked; nothing where there is none.
    async fn unjudged(&self, record: &EvaluationRecord) -> Result<VecDeque<Question>, AppError> {
        let Some(judge) = &record.draft.judge else { return Ok(VecDeque::new()) };
        let scores = self.scores_of(&record.id).await?;
        let mut questions = VecDeque::new();
        for (case, answers) in scores.rows() {
            for put in judge::questions(judge, case, &answers) {
                let key = judge::key(record, judge, &put.prompt);
                if self.evaluations.answers.get(&key)?.is_none() {
                    let request = judge::request(judge, &put.prompt);
                    questions.push_back(Question { key, model: judge.model_id.clone(), request });
                }
            }
        }
        Ok(once(questions))
    }

    /// The verdict, once every answer is there.
    async fn conclude(&self, id: &str) -> Result<(), AppError> {
        let scores = self.scores_of(id).await?;
        let mut record = self.evaluations.get(id)?;
        if let Some(verdict) = scores.headline() {
            record.headline = Some(verdict.heading.clone());
            record.outcome = Some(verdict.outcome);
            self.evaluations.save(&record)?;
        }
        Ok(())
    }

    fn note_answered(&self, id: &str, answered: u64) -> Result<(), AppError> {
        let mut record = self.evaluations.get(id)?;
        if record.answered != answered {
            record.answered = answered;
            self.evaluations.save(&record)?;
            self.evaluations_changed(id);
        }
        Ok(())
    }

    fn note_end(&self, id: &str, error: Option<&AppError>) {
        // It may have been deleted meanwhile.
        let Ok(mut record) = self.evaluations.get(id) else { return };
        record.state = match error {
            None => EvaluationState::Done,
            Some(error) if error.code == ErrorCode::Cancelled => EvaluationState::Stopped,
            Some(_) => EvaluationState::Failed,
        };
        record.error = error.filter(|error| error.code != ErrorCode::Cancelled).cloned();
        if let Err(error) = self.evaluations.save(&record) {
            tracing::error!(%error, evaluation = id, "the end of an evaluation could not be written down");
        }
        self.evaluations_changed(id);
    }
}

/// Two records may ask the same; the answer is one.
fn once(mut questions: VecDeque<Question>) -> VecDeque<Question> {
    let mut seen = std::collections::HashSet::new();
    questions.retain(|question| seen.insert(question.key.clone()));
    questions
}

/// One question until it is answered, or until asking again would not help.
async fn ask_until_answered(
    cloud: Cloud,
    question: Question,
    pause: Arc<Mutex<Option<Instant>>>,
) -> Result<(String, Answer), CloudError> {
    let (mut wait, mut troubles) = (PAUSE, 0);
    loop {
        let until = *lock(&pause);
        if let Some(until) = until {
            tokio::time::sleep_until(until.into()).await;
        }
        match ask(&cloud, &question).await {
            Ok(answer) => return Ok((question.key, answer)),
            // The endpoint does not take this prompt: it counts as an answer that is not there.
            Err(error) if matches!(error.code, CloudErrorCode::Validation | CloudErrorCode::TooLarge) => {
                let answer = Answer {
                    text: String::new(),
                    error: Some(error.message),
                    stop_reason: String::new(),
                    input_tokens: None,
                    output_tokens: None,
                    total_ms: 0,
                };
                return Ok((question.key, answer));
            }
            Err(error) if passes_by_itself(&error) => {
                let many = matches!(error.code, CloudErrorCode::Throttled | CloudErrorCode::NotReady);
                troubles += u32::from(!many);
                if troubles > PATIENCE {
                    return Err(error);
                }
                let jitter = rand::rng().random_range(0.5..1.0);
                let until = Instant::now() + wait.mul_f64(jitter);
                let mut known = lock(&pause);
                *known = Some(known.map_or(until, |known| known.max(until)));
                drop(known);
                wait = (wait * 2).min(LONGEST_PAUSE);
            }
            Err(error) => return Err(error),
        }
    }
}

async fn ask(cloud: &Cloud, question: &Question) -> Result<Answer, CloudError> {
    let began = Instant::now();
    let mut events = cloud.converse_stream(&question.model, question.request.clone()).await?;
    let (mut text, mut stop_reason, mut tokens) = (String::new(), String::new(), (None, None));
    while let Some(event) = events.next().await {
        match event? {
            ConverseEvent::Text(piece) => text.push_str(&piece),
            // Nothing follows.
            ConverseEvent::Done { stop_reason: reason, input_tokens, output_tokens, .. } => {
                (stop_reason, tokens) = (reason, (input_tokens, output_tokens));
            }
        }
    }
    let count = |tokens: Option<i32>| tokens.and_then(|tokens| u64::try_from(tokens).ok());
    Ok(Answer {
        text,
        error: None,
        stop_reason,
        input_tokens: count(tokens.0),
        output_tokens: count(tokens.1),
        total_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    })
}
