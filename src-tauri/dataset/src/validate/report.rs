//! What came out.

use roaring::RoaringBitmap;

use crate::rules::{Finding, Severity, SplitTotals};

/// What was found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    pub records: u64,
    /// Records without a finding of severity error.
    pub valid: u64,
    pub totals: SplitTotals,
    /// Findings, not records.
    pub errors: u64,
    pub warnings: u64,
    pub notes: u64,
    /// Errors first, then in the order of the records; so many of each rule as the options say.
    pub findings: Vec<Finding>,
    /// Every rule that found something, in the order of the registry.
    pub rules: Vec<RuleCount>,
    /// Position of the first record of each source.
    pub sources: Vec<u64>,
}

/// What one rule found in all.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleCount {
    pub rule: &'static str,
    /// The worst of them.
    pub severity: Severity,
    pub findings: u64,
    /// Positions of the records that it was found in.
    pub records: RoaringBitmap,
}

impl Report {
    /// What this rule found.
    pub fn rule(&self, id: &str) -> Option<&RuleCount> {
        self.rules.iter().find(|count| count.rule == id)
    }
}
