//! Parts of the records: by length, by label, by tag; and by member where the answers are JSON.

use std::collections::BTreeMap;

use whetstone_contract::{Slice, SliceTable};
use whetstone_evaluation::{Tally, fields, label};

use super::scores::{Scores, cells};

/// More are a list that nobody reads to its end.
const MOST: usize = 100;
/// Fewer records than this say nothing.
const FEWEST: usize = 2;

pub fn of_all(scores: &Scores) -> Vec<SliceTable> {
    let mut tables = Vec::new();
    tables.extend(by_field(scores));
    tables.extend(by_length(scores));
    if !scores.labels.is_empty() {
        let places = grouped(scores, |at| Some(label(&scores.cases[at].reference).to_owned()));
        tables.extend(table(scores, "Label", places));
    }
    tables.extend(table(scores, "Tag", grouped(scores, |at| scores.cases[at].tag.clone())));
    tables
}

/// Places of the cases by name, the largest group first.
fn grouped(scores: &Scores, name: impl Fn(usize) -> Option<String>) -> Vec<(String, Vec<usize>)> {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for at in 0..scores.cases.len() {
        if let Some(name) = name(at) {
            groups.entry(name).or_default().push(at);
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(name, places)| (std::cmp::Reverse(places.len()), name.clone()));
    groups
}

/// Three parts of about the same size.
fn by_length(scores: &Scores) -> Option<SliceTable> {
    let length = |at: usize| scores.cases[at].prompt().chars().count();
    let mut order: Vec<usize> = (0..scores.cases.len()).collect();
    order.sort_by_key(|at| length(*at));
    let (third, last) = (order.len() / 3, order.len().checked_sub(1)?);
    let (short, long) = (length(order[third]), length(order[(2 * third).min(last)]));
    if third < FEWEST || short >= long {
        return None;
    }
    let part = |keep: &dyn Fn(usize) -> bool| order.iter().copied().filter(|at| keep(length(*at))).collect::<Vec<_>>();
    let parts = vec![
        (format!("up to {short} characters"), part(&|length| length <= short)),
        (format!("{} to {long} characters", short + 1), part(&|length| length > short && length <= long)),
        (format!("over {long} characters"), part(&|length| length > long)),
    ];
    table(scores, "Prompt length", parts)
}

fn table(scores: &Scores, by: &str, parts: Vec<(String, Vec<usize>)>) -> Option<SliceTable> {
    let slices: Vec<Slice> = parts
        .into_iter()
        .filter(|(_, places)| places.len() >= FEWEST)
        .take(MOST)
        .map(|(name, places)| {
            let tallies: Vec<Tally> = scores.tallies.iter().map(|tally| tally.part(&places)).collect();
            slice(scores, name, &tallies)
        })
        .collect();
    (slices.len() > 1).then(|| SliceTable { by: by.to_owned(), slices })
}

fn slice(scores: &Scores, name: String, tallies: &[Tally]) -> Slice {
    Slice {
        name,
        records: tallies.first().map_or(0, Tally::len) as u64,
        cells: cells(tallies, scores.record.draft.seed, Some(true)),
    }
}

/// Of each member of the references, how often it came out right.
fn by_field(scores: &Scores) -> Option<SliceTable> {
    let mut names: Vec<String> = Vec::new();
    for case in &scores.cases {
        for (name, _) in fields(&case.reference, "")? {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let slices: Vec<Slice> = names
        .into_iter()
        .take(MOST)
        .map(|name| {
            let rights = |candidate: usize| {
                let pairs = scores.pairs(candidate).into_iter();
                let of = pairs
                    .filter_map(|(reference, said)| fields(reference, said)?.into_iter().find(|one| one.0 == name));
                Tally::of_rights(of.map(|(_, right)| right).collect::<Vec<_>>())
            };
            let tallies: Vec<Tally> = (0..scores.answers.len()).map(rights).collect();
            slice(scores, name, &tallies)
        })
        .collect();
    (!slices.is_empty()).then(|| SliceTable { by: "Field".to_owned(), slices })
}
