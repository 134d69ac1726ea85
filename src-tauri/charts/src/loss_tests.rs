#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

use super::*;

/// A chart as the tests ask for it: one run, smoothed by 0.6.
struct Asked {
    smoothing: f64,
    width: u32,
    height: u32,
    log_scale: bool,
    clip_outliers: bool,
    range: Option<(f64, f64)>,
    end: Option<f64>,
    axis: XAxis,
    density: f64,
}

fn drawn(
    training: &[(f64, f64)],
    validation: &[(f64, f64)],
    change: impl FnOnce(&mut Asked),
) -> Result<LossPicture, ChartError> {
    let mut asked = Asked {
        smoothing: 0.6,
        width: 480,
        height: 200,
        log_scale: false,
        clip_outliers: false,
        range: None,
        end: None,
        axis: XAxis::Step,
        density: 2.0,
    };
    change(&mut asked);
    let palette = crate::palette::example();
    let raw = Curve::new(training.iter().copied(), asked.log_scale);
    let smoothed = raw.smoothed(asked.smoothing)?;
    let validation = Curve::new(validation.iter().copied(), asked.log_scale);
    let run = RunLines {
        raw: (asked.smoothing > 0.0).then_some(&raw),
        training: Some(&smoothed),
        validation: Some(&validation),
        mark: None,
    };
    loss_chart(&LossChart {
        runs: &[run],
        axis: asked.axis,
        width: asked.width,
        height: asked.height,
        density: asked.density,
        palette: &palette,
        log_scale: asked.log_scale,
        clip_outliers: asked.clip_outliers,
        range: asked.range,
        end: asked.end,
    })
}

fn draw(
    training: &[(f64, f64)],
    validation: &[(f64, f64)],
    change: impl FnOnce(&mut Asked),
) -> Result<String, ChartError> {
    drawn(training, validation, change).map(|picture| picture.svg)
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
    insta::assert_snapshot!(draw(&training, &validation, |chart| chart.end = Some(10.0)).unwrap());
}

#[test]
fn nothing_yet_still_shows_how_far_the_run_will_go() {
    let svg = draw(&[], &[], |chart| chart.end = Some(276.0)).unwrap();
    assert!(svg.contains("No loss yet") && svg.contains("276"), "{svg}");
    assert!(draw(&[], &[], |_| ()).unwrap().contains("No loss yet"));
}

#[test]
fn one_value_is_a_point() {
    let svg = draw(&[(0.0, 3.2)], &[], |_| ()).unwrap();
    assert_eq!(svg.matches("<circle").count(), 1);
    assert!(svg.contains("training loss 3.200 at step 0"), "{svg}");
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
fn a_line_has_four_points_for_each_column_of_the_screen() {
    let training: Vec<_> = (0..100_000).map(|step| (f64::from(step), f64::from(step * 7919 % 1009))).collect();
    let points = |density: f64| {
        let svg = draw(&training, &[], |chart| {
            chart.smoothing = 0.0;
            chart.density = density;
        });
        let svg = svg.unwrap();
        let lines = svg.lines().filter(|line| line.starts_with("<polyline"));
        lines.map(|line| line.split("points=\"").nth(1).unwrap().split_whitespace().count()).max().unwrap()
    };
    let (plain, dense) = (points(1.0), points(2.0));
    assert!((1500..=4 * 480).contains(&plain), "{plain}");
    // Here and there the lowest of a column is its first or last.
    assert!((19 * plain / 10..=21 * plain / 10).contains(&dense), "{plain}, {dense}");
    assert_eq!(points(0.0), plain, "a screen has no less than its pixels");
    assert_eq!(points(50.0), points(4.0), "and no more than can be told apart");
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

#[test]
fn a_zoomed_picture_shows_that_stretch_and_the_lines_go_on_to_its_edges() {
    let training: Vec<_> = (0..1000).map(|step| (f64::from(step), f64::from(1000 - step))).collect();
    let picture = drawn(&training, &[], |chart| {
        chart.range = Some((400.5, 449.5));
        chart.smoothing = 0.0;
    })
    .unwrap();
    assert_eq!(picture.shown, Some((400.5, 449.5)));
    let line = picture.svg.lines().find(|line| line.contains("#0B6B74")).unwrap();
    let points: Vec<&str> =
        line.split("points=\"").nth(1).unwrap().trim_end_matches("\"/>").split_whitespace().collect();
    let x = |point: &str| point.split_once(',').unwrap().0.parse::<f64>().unwrap() / 10.0;
    assert!((x(points[0]) - picture.plot.0).abs() < 0.2, "{points:?}");
    assert!((x(points[points.len() - 1]) - picture.plot.2).abs() < 0.2, "{points:?}");
    let read = &picture.read_outs[0].points;
    assert!(read.iter().all(|point| (401.0..=449.0).contains(&point.at)), "{read:?}");
}

#[test]
fn a_cursor_reads_what_was_drawn_and_what_is_behind_it() {
    let training: Vec<_> = (0..10_000).map(|step| (f64::from(step), if step == 5000 { 9.0 } else { 1.0 })).collect();
    let picture = drawn(&training, &[(4999.0, 2.0), (9999.0, 1.5)], |_| ()).unwrap();
    let [training, validation] = &picture.read_outs[..] else { panic!("two lines") };
    assert!((100..200).contains(&training.points.len()), "{}", training.points.len());
    assert!(training.points.iter().any(|point| point.high == 9.0 && point.value < 5.0), "the spike is behind the mean");
    assert!(validation.validation && validation.points.len() == 2);
    let (left, top, right, bottom) = picture.plot;
    assert!(training.points.iter().all(|p| (left..=right).contains(&p.x) && (top..=bottom).contains(&p.y)));
}

#[test]
fn outliers_are_cut_where_that_is_asked_for_and_it_is_said() {
    let training: Vec<_> =
        (0..1000).map(|step| (f64::from(step), if step == 500 { 900.0 } else { 1.0 + f64::from(step % 5) })).collect();
    let whole = draw(&training, &[], |chart| chart.smoothing = 0.0).unwrap();
    assert!(whole.lines().any(|line| line == "1000"), "the axis reaches up to the spike");
    let cut = draw(&training, &[], |chart| {
        chart.smoothing = 0.0;
        chart.clip_outliers = true;
    })
    .unwrap();
    assert!(cut.contains("outliers cut") && cut.lines().any(|line| line == "6"), "the axis ends at 6");
    assert!(top_of_lines(&cut) >= 99, "no line leaves the plot");
}

#[test]
fn the_best_validation_has_a_ring() {
    let svg = draw(&[(0.0, 3.0), (30.0, 0.5)], &[(10.0, 2.0), (20.0, 1.25), (30.0, 1.75)], |_| ()).unwrap();
    assert!(svg.contains("best 1.250"), "{svg}");
    assert_eq!(svg.matches("<circle").count(), 4, "three points and a ring");
    let svg = draw(&[], &[(10.0, 2.0)], |_| ()).unwrap();
    assert!(!svg.contains("best"), "one validation is not the best of anything");
}

#[test]
fn runs_over_each_other_are_told_apart_by_dashes_and_words() {
    let one = Curve::new([(0.0, 3.0), (100.0, 1.0)], false);
    let other = Curve::new([(0.0, 3.5), (100.0, 2.0)], false);
    let marks = [
        Mark { colour: "#0b6b74".into(), dashes: String::new(), label: "1".into() },
        Mark { colour: "#c0721a".into(), dashes: "6 3".into(), label: "2".into() },
    ];
    let runs = [&one, &other].into_iter().zip(&marks);
    let runs: Vec<_> = runs
        .map(|(curve, mark)| RunLines { raw: None, training: Some(curve), validation: None, mark: Some(mark) })
        .collect();
    let palette = crate::palette::example();
    let chart = LossChart {
        runs: &runs,
        axis: XAxis::Step,
        width: 480,
        height: 200,
        density: 1.0,
        palette: &palette,
        log_scale: false,
        clip_outliers: false,
        range: None,
        end: None,
    };
    let picture = loss_chart(&chart).unwrap();
    let lines: Vec<&str> = picture.svg.lines().filter(|line| line.starts_with("<polyline")).collect();
    let dashed: Vec<&&str> = lines.iter().filter(|line| line.contains("stroke-dasharray=\"60 30\"")).collect();
    assert!(matches!(dashed[..], [line] if line.contains("#C0721A")), "{lines:?}");
    let words: Vec<&str> = picture.svg.lines().map(str::trim).collect();
    assert!(words.contains(&"1") && words.contains(&"2"), "{}", picture.svg);
    assert_eq!(picture.read_outs.iter().map(|line| line.run).collect::<Vec<_>>(), [0, 1]);
}
