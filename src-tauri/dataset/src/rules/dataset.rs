//! All rules over a dataset that is given record by record.

use std::borrow::Borrow;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};

use super::{
    Encounter, Finding, Intent, Severity, Tally, language, neighbour_rules, outlier_bounds, record_rules, tally_rules,
};
use crate::record::{Record, Role};
use crate::split::SplitKind;

/// So many findings are kept of each severity; the rest are only counted.
pub const FINDING_CAP: usize = 1000;

/// A completion with more characters is no label.
const LABEL_CHARS: usize = 64;
/// More different completions are no labels.
const LABELS: usize = 1000;
/// So many records are looked at for their language.
const LANGUAGE_SAMPLE: u64 = 2000;

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    pub errors: u64,
    pub warnings: u64,
    pub notes: u64,
    /// Errors first, then in the order of the records; at most [`FINDING_CAP`] of each severity.
    pub findings: Vec<Finding>,
}

impl Report {
    pub(crate) fn add(&mut self, finding: Finding) {
        let count = match finding.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
            Severity::Note => &mut self.notes,
        };
        *count += 1;
        if *count <= FINDING_CAP as u64 {
            self.findings.push(finding);
        }
    }

    fn sorted(mut self) -> Report {
        self.findings.sort_by_key(|finding| (finding.severity, finding.record));
        self
    }
}

/// What is wrong with a dataset for this intent: each record, how many there are, duplicates and leaks between the
/// splits. Without a split every record is given as one for training.
pub fn check_dataset<R: Borrow<Record>>(records: impl IntoIterator<Item = (R, SplitKind)>, intent: &Intent) -> Report {
    let mut report = Report::default();
    let mut seen = Seen::default();
    let (of_record, of_neighbours) = (record_rules(intent), neighbour_rules(intent));
    for (position, (record, kind)) in records.into_iter().enumerate() {
        let (position, record) = (position as u64, record.borrow());
        let mut findings = Vec::new();
        for rule in of_record.iter().filter(|rule| kind != SplitKind::HoldOut || rule.hold_out) {
            findings.extend(rule.run(record, intent));
        }
        if let Some(encounter) = seen.meet(position, record, kind) {
            findings.extend(of_neighbours.iter().filter_map(|rule| rule.meet(&encounter)));
        }
        for finding in findings {
            report.add(Finding { record: Some(position), ..finding });
        }
    }
    let tally = seen.tally();
    for finding in tally_rules(intent).into_iter().flat_map(|rule| rule.judge(&tally, intent)) {
        report.add(finding);
    }
    report.sorted()
}

struct First {
    position: u64,
    kind: SplitKind,
    answer: u64,
}

/// The prompts met so far, by their hashes, and the sums.
#[derive(Default)]
struct Seen {
    prompts: HashMap<u64, First>,
    labels: BTreeMap<String, u64>,
    no_labels: bool,
    languages: BTreeMap<&'static str, u64>,
    chars: Vec<u32>,
    tally: Tally,
}

impl Seen {
    fn meet(&mut self, position: u64, record: &Record, kind: SplitKind) -> Option<Encounter> {
        let completion = record.completion();
        self.sum_up(position, record, kind, &completion);
        let answer = hash(&*completion);
        let prompt = if record.context().is_empty() { answer } else { hash(record.context()) };
        match self.prompts.entry(prompt) {
            Entry::Vacant(entry) => {
                entry.insert(First { position, kind, answer });
                None
            }
            Entry::Occupied(entry) => {
                let first = entry.get();
                let same_answer = first.answer == answer;
                Some(Encounter { kind, first: first.position, first_kind: first.kind, same_answer })
            }
        }
    }

    fn sum_up(&mut self, position: u64, record: &Record, kind: SplitKind, completion: &str) {
        self.tally.totals.count(kind, 1);
        self.tally.kinds.add(record);
        self.tally.systems += u64::from(record.turns.iter().any(|turn| turn.role == Role::System));
        self.chars.push(u32::try_from(record.chars()).unwrap_or(u32::MAX));
        self.no_labels |= self.labels.len() > LABELS || completion.chars().nth(LABEL_CHARS).is_some();
        if !self.no_labels {
            *self.labels.entry(completion.to_owned()).or_default() += 1;
        }
        if position < LANGUAGE_SAMPLE
            && let Some(language) = language(&format!("{}\n{completion}", record.prompt()))
        {
            *self.languages.entry(language).or_default() += 1;
        }
    }

    fn tally(self) -> Tally {
        let mut sorted = self.chars.clone();
        sorted.sort_unstable();
        let quartile = |part: usize| sorted.get(sorted.len() * part / 4).copied().unwrap_or(0);
        let bounds = outlier_bounds(self.chars.len() as u64, quartile(1), quartile(3));
        let outside = |chars: u32| bounds.is_some_and(|(fewest, most)| chars < fewest || chars > most);
        let outliers = self.chars.iter().enumerate().filter(|(_, chars)| outside(**chars));
        Tally {
            labels: (!self.no_labels).then(|| self.labels.into_iter().collect()),
            languages: self.languages.into_iter().collect(),
            outliers: outliers.map(|(position, &chars)| (position as u64, chars)).take(FINDING_CAP).collect(),
            bounds,
            ..self.tally
        }
    }
}

/// SipHash with fixed keys: the same within a run, and equal hashes of different texts are not to be expected below
/// some hundred million records.
fn hash<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
