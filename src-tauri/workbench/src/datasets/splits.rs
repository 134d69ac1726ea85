//! Splits: what a way of splitting would come to, and making it.

use std::collections::HashMap;
use std::sync::Arc;

use whetstone_contract::{AppError, DatasetSummary, SplitKey, SplitMethod, SplitPart, SplitPreview, SplitRequest};
use whetstone_dataset::{DocumentError, Record, Share, SplitBy, SplitKey as Key, SplitKind, SplitPlan, State, split};

use super::show::summarise;
use super::{Datasets, from_document};
use crate::background::Watched;

/// The key that stands for the completion where it is a label.
pub const LABEL: &str = "label";
const PROMPT: &str = "prompt";
const SYSTEM: &str = "system";
/// Keys are looked for in so many of the first records.
const KEYS_FROM: u64 = 2_000;
const MOST_PARTS: usize = 12;
const EXAMPLES: usize = 3;

impl Datasets {
    pub async fn split_keys(self: &Arc<Self>, id: String) -> Result<Vec<SplitKey>, AppError> {
        self.work(id, |opened| {
            let (state, _) = opened.state()?;
            let rows = state.rows(0..KEYS_FROM).map_err(|error| from_document(&error))?;
            let mut values: Vec<(String, String, Vec<String>)> = Vec::new();
            let mut add = |id: String, label: &str, value: String| match values.iter_mut().find(|key| key.0 == id) {
                Some(key) => key.2.push(value),
                None => values.push((id, label.to_owned(), vec![value])),
            };
            for row in &rows {
                let record = row.record_or_empty();
                add(LABEL.to_owned(), "Completion (as a label)", record.completion().into_owned());
                add(PROMPT.to_owned(), "Prompt", record.prompt().into_owned());
                if let Some(system) = record.system() {
                    add(SYSTEM.to_owned(), "System text", system.into_owned());
                }
                for (name, value) in &record.extra {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    add(extra_id(name), name, text);
                }
            }
            let key = |(id, label, mut values): (String, String, Vec<String>)| {
                values.sort_unstable();
                values.dedup();
                let distinct = values.len() as u64;
                let examples = values.into_iter().take(EXAMPLES).map(|value| value.chars().take(60).collect());
                SplitKey { id, label, distinct, examples: examples.collect() }
            };
            Ok(values.into_iter().map(key).collect())
        })
        .await
    }

    pub async fn preview_split(self: &Arc<Self>, asked: SplitRequest) -> Result<SplitPreview, AppError> {
        let plan = plan(&asked);
        self.work(asked.dataset, move |opened| {
            let state = opened.whole()?;
            let (keys, names) = opened.long_edit("Try a split", |_, watched| values(&state, plan.key(), watched))?;
            let drawn = split(&keys, &plan).map_err(|error| from_document(&error.into()))?;
            let mut totals = [0_u64; 3];
            let mut parts: HashMap<String, [u64; 3]> = HashMap::new();
            for (kind, key) in drawn.iter().zip(&keys) {
                totals[place(*kind)] += 1;
                if let Some(name) = names.get(key) {
                    parts.entry(name.clone()).or_default()[place(*kind)] += 1;
                }
            }
            let part_count = parts.len() as u64;
            let mut parts: Vec<_> = parts.into_iter().collect();
            parts.sort_by(|(a, one), (b, other)| {
                other.iter().sum::<u64>().cmp(&one.iter().sum()).then_with(|| a.cmp(b))
            });
            let notes = notes(&asked.method, &totals, &parts);
            let part = |(label, [training, validation, hold_out]): (String, [u64; 3])| SplitPart {
                label,
                training,
                validation,
                hold_out,
            };
            Ok(SplitPreview {
                training: totals[0],
                validation: totals[1],
                hold_out: totals[2],
                parts: parts.into_iter().take(MOST_PARTS).map(part).collect(),
                part_count,
                notes,
            })
        })
        .await
    }

    pub async fn split(self: &Arc<Self>, asked: SplitRequest) -> Result<DatasetSummary, AppError> {
        let plan = plan(&asked);
        self.work(asked.dataset, move |opened| {
            opened.whole()?;
            opened.long_edit("Split", |document, watched| match asked.replace_frozen {
                true => document.new_split(&plan, watched),
                false => document.assign_split(&plan, watched),
            })?;
            opened.arranged();
            opened.tell_changed();
            summarise(opened)
        })
        .await
    }
}

/// The key's value of each record as a number, and the first text seen for each number.
fn values(
    state: &State,
    key: Option<&Key>,
    watched: &Watched,
) -> Result<(Vec<u64>, HashMap<u64, String>), DocumentError> {
    let Some(key) = key else {
        return Ok((vec![0; usize::try_from(state.len()).unwrap_or(usize::MAX)], HashMap::new()));
    };
    let (mut keys, mut names) = (Vec::new(), HashMap::new());
    state.for_all_lines(watched, |_, _, line| {
        let record = state.schema().parse(line).unwrap_or_default();
        let hash = key.hash(&record);
        names.entry(hash).or_insert_with(|| name_of(key, &record));
        keys.push(hash);
        Ok(())
    })?;
    Ok((keys, names))
}

/// A value of the key as it is shown, cut where it is long.
fn name_of(key: &Key, record: &Record) -> String {
    let text = match key {
        Key::Prompt => record.prompt().into_owned(),
        Key::System => record.system().unwrap_or_default().into_owned(),
        Key::Label => record.completion().into_owned(),
        Key::Member(name) => match record.extra.get(name) {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        },
    };
    text.chars().take(60).collect()
}

fn plan(asked: &SplitRequest) -> SplitPlan {
    let percent = |percent: u32| Share::Percent(f64::from(percent));
    let (validation, hold_out, by) = match &asked.method {
        SplitMethod::Ratio { validation_percent, hold_out_percent } => {
            (percent(*validation_percent), percent(*hold_out_percent), SplitBy::Record)
        }
        SplitMethod::Count { validation, hold_out } => {
            (Share::Count(*validation), Share::Count(*hold_out), SplitBy::Record)
        }
        SplitMethod::Stratified { key, validation_percent, hold_out_percent } => {
            (percent(*validation_percent), percent(*hold_out_percent), SplitBy::Stratified(key_of(key)))
        }
        SplitMethod::Grouped { key, validation_percent, hold_out_percent } => {
            (percent(*validation_percent), percent(*hold_out_percent), SplitBy::Grouped(key_of(key)))
        }
    };
    SplitPlan { validation, hold_out, seed: asked.seed, by }
}

fn key_of(id: &str) -> Key {
    match id {
        LABEL => Key::Label,
        PROMPT => Key::Prompt,
        SYSTEM => Key::System,
        extra => Key::Member(extra.strip_prefix("extra.").unwrap_or(extra).to_owned()),
    }
}

pub fn key_id(key: &Key) -> String {
    match key {
        Key::Label => LABEL.to_owned(),
        Key::Prompt => PROMPT.to_owned(),
        Key::System => SYSTEM.to_owned(),
        Key::Member(name) => extra_id(name),
    }
}

/// Told apart from the keys that every record has.
fn extra_id(name: &str) -> String {
    format!("extra.{name}")
}

fn place(kind: SplitKind) -> usize {
    match kind {
        SplitKind::Training => 0,
        SplitKind::Validation => 1,
        SplitKind::HoldOut => 2,
    }
}

fn notes(method: &SplitMethod, totals: &[u64; 3], parts: &[(String, [u64; 3])]) -> Vec<String> {
    let mut notes = Vec::new();
    let wanted: Vec<usize> = (0..3).filter(|split| totals[*split] > 0).collect();
    let rare = parts.iter().filter(|(_, counts)| wanted.iter().any(|split| counts[*split] == 0)).count();
    match method {
        SplitMethod::Stratified { .. } if rare > 0 => {
            notes.push(format!("{rare} labels have too few records to be in every split."));
        }
        SplitMethod::Grouped { validation_percent, hold_out_percent, .. } => {
            let all: u64 = totals.iter().sum();
            for (split, percent) in [(1, *validation_percent), (2, *hold_out_percent)] {
                #[expect(clippy::cast_precision_loss, reason = "a percentage in words")]
                let got = totals[split] as f64 * 100.0 / (all.max(1)) as f64;
                if (got - f64::from(percent)).abs() > 2.0 {
                    let name = ["training", "validation", "hold-out"][split];
                    notes.push(format!("Groups stay whole, so {name} gets {got:.0} % in place of {percent} %."));
                }
            }
        }
        _ => {}
    }
    notes
}
