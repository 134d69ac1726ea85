//! The numbers of an evaluation, over the records that every model has answered.

use whetstone_contract::{
    AppError, Candidate, Evaluation, EvaluationSummary, MetricCell, MetricDifference, MetricRow, Outcome, Verdict,
};
use whetstone_evaluation::{
    CONFIDENCE, Difference, Metric, Outcome as Shown, Tally, compare, estimate_of, holm, is_refusal, labels_of,
};

use super::answers::{Answer, Answers, Asked, key_of};
use super::cases::{Case, Cases};
use super::duel::{Vote, people, preferred};
use super::judged::Judgement;
use super::own_metrics::{self, OwnMetric};
use super::plan::suited;
use super::record::{EvaluationRecord, name_of};
use super::{slices, verdict};

pub struct Scores {
    pub record: EvaluationRecord,
    /// The records that every model has answered.
    pub cases: Vec<Case>,
    pub examples: Vec<(String, String)>,
    /// A list for each candidate, in the order of the cases.
    pub answers: Vec<Vec<Answer>>,
    /// Of the verdict.
    pub metric: Metric,
    /// Under that metric, one for each candidate.
    pub tallies: Vec<Tally>,
    /// Each row by itself under that metric.
    pub alone: Vec<Vec<f64>>,
    /// The references' labels, the commonest first; empty where they are none.
    pub labels: Vec<(String, usize)>,
    pub metrics: Vec<MetricRow>,
    pub verdicts: Vec<Verdict>,
    pub judgement: Option<Judgement>,
    measures: Vec<OwnMetric>,
    evaluation: Numbers,
}

struct Numbers {
    slices: Vec<whetstone_contract::SliceTable>,
    next: Vec<String>,
}

impl Scores {
    pub fn new(record: EvaluationRecord, whole: Cases, answers: &Answers) -> Result<Self, AppError> {
        let metrics = suited(&whole);
        let chosen = record.draft.metric.as_deref().and_then(|id| id.parse().ok());
        let metric = chosen.or_else(|| metrics.first().copied()).unwrap_or(Metric::ExactMatch);
        let candidates = record.draft.candidates.clone();
        let (mut cases, mut given) = (Vec::new(), vec![Vec::new(); candidates.len()]);
        for case in &whole.cases {
            let mut row = Vec::with_capacity(candidates.len());
            for candidate in &candidates {
                let asked = Asked { account: &record.account, region: &record.region, model: &candidate.model_id };
                row.extend(answers.get(&key_of(asked, &whole.request(case, candidate, &record.draft)))?);
            }
            if row.len() == candidates.len() {
                cases.push(case.clone());
                given.iter_mut().zip(row).for_each(|(column, answer)| column.push(answer));
            }
        }
        let references: Vec<&str> = cases.iter().map(|case| case.reference.as_str()).collect();
        let labels = labels_of(&references).unwrap_or_default();
        let tallies: Vec<Tally> = given.iter().map(|answers| tally(metric, &cases, answers)).collect();
        let alone = tallies.iter().map(Tally::alone).collect();
        let mut scores = Self {
            record,
            examples: whole.examples,
            metric,
            alone,
            labels,
            answers: given,
            tallies,
            cases,
            metrics: Vec::new(),
            verdicts: Vec::new(),
            judgement: None,
            measures: Vec::new(),
            evaluation: Numbers { slices: Vec::new(), next: Vec::new() },
        };
        if !scores.cases.is_empty() {
            scores.measures = own_metrics::of_all(&scores)?;
            scores.metrics = scores.measured(&metrics);
            scores.verdicts = verdict::of_all(&scores);
            if let Some(judge) = scores.record.draft.judge.clone() {
                scores.judgement = Some(Judgement::new(&scores, &judge, answers)?);
            }
            scores.evaluation.slices = slices::of_all(&scores);
            scores.evaluation.next = verdict::next(&scores, &scores.evaluation.slices);
        }
        Ok(scores)
    }

    pub fn candidates(&self) -> &[Candidate] {
        &self.record.draft.candidates
    }

    /// What the page is about: the first tuned model, or else the first that is compared.
    pub fn headline(&self) -> Option<&Verdict> {
        let tuned = |verdict: &&Verdict| self.candidates()[verdict.candidate as usize].tuned;
        self.verdicts.iter().find(tuned).or_else(|| self.verdicts.first())
    }

    pub fn shown(&self, summary: EvaluationSummary, votes: &[Vote]) -> Evaluation {
        let no_answer = self.answers.iter().flatten().filter(|answer| answer.error.is_some()).count();
        Evaluation {
            summary,
            draft: self.record.draft.clone(),
            compared: self.cases.len() as u64,
            refused_by_endpoint: no_answer as u64,
            metric: self.metric.id().to_owned(),
            metric_label: self.metric.label().to_owned(),
            headline_verdict: self.headline().map(|verdict| verdict.candidate),
            verdicts: self.verdicts.clone(),
            metrics: self.metrics.clone(),
            slices: self.evaluation.slices.clone(),
            judged: self
                .record
                .draft
                .judge
                .as_ref()
                .zip(self.judgement.as_ref())
                .map(|(judge, found)| found.shown(self, judge, &preferred(votes))),
            people: people(self, votes),
            has_labels: !self.labels.is_empty(),
            next: self.evaluation.next.clone(),
            methods: self.methods(),
        }
    }

    /// Pairs of a reference and an answer, for a picture or a file.
    pub fn pairs(&self, candidate: usize) -> Vec<(&str, &str)> {
        let answers = self.answers.get(candidate).map_or(&[][..], Vec::as_slice);
        self.cases.iter().zip(answers).map(|(case, answer)| (case.reference.as_str(), answer.text.as_str())).collect()
    }

    fn measured(&self, metrics: &[Metric]) -> Vec<MetricRow> {
        let mut all = vec![self.metric];
        all.extend(metrics.iter().copied().filter(|metric| *metric != self.metric));
        let mut rows: Vec<MetricRow> = all
            .into_iter()
            .map(|metric| {
                let tallies: Vec<Tally> =
                    self.answers.iter().map(|answers| tally(metric, &self.cases, answers)).collect();
                self.row(metric.id(), metric.label(), None, Some(true), &tallies)
            })
            .collect();
        let numbers = |of: &dyn Fn(&Answer) -> f64| -> Vec<Tally> {
            self.answers.iter().map(|answers| Tally::of_numbers(answers.iter().map(of))).collect()
        };
        let refusals: Vec<Tally> = self
            .answers
            .iter()
            .map(|answers| Tally::of_rights(answers.iter().map(|answer| is_refusal(&answer.text))))
            .collect();
        rows.push(self.row("refusals", "Refusals", None, Some(false), &refusals));
        let letters = numbers(&|answer| answer.text.chars().count() as f64);
        rows.push(self.row("length", "Length", Some("characters"), None, &letters));
        // Tokens that the endpoint did not tell of are not made up.
        if self.answers.iter().flatten().all(|answer| answer.error.is_some() || answer.output_tokens.is_some()) {
            let tokens = numbers(&|answer| answer.output_tokens.unwrap_or(0) as f64);
            rows.push(self.row("output_tokens", "Output tokens", Some("tokens"), None, &tokens));
            let tokens = numbers(&|answer| answer.input_tokens.unwrap_or(0) as f64);
            rows.push(self.row("input_tokens", "Input tokens", Some("tokens"), None, &tokens));
        }
        rows.extend(self.costs());
        rows.extend(self.measures.iter().map(|own| own.row.clone()));
        rows.push(self.row("latency", "Latency", Some("ms"), Some(false), &numbers(&|answer| answer.total_ms as f64)));
        rows
    }

    pub fn row(
        &self,
        id: &str,
        label: &str,
        unit: Option<&str>,
        more_is_better: Option<bool>,
        tallies: &[Tally],
    ) -> MetricRow {
        MetricRow {
            id: id.to_owned(),
            label: label.to_owned(),
            unit: unit.map(str::to_owned),
            more_is_better,
            cells: cells(tallies, self.record.draft.seed, more_is_better).into_iter().map(Some).collect(),
        }
    }

    /// What an answer cost, of those models whose price and tokens are both known.
    pub fn usd(&self, candidate: usize, at: usize) -> Option<f64> {
        let answer = &self.answers[candidate][at];
        Some(self.record.rates.get(candidate)?.as_ref()?.usd(answer.input_tokens?, answer.output_tokens?))
    }

    fn costs(&self) -> Option<MetricRow> {
        let of = |candidate: usize| -> Option<Tally> {
            let each = (0..self.cases.len()).map(|at| Some(self.usd(candidate, at)? * 1000.0));
            Some(Tally::of_numbers(each.collect::<Option<Vec<f64>>>()?))
        };
        let tallies: Vec<Option<Tally>> = (0..self.answers.len()).map(of).collect();
        let known: Vec<Tally> = tallies.iter().flatten().cloned().collect();
        let seed = self.record.draft.seed;
        let cells = if known.len() == tallies.len() {
            cells(&known, seed, Some(false)).into_iter().map(Some).collect()
        } else {
            // Without the price of one there is nothing to compare it with.
            let alone = |tally: &Option<Tally>| cells(std::slice::from_ref(tally.as_ref()?), seed, Some(false)).pop();
            tallies.iter().map(alone).collect()
        };
        (!known.is_empty()).then(|| MetricRow {
            id: "cost".to_owned(),
            label: "Cost of 1,000 answers".to_owned(),
            unit: Some("USD".to_owned()),
            more_is_better: Some(false),
            cells,
        })
    }

    pub fn measures_in_words(&self) -> Vec<String> {
        self.measures.iter().map(OwnMetric::in_words).collect()
    }

    fn methods(&self) -> Vec<String> {
        let mut methods = vec![
            format!("Intervals hold {:.0} %: Wilson's for shares, 2,000 bootstrap draws for the rest.", CONFIDENCE * 100.0),
            "Differences are of the same records: McNemar's exact test and Bonett and Price's interval where a row is right or wrong, else 2,000 paired bootstrap draws and 2,000 random swaps.".to_owned(),
        ];
        if self.candidates().len() > 2 {
            methods.push(format!(
                "Each p is corrected for {} models that are compared with the first (Holm).",
                self.candidates().len() - 1
            ));
        }
        methods.push("A difference is called one where p is at most 0.05 and the interval leaves out zero.".to_owned());
        methods.extend(self.measures_in_words());
        for (candidate, rates) in self.candidates().iter().zip(&self.record.rates) {
            let cost = rates.as_ref().map_or("no dated source names its price.", |rates| rates.source.as_str());
            methods.push(format!("Cost of {}: {cost}", name_of(candidate)));
        }
        methods.push("Latency is from the request to the last token, with up to four requests at once.".to_owned());
        methods
    }
}

fn tally(metric: Metric, cases: &[Case], answers: &[Answer]) -> Tally {
    let pairs: Vec<(&str, &str)> =
        cases.iter().zip(answers).map(|(case, answer)| (case.reference.as_str(), answer.text.as_str())).collect();
    Tally::new(metric, &pairs)
}

/// Values with their intervals, and the differences from the first.
pub fn cells(tallies: &[Tally], seed: u64, more_is_better: Option<bool>) -> Vec<MetricCell> {
    let differences: Vec<Option<Difference>> =
        tallies.iter().skip(1).map(|other| compare(tallies.first()?, other, seed)).collect();
    let ps: Vec<f64> = differences.iter().map(|difference| difference.map_or(1.0, |one| one.p)).collect();
    let corrected = std::iter::once(1.0).chain(holm(&ps));
    let differences = std::iter::once(None).chain(differences);
    tallies
        .iter()
        .zip(differences.zip(corrected))
        .map(|(tally, (difference, p))| {
            let found = estimate_of(tally, seed);
            let of = |part: fn(whetstone_evaluation::Estimate) -> f64| found.map_or(0.0, part);
            MetricCell {
                value: of(|found| found.value),
                low: of(|found| found.low),
                high: of(|found| found.high),
                difference: difference.map(|difference| MetricDifference {
                    value: difference.value,
                    low: difference.low,
                    high: difference.high,
                    p,
                    outcome: match (difference.outcome(p), more_is_better) {
                        (Shown::NotClear, _) | (_, None) => Outcome::NoClearDifference,
                        (Shown::Higher, Some(true)) | (Shown::Lower, Some(false)) => Outcome::Better,
                        _ => Outcome::Worse,
                    },
                }),
            }
        })
        .collect()
}
