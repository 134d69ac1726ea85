//! One entry of the registry.

use serde_json::{Map, Value};
use whetstone_catalog::CustomizationType;
use whetstone_scan::Facts;

use super::{Broken, Encounter, FileFacts, Finding, Intent, Resemblance, Severity, SplitTotals, Tally};
use crate::record::Record;

/// One rule.
pub struct Rule {
    pub id: &'static str,
    /// The worst that breaking it is; a finding may be milder where the sources are.
    pub severity: Severity,
    /// What it asks, in a sentence.
    pub asks: &'static str,
    /// Where the rule comes from, and where its sources disagree.
    pub source: &'static str,
    pub fix: Option<Mend>,
    /// A record whose text has none of these facts cannot break it.
    pub needs: Facts,
    /// Whether it holds for data meant for this.
    pub concerns: fn(&Intent) -> bool,
    /// Whether hold-out records must keep it too. They are never sent to the model's training.
    pub hold_out: bool,
    pub kind: RuleKind,
    pub examples: &'static [Example],
}

/// How to make a record keep its rule.
pub struct Mend {
    /// What it does, in words.
    pub does: &'static str,
    pub(super) how: fn(&Record, &Finding, &Intent) -> Option<Fix>,
}

/// What becomes of a record that is mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fix {
    Replace(Record),
    Delete,
}

/// What a rule looks at.
#[derive(Clone, Copy)]
pub enum RuleKind {
    /// A file as a whole: its name and size.
    File(fn(&FileFacts, &Intent) -> Vec<Broken>),
    /// The bytes of a line.
    Bytes(fn(&[u8]) -> Option<Broken>),
    /// The object on a line as it stands. It holds where the file itself is what is uploaded.
    Line(fn(&Map<String, Value>, &Intent) -> Vec<Broken>),
    /// One record by itself.
    Record(fn(&Record, &Intent) -> Vec<Broken>),
    /// How many records there are of each split.
    Counts(fn(&SplitTotals, &Intent) -> Vec<Broken>),
    /// A record beside an earlier one with the same prompt.
    Neighbour(fn(&Encounter) -> Option<Broken>),
    /// A record beside an earlier one that says nearly the same.
    Near(fn(&Resemblance) -> Option<Broken>),
    /// What was summed up over all records.
    Tally(fn(&Tally, &Intent) -> Vec<Broken>),
}

/// A dataset that breaks the rule and one that just does not.
///
/// Each is JSON Lines. `{x*100}` stands for a hundred times `x`; `20 x` before a line for twenty of it, in which `#`
/// is the number of each; `validation|` or `hold-out|` before a line says which split it is of. For a rule on files a
/// line is the name of one and its size in bytes.
pub struct Example {
    pub model: &'static str,
    pub purpose: CustomizationType,
    pub breaks: &'static str,
    pub keeps: &'static str,
}

/// Base models that examples are for.
pub(super) mod models {
    pub const TINY: &str = "whetstone.tiny-v1";
    pub const MICRO: &str = "amazon.nova-micro-v1:0:128k";
    pub const PRO: &str = "amazon.nova-pro-v1:0:300k";
    pub const NOVA_2: &str = "amazon.nova-2-lite-v1:0:256k";
    pub const LLAMA_31: &str = "meta.llama3-1-8b-instruct-v1:0:128k";
    pub const LLAMA_32: &str = "meta.llama3-2-11b-instruct-v1:0:128k";
    pub const LLAMA_33: &str = "meta.llama3-3-70b-instruct-v1:0:128k";
    pub const CLAUDE: &str = "anthropic.claude-3-haiku-20240307-v1:0:200k";
    pub const COHERE: &str = "cohere.command-text-v14";
    pub const TITAN_IMAGES: &str = "amazon.titan-image-generator-v1:0";
    pub const TITAN_EMBEDDINGS: &str = "amazon.titan-embed-image-v1:0";
    pub const TITAN: &str = "amazon.titan-text-express-v1:0:8k";
}

impl Example {
    /// For fine-tuning this model.
    pub(super) const fn new(model: &'static str, breaks: &'static str, keeps: &'static str) -> Example {
        Example { model, purpose: CustomizationType::FineTuning, breaks, keeps }
    }

    pub(super) const fn of(self, purpose: CustomizationType) -> Example {
        Example { purpose, ..self }
    }
}

impl Rule {
    pub(super) fn finding(&self, broken: Broken) -> Finding {
        Finding {
            rule: self.id,
            severity: broken.severity.unwrap_or(self.severity),
            record: broken.record,
            line: None,
            field: broken.field,
            span: broken.span,
            message: broken.message,
            hint: broken.hint,
            fix: self.fix.as_ref().filter(|_| broken.fixable).map(|mend| mend.does),
        }
    }

    fn findings(&self, broken: Vec<Broken>) -> Vec<Finding> {
        broken.into_iter().map(|broken| self.finding(broken)).collect()
    }

    pub(crate) fn weigh(&self, facts: &FileFacts, intent: &Intent) -> Vec<Finding> {
        match self.kind {
            RuleKind::File(look) => self.findings(look(facts, intent)),
            _ => Vec::new(),
        }
    }

    pub(crate) fn spell(&self, line: &[u8]) -> Option<Finding> {
        match self.kind {
            RuleKind::Bytes(look) => look(line).map(|broken| self.finding(broken)),
            _ => None,
        }
    }

    /// What it says of a record. A rule of another kind says nothing, here as below.
    pub(crate) fn run(&self, record: &Record, intent: &Intent) -> Vec<Finding> {
        match self.kind {
            RuleKind::Record(look) => self.findings(look(record, intent)),
            _ => Vec::new(),
        }
    }

    pub(crate) fn read(&self, object: &Map<String, Value>, intent: &Intent) -> Vec<Finding> {
        match self.kind {
            RuleKind::Line(look) => self.findings(look(object, intent)),
            _ => Vec::new(),
        }
    }

    pub(crate) fn meet(&self, encounter: &Encounter) -> Option<Finding> {
        match self.kind {
            RuleKind::Neighbour(look) => look(encounter).map(|broken| self.finding(broken)),
            _ => None,
        }
    }

    pub(crate) fn resemble(&self, resemblance: &Resemblance) -> Option<Finding> {
        match self.kind {
            RuleKind::Near(look) => look(resemblance).map(|broken| self.finding(broken)),
            _ => None,
        }
    }

    pub(crate) fn judge(&self, tally: &Tally, intent: &Intent) -> Vec<Finding> {
        match self.kind {
            RuleKind::Tally(look) => self.findings(look(tally, intent)),
            RuleKind::Counts(look) => self.findings(look(&tally.totals, intent)),
            _ => Vec::new(),
        }
    }

    pub(crate) fn count(&self, totals: &SplitTotals, intent: &Intent) -> Vec<Finding> {
        match self.kind {
            RuleKind::Counts(look) => self.findings(look(totals, intent)),
            _ => Vec::new(),
        }
    }
}
