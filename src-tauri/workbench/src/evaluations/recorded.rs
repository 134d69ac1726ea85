//! Evaluations made of recorded answers, for tests: a base and a tuned model, and whoever judges them.

use whetstone_contract::{Candidate, EvaluationDraft, EvaluationPart, EvaluationState, Judge, JudgeKind};

use super::answers::{Answer, Answers, Asked, key_of};
use super::cases::{Case, Cases};
use super::judge::{key, questions};
use super::record::EvaluationRecord;
use super::scores::Scores;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

pub struct Recorded {
    pub record: EvaluationRecord,
    cases: Cases,
    answers: Answers,
    _folder: tempfile::TempDir,
}

impl Recorded {
    /// Each row what the base and the tuned model said; `None` where the endpoint refused to answer.
    pub fn new(rows: &[[Option<&str>; 2]]) -> Fallible<Self> {
        let folder = tempfile::tempdir()?;
        let answers = Answers::open(&folder.path().join("answers.db"))?;
        let candidate = |name: &str, tuned| Candidate {
            model_id: name.to_owned(),
            name: name.to_owned(),
            base_model: None,
            tuned,
            stand_in: false,
            examples: 0,
            system: None,
        };
        let draft = EvaluationDraft {
            name: "recorded".to_owned(),
            dataset: "d".to_owned(),
            part: EvaluationPart::All,
            records: None,
            seed: 1,
            candidates: vec![candidate("base", false), candidate("tuned", true)],
            max_tokens: 16,
            temperature: 0.0,
            metric: None,
            judge: None,
            measures: Vec::new(),
        };
        let case = |position: usize| Case {
            position: position as u64,
            system: None,
            turns: vec![format!("Question {position}")],
            reference: format!("reference {position}"),
            tag: None,
        };
        let cases = Cases { cases: (0..rows.len()).map(case).collect(), ..Cases::default() };
        let record = EvaluationRecord {
            id: "e".to_owned(),
            created_at: 0,
            version: "test".to_owned(),
            connection: "c".to_owned(),
            connection_name: "c".to_owned(),
            account: "1".to_owned(),
            region: "us-east-1".to_owned(),
            draft,
            dataset_name: "d".to_owned(),
            records: rows.len() as u64,
            state: EvaluationState::Done,
            answered: 0,
            error: None,
            rates: Vec::new(),
            headline: None,
            outcome: None,
        };
        for (case, row) in cases.cases.iter().zip(rows) {
            for (candidate, said) in record.draft.candidates.iter().zip(row) {
                let asked = Asked { account: "1", region: "us-east-1", model: &candidate.model_id };
                answers.put(&key_of(asked, &cases.request(case, candidate, &record.draft)), &answer(*said))?;
            }
        }
        Ok(Self { record, cases, answers, _folder: folder })
    }

    /// Judged by a model that answers a prompt so; the prompt holds nothing but the two answers, or the one.
    pub fn judged(mut self, kind: JudgeKind, says: impl Fn(&str) -> String) -> Fallible<Self> {
        let prompt = if kind == JudgeKind::Pairwise { "{a}|{b}" } else { "{answer}" };
        let judge = Judge {
            model_id: "judge".to_owned(),
            name: "judge".to_owned(),
            base_model: None,
            tuned: false,
            kind,
            prompt: prompt.to_owned(),
            max_tokens: 16,
        };
        for (case, given) in self.scores()?.rows() {
            for put in questions(&judge, case, &given) {
                let said = says(&put.prompt);
                self.answers.put(&key(&self.record, &judge, &put.prompt), &answer(Some(&said)))?;
            }
        }
        self.record.draft.judge = Some(judge);
        Ok(self)
    }

    pub fn scores(&self) -> Fallible<Scores> {
        Ok(Scores::new(self.record.clone(), self.cases.clone(), &self.answers)?)
    }
}

fn answer(said: Option<&str>) -> Answer {
    Answer {
        text: said.unwrap_or_default().to_owned(),
        error: said.is_none().then(|| "refused".to_owned()),
        stop_reason: "end_turn".to_owned(),
        input_tokens: Some(1),
        output_tokens: Some(1),
        total_ms: 1,
    }
}
