//! What the numbers say, in words; and what to try next.

use whetstone_contract::{EvaluationPart, MetricCell, Outcome, SliceTable, Verdict};
use whetstone_evaluation::{Confusion, is_refusal, widest_reach};

use super::record::name_of;
use super::scores::Scores;

/// Mistakes of one kind are worth a word from this many on.
const WORTH_A_WORD: usize = 3;

pub fn of_all(scores: &Scores) -> Vec<Verdict> {
    let Some(row) = scores.metrics.first() else { return Vec::new() };
    let base = row.cells.first().and_then(Option::as_ref);
    (1_u32..)
        .zip(row.cells.iter().skip(1))
        .filter_map(|(candidate, cell)| Some(of_one(scores, candidate, base?, cell.as_ref()?)))
        .collect()
}

fn of_one(scores: &Scores, candidate: u32, base: &MetricCell, cell: &MetricCell) -> Verdict {
    let at = candidate as usize;
    let outcome = cell.difference.as_ref().map_or(Outcome::NoClearDifference, |difference| difference.outcome);
    let [first, second] = [0, at].map(|at| name_of(&scores.candidates()[at]));
    let pairs = || scores.alone[0].iter().zip(&scores.alone[at]);
    let heading = match (outcome, scores.candidates()[at].tuned) {
        (Outcome::Better, true) => "Yes, it helped".to_owned(),
        (Outcome::Worse, true) => "No, it made things worse".to_owned(),
        (Outcome::NoClearDifference, true) => "No clear difference".to_owned(),
        (Outcome::Better, false) => format!("{second} does better"),
        (Outcome::Worse, false) => format!("{second} does worse"),
        (Outcome::NoClearDifference, false) => format!("{second}: no clear difference"),
    };
    Verdict {
        candidate,
        outcome,
        heading,
        words: words(scores, &first, &second, base, cell),
        won: pairs().filter(|(one, other)| other > one).count() as u64,
        lost: pairs().filter(|(one, other)| other < one).count() as u64,
    }
}

fn words(scores: &Scores, first: &str, second: &str, base: &MetricCell, cell: &MetricCell) -> String {
    let label = scores.metric.label();
    let rows = scores.cases.len();
    let values = if scores.metric.is_proportion() {
        let right = |value: f64| (value * rows as f64).round();
        format!(
            "{label}: {second} has {} of {rows} ({:.1} %), {first} has {} ({:.1} %).",
            right(cell.value),
            cell.value * 100.0,
            right(base.value),
            base.value * 100.0
        )
    } else {
        format!(
            "{label} over {rows} records: {second} has {:.1} %, {first} has {:.1} %.",
            cell.value * 100.0,
            base.value * 100.0
        )
    };
    let Some(difference) = &cell.difference else { return values };
    let (low, high) = (difference.low * 100.0, difference.high * 100.0);
    let chance = if difference.p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {:.3}", difference.p) };
    match difference.outcome {
        Outcome::Better => format!("{values} The gain lies between {low:.1} and {high:.1} points ({chance}, paired)."),
        Outcome::Worse => {
            format!("{values} The loss lies between {:.1} and {:.1} points ({chance}, paired).", -high, -low)
        }
        Outcome::NoClearDifference => format!("{values} {}", unclear(low, high, &chance)),
    }
}

/// Why two models are not told apart. The interval is this comparison's alone; the test also allows for how many were
/// made, so it may hold back where the interval does not.
fn unclear(low: f64, high: f64, chance: &str) -> String {
    if low == 0.0 && high == 0.0 {
        return "They did equally well on every record.".to_owned();
    }
    let range = format!("The difference lies between {low:+.1} and {high:+.1} points ({chance}, paired)");
    if low > 0.0 || high < 0.0 {
        format!("{range}, but as many comparisons as were made show a difference like that by chance, too.")
    } else {
        format!("{range}: either of them may be the better one.")
    }
}

/// What to try next, from what went wrong.
pub fn next(scores: &Scores, slices: &[SliceTable]) -> Vec<String> {
    let Some(verdict) = scores.headline() else { return Vec::new() };
    let at = verdict.candidate as usize;
    let name = name_of(&scores.candidates()[at]);
    let mut next = Vec::new();
    if verdict.outcome == Outcome::NoClearDifference && scores.cases.len() < 400 {
        next.push(format!(
            "{} records settle little: a share is known to within {:.0} points. Ask more of them, or hold more out.",
            scores.cases.len(),
            widest_reach(scores.cases.len()) * 100.0
        ));
    }
    next.extend(better_without_training(scores, at));
    if !scores.labels.is_empty() {
        let labels: Vec<String> = scores.labels.iter().map(|(label, _)| label.clone()).collect();
        let found = Confusion::new(&labels, &scores.pairs(at));
        for (wanted, said, count) in found.commonest(3).into_iter().filter(|(_, _, count)| *count >= WORTH_A_WORD) {
            next.push(match said {
                Some(said) => {
                    format!("“{wanted}” is taken for “{said}” {count} times: add records that tell the two apart.")
                }
                None => {
                    format!("{count} answers to “{wanted}” are no label at all: more records of it, or more epochs.")
                }
            });
        }
    }
    next.extend(weakest(slices, at));
    let answers = &scores.answers[at];
    let cut = answers.iter().filter(|answer| answer.stop_reason == "max_tokens").count();
    if cut * 20 > answers.len() {
        next.push(format!(
            "{cut} answers of {name} were cut at {} tokens: ask again with more.",
            scores.record.draft.max_tokens
        ));
    }
    let refused = answers.iter().filter(|answer| is_refusal(&answer.text)).count();
    if refused >= WORTH_A_WORD {
        next.push(format!("{name} declines {refused} times: look whether such records are wanted in the data."));
    }
    if scores.record.draft.part != EvaluationPart::HoldOut {
        next.push("Repeat this on a hold-out split: a model may remember the records it was trained on.".to_owned());
    }
    if next.is_empty() {
        next.push("Let people vote blind on some of its answers before it is used.".to_owned());
    }
    next
}

/// Whether examples in the prompt do as well as training does.
fn better_without_training(scores: &Scores, at: usize) -> Option<String> {
    let cells = &scores.metrics.first()?.cells;
    let value = |at: usize| cells.get(at)?.as_ref().map(|cell| cell.value);
    let tuned = value(at).filter(|_| scores.candidates()[at].tuned)?;
    let (other, _) = scores.candidates().iter().enumerate().find(|(other, candidate)| {
        !candidate.tuned && candidate.examples > 0 && value(*other).is_some_and(|value| value >= tuned)
    })?;
    Some(format!(
        "{} does as well without training: examples in the prompt may be enough.",
        name_of(&scores.candidates()[other])
    ))
}

/// The slice in which it is weakest, where that stands out.
fn weakest(slices: &[SliceTable], at: usize) -> Option<String> {
    let all = slices.iter().filter(|table| table.by != "Label");
    let (by, slice) = all
        .flat_map(|table| table.slices.iter().map(|slice| (table.by.as_str(), slice)))
        .filter(|(_, slice)| slice.records >= 10)
        .min_by(|(_, one), (_, other)| one.cells[at].value.total_cmp(&other.cells[at].value))?;
    let best =
        slices.iter().find(|table| table.by == by)?.slices.iter().map(|one| one.cells[at].value).fold(0.0, f64::max);
    (best - slice.cells[at].value > 0.1).then(|| {
        format!(
            "It is weakest by {} at {}: {:.0} % over {} records. More records of that kind would help most.",
            by.to_lowercase(),
            slice.name,
            slice.cells[at].value * 100.0,
            slice.records
        )
    })
}

#[cfg(test)]
mod tests {
    use super::unclear;

    #[test]
    fn what_is_not_clear_is_not_said_to_be_either_way_against_its_own_interval() {
        assert!(unclear(-1.0, 2.0, "p = 0.400").contains("either of them"));
        let held_back = unclear(0.6, 4.9, "p = 0.258");
        assert!(held_back.contains("+0.6 and +4.9") && !held_back.contains("either of them"), "{held_back}");
        assert_eq!(unclear(0.0, 0.0, "p = 1.000"), "They did equally well on every record.");
    }
}
