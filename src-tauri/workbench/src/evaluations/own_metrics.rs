//! Metrics of one's own: expressions over each answer, and how many of them could not be computed.

use whetstone_contract::{AppError, ErrorCode, Measure, MetricRow};
use whetstone_evaluation::{Expression, Measured, Tally};

use super::scores::Scores;

pub struct OwnMetric {
    pub row: MetricRow,
    measure: Measure,
    /// Answers for which it could not be computed, and why the first could not.
    failed: usize,
    why: Option<String>,
}

impl OwnMetric {
    pub fn in_words(&self) -> String {
        let Measure { name, expression } = &self.measure;
        match &self.why {
            None => format!("{name}: {expression}"),
            Some(why) => format!(
                "{name}: {expression}. It could not be computed for {} answers, which count as 0 ({why}).",
                self.failed
            ),
        }
    }
}

pub fn of_all(scores: &Scores) -> Result<Vec<OwnMetric>, AppError> {
    let all = scores.record.draft.measures.iter().enumerate();
    all.map(|(place, measure)| of_one(scores, place, measure)).collect()
}

fn of_one(scores: &Scores, place: usize, measure: &Measure) -> Result<OwnMetric, AppError> {
    let expression = Expression::parse(&measure.expression)
        .map_err(|error| AppError::new(ErrorCode::InvalidInput, format!("{}: {error}", measure.name)))?;
    let (mut failed, mut why, mut numbers) = (0, None, false);
    let mut of_answers = |candidate: usize| -> Vec<Option<Measured>> {
        let each = scores.cases.iter().zip(&scores.answers[candidate]).map(|(case, answer)| {
            match expression.of(case.prompt(), &case.reference, &answer.text) {
                Ok(found) => {
                    numbers |= matches!(found, Measured::Number(_));
                    Some(found)
                }
                Err(error) => {
                    failed += 1;
                    why.get_or_insert(error);
                    None
                }
            }
        });
        each.collect()
    };
    let found: Vec<Vec<Option<Measured>>> = (0..scores.answers.len()).map(&mut of_answers).collect();
    let number = |one: &Option<Measured>| match one {
        Some(Measured::Number(number)) => *number,
        Some(Measured::Right(true)) => 1.0,
        Some(Measured::Right(false)) | None => 0.0,
    };
    let tally = |all: &Vec<Option<Measured>>| {
        if numbers {
            Tally::of_numbers(all.iter().map(number))
        } else {
            Tally::of_rights(all.iter().map(|one| *one == Some(Measured::Right(true))))
        }
    };
    let tallies: Vec<Tally> = found.iter().map(tally).collect();
    // A number has the unit that the person had in mind.
    let unit = numbers.then_some("");
    let row = scores.row(&format!("own_{place}"), &measure.name, unit, Some(true), &tallies);
    Ok(OwnMetric { row, measure: measure.clone(), failed, why })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluations::record::TokenRates;
    use crate::evaluations::recorded::Recorded;

    type Outcome = Result<(), Box<dyn std::error::Error>>;

    fn value(row: &MetricRow, at: usize) -> Option<f64> {
        row.cells.get(at)?.as_ref().map(|cell| cell.value)
    }

    fn measure(name: &str, expression: &str) -> Measure {
        Measure { name: name.to_owned(), expression: expression.to_owned() }
    }

    #[test]
    fn an_expression_is_a_share_or_a_mean_and_what_failed_is_told() -> Outcome {
        let mut recorded = Recorded::new(&[[Some("12"), Some("7")], [Some("none"), Some("8")]])?;
        recorded.record.draft.measures = vec![
            measure("A number", r#"answer.matches("^[0-9]+$")"#),
            measure("How many", "int(answer)"),
            measure("Long", "size(answer) > 1"),
        ];
        let scores = recorded.scores()?;
        let row = |name: &str| scores.metrics.iter().find(|row| row.label == name).ok_or("no such row");
        let (share, mean) = (row("A number")?, row("How many")?);
        assert_eq!((value(share, 0), value(share, 1), share.unit.as_deref()), (Some(0.5), Some(1.0), None));
        assert_eq!((value(mean, 0), value(mean, 1), mean.unit.as_deref()), (Some(6.0), Some(7.5), Some("")));
        assert_eq!((value(row("Long")?, 0), value(row("Long")?, 1)), (Some(1.0), Some(0.0)));
        let told: Vec<String> = scores.measures_in_words();
        assert!(told[1].contains("could not be computed for 1 answers"), "{told:?}");
        assert!(!told[0].contains("could not"), "{told:?}");
        Ok(())
    }

    #[test]
    fn what_answers_cost_is_told_where_the_price_is_known_and_not_made_up_where_it_is_not() -> Outcome {
        let mut recorded = Recorded::new(&[[Some("a"), Some("b")], [Some("c"), Some("d")]])?;
        let cost = |recorded: &Recorded| -> Result<Option<MetricRow>, Box<dyn std::error::Error>> {
            Ok(recorded.scores()?.metrics.into_iter().find(|row| row.id == "cost"))
        };
        assert_eq!(cost(&recorded)?, None);
        let rates = |read, written| Some(TokenRates { read, written, source: "a price list, 2026".to_owned() });
        recorded.record.rates = vec![None, rates(0.3, 0.2)];
        let row = cost(&recorded)?.ok_or("no cost")?;
        // One token in and one out a record.
        assert!(value(&row, 0).is_none() && value(&row, 1).is_some_and(|usd| (usd - 0.5).abs() < 1e-9), "{row:?}");
        recorded.record.rates[0] = rates(0.1, 0.1);
        let row = cost(&recorded)?.ok_or("no cost")?;
        assert!(row.cells.get(1).and_then(Option::as_ref).is_some_and(|cell| cell.difference.is_some()), "{row:?}");
        Ok(())
    }
}
