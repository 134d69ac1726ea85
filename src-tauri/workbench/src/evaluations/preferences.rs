//! Preferences in numbers and words, whoever gave them; and as a file to train from.

use serde_json::{Value, json};
use whetstone_contract::{Agreement, Share, Standing, WinRate};
use whetstone_evaluation::{FEWEST_DECIDED, Preference, Standing as Shown, agreement, holm};

use super::cases::Case;
use super::record::name_of;
use super::scores::Scores;

/// Of each candidate that was compared with the first.
pub fn win_rates(scores: &Scores, compared: Vec<(u32, Vec<Preference>)>) -> Vec<WinRate> {
    let rates: Vec<(u32, whetstone_evaluation::WinRate)> =
        compared.into_iter().map(|(at, all)| (at, whetstone_evaluation::WinRate::of(all))).collect();
    let corrected = holm(&rates.iter().map(|(_, rate)| rate.p).collect::<Vec<_>>());
    let shown = rates.into_iter().zip(corrected).map(|((candidate, rate), p)| {
        let standing = match rate.standing(p) {
            Shown::NotEnough => Standing::NotEnough,
            Shown::NotClear => Standing::NotClear,
            Shown::Preferred => Standing::Preferred,
            Shown::NotPreferred => Standing::NotPreferred,
        };
        let [first, second] = [0, candidate as usize].map(|at| name_of(&scores.candidates()[at]));
        WinRate {
            candidate,
            won: rate.won,
            lost: rate.lost,
            neither: rate.neither,
            share: rate.share.map(|share| Share { value: share.value, low: share.low, high: share.high }),
            p,
            standing,
            words: words(&first, &second, &rate, standing, p),
        }
    });
    shown.collect()
}

fn words(first: &str, second: &str, rate: &whetstone_evaluation::WinRate, standing: Standing, p: f64) -> String {
    let decided = rate.won + rate.lost;
    let Some(share) = rate.share else {
        return match rate.neither {
            0 => "There is no verdict yet.".to_owned(),
            neither => format!("Neither is preferred on any of {neither} records."),
        };
    };
    let neither = if rate.neither > 0 { format!(" On {} more neither is.", rate.neither) } else { String::new() };
    let counts = format!("{second} is preferred on {} of {decided} records, {first} on {}", rate.won, rate.lost);
    if standing == Standing::NotEnough {
        return format!(
            "{counts}.{neither} Fewer than {FEWEST_DECIDED} that choose a side show nothing, not even all for one."
        );
    }
    let chance = if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") };
    let [value, low, high] = [share.value, share.low, share.high].map(|share| share * 100.0);
    format!("{counts}: a win rate of {value:.1} %, between {low:.1} and {high:.1} % ({chance}).{neither}")
}

/// How far those agree who said something of the same records; of each record what each of them said.
pub fn agreement_of(records: &[Vec<Preference>]) -> Option<Agreement> {
    let found = agreement(records)?;
    let measure = if records.first()?.len() == 2 { "Cohen’s κ" } else { "Fleiss’ κ" };
    Some(Agreement {
        records: found.things as u64,
        share: found.share,
        kappa: found.kappa,
        measure: measure.to_owned(),
    })
}

/// One line of a file to train from by preferences: the conversation so far, the answer that was chosen, and the other.
pub fn pair(case: &Case, chosen: &str, rejected: &str) -> Value {
    let turn = |role: &str, text: &str| json!({ "role": role, "content": text });
    let system = case.system.iter().map(|text| turn("system", text));
    let turns =
        case.turns.iter().enumerate().map(|(at, text)| turn(if at % 2 == 0 { "user" } else { "assistant" }, text));
    json!({
        "prompt": system.chain(turns).collect::<Vec<_>>(),
        "chosen": [turn("assistant", chosen)],
        "rejected": [turn("assistant", rejected)],
    })
}
