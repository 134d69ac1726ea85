//! What is wrong with a dataset for a base model, and mending it.
//!
//! The whole is checked in the background, once for each state and base model. What a row shows before that is done, and
//! what a person sees while typing, comes from a look at the record by itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use whetstone_catalog::CustomizationType;
use whetstone_contract as contract;
use whetstone_contract::{
    AppError, Change, Coverage, DatasetPart, Direction, FindingListRequest, FindingWindow, FindingsReport,
    FindingsRequest, FixRequest, NextFinding, NextFindingRequest, RuleCount,
};
use whetstone_dataset::validate::{Options, Report, StateSource, ValidateError, validate_telling};
use whetstone_dataset::{
    Edit, Fix, IdSet, Intent, RecordId, Severity, SplitKind, State, Watch, fix, near_duplicates, rules,
};

use super::edits::{change, first_of};
use super::opened::Opened;
use super::records::mend;
use super::rows::{Viewed, evaluate, select};
use super::show::{show_finding, show_severity};
use super::{Datasets, from_document};
use crate::background::{Standing, Watched, complete};
use crate::import::from_read;
use crate::jobs::kinds;
use crate::models;

const MOST_FINDINGS: u32 = 200;
/// So many findings of each rule are kept with their message; all of them are counted, marked and fixed.
const KEPT: usize = 2_000;

/// A dataset that was checked for a base model.
pub struct Checked {
    pub report: Report,
    /// The records that break each rule, by its id, and by severity.
    pub sets: BTreeMap<String, IdSet>,
    severities: BTreeMap<String, Severity>,
}

impl Checked {
    fn new(report: Report, state: &State) -> Self {
        let mut sets: BTreeMap<String, IdSet> = BTreeMap::new();
        let mut severities = BTreeMap::new();
        for rule in &report.rules {
            let ids: IdSet = rule.records.iter().filter_map(|position| state.id_at(u64::from(position))).collect();
            let severity = match rule.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            };
            let all = sets.entry(severity.to_owned()).or_default();
            *all = &*all | &ids;
            severities.insert(rule.rule.to_owned(), rule.severity);
            sets.insert(rule.rule.to_owned(), ids);
        }
        Self { report, sets, severities }
    }

    /// The gravest rule that a record breaks, and how many it breaks.
    pub fn marks(&self, id: RecordId) -> (Option<Severity>, u32) {
        let broken =
            self.severities.iter().filter(|(rule, _)| self.sets.get(*rule).is_some_and(|set| set.contains(id)));
        broken.fold((None, 0), |(worst, count), (_, severity)| {
            (Some(worst.map_or(*severity, |worst: Severity| worst.min(*severity))), count + 1)
        })
    }

    pub fn breaks(&self, rule: &str, id: RecordId) -> bool {
        self.sets.get(rule).is_some_and(|set| set.contains(id))
    }

    /// The records that break a rule, or any.
    fn of(&self, rule: Option<&str>) -> IdSet {
        match rule {
            Some(rule) => self.sets.get(rule).cloned().unwrap_or_default(),
            None => {
                self.severities.keys().filter_map(|rule| self.sets.get(rule)).fold(IdSet::new(), |all, set| &all | set)
            }
        }
    }
}

impl Datasets {
    pub async fn findings(self: &Arc<Self>, asked: FindingsRequest) -> Result<FindingsReport, AppError> {
        let intent = intent(&asked)?;
        self.work(asked.dataset, move |opened| report(opened, intent)).await
    }

    /// Begins to look for records that nearly say the same: a pass of its own, since it takes its time.
    pub async fn find_near_duplicates(self: &Arc<Self>, asked: FindingsRequest) -> Result<FindingsReport, AppError> {
        let intent = intent(&asked)?;
        self.work(asked.dataset, move |opened| {
            let state = opened.whole()?;
            let looking = Arc::clone(opened);
            opened.near.ask(
                (opened.edition(), key(&intent)),
                || {
                    let title = format!("Find near duplicates in {}", opened.document().meta().name);
                    opened.watched(title, "Comparing", DatasetPart::Findings)
                },
                move |watched| with_near(&looking, &state, intent, watched),
            )?;
            report(opened, intent)
        })
        .await
    }

    pub async fn finding_list(self: &Arc<Self>, asked: FindingListRequest) -> Result<FindingWindow, AppError> {
        let model = models::intent(&asked.base_model)?;
        self.work(asked.dataset, move |opened| {
            let (Standing::Ready(checked) | Standing::UnderWay(_, Some(checked))) = ask(opened, model)? else {
                return Ok(FindingWindow { total: 0, offset: asked.offset, findings: Vec::new() });
            };
            let (state, _) = opened.state()?;
            let of_rule = |rule: &str| asked.rule.as_deref().is_none_or(|wanted| wanted == rule);
            let kept = checked.report.findings.iter().filter(|finding| of_rule(finding.rule));
            let total = kept.clone().count() as u64;
            let window = kept
                .skip(usize::try_from(asked.offset).unwrap_or(usize::MAX))
                .take(asked.count.min(MOST_FINDINGS) as usize);
            let findings = window.map(|finding| {
                let row = finding.record.and_then(|position| state.row(position).ok());
                show_finding(finding.clone(), row.as_ref().and_then(|row| row.record.as_ref().ok()))
            });
            Ok(FindingWindow { total, offset: asked.offset, findings: findings.collect() })
        })
        .await
    }

    pub async fn next_finding(self: &Arc<Self>, asked: NextFindingRequest) -> Result<NextFinding, AppError> {
        let model = models::intent(&asked.view.base_model)?;
        self.work(asked.view.dataset.clone(), move |opened| {
            let nowhere = NextFinding { position: None, offset: None };
            let Standing::Ready(checked) = ask(opened, model)? else { return Ok(nowhere) };
            let wanted = checked.of(asked.rule.as_deref());
            let (state, _) = opened.state()?;
            let (state, ids) = match evaluate(opened, &asked.view, state)? {
                Viewed::All(state) => {
                    let all: Vec<RecordId> = state.runs().flat_map(|run| run.ids()).collect();
                    (state, all)
                }
                Viewed::Some(state, view) => (state, view.ids(0..view.len())),
                Viewed::UnderWay(_) | Viewed::Broken(_) => return Ok(nowhere),
            };
            let found = nearest(&ids, &wanted, asked.from, asked.direction);
            Ok(found.map_or(nowhere, |offset| NextFinding {
                position: state.position_of(ids[offset]),
                offset: Some(offset as u64),
            }))
        })
        .await
    }

    pub async fn fix_findings(self: &Arc<Self>, asked: FixRequest) -> Result<Change, AppError> {
        let model = models::intent(&asked.base_model)?;
        self.work(asked.dataset.clone(), move |opened| {
            let checked = wait(opened, model)?;
            let state = opened.whole()?;
            let mut set = checked.of(asked.rule.as_deref());
            if let Some(selection) = &asked.selection {
                set = &set & &select(opened, selection)?;
            }
            // A rule about a record beside others (a duplicate) is told by the check of the whole, and fixed by deleting.
            let deletes = deleted_by(&checked, &asked, &state, &model);
            let of_rule = |rule: &str| asked.rule.as_deref().is_none_or(|wanted| wanted == rule);
            let first = first_of(&state, &set);
            let changed = opened.long_edit("Fix findings", |document, watched| {
                document.bulk("Fix findings", &set, watched, |row| {
                    if deletes.contains(row.id) {
                        return Edit::Delete;
                    }
                    let mended = row.record.as_ref().ok().and_then(|record| mend(record, &model, of_rule));
                    match mended {
                        Some(Fix::Replace(record)) => Edit::Replace(record),
                        Some(Fix::Delete) => Edit::Delete,
                        None => Edit::Keep,
                    }
                })
            })?;
            opened.arranged();
            let left = opened.document().len();
            let position = first.filter(|_| left > 0).map(|at| at.min(left - 1));
            change(opened, changed, set.len() - changed, position, true)
        })
        .await
    }
}

/// The records that the rule asked for is mended by deleting: duplicates. Only when that rule is named, never among all.
fn deleted_by(checked: &Checked, asked: &FixRequest, state: &State, target: &Intent<'_>) -> IdSet {
    let Some(rule) = asked.rule.as_deref() else { return IdSet::new() };
    let example = checked.report.findings.iter().find(|finding| finding.rule == rule);
    let deletes = example.is_some_and(|finding| {
        let row = finding.record.and_then(|position| state.row(position).ok());
        let record = row.as_ref().and_then(|row| row.record.as_ref().ok());
        record.is_some_and(|record| fix(finding, record, target) == Some(Fix::Delete))
    });
    if deletes { checked.of(Some(rule)) } else { IdSet::new() }
}

/// What is known of the present state.
fn report(opened: &Arc<Opened>, intent: Intent<'static>) -> Result<FindingsReport, AppError> {
    let near = match opened.near.standing(&(opened.edition(), key(&intent))) {
        Some(Standing::Ready(_)) => Some(complete()),
        Some(Standing::UnderWay(coverage, _)) => Some(coverage),
        None => None,
    };
    let shown = match ask(opened, intent)? {
        Standing::Ready(checked) => show_report(&checked.report, complete(), near),
        Standing::UnderWay(coverage, Some(so_far)) => show_report(&so_far.report, coverage, near),
        Standing::UnderWay(coverage, None) => show_report(&Report::default(), coverage, near),
    };
    Ok(shown)
}

/// The check of the present state, if it comes within a moment.
fn ask(opened: &Arc<Opened>, intent: Intent<'static>) -> Result<Standing<Checked>, AppError> {
    let (state, index) = opened.state()?;
    if !index.complete {
        return Ok(Standing::UnderWay(index, None));
    }
    let key = (opened.edition(), key(&intent));
    if let Some(checked) = opened.near.known(&key) {
        return Ok(Standing::Ready(checked));
    }
    opened.checks.ask_telling(
        key,
        || opened.watched(title(opened), "Checking", DatasetPart::Findings),
        move |watched, tell| check(&state, &intent, watched, tell),
    )
}

/// The same, however long it takes.
pub fn wait(opened: &Arc<Opened>, intent: Intent<'static>) -> Result<Arc<Checked>, AppError> {
    let state = opened.whole()?;
    let key = (opened.edition(), key(&intent));
    if let Some(checked) = opened.near.known(&key) {
        return Ok(checked);
    }
    opened.checks.wait(
        key,
        || opened.watched(title(opened), "Checking", DatasetPart::Findings),
        move |watched, tell| check(&state, &intent, watched, tell),
    )
}

/// The check of the present state, if it was made.
pub fn known(opened: &Opened, intent: &Intent<'static>) -> Option<Arc<Checked>> {
    let key = (opened.edition(), key(intent));
    opened.near.known(&key).or_else(|| opened.checks.known(&key))
}

/// The check, and the records that nearly say what an earlier one says.
fn with_near(
    opened: &Arc<Opened>,
    state: &State,
    intent: Intent<'static>,
    watched: &Watched,
) -> Result<Checked, AppError> {
    let mut report = wait(opened, intent)?.report.clone();
    let total = state.len();
    let found = near_duplicates(total, &mut |position| {
        if watched.cancelled() {
            return Err(AppError::new(contract::ErrorCode::Cancelled, "The look for near duplicates was cancelled."));
        }
        watched.progress(position, total);
        let row = state.row(position).map_err(|error| from_document(&error))?;
        let split = row.split.unwrap_or(SplitKind::Training);
        Ok((row.record.unwrap_or_default(), split))
    })?;
    report.add(found, KEPT);
    opened.found_more();
    Ok(Checked::new(report, state))
}

/// What the data of a request is meant for.
fn intent(asked: &FindingsRequest) -> Result<Intent<'static>, AppError> {
    let kind = kinds::catalog_kind(asked.customization_type.unwrap_or_default());
    match kind {
        CustomizationType::FineTuning => models::intent(&asked.base_model),
        other => Ok(Intent::of(models::find(&asked.base_model)?, other)),
    }
}

/// Under which a check is kept: what the data is meant for, fine-tuning where nothing else is said.
fn key(intent: &Intent<'_>) -> String {
    match intent.purpose {
        CustomizationType::FineTuning => intent.id().to_owned(),
        other => format!("{} {}", intent.id(), other.as_str()),
    }
}

fn title(opened: &Opened) -> String {
    format!("Check {}", opened.document().meta().name)
}

fn check(
    state: &State,
    intent: &Intent<'_>,
    watched: &Watched,
    tell: &(dyn Fn(Checked) + Sync),
) -> Result<Checked, AppError> {
    let options = Options { kept_per_rule: KEPT, as_uploaded: false, ..Options::default() };
    let source = Box::new(StateSource::new(state.clone()));
    let tell = |so_far: Report| tell(Checked::new(so_far, state));
    let report = validate_telling(vec![source], state.schema(), intent, &options, watched, Some(&tell));
    let report = report.map_err(|error| match error {
        ValidateError::Read(error) => from_read(&error),
        ValidateError::Document(error) => from_document(&error),
        ValidateError::Cancelled => AppError::new(contract::ErrorCode::Cancelled, "The check was cancelled.")
            .hint("Start it again to see what is wrong with the data."),
    });
    Ok(Checked::new(report?, state))
}

fn show_report(report: &Report, coverage: Coverage, near: Option<Coverage>) -> FindingsReport {
    let mut shown: Vec<RuleCount> = report
        .rules
        .iter()
        .filter_map(|count| {
            let rule = rules().find(|rule| rule.id == count.rule)?;
            Some(RuleCount {
                rule: rule.id.to_owned(),
                severity: show_severity(count.severity),
                title: title_of(rule.id),
                about: rule.asks.to_owned(),
                source: rule.source.to_owned(),
                findings: count.findings,
                fix: rule.fix.as_ref().map(|mend| mend.does.to_owned()),
            })
        })
        .collect();
    let gravity = |severity: contract::Severity| match severity {
        contract::Severity::Error => 0,
        contract::Severity::Warning => 1,
        contract::Severity::Note => 2,
    };
    shown.sort_by_key(|rule| (gravity(rule.severity), std::cmp::Reverse(rule.findings)));
    let (errors, warnings, notes) = (report.errors, report.warnings, report.notes);
    FindingsReport { errors, warnings, notes, rules: shown, coverage, near }
}

/// `reserved-word` as a heading.
fn title_of(id: &str) -> String {
    let mut letters = id.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().collect::<String>()).unwrap_or_default();
    first + &letters.as_str().replace('-', " ")
}

/// The place of the nearest wanted row, going round at the end.
fn nearest(ids: &[RecordId], wanted: &IdSet, from: Option<u64>, direction: Direction) -> Option<usize> {
    let count = ids.len();
    let start = from.and_then(|from| usize::try_from(from).ok());
    let step = |index: usize| match (direction, start) {
        (Direction::Forward, Some(start)) => (start + 1 + index) % count,
        (Direction::Forward, None) => index,
        (Direction::Back, Some(start)) => (start % count + count - 1 - index) % count,
        (Direction::Back, None) => count - 1 - index,
    };
    (0..count).map(step).find(|offset| wanted.contains(ids[*offset]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_from_finding_to_finding_goes_round() {
        let (ids, wanted) = ([5, 6, 7, 8], IdSet::from_iter([6, 8]));
        let next = |from, direction| nearest(&ids, &wanted, from, direction);
        assert_eq!(next(None, Direction::Forward), Some(1));
        assert_eq!(next(Some(1), Direction::Forward), Some(3));
        assert_eq!(next(Some(3), Direction::Forward), Some(1));
        assert_eq!(next(None, Direction::Back), Some(3));
        assert_eq!(next(Some(1), Direction::Back), Some(3));
        assert_eq!(nearest(&[], &wanted, None, Direction::Forward), None);
        assert_eq!(nearest(&ids, &IdSet::new(), Some(0), Direction::Back), None);
    }
}
