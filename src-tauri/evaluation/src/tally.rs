//! What each row of a set adds to a sum, and the value that is made of the sum.
//!
//! A set that is drawn anew, or a set in which two models swapped some answers, is measured by adding other rows: so the
//! interval of a value and the test of a difference are the same few lines for every metric.

use std::collections::BTreeSet;

use crate::Metric;
use crate::metrics::label;

/// The rows of one model under one metric, or one measured number a row.
#[derive(Debug, Clone)]
pub struct Tally {
    of: Of,
    width: usize,
    /// Places in the sum and what is added there.
    rows: Vec<Vec<(u32, f64)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Metric(Metric),
    /// A mean of numbers.
    Numbers,
    /// A share of rows that are so.
    Rights,
}

impl Tally {
    /// Pairs of a reference and a prediction.
    pub fn new<S: AsRef<str>>(metric: Metric, pairs: &[(S, S)]) -> Self {
        if metric == Metric::MacroF1 {
            return Self::of_classes(pairs);
        }
        let rows: Vec<Vec<(u32, f64)>> = pairs
            .iter()
            .map(|(reference, prediction)| (0..).zip(metric.counts(reference.as_ref(), prediction.as_ref())).collect())
            .collect();
        Self { of: Of::Metric(metric), width: rows.first().map_or(0, Vec::len), rows }
    }

    /// Measured numbers: tokens, milliseconds, money.
    pub fn of_numbers(numbers: impl IntoIterator<Item = f64>) -> Self {
        Self { of: Of::Numbers, width: 1, rows: numbers.into_iter().map(|number| vec![(0, number)]).collect() }
    }

    /// What is so or not so of each row.
    pub fn of_rights(rights: impl IntoIterator<Item = bool>) -> Self {
        let rows = rights.into_iter().map(|right| vec![(0, f64::from(u8::from(right)))]).collect();
        Self { of: Of::Rights, width: 1, rows }
    }

    /// Three places a class of the references: how often it was wanted, said, and rightly said.
    fn of_classes<S: AsRef<str>>(pairs: &[(S, S)]) -> Self {
        let classes: BTreeSet<&str> = pairs.iter().map(|(reference, _)| label(reference.as_ref())).collect();
        let classes: Vec<&str> = classes.into_iter().collect();
        let place = |text: &str| classes.binary_search(&label(text)).ok().and_then(|at| u32::try_from(at).ok());
        let row = |reference: Option<u32>, prediction: Option<u32>| {
            let mut row = Vec::with_capacity(3);
            row.extend(reference.map(|class| (class * 3, 1.0)));
            row.extend(prediction.map(|class| (class * 3 + 1, 1.0)));
            row.extend(reference.filter(|_| reference == prediction).map(|class| (class * 3 + 2, 1.0)));
            row
        };
        let rows = pairs.iter().map(|(reference, said)| row(place(reference.as_ref()), place(said.as_ref()))).collect();
        Self { of: Of::Metric(Metric::MacroF1), width: classes.len() * 3, rows }
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn value(&self) -> f64 {
        self.value_with(&mut self.empty_sum(), self.rows.iter())
    }

    /// Each row by itself; a set of one for what is no mean.
    pub fn alone(&self) -> Vec<f64> {
        let mut sum = self.empty_sum();
        self.rows.iter().map(|row| self.value_with(&mut sum, std::iter::once(row))).collect()
    }

    /// The rows at these places, a place as often as it is named.
    #[must_use]
    pub fn part(&self, places: &[usize]) -> Self {
        let rows = places.iter().filter_map(|place| self.rows.get(*place)).cloned().collect();
        Self { of: self.of, width: self.width, rows }
    }

    /// Whether each row is either right or wrong.
    pub(crate) fn is_proportion(&self) -> bool {
        match self.of {
            Of::Metric(metric) => metric.is_proportion(),
            Of::Numbers => false,
            Of::Rights => true,
        }
    }

    pub(crate) fn is_right(&self, at: usize) -> bool {
        self.rows[at].first().is_some_and(|(_, count)| *count > 0.5)
    }

    pub(crate) fn row(&self, at: usize) -> &Vec<(u32, f64)> {
        &self.rows[at]
    }

    pub(crate) fn empty_sum(&self) -> Vec<f64> {
        vec![0.0; self.width]
    }

    /// The value of some rows; `sum` is room to add them up in.
    pub(crate) fn value_with<'a>(&self, sum: &mut [f64], rows: impl Iterator<Item = &'a Vec<(u32, f64)>>) -> f64 {
        sum.fill(0.0);
        let mut count = 0_usize;
        for row in rows {
            count += 1;
            for (place, added) in row {
                sum[*place as usize] += added;
            }
        }
        match self.of {
            Of::Metric(metric) => metric.value(sum, count),
            Of::Numbers | Of::Rights => sum.first().copied().unwrap_or(0.0) / count.max(1) as f64,
        }
    }
}
