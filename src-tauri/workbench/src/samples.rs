//! The two datasets written for this project that a first evening starts with.

use whetstone_contract::Sample;

pub struct Bundled {
    pub id: &'static str,
    pub name: &'static str,
    pub file: &'static str,
    summary: &'static str,
    pub text: &'static str,
}

pub const SAMPLES: [Bundled; 2] = [
    Bundled {
        id: "customer-support",
        name: "Customer support",
        file: "customer-support.jsonl",
        summary: "Questions to a made-up shop, answered in one voice.",
        text: include_str!("../samples/customer-support.jsonl"),
    },
    Bundled {
        id: "legal-clauses",
        name: "Legal clauses",
        file: "legal-clauses.jsonl",
        summary: "Contract clauses, and what they say as JSON: parties, effective date, term, notice.",
        text: include_str!("../samples/legal-clauses.jsonl"),
    },
];

pub fn listed() -> Vec<Sample> {
    SAMPLES
        .iter()
        .map(|sample| Sample {
            id: sample.id.into(),
            name: sample.name.into(),
            summary: sample.summary.into(),
            records: sample.text.lines().count() as u64,
        })
        .collect()
}
