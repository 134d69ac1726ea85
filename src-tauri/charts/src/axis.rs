//! Round numbers for the axes, and how they are written.

use crate::loss::XAxis;

/// One axis: the values at its two ends, the values that get a tick, and their labels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axis {
    pub from: f64,
    pub to: f64,
    pub ticks: Vec<(f64, String)>,
}

/// The distance between round numbers (1, 2, 2.5 or 5 times a power of ten) that puts at most `most` steps on a span.
fn round_step(span: f64, most: usize) -> f64 {
    let rough = span / most.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let times =
        [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|times| times * power >= rough * (1.0 - 1e-9)).unwrap_or(10.0);
    times * power
}

fn multiples(step: f64, from: f64, to: f64) -> impl Iterator<Item = f64> {
    let first = (from / step - 1e-6).ceil() as i64;
    let last = (to / step + 1e-6).floor() as i64;
    (first..=last).map(move |n| n as f64 * step)
}

/// A linear axis that ends on round numbers. Values that are all positive and fall to less than half of the largest are shown down to zero,
/// so that the height of a line says what share of the loss is left.
pub(crate) fn linear(lowest: f64, highest: f64, most: usize) -> Axis {
    let (lowest, highest) = apart(lowest, highest);
    let lowest = if lowest >= 0.0 && lowest < highest / 2.0 { 0.0 } else { lowest };
    let step = round_step(highest - lowest, most);
    let from = (lowest / step + 1e-9).floor() * step;
    let to = (highest / step - 1e-9).ceil() * step;
    let decimals = decimals_of(step);
    let ticks = multiples(step, from, to).map(|value| (value, written(value, step, decimals))).collect();
    Axis { from, to, ticks }
}

/// A logarithmic axis over positive values; `from` and `to` are the values themselves, not their logarithms.
/// Ticks stand on powers of ten, on their doubles and halves where there are few, and on round numbers where the values hardly differ.
pub(crate) fn logarithmic(lowest: f64, highest: f64, most: usize) -> Axis {
    let (lowest, highest) = if lowest < highest { (lowest, highest) } else { (lowest / 2.0, highest * 2.0) };
    let within = |value: &f64| *value >= lowest * (1.0 - 1e-9) && *value <= highest * (1.0 + 1e-9);
    let (low_power, high_power) = (lowest.log10().floor() as i32, highest.log10().ceil() as i32);
    let ladder = |rungs: &[f64], every: usize| -> Vec<f64> {
        (low_power..=high_power)
            .step_by(every)
            .flat_map(|power| rungs.iter().map(move |rung| rung * 10f64.powi(power)))
            .filter(within)
            .collect()
    };
    let decades = usize::try_from(high_power - low_power).unwrap_or(0);
    let mut ticks =
        [&[1.0, 2.0, 5.0][..], &[1.0]].into_iter().map(|rungs| ladder(rungs, 1)).find(|ticks| ticks.len() <= most + 1);
    if ticks.is_none() {
        ticks = Some(ladder(&[1.0], decades.div_ceil(most.max(1)).max(1)));
    }
    let mut ticks = ticks.unwrap_or_default();
    if ticks.len() < 3 {
        ticks = multiples(round_step(highest - lowest, most), lowest, highest).filter(|value| *value > 0.0).collect();
    }
    let ticks = ticks.into_iter().map(|value| (value, shortest(value))).collect();
    Axis { from: lowest, to: highest, ticks }
}

/// An axis of steps from `from` to `to`, both of which get a tick; round numbers between them, but none within `label` (the width of a label,
/// in steps) of an end, where the two would touch.
pub(crate) fn steps(from: f64, to: f64, most: usize, label: f64) -> Axis {
    let (from, to) = if from < to { (from, to) } else { (from, from + 1.0) };
    let step = round_step(to - from, most).max(1.0).ceil();
    let inner = multiples(step, from, to).filter(|value| *value - from > label && to - *value > label);
    let ticks = std::iter::once(from).chain(inner).chain([to]).map(|value| (value, grouped(value))).collect();
    Axis { from, to, ticks }
}

/// An axis of epochs or seconds: round numbers between its ends, which need not be round themselves.
pub(crate) fn places(from: f64, to: f64, most: usize, kind: XAxis) -> Axis {
    let (from, to) = if from < to { (from, to) } else { (from, from + 1.0) };
    let step = match kind {
        XAxis::Seconds => round_seconds(to - from, most),
        XAxis::Step | XAxis::Epoch => round_step(to - from, most),
    };
    let ticks = multiples(step, from, to).filter(|value| *value >= from && *value <= to);
    let ticks = ticks.map(|value| (value, place_label(value, step, kind))).collect();
    Axis { from, to, ticks }
}

/// How a place is written where places this far apart must be told apart.
pub(crate) fn place_label(value: f64, apart: f64, kind: XAxis) -> String {
    match kind {
        XAxis::Step => grouped(value),
        XAxis::Epoch => {
            format!("{value:.*}", if apart < 1.0 { decimals_of(apart) } else { usize::from(apart.fract() > 0.0) })
        }
        XAxis::Seconds => {
            let seconds = value.round() as i64;
            match (seconds, apart) {
                (0, _) => "0".to_owned(),
                (_, apart) if apart < 1.0 => format!("{value:.*} s", decimals_of(apart)),
                (seconds, _) if seconds < 60 => format!("{seconds} s"),
                (seconds, _) if seconds < 3600 && seconds % 60 == 0 => format!("{} min", seconds / 60),
                (seconds, _) if seconds < 3600 => format!("{}:{:02} min", seconds / 60, seconds % 60),
                (seconds, _) => format!("{}:{:02} h", seconds / 3600, seconds % 3600 / 60),
            }
        }
    }
}

/// The same for seconds, whose round numbers are those of a clock.
fn round_seconds(span: f64, most: usize) -> f64 {
    let rough = span / most.max(1) as f64;
    let clock = [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0];
    match clock.into_iter().find(|step| *step >= rough) {
        Some(step) if rough > 0.5 => step,
        Some(_) => round_step(span, most),
        None => round_step(span / 3600.0, most).ceil() * 3600.0,
    }
}

/// Makes room around a single value.
fn apart(lowest: f64, highest: f64) -> (f64, f64) {
    if lowest < highest {
        return (lowest, highest);
    }
    let room = if lowest == 0.0 { 1.0 } else { lowest.abs() / 2.0 };
    (lowest - room, highest + room)
}

/// How many decimals tell multiples of this step apart.
fn decimals_of(step: f64) -> usize {
    let power = -step.log10().floor();
    let decimals = if power <= 0.0 { 0 } else { power as usize };
    // 2.5 and its kin need one digit more than their power says.
    let shifted = step * 10f64.powi(i32::try_from(decimals).unwrap_or(0));
    decimals + usize::from((shifted - shifted.round()).abs() > 1e-6)
}

/// A tick of a linear axis. All ticks of one axis have the same number of decimals, so that they line up as a column.
fn written(value: f64, step: f64, decimals: usize) -> String {
    if value.abs() < step / 2.0 {
        "0".to_owned()
    } else if decimals > 5 || value.abs() >= 1e6 {
        short_exponent(value)
    } else {
        format!("{value:.*}", decimals.max(usize::from(step < 2.0)))
    }
}

fn short_exponent(value: f64) -> String {
    let text = format!("{value:.2e}");
    match text.split_once('e') {
        Some((digits, exponent)) if digits.contains('.') => {
            format!("{}e{exponent}", digits.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => text,
    }
}

fn shortest(value: f64) -> String {
    if !(1e-4..1e6).contains(&value) {
        return short_exponent(value);
    }
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A whole number with its thousands apart.
pub(crate) fn grouped(value: f64) -> String {
    if value.abs() >= 1e15 {
        return short_exponent(value);
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = String::from(if value <= -0.5 { "−" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn a_loss_that_falls_is_shown_down_to_zero() {
        assert_eq!(labels(&linear(1.02, 3.8, 5)), ["0", "1.0", "2.0", "3.0", "4.0"]);
        assert_eq!(labels(&linear(0.1, 0.9, 5)), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
    }

    #[test]
    fn a_loss_that_hardly_moves_fills_the_height() {
        assert_eq!(labels(&linear(2.31, 2.38, 5)), ["2.30", "2.32", "2.34", "2.36", "2.38"]);
    }

    #[test]
    fn very_large_and_very_small_losses_are_written_shortly() {
        assert_eq!(labels(&linear(0.0, 4e9, 4)), ["0", "1e9", "2e9", "3e9", "4e9"]);
        assert_eq!(labels(&linear(0.0, 4e-9, 4)), ["0", "1e-9", "2e-9", "3e-9", "4e-9"]);
    }

    #[test]
    fn one_value_has_room_around_it() {
        let axis = linear(2.0, 2.0, 5);
        assert!(axis.from < 2.0 && axis.to > 2.0);
        let axis = logarithmic(2.0, 2.0, 5);
        assert!(axis.from < 2.0 && axis.to > 2.0);
    }

    #[test]
    fn logarithmic_ticks_suit_the_span() {
        assert_eq!(labels(&logarithmic(0.008, 12.0, 5)), ["0.01", "0.1", "1", "10"]);
        assert_eq!(labels(&logarithmic(0.4, 4.2, 5)), ["0.5", "1", "2"]);
        assert_eq!(labels(&logarithmic(1.1, 1.4, 5)), ["1.1", "1.2", "1.3", "1.4"]);
    }

    #[test]
    fn steps_end_at_the_last_one() {
        assert_eq!(labels(&steps(0.0, 276.0, 6, 30.0)), ["0", "50", "100", "150", "200", "276"]);
        assert_eq!(labels(&steps(0.0, 1_000_000.0, 4, 1e5)), ["0", "250,000", "500,000", "750,000", "1,000,000"]);
        assert_eq!(labels(&steps(0.0, 3.0, 8, 0.2)), ["0", "1", "2", "3"]);
        assert_eq!(labels(&steps(0.0, 0.0, 8, 0.2)), ["0", "1"]);
    }

    #[test]
    fn seconds_have_the_round_numbers_of_a_clock() {
        let of = |from: f64, to: f64| places(from, to, 5, XAxis::Seconds).ticks;
        let labels = |ticks: Vec<(f64, String)>| ticks.into_iter().map(|tick| tick.1).collect::<Vec<_>>();
        assert_eq!(labels(of(0.0, 247.0)), ["0", "1 min", "2 min", "3 min", "4 min"]);
        assert_eq!(labels(of(0.0, 61.0)), ["0", "15 s", "30 s", "45 s", "1 min"]);
        assert_eq!(labels(of(3500.0, 7500.0)), ["1:00 h", "1:15 h", "1:30 h", "1:45 h", "2:00 h"]);
    }

    #[test]
    fn epochs_are_whole_until_they_are_looked_at_closely() {
        let of = |from: f64, to: f64| places(from, to, 4, XAxis::Epoch).ticks;
        let labels = |ticks: Vec<(f64, String)>| ticks.into_iter().map(|tick| tick.1).collect::<Vec<_>>();
        assert_eq!(labels(of(0.0, 8.0)), ["0", "2", "4", "6", "8"]);
        assert_eq!(labels(of(0.9, 2.0)), ["1.0", "1.5", "2.0"]);
    }

    proptest! {
        #[test]
        fn an_axis_holds_its_values_and_has_few_ticks(a in -1e6..1e6, b in -1e6..1e6, most in 2_usize..9) {
            let (lowest, highest) = if a < b { (a, b) } else { (b, a) };
            let axis = linear(lowest, highest, most);
            let slack = (axis.to - axis.from) * 1e-6;
            prop_assert!(axis.from <= lowest + slack && axis.to >= highest - slack);
            prop_assert!((2..=most + 3).contains(&axis.ticks.len()), "{axis:?}");
        }

        #[test]
        fn a_logarithmic_axis_has_ticks_and_not_too_many(low in -9.0..9.0, span in 0.0..12.0, most in 2_usize..9) {
            let axis = logarithmic(10f64.powf(low), 10f64.powf(low + span), most);
            prop_assert!(!axis.ticks.is_empty() && axis.ticks.len() <= most + 2, "{axis:?}");
        }
    }
}
