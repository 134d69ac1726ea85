//! What a judge found: its verdicts read, two orders made one, and what could not be read counted.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use whetstone_contract::{
    AppError, Judge, JudgeComparison, JudgeKind, JudgeRow, JudgeRowKind, JudgeRows, JudgeRowsRequest, Judged,
};
use whetstone_evaluation::{MOST_POINTS, Pick, Preference, Tally, read_pick, read_score};

use super::answers::{Answer, Answers};
use super::judge::{Put, key, questions, settled};
use super::preferences::{agreement_of, win_rates};
use super::record::name_of;
use super::scores::{Scores, cells};
use crate::Workbench;

/// More rows at once are more than a page shows.
const MOST_ROWS: u64 = 100;

/// The answers of a judge, read.
#[derive(Default)]
pub struct Judgement {
    pub asked: u64,
    pub said: Vec<Said>,
    /// Of each candidate but the first, each record; `None` where it is not told.
    preferences: Vec<Vec<Option<Preference>>>,
    /// Of each candidate, each record; of a rubric only.
    points: Vec<Vec<Option<u8>>>,
    /// Candidates and records on which the verdict turned with the order.
    divided: HashSet<(usize, usize)>,
    /// Of each candidate the records whose two verdicts could be read.
    both_read: HashMap<usize, u32>,
}

/// One answer of a judge.
pub struct Said {
    /// Its record's place among the cases.
    pub case: usize,
    pub put: Put,
    pub answer: Answer,
    pub reading: Option<Reading>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reading {
    Pick(Pick),
    Points(u8),
}

impl Said {
    fn preference(&self) -> Option<Preference> {
        match (self.reading?, self.put.swapped) {
            (Reading::Pick(Pick::A), false) | (Reading::Pick(Pick::B), true) => Some(Preference::First),
            (Reading::Pick(Pick::A), true) | (Reading::Pick(Pick::B), false) => Some(Preference::Second),
            (Reading::Pick(Pick::Tie), _) => Some(Preference::Neither),
            (Reading::Points(_), _) => None,
        }
    }
}

impl Judgement {
    pub fn new(scores: &Scores, judge: &Judge, answers: &Answers) -> Result<Self, AppError> {
        let (mut asked, mut said) = (0, Vec::new());
        for (case, (record, given)) in scores.rows().enumerate() {
            for put in questions(judge, record, &given) {
                asked += 1;
                let Some(answer) = answers.get(&key(&scores.record, judge, &put.prompt))? else { continue };
                let reading = match judge.kind {
                    JudgeKind::Pairwise => read_pick(&answer.text).map(Reading::Pick),
                    JudgeKind::Rubric => read_score(&answer.text).map(Reading::Points),
                };
                said.push(Said { case, put, answer, reading });
            }
        }
        let mut found = Self { asked, said, ..Self::default() };
        match judge.kind {
            JudgeKind::Pairwise => found.join_orders(scores),
            JudgeKind::Rubric => {
                found.points = found.of_points(scores);
                let first = &found.points[0];
                let beside =
                    |other: &Vec<Option<u8>>| first.iter().zip(other).map(|(a, b)| by_points(*a, *b)).collect();
                found.preferences = found.points.iter().skip(1).map(beside).collect();
            }
        }
        Ok(found)
    }

    /// Makes one preference of the two orders.
    fn join_orders(&mut self, scores: &Scores) {
        let mut orders: HashMap<(usize, usize), Vec<Option<Preference>>> = HashMap::new();
        for said in &self.said {
            orders.entry((said.put.candidate, said.case)).or_default().push(said.preference());
        }
        for (of, both) in &orders {
            if let [Some(one), Some(other)] = both[..] {
                *self.both_read.entry(of.0).or_default() += 1;
                if one != other {
                    self.divided.insert(*of);
                }
            }
        }
        let one = |candidate: usize, case: usize| match orders.get(&(candidate, case)).map(Vec::as_slice) {
            Some([Some(one), Some(other)]) => Some(if one == other { *one } else { Preference::Neither }),
            Some(_) => None,
            None => settled(&scores.answers[0][case], &scores.answers[candidate][case]),
        };
        self.preferences = (1..scores.answers.len())
            .map(|candidate| (0..scores.cases.len()).map(|case| one(candidate, case)).collect())
            .collect();
    }

    /// An answer that is not there has the fewest points.
    fn of_points(&self, scores: &Scores) -> Vec<Vec<Option<u8>>> {
        let none = |answer: &Answer| answer.error.is_some().then_some(1);
        let mut points: Vec<Vec<Option<u8>>> =
            scores.answers.iter().map(|answers| answers.iter().map(none).collect()).collect();
        for said in &self.said {
            if let Some(Reading::Points(found)) = said.reading {
                points[said.put.candidate][said.case] = Some(found);
            }
        }
        points
    }

    fn is(&self, said: &Said, which: JudgeRowKind) -> bool {
        match which {
            JudgeRowKind::All => true,
            JudgeRowKind::Unreadable => said.reading.is_none(),
            JudgeRowKind::Divided => self.divided.contains(&(said.put.candidate, said.case)),
        }
    }

    fn of_candidate(&self, candidate: usize) -> impl Iterator<Item = &Said> {
        self.said.iter().filter(move |said| said.put.candidate == candidate)
    }

    /// Share of the verdicts for a side that were for the answer shown first.
    fn first_shown(&self, candidate: usize) -> Option<f64> {
        let picks = self.of_candidate(candidate).filter_map(|said| match said.reading {
            Some(Reading::Pick(pick)) if pick != Pick::Tie => Some(pick == Pick::A),
            _ => None,
        });
        share(picks)
    }

    fn orders_agree(&self, candidate: usize) -> Option<f64> {
        let read = f64::from(*self.both_read.get(&candidate)?);
        let divided = self.divided.iter().filter(|of| of.0 == candidate).count() as f64;
        Some((read - divided) / read)
    }

    /// Records of which a verdict on this candidate, or a score of it or of the first, could not be read.
    fn unreadable_records(&self, candidate: usize) -> u64 {
        let of = |said: &&Said| said.reading.is_none() && [0, candidate].contains(&said.put.candidate);
        self.said.iter().filter(of).map(|said| said.case).collect::<HashSet<_>>().len() as u64
    }

    pub fn shown(&self, scores: &Scores, judge: &Judge, people: &HashMap<(u32, u64), Preference>) -> Judged {
        let told = (1..).zip(&self.preferences);
        let rates = win_rates(scores, told.map(|(at, all)| (at, all.iter().copied().flatten().collect())).collect());
        let comparisons = rates.into_iter().zip(&self.preferences).map(|(win_rate, told)| {
            let candidate = win_rate.candidate as usize;
            let both = scores.cases.iter().zip(told).filter_map(|(case, judged)| {
                Some(vec![(*judged)?, *people.get(&(win_rate.candidate, case.position))?])
            });
            JudgeComparison {
                unreadable: self.unreadable_records(candidate),
                first_shown: self.first_shown(candidate),
                orders_agree: self.orders_agree(candidate),
                people: agreement_of(&both.collect::<Vec<_>>()),
                win_rate,
            }
        });
        let comparisons = comparisons.collect();
        let whole = |case: &usize| self.points.iter().all(|points| points[*case].is_some());
        let scored: Vec<usize> =
            if self.points.is_empty() { Vec::new() } else { (0..scores.cases.len()).filter(whole).collect() };
        let tallies: Vec<Tally> = self
            .points
            .iter()
            .map(|points| Tally::of_numbers(scored.iter().filter_map(|case| points[*case]).map(f64::from)))
            .collect();
        let row = (!scored.is_empty()).then(|| whetstone_contract::MetricRow {
            id: "judge_score".to_owned(),
            label: "Mean score".to_owned(),
            unit: Some("of 5".to_owned()),
            more_is_better: Some(true),
            cells: cells(&tallies, scores.record.draft.seed, Some(true)).into_iter().map(Some).collect(),
        });
        Judged {
            judge: judge.clone(),
            asked: self.asked,
            answered: self.said.len() as u64,
            unreadable: self.said.iter().filter(|said| said.reading.is_none()).count() as u64,
            comparisons,
            scores: row,
            scored: scored.len() as u64,
        }
    }
}

fn by_points(first: Option<u8>, second: Option<u8>) -> Option<Preference> {
    Some(match first?.cmp(&second?) {
        Ordering::Greater => Preference::First,
        Ordering::Less => Preference::Second,
        Ordering::Equal => Preference::Neither,
    })
}

/// How many of them are so; `None` of none.
fn share(all: impl Iterator<Item = bool>) -> Option<f64> {
    let (so, count) = all.fold((0_u32, 0_u32), |(so, count), one| (so + u32::from(one), count + 1));
    (count > 0).then(|| f64::from(so) / f64::from(count))
}

impl Workbench {
    pub(crate) async fn rows_of_judge(&self, asked: JudgeRowsRequest) -> Result<JudgeRows, AppError> {
        let scores = self.scores_of(&asked.evaluation).await?;
        let Some(found) = &scores.judgement else { return Ok(JudgeRows { total: 0, rows: Vec::new() }) };
        let fits: Vec<&Said> = found.said.iter().filter(|said| found.is(said, asked.which)).collect();
        let window = fits.iter().skip(usize::try_from(asked.offset).unwrap_or(usize::MAX));
        let window = window.take(usize::try_from(asked.limit.min(MOST_ROWS)).unwrap_or(0));
        Ok(JudgeRows { total: fits.len() as u64, rows: window.map(|said| row(&scores, said)).collect() })
    }
}

fn row(scores: &Scores, said: &Said) -> JudgeRow {
    let name = |at: usize| name_of(&scores.candidates()[at]);
    let verdict = match said.reading {
        Some(Reading::Points(points)) => Some(format!("{}: {points} of {MOST_POINTS}", name(said.put.candidate))),
        _ => said.preference().map(|preference| match preference {
            Preference::First => name(0),
            Preference::Second => name(said.put.candidate),
            Preference::Neither => "Tie".to_owned(),
        }),
    };
    JudgeRow {
        position: scores.cases[said.case].position,
        candidate: u32::try_from(said.put.candidate).unwrap_or(u32::MAX),
        prompt: said.put.prompt.clone(),
        answer: said.answer.text.clone(),
        error: said.answer.error.clone(),
        verdict,
    }
}

#[cfg(test)]
mod tests {
    use whetstone_contract::Standing;

    use super::*;
    use crate::evaluations::recorded::Recorded;

    type Outcome = Result<(), Box<dyn std::error::Error>>;

    fn shown(recorded: &Recorded, people: &[(u64, Preference)]) -> Result<Judged, Box<dyn std::error::Error>> {
        let scores = recorded.scores()?;
        let people = people.iter().map(|(position, preference)| ((1, *position), *preference)).collect();
        let judge = scores.record.draft.judge.clone().ok_or("no judge")?;
        Ok(scores.judgement.as_ref().ok_or("not judged")?.shown(&scores, &judge, &people))
    }

    /// The one on which the answer ends that begins with this.
    fn where_good(prompt: &str) -> String {
        let side = if prompt.starts_with("good") { "A" } else { "B" };
        format!("It is better.\nVerdict: {side}")
    }

    const TEN: [[Option<&str>; 2]; 10] = {
        let mut rows = [[Some("bad"), Some("good 0")]; 10];
        rows[8] = [Some("good"), Some("worse")];
        rows[9] = [Some("same"), Some("same")];
        rows
    };

    #[test]
    fn a_judge_that_sees_the_better_one_finds_it_on_either_side() -> Outcome {
        let found = shown(&Recorded::new(&TEN)?.judged(JudgeKind::Pairwise, where_good)?, &[])?;
        let [one] = &found.comparisons[..] else { return Err("one candidate is compared".into()) };
        assert_eq!((one.win_rate.won, one.win_rate.lost, one.win_rate.neither), (8, 1, 1), "{one:?}");
        assert_eq!((one.win_rate.standing, one.unreadable), (Standing::Preferred, 0));
        assert_eq!((one.orders_agree, one.first_shown), (Some(1.0), Some(0.5)));
        // The tenth is the same on both sides, and is not asked.
        assert_eq!((found.asked, found.answered, found.unreadable), (18, 18, 0));
        Ok(())
    }

    #[test]
    fn a_judge_that_likes_what_stands_first_prefers_neither() -> Outcome {
        let found = shown(&Recorded::new(&TEN)?.judged(JudgeKind::Pairwise, |_| "Verdict: A".into())?, &[])?;
        let one = found.comparisons.first().ok_or("nothing is compared")?;
        assert_eq!((one.win_rate.won, one.win_rate.lost, one.win_rate.neither), (0, 0, 10));
        assert_eq!((one.orders_agree, one.first_shown), (Some(0.0), Some(1.0)));
        assert_eq!(one.win_rate.share, None);
        Ok(())
    }

    #[test]
    fn what_cannot_be_read_is_counted_and_counts_for_nobody() -> Outcome {
        // Silent whenever the better one is shown first.
        let says = |prompt: &str| if prompt.starts_with("good 0") { "Well…".into() } else { where_good(prompt) };
        let found = shown(&Recorded::new(&TEN)?.judged(JudgeKind::Pairwise, says)?, &[])?;
        let one = found.comparisons.first().ok_or("nothing is compared")?;
        assert_eq!((found.answered, found.unreadable, one.unreadable), (18, 8, 8));
        assert_eq!((one.win_rate.won, one.win_rate.lost, one.win_rate.neither), (0, 1, 1));
        assert_eq!(one.win_rate.standing, Standing::NotEnough);
        Ok(())
    }

    #[test]
    fn an_answer_that_is_not_there_loses_without_a_question() -> Outcome {
        let rows = [[None, Some("good")], [Some("good"), None], [None, None]];
        let found = shown(&Recorded::new(&rows)?.judged(JudgeKind::Pairwise, where_good)?, &[])?;
        let one = found.comparisons.first().ok_or("nothing is compared")?;
        assert_eq!((found.asked, one.win_rate.won, one.win_rate.lost, one.win_rate.neither), (0, 1, 1, 1));
        Ok(())
    }

    #[test]
    fn scores_are_means_with_a_difference_and_give_preferences_too() -> Outcome {
        let says = |answer: &str| if answer.starts_with("good") { "Score: 5".into() } else { "Score: 2".into() };
        let found = shown(&Recorded::new(&TEN)?.judged(JudgeKind::Rubric, says)?, &[])?;
        let row = found.scores.as_ref().ok_or("no scores")?;
        let value = |at: usize| row.cells[at].as_ref().map_or(0.0, |cell| cell.value);
        assert!((value(0) - 2.3).abs() < 1e-9 && (value(1) - 4.4).abs() < 1e-9, "{row:?}");
        let one = found.comparisons.first().ok_or("nothing is compared")?;
        assert_eq!((found.scored, one.win_rate.won, one.win_rate.lost, one.win_rate.neither), (10, 8, 1, 1));
        Ok(())
    }

    #[test]
    fn a_judge_is_held_to_what_people_said_of_the_same_records() -> Outcome {
        let recorded = Recorded::new(&TEN)?.judged(JudgeKind::Pairwise, where_good)?;
        let said = [(0, Preference::Second), (1, Preference::First), (8, Preference::First), (9, Preference::Neither)];
        let found = shown(&recorded, &said)?;
        let people = found.comparisons[0].people.as_ref().ok_or("no agreement")?;
        assert_eq!((people.records, people.share), (4, 0.75));
        // By chance: (1·2 + 2·1 + 1·1) of 16 agree.
        assert!(people.kappa.is_some_and(|kappa| (kappa - 7.0 / 11.0).abs() < 1e-12), "{people:?}");
        Ok(())
    }
}
