#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

use super::*;

fn draw(
    training: &[(f64, f64)],
    validation: &[(f64, f64)],
    change: impl FnOnce(&mut LossChart<'_>),
) -> Result<String, ChartError> {
    let palette = crate::palette::example();
    let mut chart = LossChart {
        training,
        validation,
        smoothing: 0.6,
        width: 480,
        height: 200,
        palette: &palette,
        log_scale: false,
        total_steps: None,
    };
    change(&mut chart);
    loss_chart(&chart)
}

/// The lowest place (nearest to the top edge) of any line, in units.
fn top_of_lines(svg: &str) -> i32 {
    let lines = svg.lines().filter(|line| line.starts_with("<polyline") && !line.contains("#E2DFD8"));
    let points =
        lines.flat_map(|line| line.split("points=\"").nth(1).unwrap().trim_end_matches("\"/>").split_whitespace());
    points.map(|point| point.split_once(',').unwrap().1.parse::<i32>().unwrap()).min().unwrap()
}

#[test]
fn a_small_chart_looks_as_it_did() {
    let training = [(0.0, 3.6), (1.0, 2.9), (2.0, 3.1), (3.0, 1.8), (4.0, 1.2)];
    let validation = [(2.0, 2.8), (4.0, 1.5)];
    insta::assert_snapshot!(draw(&training, &validation, |chart| chart.total_steps = Some(10.0)).unwrap());
}

#[test]
fn nothing_yet_still_shows_how_far_the_run_will_go() {
    let svg = draw(&[], &[], |chart| chart.total_steps = Some(276.0)).unwrap();
    assert!(svg.contains("No loss yet") && svg.contains("276"), "{svg}");
    assert!(draw(&[], &[], |_| ()).unwrap().contains("No loss yet"));
}

#[test]
fn one_value_is_a_point() {
    let svg = draw(&[(0.0, 3.2)], &[], |_| ()).unwrap();
    assert_eq!(svg.matches("<circle").count(), 1);
    assert!(svg.contains("Training loss 3.200 at step 0"), "{svg}");
    let svg = draw(&[], &[(7.0, 3.2)], |chart| chart.log_scale = true).unwrap();
    assert_eq!(svg.matches("<circle").count(), 1);
}

#[test]
fn a_spike_of_one_step_survives_a_million() {
    let calm: Vec<_> = (0..1_000_000).map(|step| (f64::from(step), 1.0 + 0.001 * f64::from(step % 7))).collect();
    let mut spiked = calm.clone();
    spiked[654_321].1 = 9.0;
    let calm = draw(&calm, &[(0.0, 9.0)], |_| ()).unwrap();
    let spiked = draw(&spiked, &[(0.0, 9.0)], |_| ()).unwrap();
    assert!(top_of_lines(&spiked) < 300, "the spike reaches up to its value");
    assert!(top_of_lines(&calm) > 1000, "without it the lines stay low");
    assert!(spiked.len() < 200_000, "the picture stays small: {} bytes", spiked.len());
}

#[test]
fn values_that_are_no_numbers_are_said() {
    let training = [(0.0, 3.0), (1.0, f64::NAN), (2.0, f64::INFINITY), (3.0, 2.0)];
    let svg = draw(&training, &[], |_| ()).unwrap();
    assert!(svg.contains("2 values left out: not a number") && !svg.contains("NaN"), "{svg}");
    let svg = draw(&[(0.0, 3.0), (1.0, 0.0)], &[], |chart| chart.log_scale = true).unwrap();
    assert!(svg.contains("1 value left out: no logarithm"), "{svg}");
    let svg = draw(&[(0.0, f64::NAN)], &[], |chart| chart.width = 200).unwrap();
    assert!(svg.contains("No loss yet") && svg.contains("1 value left out"), "{svg}");
}

#[test]
fn without_smoothing_there_is_one_training_line() {
    let lines = |svg: &str| svg.matches("stroke=\"#0B6B74\"").count();
    let training = [(0.0, 3.0), (1.0, 2.0)];
    assert_eq!(lines(&draw(&training, &[], |chart| chart.smoothing = 0.0).unwrap()), 1);
    assert_eq!(lines(&draw(&training, &[], |_| ()).unwrap()), 2);
}

#[test]
fn nothing_in_the_picture_needs_a_style_or_a_script() {
    let training: Vec<_> = (0..50).map(|step| (f64::from(step), 3.0 / f64::from(step + 1))).collect();
    let svg = draw(&training, &[(10.0, 1.0)], |chart| chart.log_scale = true).unwrap();
    for refused in ["style", "<script", "href", "class=", " on"] {
        assert!(!svg.contains(refused), "{refused} in {svg}");
    }
}

#[test]
fn impossible_requests_are_refused() {
    assert!(matches!(draw(&[], &[], |chart| chart.width = 50), Err(ChartError::Size { .. })));
    assert!(matches!(draw(&[], &[], |chart| chart.height = 1_000_000), Err(ChartError::Size { .. })));
    assert!(matches!(draw(&[], &[], |chart| chart.smoothing = 1.0), Err(ChartError::Smoothing(_))));
    assert!(matches!(draw(&[], &[], |chart| chart.smoothing = f64::NAN), Err(ChartError::Smoothing(_))));
}

#[test]
fn extreme_values_do_not_break_the_picture() {
    for training in [
        vec![(0.0, -1e99), (1.0, 1e99)],
        vec![(0.0, 0.0), (1.0, 0.0)],
        vec![(-5.0, -3.0), (5.0, -2.0)],
        vec![(1e15, 2.0), (2e15, 1.0)],
        vec![(0.0, 1e-300), (1.0, 1e-12)],
    ] {
        for log_scale in [false, true] {
            let svg = draw(&training, &[], |chart| chart.log_scale = log_scale).unwrap();
            assert!(!svg.contains("NaN") && !svg.contains("inf") && !svg.contains("2147483647"), "{svg}");
        }
    }
}
