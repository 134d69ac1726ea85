//! A draft looked at before anything is asked: what is wrong with it, what it would cost, how precise it would be.

use whetstone_catalog::PriceItem;
use whetstone_contract::{
    AppError, Candidate, EvaluationCost, EvaluationDraft, EvaluationPart, EvaluationPlan, FieldProblem, Measure,
    MetricChoice,
};
use whetstone_dataset::Intent;
use whetstone_evaluation::{Expression, Metric, labels_of, widest_reach};

use super::answers::{Asked, key_of};
use super::cases::{Cases, MOST_EXAMPLES};
use super::judge::{self, most_prompts};
use super::record::{TokenRates, name_of};
use crate::Workbench;
use crate::connections::Link;
use crate::tokens;

/// No answer needs more.
pub const MOST_TOKENS: u32 = 8192;
/// Where no base model is named, a token has about this many characters.
const CHARACTERS_A_TOKEN: u64 = 4;

impl Workbench {
    pub(crate) async fn plan_of_evaluation(&self, draft: &EvaluationDraft) -> Result<EvaluationPlan, AppError> {
        let link = self.connections.link().await?;
        let cases = if draft.dataset.is_empty() { Cases::default() } else { self.datasets.cases(draft).await? };
        let (records, candidates) = (cases.cases.len() as u64, draft.candidates.len() as u64);
        let judged = draft.judge.as_ref().map_or(0, |judge| most_prompts(judge, records, candidates));
        let (mut answered, account) = (0, link.whose());
        for candidate in &draft.candidates {
            let asked = Asked { account: &account, region: &link.region, model: &candidate.model_id };
            for case in &cases.cases {
                let key = key_of(asked, &cases.request(case, candidate, draft));
                answered += u64::from(self.evaluations.answers.get(&key)?.is_some());
            }
        }
        Ok(EvaluationPlan {
            problems: problems(draft, &cases),
            warnings: warnings(draft, &cases),
            available: cases.available,
            records,
            prompts: records * candidates + judged,
            answered,
            precision: precision(cases.cases.len()),
            cost: self.cost_of_evaluation(&link, draft, &cases).await,
            metrics: fitting_metrics(&cases),
        })
    }

    async fn cost_of_evaluation(&self, link: &Link, draft: &EvaluationDraft, cases: &Cases) -> EvaluationCost {
        if link.on_this_computer {
            return free();
        }
        let (mut usd, mut notes) = (Some(0.0), Vec::new());
        for candidate in &draft.candidates {
            let (cost, note) = self.cost_of_candidate(link, draft, cases, candidate).await;
            usd = usd.zip(cost).map(|(sum, cost)| sum + cost);
            notes.push(format!("{}: {note}", name_of(candidate)));
        }
        if let Some(judge) = &draft.judge {
            let (cost, note) = self.expected_cost_of_judge(link, draft, judge, cases).await;
            usd = usd.zip(cost).map(|(sum, cost)| sum + cost);
            notes.push(format!("{}, as the judge: {note}", judge.name));
        }
        EvaluationCost { billed: true, usd, headline: priced_headline(usd), notes }
    }

    async fn cost_of_candidate(
        &self,
        link: &Link,
        draft: &EvaluationDraft,
        cases: &Cases,
        candidate: &Candidate,
    ) -> (Option<f64>, String) {
        let base_model = candidate.base_model.as_deref();
        let (mut input, mut output) = (0, 0);
        for case in &cases.cases {
            let request = cases.request(case, candidate, draft);
            let texts = request.messages.iter().map(|turn| turn.text.as_str());
            input += texts.chain(request.system.as_deref()).map(|text| count(base_model, text)).sum::<u64>();
            output += count(base_model, &case.reference).min(draft.max_tokens.into());
        }
        self.priced(link, &candidate.model_id, base_model, candidate.tuned, input, output).await
    }

    /// What so many tokens cost, and how that came about.
    pub(super) async fn priced(
        &self,
        link: &Link,
        model_id: &str,
        base_model: Option<&str>,
        tuned: bool,
        input: u64,
        output: u64,
    ) -> (Option<f64>, String) {
        let how_many = format!("about {input} tokens in and {output} out");
        match self.token_rates(link, model_id, base_model, tuned).await {
            Some(rates) => (Some(rates.usd(input, output)), format!("{how_many} at {}", rates.source)),
            None => (None, format!("{how_many}; no dated source names its price in {}.", link.region)),
        }
    }

    /// What a model's tokens cost on demand, by itself or tuned; `None` where no dated source says.
    pub(super) async fn token_rates(
        &self,
        link: &Link,
        model_id: &str,
        base_model: Option<&str>,
        tuned: bool,
    ) -> Option<TokenRates> {
        // Billed by the hour, however much it answers.
        if model_id.contains(":provisioned-model/") {
            return None;
        }
        let model = base_model.and_then(|id| whetstone_catalog::catalog().find(id))?;
        let endpoint = self.connections.shown().endpoint.unwrap_or_default();
        let patience = std::time::Duration::from_secs(3);
        let rates = self.price_lists.rates(link, &endpoint, model, &link.region, patience).await.rates;
        let rate = |item| rates.iter().find(|rate| rate.what == item);
        let (read, written) = if tuned {
            (rate(PriceItem::InputTokens)?, rate(PriceItem::OutputTokens)?)
        } else {
            (rate(PriceItem::BaseInputTokens)?, rate(PriceItem::BaseOutputTokens)?)
        };
        let source =
            format!("{} and {} USD per {} ({}, {}).", read.usd, written.usd, read.unit, read.source, read.date);
        Some(TokenRates { read: read.usd, written: written.usd, source })
    }
}

pub fn free() -> EvaluationCost {
    let notes = vec!["It runs on this computer and is not billed.".to_owned()];
    EvaluationCost { billed: false, usd: Some(0.0), headline: "Free".to_owned(), notes }
}

pub fn priced_headline(usd: Option<f64>) -> String {
    usd.map_or_else(|| "Price unknown".to_owned(), |usd| format!("About {usd:.2} USD"))
}

/// Tokens of a text: counted where the base model's tokenizer is here, else estimated.
pub fn count(base_model: Option<&str>, text: &str) -> u64 {
    match base_model.and_then(|id| whetstone_catalog::catalog().find(id)) {
        Some(model) => tokens::of_text(&Intent::new(model), text),
        None => (text.chars().count() as u64).div_ceil(CHARACTERS_A_TOKEN),
    }
}

fn problems(draft: &EvaluationDraft, cases: &Cases) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    let mut wrong = |field: &str, message: &str, suggestion: Option<String>| {
        problems.push(FieldProblem { field: field.to_owned(), message: message.to_owned(), suggestion });
    };
    if draft.name.trim().is_empty() {
        wrong("name", "A name is needed.", None);
    }
    if draft.dataset.is_empty() {
        wrong("dataset", "Choose the dataset whose records are asked.", None);
    } else if cases.cases.is_empty() {
        wrong("dataset", "There is no record in this part that has a prompt and an answer to compare with.", None);
    }
    if draft.candidates.len() < 2 {
        wrong("candidates", "At least two models are needed: the first is what the others are compared with.", None);
    }
    if draft.candidates.iter().any(|one| one.model_id.trim().is_empty()) {
        wrong("candidates", "Each needs a model: an id, an inference profile or an ARN.", None);
    }
    if (1..draft.candidates.len()).any(|at| same(&draft.candidates[at], &draft.candidates[..at])) {
        wrong("candidates", "Two of them are the same model with the same prompt.", None);
    }
    if draft.candidates.iter().any(|one| one.examples > MOST_EXAMPLES) {
        wrong("candidates", &format!("At most {MOST_EXAMPLES} examples."), None);
    }
    if !(1..=MOST_TOKENS).contains(&draft.max_tokens) {
        wrong("maxTokens", &format!("Between 1 and {MOST_TOKENS}."), Some("256".to_owned()));
    }
    if !(0.0..=1.0).contains(&draft.temperature) {
        wrong("temperature", "Between 0 and 1.", Some("0".to_owned()));
    }
    if draft.records == Some(0) {
        wrong("records", "At least one record.", None);
    }
    problems.extend(draft.judge.iter().flat_map(judge::problems));
    problems.extend(draft.measures.iter().filter_map(|one| wrong_with(one, cases)));
    problems
}

/// Tried on the first record, with its reference as the answer.
fn wrong_with(measure: &Measure, cases: &Cases) -> Option<FieldProblem> {
    let tried = Expression::parse(&measure.expression).and_then(|expression| match cases.cases.first() {
        Some(case) => expression.of(case.prompt(), &case.reference, &case.reference).map(drop),
        None => Ok(()),
    });
    let message = if measure.name.trim().is_empty() {
        "A metric of your own needs a name.".to_owned()
    } else {
        format!("{}: {}", measure.name, tried.err()?)
    };
    Some(FieldProblem { field: "measures".to_owned(), message, suggestion: None })
}

fn same(one: &Candidate, others: &[Candidate]) -> bool {
    others
        .iter()
        .any(|other| other.model_id == one.model_id && other.examples == one.examples && other.system == one.system)
}

fn warnings(draft: &EvaluationDraft, cases: &Cases) -> Vec<String> {
    let mut warnings = Vec::new();
    if draft.part != EvaluationPart::HoldOut && draft.candidates.iter().any(|one| one.tuned) {
        warnings.push(
            "A tuned model may have been trained on these records: a good answer may be remembered, not learnt. A hold-out split has records that nobody trained on."
                .to_owned(),
        );
    }
    if cases.unusable > 0 {
        warnings.push(format!(
            "{} of the records have no prompt or no answer to compare with, and are left out.",
            cases.unusable
        ));
    }
    let wanted = draft.candidates.iter().map(|one| one.examples).max().unwrap_or(0);
    if (cases.examples.len() as u64) < u64::from(wanted) {
        warnings.push(format!(
            "There are {} training records to take examples from; {wanted} were asked for.",
            cases.examples.len()
        ));
    }
    warnings
}

fn precision(records: usize) -> String {
    if records == 0 {
        return String::new();
    }
    let points = widest_reach(records) * 100.0;
    let quarter = widest_reach(records * 4) * 100.0;
    format!(
        "With {records} records a share of right answers is known to within {points:.1} points (95 % interval); four times as many would make it {quarter:.1}."
    )
}

/// The metrics for references like these; the first is the verdict's unless another is chosen.
pub fn fitting_metrics(cases: &Cases) -> Vec<MetricChoice> {
    suited(cases)
        .into_iter()
        .map(|one| MetricChoice { id: one.id().to_owned(), label: one.label().to_owned() })
        .collect()
}

/// The same, as metrics.
pub fn suited(cases: &Cases) -> Vec<Metric> {
    let references: Vec<&str> = cases.cases.iter().map(|case| case.reference.as_str()).collect();
    let objects = !references.is_empty()
        && references.iter().all(|reference| whetstone_evaluation::fields(reference, "").is_some());
    let mean = references.iter().map(|reference| reference.chars().count()).sum::<usize>() / references.len().max(1);
    if objects {
        use Metric::{EditSimilarity, ExactMatch, JsonFields, JsonValid, TokenF1};
        vec![JsonFields, JsonValid, ExactMatch, TokenF1, EditSimilarity]
    } else if labels_of(&references).is_some() {
        use Metric::{Contains, EditSimilarity, ExactMatch, MacroF1, NormalisedMatch};
        vec![ExactMatch, NormalisedMatch, MacroF1, Contains, EditSimilarity]
    } else {
        use Metric::{
            Bleu, Chrf, Contains, EditSimilarity, ExactMatch, NormalisedMatch, Rouge1, Rouge2, RougeL, TokenF1,
        };
        let mut all =
            vec![RougeL, Rouge1, Rouge2, TokenF1, Chrf, Bleu, EditSimilarity, NormalisedMatch, ExactMatch, Contains];
        // A short answer is right or wrong; a long one is more or less like the reference.
        if mean < 40 {
            all.sort_by_key(|metric| *metric != TokenF1);
        }
        all
    }
}
