//! A judge of the answers: what it is asked, what that would cost, and its start.
//!
//! Of two answers it is asked twice, once in each order: a judge that likes whatever stands first then prefers neither.
//! Where there is nothing to judge it is not asked: answers that are word for word the same, and answers that the endpoint
//! refused to give, which lose.

use whetstone_cloud::{ChatMessage, ChatRole, ConverseRequest};
use whetstone_contract::{
    AppError, ErrorCode, EvaluationCost, EvaluationDraft, EvaluationState, EvaluationSummary, FieldProblem, Judge,
    JudgeKind, JudgePlan, JudgeRequest,
};
use whetstone_evaluation::{PAIRWISE_PROMPT, Preference, RUBRIC_PROMPT, fill};

use super::answers::{Answer, Asked, key_of};
use super::cases::{Case, Cases};
use super::plan::{count, priced_headline};
use super::record::EvaluationRecord;
use super::scores::Scores;
use super::{lock, plan};
use crate::Workbench;
use crate::connections::Link;

/// One prompt to a judge.
pub struct Put {
    pub candidate: usize,
    /// Whether the candidate's answer is shown first.
    pub swapped: bool,
    pub prompt: String,
}

/// What there is to ask about one record, in a fixed order.
pub fn questions(judge: &Judge, case: &Case, answers: &[&Answer]) -> Vec<Put> {
    let prompt = conversation(case);
    let known = [("prompt", prompt.as_str()), ("reference", case.reference.as_str())];
    let ask = |values: &[(&str, &str)]| fill(&judge.prompt, &[&known[..], values].concat());
    let all = answers.iter().enumerate();
    match judge.kind {
        JudgeKind::Pairwise => all
            .skip(1)
            .filter(|(_, answer)| settled(answers[0], answer).is_none())
            .flat_map(|(candidate, answer)| {
                [(false, answers[0], *answer), (true, *answer, answers[0])].map(|(swapped, a, b)| {
                    let prompt = ask(&[("a", a.text.as_str()), ("b", b.text.as_str())]);
                    Put { candidate, swapped, prompt }
                })
            })
            .collect(),
        JudgeKind::Rubric => all
            .filter(|(_, answer)| answer.error.is_none())
            .map(|(candidate, answer)| Put {
                candidate,
                swapped: false,
                prompt: ask(&[("answer", answer.text.as_str())]),
            })
            .collect(),
    }
}

/// What is known of two answers without asking anyone.
pub fn settled(first: &Answer, second: &Answer) -> Option<Preference> {
    match (first.error.is_some(), second.error.is_some()) {
        (true, false) => Some(Preference::Second),
        (false, true) => Some(Preference::First),
        _ => (first.text == second.text).then_some(Preference::Neither),
    }
}

pub fn request(judge: &Judge, prompt: &str) -> ConverseRequest {
    ConverseRequest {
        messages: vec![ChatMessage::text(ChatRole::User, prompt)],
        max_tokens: Some(i32::try_from(judge.max_tokens).unwrap_or(i32::MAX)),
        temperature: Some(0.0),
        ..ConverseRequest::default()
    }
}

/// What a judge is asked at most; fewer where answers are the same or are not there.
pub fn most_prompts(judge: &Judge, records: u64, candidates: u64) -> u64 {
    match judge.kind {
        JudgeKind::Pairwise => records * candidates.saturating_sub(1) * 2,
        JudgeKind::Rubric => records * candidates,
    }
}

/// Everything that was said before the answer.
fn conversation(case: &Case) -> String {
    if case.system.is_none() && case.turns.len() == 1 {
        return case.prompt().to_owned();
    }
    let system = case.system.iter().map(|text| format!("System: {text}"));
    let turns = case.turns.iter().enumerate().map(|(at, text)| match at % 2 {
        0 => format!("User: {text}"),
        _ => format!("Assistant: {text}"),
    });
    system.chain(turns).collect::<Vec<_>>().join("\n\n")
}

pub fn problems(judge: &Judge) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    let mut wrong = |field: &str, message: String| {
        problems.push(FieldProblem { field: field.to_owned(), message, suggestion: None });
    };
    if judge.model_id.trim().is_empty() {
        wrong("judgeModel", "Choose the model that judges.".to_owned());
    }
    let wanted: &[&str] = match judge.kind {
        JudgeKind::Pairwise => &["{a}", "{b}"],
        JudgeKind::Rubric => &["{answer}"],
    };
    let missing: Vec<&str> = wanted.iter().copied().filter(|name| !judge.prompt.contains(name)).collect();
    if !missing.is_empty() {
        wrong("judgePrompt", format!("It needs {}, where the answer is to stand.", missing.join(" and ")));
    }
    if !(1..=plan::MOST_TOKENS).contains(&judge.max_tokens) {
        wrong("judgeMaxTokens", format!("Between 1 and {}.", plan::MOST_TOKENS));
    }
    problems
}

impl Workbench {
    pub(crate) async fn plan_of_judge(&self, asked: JudgeRequest) -> Result<JudgePlan, AppError> {
        let (scores, judge) = (self.scores_of(&asked.evaluation).await?, asked.judge);
        let record = &scores.record;
        let link = self.connections.link_of(&record.connection).await?;
        let (mut prompts, mut answered, mut same, mut input) = (0, 0, 0, 0);
        let mut example = None;
        for (case, answers) in scores.rows() {
            let alike =
                answers.iter().skip(1).filter(|answer| answer.error.is_none() && answer.text == answers[0].text);
            same += if judge.kind == JudgeKind::Pairwise { alike.count() as u64 } else { 0 };
            for put in questions(&judge, case, &answers) {
                prompts += 1;
                if self.evaluations.answers.get(&key(record, &judge, &put.prompt))?.is_some() {
                    answered += 1;
                } else {
                    input += count(judge.base_model.as_deref(), &put.prompt);
                }
                example.get_or_insert(put.prompt);
            }
        }
        let output = (prompts - answered) * u64::from(judge.max_tokens);
        Ok(JudgePlan {
            problems: problems(&judge),
            prompts,
            answered,
            same,
            cost: self.cost_of_judge(&link, &judge, input, output).await,
            pairwise_prompt: PAIRWISE_PROMPT.to_owned(),
            rubric_prompt: RUBRIC_PROMPT.to_owned(),
            example,
        })
    }

    async fn cost_of_judge(&self, link: &Link, judge: &Judge, input: u64, output: u64) -> EvaluationCost {
        if link.on_this_computer {
            return plan::free();
        }
        let (usd, note) =
            self.priced(link, &judge.model_id, judge.base_model.as_deref(), judge.tuned, input, output).await;
        EvaluationCost {
            billed: true,
            usd,
            headline: priced_headline(usd),
            notes: vec![format!("{}: {note}", judge.name)],
        }
    }

    /// Of a draft, whose answers are not there yet: each is taken to be as long as its reference.
    pub(super) async fn expected_cost_of_judge(
        &self,
        link: &Link,
        draft: &EvaluationDraft,
        judge: &Judge,
        cases: &Cases,
    ) -> (Option<f64>, String) {
        let base_model = judge.base_model.as_deref();
        let candidates = draft.candidates.len() as u64;
        let template = count(base_model, &judge.prompt);
        let (a_record, answers) = match judge.kind {
            JudgeKind::Pairwise => (candidates.saturating_sub(1) * 2, 2),
            JudgeKind::Rubric => (candidates, 1),
        };
        let mut input = 0;
        for case in &cases.cases {
            let reference = count(base_model, &case.reference);
            input += a_record * (template + count(base_model, &conversation(case)) + reference * (answers + 1));
        }
        let output = most_prompts(judge, cases.cases.len() as u64, candidates) * u64::from(judge.max_tokens);
        self.priced(link, &judge.model_id, base_model, judge.tuned, input, output).await
    }

    /// Has the answers of an evaluation judged; another judge takes the place of the one before, whose answers stay.
    pub(crate) fn begin_judging(&self, asked: JudgeRequest) -> Result<EvaluationSummary, AppError> {
        if let Some(problem) = problems(&asked.judge).into_iter().next() {
            return Err(AppError::new(ErrorCode::InvalidInput, problem.message).hint("Change it and try again."));
        }
        let mut record = self.evaluations.get(&asked.evaluation)?;
        if record.state == EvaluationState::Running || !self.unanswered(&record)?.is_empty() {
            return Err(AppError::new(ErrorCode::Refused, "There are answers still to come.")
                .hint("Let the evaluation go on to its end; then have it judged."));
        }
        record.draft.judge = Some(asked.judge);
        record.state = EvaluationState::Running;
        record.error = None;
        record.answered = record.records * record.draft.candidates.len() as u64;
        self.evaluations.save(&record)?;
        lock(&self.evaluations.scored).remove(&record.id);
        self.carry_evaluation_on(&record);
        self.evaluations_changed(&record.id);
        Ok(self.evaluations.summary(&record))
    }
}

pub fn key(record: &EvaluationRecord, judge: &Judge, prompt: &str) -> String {
    let asked = Asked { account: &record.account, region: &record.region, model: &judge.model_id };
    key_of(asked, &request(judge, prompt))
}

impl Scores {
    /// Each record with its answers, one of each candidate.
    pub fn rows(&self) -> impl Iterator<Item = (&Case, Vec<&Answer>)> {
        self.cases.iter().enumerate().map(|(at, case)| (case, self.answers.iter().map(|one| &one[at]).collect()))
    }
}
