//! Putting together what the threads found, in the order of the records.

use std::collections::{BTreeMap, BinaryHeap, HashMap};

use rayon::prelude::*;
use roaring::RoaringBitmap;
use whetstone_scan::{Digest, Line, Speaker};

use super::Histogram;
use super::encounters::{Meeting, meetings};
use super::judge::Judge;
use super::look::{NO_RECORD, Part, text_of};
use super::report::{Report, RuleCount};
use super::source::Splits;
use crate::record::{Record, Role};
use crate::rules::{
    Encounter, Finding, Kinds, Rule, Severity, SplitTotals, Tally, language, neighbour_rules, outlier_bounds,
    tally_rules,
};
use crate::split::SplitKind;

/// A completion with more chars is no label.
const LABEL_CHARS: u32 = 64;
/// More different completions are no labels.
const LABELS: usize = 1000;
/// So many records are looked at for their language.
const LANGUAGE_SAMPLE: usize = 500;
/// Of each of them so many bytes.
const LANGUAGE_BYTES: usize = 600;

/// Sums over the records, the same in whatever order they are met.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub totals: SplitTotals,
    pub systems: u64,
    chars: Histogram,
    kinds: Kinds,
    /// By the hash of the completion; its text and how often it occurs.
    labels: HashMap<u64, (String, u64)>,
    no_labels: bool,
    sample: Sample,
}

impl Sums {
    #[inline(always)]
    pub fn add_line(&mut self, line: &Line<'_>, scratch: &mut Vec<u8>) {
        let digest = &line.digest;
        self.chars.add(digest.context_chars + digest.completion_chars);
        let mut said = |speaker| {
            let span = match speaker {
                Speaker::Assistant => line.spans.last().filter(|span| span.speaker == speaker),
                _ => line.spans.iter().find(|span| span.speaker == speaker),
            };
            span.map(|span| text_of(&line.bytes[span.raw.clone()], scratch)).unwrap_or_default()
        };
        if !self.no_labels {
            self.label(digest, || said(Speaker::Assistant));
        }
        if self.sample.wants(digest.context) {
            let text = format!("{}\n{}", said(Speaker::User), said(Speaker::Assistant));
            self.sample.add(digest.context, text);
        }
    }

    pub fn add_record(&mut self, record: &Record, digest: &Digest) {
        self.chars.add(digest.context_chars.saturating_add(digest.completion_chars));
        self.kinds.add(record);
        self.systems += u64::from(record.turns.iter().any(|turn| turn.role == Role::System));
        if !self.no_labels {
            self.label(digest, || record.completion().into_owned());
        }
        if self.sample.wants(digest.context) {
            self.sample.add(digest.context, format!("{}\n{}", record.prompt(), record.completion()));
        }
    }

    fn label(&mut self, digest: &Digest, text: impl FnOnce() -> String) {
        if digest.completion_chars > LABEL_CHARS {
            self.no_labels = true;
            return;
        }
        self.labels.entry(digest.completion).or_insert_with(|| (text(), 0)).1 += 1;
        self.no_labels = self.labels.len() > LABELS;
    }

    fn append(&mut self, other: Sums) {
        for (kind, records) in [
            (SplitKind::Training, other.totals.training),
            (SplitKind::Validation, other.totals.validation),
            (SplitKind::HoldOut, other.totals.hold_out),
        ] {
            self.totals.count(kind, records);
        }
        self.systems += other.systems;
        self.chars.merge(&other.chars);
        self.kinds.append(other.kinds);
        self.no_labels |= other.no_labels;
        for (hash, (text, count)) in other.labels {
            self.labels.entry(hash).or_insert((text, 0)).1 += count;
        }
        self.no_labels |= self.labels.len() > LABELS;
        for (hash, text) in other.sample.smallest {
            if self.sample.wants(hash) {
                self.sample.add(hash, text);
            }
        }
    }
}

/// The records with the smallest hashes: a sample that does not depend on the order in which they are met.
#[derive(Debug, Default)]
struct Sample {
    smallest: BinaryHeap<(u64, String)>,
}

impl Sample {
    #[inline(always)]
    fn wants(&self, hash: u64) -> bool {
        self.smallest.len() < LANGUAGE_SAMPLE || self.smallest.peek().is_some_and(|(greatest, _)| hash < *greatest)
    }

    fn add(&mut self, hash: u64, mut text: String) {
        text.truncate(text.floor_char_boundary(LANGUAGE_BYTES));
        self.smallest.push((hash, text));
        if self.smallest.len() > LANGUAGE_SAMPLE {
            self.smallest.pop();
        }
    }

    fn languages(&self) -> Vec<(&'static str, u64)> {
        let mut languages = BTreeMap::new();
        // Telling a language takes many times longer than looking through the record did.
        let told = self.smallest.as_slice().par_iter().filter_map(|(_, text)| language(text));
        for name in told.collect::<Vec<_>>() {
            *languages.entry(name).or_default() += 1;
        }
        languages.into_iter().collect()
    }
}

/// A rule that fires, by its place in the registry, and how bad that is.
type Firing = (u16, &'static Rule, Severity);

/// Takes the parts as they come and puts them in order.
pub(super) struct Gatherer<'a> {
    judge: &'a Judge<'a>,
    /// Parts whose predecessors are not there yet.
    early: BTreeMap<u64, Part>,
    next: u64,
    prompts: Vec<u64>,
    answers: Vec<u64>,
    chars: Vec<u32>,
    /// First position of each run of records of one split.
    runs: Vec<(u64, SplitKind)>,
    /// First position of each source that has been met.
    sources: Vec<u64>,
    /// Of each source, whether its lines have numbers that a person knows.
    numbered: Vec<bool>,
    sums: Sums,
    found: Found,
}

/// What was found so far.
#[derive(Clone, Default)]
struct Found {
    findings: Vec<Finding>,
    /// By place in the registry; with how many findings were kept of it.
    rules: BTreeMap<u16, (RuleCount, usize)>,
    /// Findings of each severity.
    counts: [u64; 3],
    /// Records with an error.
    broken: RoaringBitmap,
}

impl Found {
    fn count(&mut self, (place, rule): (u16, &'static Rule), severity: Severity, record: Option<u64>) {
        self.counts[severity as usize] += 1;
        let fresh = || (RuleCount { rule: rule.id, severity, findings: 0, records: RoaringBitmap::new() }, 0);
        let (count, _) = self.rules.entry(place).or_insert_with(fresh);
        count.findings += 1;
        count.severity = count.severity.min(severity);
        let Some(record) = record.and_then(|record| u32::try_from(record).ok()) else { return };
        count.records.insert(record);
        if severity == Severity::Error {
            self.broken.insert(record);
        }
    }

    /// Whether there is room for one more finding of this rule, which has been counted.
    fn has_room(&mut self, place: u16, most: usize) -> bool {
        let Some((_, kept)) = self.rules.get_mut(&place).filter(|(_, kept)| *kept < most) else { return false };
        *kept += 1;
        true
    }

    fn into_report(self, records: u64, totals: SplitTotals, sources: Vec<u64>) -> Report {
        let Found { mut findings, rules, counts: [errors, warnings, notes], broken } = self;
        findings.sort_by_key(|finding| (finding.severity, finding.record));
        Report {
            records,
            valid: records - broken.len(),
            totals,
            errors,
            warnings,
            notes,
            findings,
            rules: rules.into_values().map(|(count, _)| count).collect(),
            sources,
        }
    }
}

impl<'a> Gatherer<'a> {
    pub fn new(judge: &'a Judge<'a>, numbered: Vec<bool>) -> Gatherer<'a> {
        Gatherer {
            judge,
            early: BTreeMap::new(),
            next: 0,
            prompts: Vec::new(),
            answers: Vec::new(),
            chars: Vec::new(),
            runs: Vec::new(),
            sources: Vec::with_capacity(numbered.len()),
            numbered,
            sums: Sums::default(),
            found: Found::default(),
        }
    }

    pub fn take(&mut self, sequence: u64, part: Part) {
        self.early.insert(sequence, part);
        while let Some(part) = self.early.remove(&self.next) {
            self.next += 1;
            self.append(part);
        }
    }

    pub fn sum_up(&mut self, sums: Sums) {
        self.sums.append(sums);
    }

    fn append(&mut self, part: Part) {
        let base = self.prompts.len() as u64;
        while self.sources.len() <= part.source {
            self.sources.push(base);
        }
        match &part.splits {
            Splits::All(kind) => self.run(base, *kind),
            Splits::Each(kinds) => {
                for (place, kind) in kinds.iter().enumerate().take(part.prompts.len()) {
                    self.run(base + place as u64, *kind);
                }
            }
        }
        for (record, place, severity) in &part.hits {
            if let Some(rule) = self.judge.at(*place) {
                self.found.count((*place, rule), *severity, Some(base + u64::from(*record)));
            }
        }
        for (record, finding) in part.findings {
            self.keep(finding, Some(base + u64::from(record)));
        }
        self.prompts.extend(part.prompts);
        self.answers.extend(part.answers);
        self.chars.extend(part.chars);
    }

    fn run(&mut self, position: u64, kind: SplitKind) {
        if self.runs.last().is_none_or(|(_, last)| *last != kind) {
            self.runs.push((position, kind));
        }
    }

    fn kind_of(&self, position: u64) -> SplitKind {
        let run = self.runs.partition_point(|(first, _)| *first <= position);
        run.checked_sub(1).map_or(SplitKind::Training, |run| self.runs[run].1)
    }

    /// Keeps the words of a finding that has been counted, while there is room for them.
    fn keep(&mut self, finding: Finding, record: Option<u64>) {
        let Some((place, _)) = self.judge.rule(finding.rule) else { return };
        if self.found.has_room(place, self.judge.options.kept_per_rule) {
            let line = record.and_then(|record| line_of(&self.sources, &self.numbered, record));
            self.found.findings.push(Finding { record, line, ..finding });
        }
    }

    fn add(&mut self, finding: Finding) {
        if let Some(rule) = self.judge.rule(finding.rule) {
            self.found.count(rule, finding.severity, finding.record);
            let record = finding.record;
            self.keep(finding, record);
        }
    }

    /// What was found in the records so far, each by itself.
    pub fn so_far(&self) -> Report {
        let found = self.found.clone();
        found.into_report(self.prompts.len() as u64, SplitTotals::default(), self.sources.clone())
    }

    /// What concerns several records together, and everything that was found.
    pub fn report(mut self) -> Report {
        self.meet();
        let tally = self.tally();
        for rule in tally_rules(self.judge.intent) {
            for finding in rule.judge(&tally, self.judge.intent) {
                self.add(finding);
            }
        }
        self.found.into_report(self.prompts.len() as u64, tally.totals, self.sources)
    }

    /// Duplicates, other answers to the same prompt, leaks between splits.
    fn meet(&mut self) {
        let rules = neighbour_rules(self.judge.intent);
        // Whether a rule fires is told by the two splits and by whether the answers are the same: asked once of each.
        let mut fires: HashMap<(SplitKind, SplitKind, bool), Vec<Firing>> = HashMap::new();
        for Meeting { position, first } in meetings(&self.prompts, self.judge.options.threads) {
            let (record, first_record) = (u64::from(position), u64::from(first));
            let encounter = Encounter {
                kind: self.kind_of(record),
                first: first_record,
                first_kind: self.kind_of(first_record),
                same_answer: self.answers[position as usize] == self.answers[first as usize],
            };
            let judge = self.judge;
            let firing =
                fires.entry((encounter.kind, encounter.first_kind, encounter.same_answer)).or_insert_with(|| {
                    let told = rules.iter().filter_map(|rule| rule.meet(&encounter));
                    told.filter_map(|finding| {
                        judge.rule(finding.rule).map(|(place, rule)| (place, rule, finding.severity))
                    })
                    .collect()
                });
            for &(place, rule, severity) in firing.iter() {
                self.found.count((place, rule), severity, Some(record));
                if self.found.has_room(place, judge.options.kept_per_rule)
                    && let Some(finding) = rule.meet(&encounter)
                {
                    let line = line_of(&self.sources, &self.numbered, record);
                    self.found.findings.push(Finding { record: Some(record), line, ..finding });
                }
            }
        }
    }

    fn tally(&mut self) -> Tally {
        let sums = std::mem::take(&mut self.sums);
        let quartile = |share| sums.chars.quantile(share);
        let bounds = outlier_bounds(sums.chars.count(), quartile(0.25), quartile(0.75));
        let mut outliers = Vec::new();
        if let Some((fewest, most)) = bounds {
            let outside = self
                .chars
                .iter()
                .enumerate()
                .filter(|(_, chars)| **chars < fewest || (**chars > most && **chars != NO_RECORD));
            outliers.extend(outside.map(|(position, &chars)| (position as u64, chars)));
        }
        let mut labels: Vec<(String, u64)> = sums.labels.into_values().collect();
        labels.sort_unstable();
        Tally {
            totals: sums.totals,
            labels: (!sums.no_labels).then_some(labels),
            systems: sums.systems,
            kinds: sums.kinds,
            languages: sums.sample.languages(),
            outliers,
            bounds,
        }
    }
}

/// The line of a record in its source, from 1.
fn line_of(sources: &[u64], numbered: &[bool], position: u64) -> Option<u64> {
    let source = sources.partition_point(|first| *first <= position).checked_sub(1)?;
    numbered[source].then(|| position - sources[source] + 1)
}
