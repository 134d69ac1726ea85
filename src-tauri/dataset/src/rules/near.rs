//! Records that say nearly the same: a pass of its own, since texts are compared.
//!
//! Each record is sketched by the least hashes of its pairs of words (MinHash), records whose sketches agree in some band
//! are candidates, and a candidate counts when the pairs of words themselves are alike: nothing is said by hash alone.
//! Which candidates there are is a matter of chance below full likeness; at the bound 98 of 100 are met.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use whetstone_scan::Facts;

use super::rule::models::TINY;
use super::{Broken, Example, Finding, Fix, Mend, Rule, RuleKind, Severity};
use crate::record::Record;
use crate::split::SplitKind;

/// Records that share this part of all their pairs of words (Jaccard's index) are nearly the same.
const ALIKE: f64 = 0.8;
/// Fewer words say too little to be compared.
const LEAST_WORDS: usize = 5;
const BANDS: usize = 8;
const ROWS: usize = 4;

const SOURCE: &str = "Common practice in machine learning: MinHash over pairs of words, verified by Jaccard's index of 0.8 or more, case and punctuation left aside; a pass of its own";

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "near-duplicate",
        severity: Severity::Note,
        asks: "No two records of a split say nearly the same.",
        source: SOURCE,
        fix: Some(Mend { does: "Delete this record", how: |_, _, _| Some(Fix::Delete) }),
        needs: Facts::empty(),
        concerns: |_| true,
        hold_out: true,
        kind: RuleKind::Near(near_duplicate),
        examples: &[Example::new(
            TINY,
            "{\"prompt\":\"Where is my new card? I have waited for it for two weeks now.\",\"completion\":\"card arrival\"}\n{\"prompt\":\"where is my new card, I have waited for it for two weeks now!\",\"completion\":\"card arrival\"}",
            "{\"prompt\":\"Where is my new card? I have waited for it for two weeks now.\",\"completion\":\"card arrival\"}\n{\"prompt\":\"Where is my old phone? I have waited for it for three days now.\",\"completion\":\"card arrival\"}",
        )],
    },
    Rule {
        id: "near-leak",
        severity: Severity::Warning,
        asks: "No two records of different splits say nearly the same.",
        source: SOURCE,
        fix: Some(Mend { does: "Delete this record", how: |_, _, _| Some(Fix::Delete) }),
        needs: Facts::empty(),
        concerns: |_| true,
        hold_out: true,
        kind: RuleKind::Near(near_leak),
        examples: &[Example::new(
            TINY,
            "{\"prompt\":\"Where is my new card? I have waited for it for two weeks now.\",\"completion\":\"card arrival\"}\nvalidation| {\"prompt\":\"where is my new card, I have waited for it for two weeks now!\",\"completion\":\"card arrival\"}",
            "{\"prompt\":\"Where is my new card? I have waited for it for two weeks now.\",\"completion\":\"card arrival\"}\n{\"prompt\":\"where is my new card, I have waited for it for two weeks now!\",\"completion\":\"card arrival\"}",
        )],
    },
];

/// A record that says nearly the same as an earlier one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resemblance {
    pub kind: SplitKind,
    /// Position of the earlier record, from 0.
    pub first: u64,
    pub first_kind: SplitKind,
    /// Jaccard's index of their pairs of words: 1 where all are the same.
    pub likeness: f64,
}

/// Every record that says nearly the same as an earlier one, or the same in other punctuation. `get` reads a record by
/// its position, each once and those that may be alike again; its error ends the pass.
pub fn near_duplicates<E>(
    records: u64,
    get: &mut dyn FnMut(u64) -> Result<(Record, SplitKind), E>,
) -> Result<Vec<Finding>, E> {
    let mut sketches = Vec::new();
    for position in 0..records {
        sketches.push(sketch(&get(position)?.0));
    }
    let mut findings = Vec::new();
    let mut told = HashSet::new();
    for (first, second) in candidates(&sketches) {
        if told.contains(&second) {
            continue;
        }
        let ((earlier, first_kind), (later, kind)) = (get(first)?, get(second)?);
        let likeness = likeness(&pairs(&earlier), &pairs(&later));
        // The very same is what the rule on duplicates is for.
        if likeness < ALIKE || earlier.turns == later.turns {
            continue;
        }
        told.insert(second);
        let resemblance = Resemblance { kind, first, first_kind, likeness };
        let of_rules = RULES.iter().filter_map(|rule| rule.resemble(&resemblance));
        findings.extend(of_rules.map(|finding| Finding { record: Some(second), ..finding }));
    }
    Ok(findings)
}

fn percent(likeness: f64) -> u32 {
    (likeness * 100.0).floor() as u32
}

fn near_duplicate(found: &Resemblance) -> Option<Broken> {
    (found.kind == found.first_kind).then(|| {
        let message = format!(
            "Record {} says nearly the same ({} % of its pairs of words).",
            found.first + 1,
            percent(found.likeness)
        );
        Broken::new(message, "Delete one of them, unless the difference is what should be learned.")
    })
}

fn near_leak(found: &Resemblance) -> Option<Broken> {
    (found.kind != found.first_kind).then(|| {
        let message = format!(
            "Record {}, which is for {}, says nearly the same ({} % of its pairs of words); this one is for {}.",
            found.first + 1,
            found.first_kind.name(),
            percent(found.likeness),
            found.kind.name()
        );
        let hint = "Keep both in the same split, or delete one: a figure over records seen in training says too much.";
        Broken::new(message, hint)
    })
}

/// Hashes of neighbouring words, lower case, without punctuation. Empty where there are too few words.
fn pairs(record: &Record) -> HashSet<u64> {
    let mut pairs = HashSet::new();
    let mut words = 0;
    let mut before = 0;
    for block in record.turns.iter().flat_map(|turn| &turn.content) {
        let Some(text) = block.text() else { continue };
        for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            let own = hash(&word.to_lowercase());
            pairs.insert(hash(&(before, own)));
            before = own;
            words += 1;
        }
    }
    if words < LEAST_WORDS {
        pairs.clear();
    }
    pairs
}

fn likeness(one: &HashSet<u64>, other: &HashSet<u64>) -> f64 {
    let both = one.intersection(other).count();
    let all = one.len() + other.len() - both;
    if all == 0 { 0.0 } else { both as f64 / all as f64 }
}

/// SipHash with fixed keys: the same on every run.
fn hash<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// One hash a band; `None` for a record that says too little.
type Sketch = Option<[u32; BANDS]>;

fn sketch(record: &Record) -> Sketch {
    let pairs = pairs(record);
    if pairs.is_empty() {
        return None;
    }
    let mut least = [u32::MAX; BANDS * ROWS];
    for pair in pairs {
        for (row, least) in least.iter_mut().enumerate() {
            *least = (*least).min(mixed(pair, row as u64));
        }
    }
    let mut bands = [0; BANDS];
    for (band, rows) in bands.iter_mut().zip(least.chunks(ROWS)) {
        *band = hash(rows) as u32;
    }
    Some(bands)
}

/// One of many hashes of a hash (the finalizer of SplitMix64).
fn mixed(value: u64, row: u64) -> u32 {
    let mut mixed = value ^ row.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (mixed >> 32) as u32
}

/// Pairs of records that agree in a band, each with the first and the next before it there; in the order of the later.
fn candidates(sketches: &[Sketch]) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    for band in 0..BANDS {
        let keys = sketches.iter().enumerate();
        let mut keys: Vec<(u32, u64)> = keys.filter_map(|(at, sketch)| Some(((*sketch)?[band], at as u64))).collect();
        keys.sort_unstable();
        for same in keys.chunk_by(|one, other| one.0 == other.0) {
            for (place, &(_, second)) in same.iter().enumerate().skip(1) {
                found.push((second, same[0].1));
                found.push((second, same[place - 1].1));
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(|(second, first)| (first, second)).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn numbered(n: usize) -> String {
        (0..40).map(|word| format!("w{} ", hash(&(n, word)) % 1000)).collect()
    }

    #[test]
    fn what_is_alike_is_found_among_many_that_are_not() {
        let mut texts: Vec<String> = (0..500).map(numbered).collect();
        // One word of forty changed breaks two pairs of forty-one: 39 of 43.
        texts.extend((0..100).map(|n| numbered(n).replacen(' ', "x ", 1)));
        let records: Vec<Record> =
            texts.iter().map(|text| Record::prompt_completion(None, text.as_str(), "y")).collect();
        let mut get = |at: u64| Ok::<_, Infallible>((records[at as usize].clone(), SplitKind::Training));
        let findings = near_duplicates(600, &mut get).unwrap();
        let found: Vec<u64> = findings.iter().map(|finding| finding.record.unwrap()).collect();
        assert!(found.iter().all(|position| *position >= 500), "{found:?}");
        assert!(found.len() >= 98, "{} of 100", found.len());
        assert!(findings[0].message.starts_with("Record 1 says nearly the same"), "{}", findings[0].message);
    }

    #[test]
    fn short_records_are_not_compared() {
        let records =
            [Record::prompt_completion(None, "Yes, it is.", "A"), Record::prompt_completion(None, "yes it is", "A")];
        let mut get = |at: u64| Ok::<_, Infallible>((records[at as usize].clone(), SplitKind::Training));
        assert_eq!(near_duplicates(2, &mut get).unwrap(), []);
    }

    #[test]
    fn an_error_of_the_reader_ends_the_pass() {
        let mut get = |at: u64| if at < 3 { Ok((Record::default(), SplitKind::Training)) } else { Err("cancelled") };
        assert_eq!(near_duplicates(5, &mut get), Err("cancelled"));
    }
}
