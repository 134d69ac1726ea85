//! One thread's work: looking through a batch of lines, acquitting most, judging the rest.

use serde_json::{Map, Value};
use whetstone_scan::{Digest, Facts, Line, Padded, Scanner, Speaker, hash_text, hash_turn, unescape};

use super::gather::Sums;
use super::judge::{Judge, scanner};
use super::source::{Batch, Splits};
use crate::formats::MAX_RECORD_BYTES;
use crate::record::{Block, Record, Role, Turn, chars};
use crate::rules::{Finding, Severity, check_bytes, misshapen, too_long};
use crate::split::SplitKind;

/// More chars than a line can have.
pub(super) const NO_RECORD: u32 = u32::MAX;

/// What came of one batch, its records counted from 0.
#[derive(Debug)]
pub(super) struct Part {
    pub source: usize,
    pub splits: Splits,
    /// Hashes of what each record answers to, and of its answer.
    pub prompts: Vec<u64>,
    pub answers: Vec<u64>,
    /// In context and completion; [`NO_RECORD`] for a line that is none.
    pub chars: Vec<u32>,
    /// Record and finding; so many of each rule as are kept.
    pub findings: Vec<(u32, Finding)>,
    /// Record, rule and severity of every finding.
    pub hits: Vec<(u32, u16, Severity)>,
}

impl Part {
    pub fn new(source: usize) -> Part {
        Part {
            source,
            splits: Splits::default(),
            prompts: Vec::new(),
            answers: Vec::new(),
            chars: Vec::new(),
            findings: Vec::new(),
            hits: Vec::new(),
        }
    }
}

/// Looks through batches.
pub(super) struct Looker<'a> {
    judge: &'a Judge<'a>,
    scanner: Scanner,
    sums: Sums,
    /// Findings of each rule kept of the batch at hand.
    kept: Vec<usize>,
    scratch: Vec<u8>,
}

impl<'a> Looker<'a> {
    pub fn new(judge: &'a Judge<'a>) -> Looker<'a> {
        Looker { judge, scanner: scanner(judge.intent), sums: Sums::default(), kept: Vec::new(), scratch: Vec::new() }
    }

    /// What was summed up over all batches.
    pub fn into_sums(self) -> Sums {
        self.sums
    }

    /// Looks through a batch. Its room is used again, its splits go into the part.
    pub fn look(&mut self, batch: &mut Batch, part: &mut Part) {
        part.splits = std::mem::take(&mut batch.splits);
        let expected = batch.bytes.len() / 512;
        part.prompts.reserve(expected);
        part.answers.reserve(expected);
        part.chars.reserve(expected);
        self.kept.clear();
        let lines = Padded::new(std::mem::take(&mut batch.bytes));
        let Looker { judge, scanner, sums, kept, scratch } = self;
        scanner.scan(&lines, &mut |line| {
            let kind = match &part.splits {
                Splits::All(kind) => *kind,
                Splits::Each(kinds) => kinds.get(part.prompts.len()).copied().unwrap_or(SplitKind::Training),
            };
            Look { judge, sums, kept, scratch, part, kind }.line(line);
        });
        batch.bytes = lines.into_inner();
    }
}

/// A look at one line.
struct Look<'a> {
    judge: &'a Judge<'a>,
    sums: &'a mut Sums,
    kept: &'a mut Vec<usize>,
    scratch: &'a mut Vec<u8>,
    part: &'a mut Part,
    kind: SplitKind,
}

impl Look<'_> {
    #[inline(always)]
    fn line(&mut self, line: &Line<'_>) {
        self.sums.totals.count(self.kind, 1);
        let has_system = line.facts.contains(Facts::SYSTEM);
        let expected = line.form.is_some_and(|form| self.judge.expects(form, has_system));
        let expected = expected && line.bytes.len() <= MAX_RECORD_BYTES;
        if !expected {
            return self.unknown(line.bytes);
        }
        if self.judge.suspects(line.facts, self.kind) {
            self.suspect(line);
        }
        self.sums.systems += u64::from(has_system);
        self.sums.add_line(line, self.scratch);
        self.digest(line.digest);
    }

    /// Some rule needs one of the facts.
    #[inline(never)]
    fn suspect(&mut self, line: &Line<'_>) {
        let judge = self.judge;
        let needed = |needs: Facts| line.facts.intersects(needs);
        let mut findings = Vec::new();
        if judge.line_rules.iter().any(|rule| needed(rule.needs) && self.holds(rule.hold_out))
            && let Ok(object) = serde_json::from_slice::<Map<String, Value>>(line.bytes)
        {
            for rule in judge.line_rules.iter().filter(|rule| needed(rule.needs)) {
                findings.extend(rule.read(&object, judge.intent));
            }
        }
        let record = record_of(line, self.scratch);
        for rule in judge.record_rules.iter().filter(|rule| needed(rule.needs)) {
            findings.extend(rule.run(&record, judge.intent));
        }
        self.keep(findings);
    }

    /// The fast path knows nothing of the line: it is parsed, and held to every rule.
    #[inline(never)]
    fn unknown(&mut self, line: &[u8]) {
        let judge = self.judge;
        let (record, findings) = read(line, judge);
        self.keep(findings);
        let Some(record) = record else { return self.digest(Digest { context_chars: NO_RECORD, ..Digest::default() }) };
        let findings = judge.record_rules.iter().flat_map(|rule| rule.run(&record, judge.intent)).collect();
        self.keep(findings);
        let digest = digest_of(&record, self.scratch);
        self.sums.add_record(&record, &digest);
        self.digest(digest);
    }

    #[inline(always)]
    fn digest(&mut self, digest: Digest) {
        // A record that answers to nothing is met by what it says.
        let prompt = if digest.context == 0 { digest.completion } else { digest.context };
        self.part.prompts.push(prompt);
        self.part.answers.push(digest.completion);
        self.part.chars.push(digest.context_chars.saturating_add(digest.completion_chars));
    }

    fn holds(&self, for_hold_out: bool) -> bool {
        self.kind != SplitKind::HoldOut || for_hold_out
    }

    fn keep(&mut self, findings: Vec<Finding>) {
        let record = self.part.prompts.len() as u32;
        for finding in findings {
            let Some((place, _)) = self.judge.rule(finding.rule).filter(|(_, rule)| self.holds(rule.hold_out)) else {
                continue;
            };
            self.part.hits.push((record, place, finding.severity));
            let place = usize::from(place);
            if place >= self.kept.len() {
                self.kept.resize(place + 1, 0);
            }
            if self.kept[place] < self.judge.options.kept_per_rule {
                self.kept[place] += 1;
                self.part.findings.push((record, finding));
            }
        }
    }
}

/// The record of a line that the scanner knows, as the line's schema would read it.
fn record_of(line: &Line<'_>, scratch: &mut Vec<u8>) -> Record {
    let turns = line.spans.iter().map(|span| {
        let role = match span.speaker {
            Speaker::System => Role::System,
            Speaker::User => Role::User,
            Speaker::Assistant => Role::Assistant,
        };
        Turn::new(role, text_of(&line.bytes[span.raw.clone()], scratch))
    });
    let mut record = Record::new(turns.collect());
    if let Some(version) = line.version {
        let version = String::from_utf8_lossy(version).into_owned();
        record.extra.insert("schemaVersion".to_owned(), Value::String(version));
    }
    record
}

/// A text of a line that is known to be well formed.
pub(super) fn text_of(raw: &[u8], scratch: &mut Vec<u8>) -> String {
    if memchr::memchr(b'\\', raw).is_none() || unescape(raw, scratch).is_none() {
        return String::from_utf8_lossy(raw).into_owned();
    }
    String::from_utf8_lossy(scratch).into_owned()
}

/// Parses a line; without a record, or beside it, what is wrong with the line itself.
fn read(line: &[u8], judge: &Judge) -> (Option<Record>, Vec<Finding>) {
    if line.len() > MAX_RECORD_BYTES {
        return (None, too_long().into_iter().collect());
    }
    let Ok(object) = serde_json::from_slice::<Map<String, Value>>(line) else {
        return (None, check_bytes(line).into_iter().collect());
    };
    let of_line = judge.line_rules.iter().flat_map(|rule| rule.read(&object, judge.intent));
    let mut findings: Vec<Finding> = of_line.collect();
    match judge.schema.read(&object) {
        Ok(record) => (Some(record), findings),
        Err(error) => {
            let other = misshapen(&error);
            if !findings.iter().any(|finding| finding.rule == other.rule) {
                findings.push(other);
            }
            (None, findings)
        }
    }
}

/// The digest that the scanner gives of the same record in an ordinary line.
fn digest_of(record: &Record, scratch: &mut Vec<u8>) -> Digest {
    let mut digest = Digest::default();
    for turn in record.context() {
        let hash = hash_content(turn, scratch);
        digest.context = hash_turn(digest.context, turn.role.as_str(), hash);
    }
    digest.completion = hash_text(&record.completion(), scratch);
    let in_context = chars(record.context());
    digest.context_chars = length(in_context);
    digest.completion_chars = length(record.chars() - in_context);
    digest
}

fn length(chars: usize) -> u32 {
    u32::try_from(chars).unwrap_or(u32::MAX)
}

fn hash_content(turn: &Turn, scratch: &mut Vec<u8>) -> u64 {
    if let [Block::Text(text)] = turn.content.as_slice() {
        return hash_text(text, scratch);
    }
    turn.content.iter().fold(0, |before, block| {
        let (kind, text) = match block {
            Block::Text(text) => ("text", hash_text(text, scratch)),
            Block::Reasoning(text) => ("thought", hash_text(text, scratch)),
            Block::Image(value) => ("image", hash_text(&value.to_string(), scratch)),
            Block::Video(value) => ("video", hash_text(&value.to_string(), scratch)),
            Block::Document(value) => ("document", hash_text(&value.to_string(), scratch)),
            Block::ToolUse(value) => ("use", hash_text(&value.to_string(), scratch)),
            Block::ToolResult(value) => ("result", hash_text(&value.to_string(), scratch)),
            Block::Other(value) => ("other", hash_text(&value.to_string(), scratch)),
        };
        hash_turn(before, kind, text)
    })
}
