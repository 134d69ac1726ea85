//! What came out.

use std::collections::HashMap;

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
    /// Takes in what another pass over the same records found; so many findings of each rule are kept with their words.
    pub fn add(&mut self, findings: Vec<Finding>, kept_per_rule: usize) {
        let mut kept = HashMap::new();
        let mut broken = 0;
        for finding in findings {
            let position = self.rules.iter().position(|count| count.rule == finding.rule).unwrap_or_else(|| {
                let (rule, severity) = (finding.rule, finding.severity);
                self.rules.push(RuleCount { rule, severity, findings: 0, records: RoaringBitmap::new() });
                self.rules.len() - 1
            });
            let count = &mut self.rules[position];
            count.findings += 1;
            count.severity = count.severity.min(finding.severity);
            if let Some(record) = finding.record.and_then(|record| u32::try_from(record).ok()) {
                count.records.insert(record);
            }
            match finding.severity {
                Severity::Error => broken += 1,
                Severity::Warning => self.warnings += 1,
                Severity::Note => self.notes += 1,
            }
            let kept: &mut usize = kept.entry(finding.rule).or_default();
            if *kept < kept_per_rule {
                *kept += 1;
                self.findings.push(finding);
            }
        }
        self.errors += broken;
        self.findings.sort_by_key(|finding| (finding.severity, finding.record));
    }

    /// What this rule found.
    pub fn rule(&self, id: &str) -> Option<&RuleCount> {
        self.rules.iter().find(|count| count.rule == id)
    }
}
