//! How often lengths occur, to within two parts in a hundred.

/// Values below this are counted one by one.
const EXACT: u32 = 64;
/// Above, every power of two is cut into so many equal parts.
const PARTS: u32 = 32;

/// Counts of values in buckets of growing width.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
}

impl Histogram {
    pub fn add(&mut self, value: u32) {
        let place = place(value);
        if place >= self.buckets.len() {
            self.buckets.resize(place + 1, 0);
        }
        self.buckets[place] += 1;
        self.count += 1;
    }

    pub fn merge(&mut self, other: &Histogram) {
        if other.buckets.len() > self.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
    }

    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The value below or at which this share of all values lies, to within two parts in a hundred; 0 where there is
    /// none.
    pub fn quantile(&self, share: f64) -> u32 {
        let rank = ((share.clamp(0.0, 1.0) * self.count as f64).ceil() as u64).max(1);
        let mut sum = 0;
        for (place, count) in self.buckets.iter().enumerate() {
            sum += count;
            if sum >= rank {
                let (from, width) = bucket(place);
                return from + (width - 1) / 2;
            }
        }
        0
    }

    /// The buckets that hold something: the first value of each, how many values wide it is, and how many it holds.
    pub fn buckets(&self) -> impl Iterator<Item = (u32, u32, u64)> {
        self.buckets.iter().enumerate().filter(|(_, count)| **count > 0).map(|(place, count)| {
            let (from, width) = bucket(place);
            (from, width, *count)
        })
    }
}

fn place(value: u32) -> usize {
    if value < EXACT {
        return value as usize;
    }
    let power = value.ilog2();
    let part = (value >> (power - PARTS.ilog2())) - PARTS;
    (EXACT + (power - EXACT.ilog2()) * PARTS + part) as usize
}

/// The first value of a bucket, and how many values it is wide.
fn bucket(place: usize) -> (u32, u32) {
    let place = place as u32;
    if place < EXACT {
        return (place, 1);
    }
    let (power, part) = ((place - EXACT) / PARTS + EXACT.ilog2(), (place - EXACT) % PARTS);
    let width = 1 << (power - PARTS.ilog2());
    ((PARTS + part) * width, width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_value_lies_in_its_bucket(value: u32) {
            let (from, width) = bucket(place(value));
            prop_assert!(from <= value && u64::from(value) < u64::from(from) + u64::from(width));
            prop_assert!(width == 1 || f64::from(width) / f64::from(from) <= 1.0 / 32.0);
        }

        #[test]
        fn quantiles_are_right_to_two_parts_in_a_hundred(mut values in prop::collection::vec(0u32..2_000_000, 1..200)) {
            let mut histogram = Histogram::default();
            let mut other = Histogram::default();
            for (place, value) in values.iter().enumerate() {
                if place % 2 == 0 { histogram.add(*value) } else { other.add(*value) }
            }
            histogram.merge(&other);
            values.sort_unstable();
            for share in [0.0, 0.25, 0.5, 0.99, 1.0] {
                let rank = (share * values.len() as f64).ceil().max(1.0) as usize;
                let exact = f64::from(values[rank - 1]);
                prop_assert!((f64::from(histogram.quantile(share)) - exact).abs() <= exact * 0.02);
            }
            prop_assert_eq!(histogram.count(), values.len() as u64);
        }
    }
}
