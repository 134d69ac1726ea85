//! Duels: people choose between two answers without knowing whose they are.
//!
//! Owns `votes.json` in an evaluation's folder, written anew with every vote before the call answers. The records come in the
//! same order for everyone, so that two people soon have some in common; which answer stands on the left is drawn for each
//! person and record, from the evaluation's seed, and written down with the vote.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use whetstone_contract::{AppError, Duel, DuelRequest, DuelTurn, ErrorCode, People, Rater, VoteChoice, VoteRequest};
use whetstone_evaluation::Preference;

use super::preferences::{agreement_of, pair, win_rates};
use super::scores::Scores;
use super::{Evaluations, lock, record};
use crate::Workbench;

const VOTES: &str = "votes.json";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    pub rater: String,
    /// Compared with the first.
    pub candidate: u32,
    /// Of the record in the dataset.
    pub position: u64,
    /// Whether the first candidate's answer stood on the left.
    pub first_left: bool,
    pub choice: VoteChoice,
    pub at: i64,
}

impl Vote {
    fn preference(&self) -> Preference {
        match (self.choice, self.first_left) {
            (VoteChoice::Left, true) | (VoteChoice::Right, false) => Preference::First,
            (VoteChoice::Left, false) | (VoteChoice::Right, true) => Preference::Second,
            (VoteChoice::Tie | VoteChoice::BothBad, _) => Preference::Neither,
        }
    }

    fn is_of(&self, asked: &DuelRequest) -> bool {
        self.rater == asked.rater && self.candidate == asked.candidate
    }
}

impl Evaluations {
    fn votes_file(&self, id: &str) -> PathBuf {
        self.folder.join(id).join(VOTES)
    }

    pub(super) fn votes(&self, id: &str) -> Result<Vec<Vote>, AppError> {
        let path = self.votes_file(id);
        if path.exists() { record::read(&path) } else { Ok(Vec::new()) }
    }

    /// On disk when it returns. One change at a time, so that two people who vote at once lose nothing.
    fn change_votes(&self, id: &str, change: impl FnOnce(&mut Vec<Vote>)) -> Result<(), AppError> {
        let _one_at_a_time = lock(&self.voting);
        let mut votes = self.votes(id)?;
        change(&mut votes);
        record::write(&self.votes_file(id), &votes)
    }
}

impl Workbench {
    pub(crate) async fn duel_of(&self, asked: DuelRequest) -> Result<Duel, AppError> {
        let asked = named(asked)?;
        let scores = self.scores_of(&asked.evaluation).await?;
        let places = places(&scores, asked.candidate)?;
        let votes = self.evaluations.votes(&asked.evaluation)?;
        let voted: HashSet<u64> = votes.iter().filter(|vote| vote.is_of(&asked)).map(|vote| vote.position).collect();
        let open = places.iter().find(|at| !voted.contains(&scores.cases[**at].position));
        Ok(Duel {
            turn: open.map(|at| turn(&scores, &asked, *at)),
            voted: voted.len() as u64,
            total: places.len() as u64,
            same: (scores.cases.len() - places.len()) as u64,
        })
    }

    /// Written down when it answers; then what is next.
    pub(crate) async fn note_vote(&self, vote: VoteRequest) -> Result<Duel, AppError> {
        let VoteRequest { evaluation, candidate, rater, position, choice } = vote;
        let asked = named(DuelRequest { evaluation, candidate, rater })?;
        let scores = self.scores_of(&asked.evaluation).await?;
        if !places(&scores, candidate)?.iter().any(|at| scores.cases[*at].position == position) {
            return Err(AppError::new(ErrorCode::InvalidInput, "This record is no part of the comparison."));
        }
        let first_left = first_stands_left(scores.record.draft.seed, &asked, position);
        let vote = Vote { rater: asked.rater.clone(), candidate, position, first_left, choice, at: self.host.now_ms() };
        self.evaluations.change_votes(&asked.evaluation, |votes| {
            // Who votes again on the same record has changed their mind.
            votes.retain(|known| !(known.is_of(&asked) && known.position == position));
            votes.push(vote);
        })?;
        self.duel_of(asked).await
    }

    /// Takes back a person's last vote; its record is what is next.
    pub(crate) async fn take_vote_back(&self, asked: DuelRequest) -> Result<Duel, AppError> {
        let asked = named(asked)?;
        self.evaluations.change_votes(&asked.evaluation, |votes| {
            if let Some(last) = votes.iter().rposition(|vote| vote.is_of(&asked)) {
                votes.remove(last);
            }
        })?;
        self.duel_of(asked).await
    }
}

fn named(mut asked: DuelRequest) -> Result<DuelRequest, AppError> {
    asked.rater = asked.rater.trim().to_owned();
    if asked.rater.is_empty() {
        return Err(AppError::new(ErrorCode::InvalidInput, "Votes need a name.").hint("Type who is voting."));
    }
    Ok(asked)
}

/// The cases to vote on, in everybody's order: those whose two answers are there and differ.
fn places(scores: &Scores, candidate: u32) -> Result<Vec<usize>, AppError> {
    let other =
        scores.answers.get(candidate as usize).filter(|_| candidate > 0).ok_or_else(|| {
            AppError::new(ErrorCode::InvalidInput, "There is no such model to compare with the first.")
        })?;
    let both = scores.answers[0].iter().zip(other);
    let differ = both.map(|(one, other)| one.error.is_none() && other.error.is_none() && one.text != other.text);
    let mut places: Vec<usize> = differ.enumerate().filter(|(_, differ)| *differ).map(|(at, _)| at).collect();
    places.shuffle(&mut ChaCha8Rng::seed_from_u64(scores.record.draft.seed));
    Ok(places)
}

fn first_stands_left(seed: u64, asked: &DuelRequest, position: u64) -> bool {
    let whole = format!("{seed}/{}/{position}/{}", asked.candidate, asked.rater);
    Sha256::digest(whole.as_bytes())[0] & 1 == 0
}

fn turn(scores: &Scores, asked: &DuelRequest, at: usize) -> DuelTurn {
    let case = &scores.cases[at];
    let [first, second] = [0, asked.candidate as usize].map(|candidate| scores.answers[candidate][at].text.clone());
    let first_left = first_stands_left(scores.record.draft.seed, asked, case.position);
    let (left, right) = if first_left { (first, second) } else { (second, first) };
    DuelTurn {
        position: case.position,
        system: case.system.clone(),
        turns: case.turns.clone(),
        reference: case.reference.clone(),
        left,
        right,
    }
}

/// What most people prefer, of each candidate and record that has a vote.
pub fn preferred(votes: &[Vote]) -> HashMap<(u32, u64), Preference> {
    let mut all: HashMap<(u32, u64), Vec<Preference>> = HashMap::new();
    for vote in votes {
        all.entry((vote.candidate, vote.position)).or_default().push(vote.preference());
    }
    all.into_iter().map(|(of, said)| (of, Preference::of_most(said))).collect()
}

/// What people said, of each candidate that has a vote.
pub fn people(scores: &Scores, votes: &[Vote]) -> Vec<People> {
    let mut told: BTreeMap<u32, Vec<Preference>> = BTreeMap::new();
    for ((candidate, _), preference) in preferred(votes) {
        told.entry(candidate).or_default().push(preference);
    }
    let rates = win_rates(scores, told.into_iter().collect());
    let one = |win_rate: whetstone_contract::WinRate| {
        let votes: Vec<&Vote> = votes.iter().filter(|vote| vote.candidate == win_rate.candidate).collect();
        let mut raters: BTreeMap<&str, HashMap<u64, Preference>> = BTreeMap::new();
        for vote in &votes {
            raters.entry(&vote.rater).or_default().insert(vote.position, vote.preference());
        }
        let shared = scores.cases.iter().filter_map(|case| {
            raters.values().map(|said| said.get(&case.position).copied()).collect::<Option<Vec<_>>>()
        });
        People {
            votes: votes.len() as u64,
            both_bad: votes.iter().filter(|vote| vote.choice == VoteChoice::BothBad).count() as u64,
            agreement: agreement_of(&shared.collect::<Vec<_>>()),
            raters: raters
                .iter()
                .map(|(name, said)| Rater { name: (*name).to_owned(), votes: said.len() as u64 })
                .collect(),
            win_rate,
        }
    };
    rates.into_iter().map(one).collect()
}

/// A line for each record on which people prefer one of the two answers.
pub fn preference_pairs(scores: &Scores, votes: &[Vote]) -> String {
    let preferred = preferred(votes);
    let mut text = String::new();
    for candidate in 1..scores.answers.len() {
        for (at, case) in scores.cases.iter().enumerate() {
            let of = (u32::try_from(candidate).unwrap_or(u32::MAX), case.position);
            let [first, second] = [0, candidate].map(|candidate| scores.answers[candidate][at].text.as_str());
            let line = match preferred.get(&of) {
                Some(Preference::First) => pair(case, first, second),
                Some(Preference::Second) => pair(case, second, first),
                _ => continue,
            };
            text += &format!("{line}\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluations::recorded::Recorded;

    type Outcome = Result<(), Box<dyn std::error::Error>>;

    fn vote(rater: &str, position: u64, first_left: bool, choice: VoteChoice) -> Vote {
        Vote { rater: rater.to_owned(), candidate: 1, position, first_left, choice, at: 0 }
    }

    fn asked(rater: &str) -> DuelRequest {
        DuelRequest { evaluation: "e".to_owned(), candidate: 1, rater: rater.to_owned() }
    }

    #[test]
    fn sides_are_drawn_evenly_and_stay_as_they_were_drawn() {
        let left = |rater: &str| (0..400).map(|at| first_stands_left(7, &asked(rater), at)).collect::<Vec<_>>();
        let (ann, ben) = (left("Ann"), left("Ben"));
        assert_eq!(ann, left("Ann"));
        let count = |sides: &[bool]| sides.iter().filter(|left| **left).count();
        assert!((160..=240).contains(&count(&ann)) && (160..=240).contains(&count(&ben)));
        assert!((120..=280).contains(&ann.iter().zip(&ben).filter(|(a, b)| a == b).count()));
    }

    #[test]
    fn only_answers_that_are_there_and_differ_are_put_to_a_vote() -> Outcome {
        let rows = [[Some("a"), Some("b")], [Some("a"), Some("a")], [None, Some("b")], [Some("c"), Some("d")]];
        let scores = Recorded::new(&rows)?.scores()?;
        let mut found = places(&scores, 1)?;
        found.sort_unstable();
        assert_eq!(found, [0, 3]);
        assert!(places(&scores, 0).is_err() && places(&scores, 2).is_err());
        let turn = turn(&scores, &asked("Ann"), 3);
        assert_eq!((turn.turns, turn.reference), (vec!["Question 3".to_owned()], "reference 3".to_owned()));
        Ok(())
    }

    #[test]
    fn a_record_counts_once_however_many_voted_and_their_agreement_is_told() -> Outcome {
        use VoteChoice::{BothBad, Left, Right, Tie};
        let rows: Vec<[Option<&str>; 2]> = (0..8).map(|_| [Some("a"), Some("b")]).collect();
        let scores = Recorded::new(&rows)?.scores()?;
        let mut votes: Vec<Vote> = (0..7).map(|at| vote("Ann", at, true, Right)).collect();
        votes.extend((0..6).map(|at| vote("Ben", at, false, Left)));
        votes.push(vote("Ben", 6, false, Right));
        votes.push(vote("Ben", 7, true, BothBad));
        votes.push(vote("Ann", 7, true, Tie));
        let [found] = &people(&scores, &votes)[..] else { return Err("one candidate is compared".into()) };
        let rate = &found.win_rate;
        assert_eq!((rate.won, rate.lost, rate.neither, found.both_bad), (6, 0, 2, 1), "{found:?}");
        assert_eq!(rate.standing, whetstone_contract::Standing::Preferred);
        let raters: Vec<(&str, u64)> = found.raters.iter().map(|rater| (rater.name.as_str(), rater.votes)).collect();
        assert_eq!(raters, [("Ann", 8), ("Ben", 8)]);
        let agreement = found.agreement.as_ref().ok_or("no agreement")?;
        assert_eq!((agreement.records, agreement.share), (8, 0.875));

        let lines = preference_pairs(&scores, &votes);
        assert_eq!(lines.lines().count(), 6);
        let first: serde_json::Value = serde_json::from_str(lines.lines().next().ok_or("no line")?)?;
        assert_eq!(first["prompt"][0]["content"], "Question 0");
        assert_eq!((&first["chosen"][0]["content"], &first["rejected"][0]["content"]), (&"b".into(), &"a".into()));
        Ok(())
    }
}
