//! Times the loss chart over many values, for `scripts/bench chart`:
//!
//! ```text
//! cargo run --release --package whetstone-charts --example chart -- VALUES.f64 1100 420 OUT.svg
//! ```
//!
//! VALUES.f64 holds one loss a step, as little-endian doubles. The last line says in JSON how many milliseconds it took
//! from the values to the first picture, to each picture with another smoothing, and to each picture of another stretch.

use std::error::Error;
use std::io::{Write, stdout};
use std::time::Instant;

use whetstone_charts::{Curve, LossChart, LossPicture, Palette, RunLines, XAxis, loss_chart};

const SMOOTHINGS: [f64; 8] = [0.0, 0.3, 0.6, 0.9, 0.95, 0.99, 0.5, 0.8];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [values, width, height, out] = &arguments[..] else {
        return Err("usage: chart VALUES.f64 WIDTH HEIGHT OUT.svg".into());
    };
    let (width, height) = (width.parse()?, height.parse()?);
    let bytes = std::fs::read(values)?;
    let losses: Vec<f64> =
        bytes.chunks_exact(8).filter_map(|eight| Some(f64::from_le_bytes(eight.try_into().ok()?))).collect();
    let points: Vec<(f64, f64)> = losses.iter().enumerate().map(|(step, loss)| (step as f64, *loss)).collect();
    let last = points.len() as f64;

    let began = Instant::now();
    let raw = Curve::new(points.iter().copied(), false);
    let mut smoothed = raw.smoothed(0.6)?;
    let picture = draw(&raw, &smoothed, width, height, None)?;
    let first = began.elapsed().as_secs_f64() * 1000.0;
    std::fs::write(out, &picture.svg)?;

    let mut smoothing = Vec::new();
    for weight in SMOOTHINGS {
        let began = Instant::now();
        smoothed = raw.smoothed(weight)?;
        draw(&raw, &smoothed, width, height, None)?;
        smoothing.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    let mut zoom = Vec::new();
    for power in 0..12 {
        let part = last / f64::from(1 << power);
        let began = Instant::now();
        draw(&raw, &smoothed, width, height, Some((last * 0.37, (last * 0.37 + part).min(last))))?;
        zoom.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    writeln!(
        stdout(),
        "{{\"values\":{},\"svg_bytes\":{},\"first_ms\":{first:.2},\"smoothing_ms\":{},\"zoom_ms\":{}}}",
        points.len(),
        picture.svg.len(),
        list(&smoothing),
        list(&zoom)
    )?;
    Ok(())
}

fn list(values: &[f64]) -> String {
    let values: Vec<String> = values.iter().map(|value| format!("{value:.2}")).collect();
    format!("[{}]", values.join(","))
}

fn draw(
    raw: &Curve,
    smoothed: &Curve,
    width: u32,
    height: u32,
    range: Option<(f64, f64)>,
) -> Result<LossPicture, Box<dyn Error>> {
    let palette = Palette {
        ink: "#1c1b19".into(),
        faint_ink: "#6b6760".into(),
        grid: "#e3e0d9".into(),
        training: "#0b6770".into(),
        validation: "#b5600c".into(),
    };
    let run = RunLines { raw: Some(raw), training: Some(smoothed), validation: None, mark: None };
    let chart = LossChart {
        runs: &[run],
        axis: XAxis::Step,
        width,
        height,
        density: 1.0,
        palette: &palette,
        log_scale: false,
        clip_outliers: false,
        range,
        end: None,
    };
    Ok(loss_chart(&chart)?)
}
