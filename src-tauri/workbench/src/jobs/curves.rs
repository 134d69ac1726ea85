//! The loss files of the jobs as last read, and the lines made ready from them, so that a zoom or another smoothing asks
//! neither the endpoint nor the files.
//!
//! Owns one entry a job in memory; everything in it can be read again at any time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use whetstone_charts::{ChartError, Curve};
use whetstone_cloud::{Metrics, MetricsNews, MetricsPoint, MetricsReader};
use whetstone_contract::ChartAxis;

use super::record::JobRecord;

#[derive(Default)]
pub struct AllCurves(Mutex<HashMap<String, Arc<RunCurves>>>);

impl AllCurves {
    pub fn of(&self, id: &str) -> Arc<RunCurves> {
        Arc::clone(lock(&self.0).entry(id.to_owned()).or_default())
    }
}

/// The metrics of one job.
#[derive(Default)]
pub struct RunCurves {
    /// Held while the files are read, so that two readers do not read the same twice.
    pub reader: tokio::sync::Mutex<MetricsReader>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    metrics: Arc<Metrics>,
    /// Whether the files were ever looked for.
    read: bool,
    ready: Option<Ready>,
}

/// Lines made for one way of looking at them.
#[derive(Clone)]
struct Ready {
    axis: ChartAxis,
    log_scale: bool,
    seen: (usize, bool),
    lines: Lines,
}

/// The three lines of a run.
#[derive(Clone)]
pub struct Lines {
    pub raw: Arc<Curve>,
    smoothed: Option<(f64, Arc<Curve>)>,
    pub validation: Arc<Curve>,
}

impl RunCurves {
    /// As last read; none when nothing was read yet.
    pub fn metrics(&self) -> Option<Arc<Metrics>> {
        let known = lock(&self.known);
        known.read.then(|| Arc::clone(&known.metrics))
    }

    /// Takes in what was read, and says whether it is anything new.
    pub fn take(&self, news: MetricsNews) -> bool {
        let mut known = lock(&self.known);
        known.read = true;
        if news.is_nothing() {
            return false;
        }
        known.ready = None;
        // Whoever still looks at the metrics of a moment ago has them; else nothing is copied.
        Arc::make_mut(&mut known.metrics).take(news);
        true
    }

    /// The lines for an axis, made anew only where they have changed since.
    pub fn lines(&self, job: &JobRecord, axis: ChartAxis, log_scale: bool) -> Lines {
        let mut known = lock(&self.known);
        // The places on a time axis change with each look while the job runs, and once more at its end.
        let seen = if axis == ChartAxis::Time { (job.looks.len(), job.has_ended()) } else { (0, false) };
        let fits = |ready: &&Ready| ready.axis == axis && ready.log_scale == log_scale && ready.seen == seen;
        if let Some(ready) = known.ready.as_ref().filter(fits) {
            return ready.lines.clone();
        }
        let metrics = Arc::clone(&known.metrics);
        let curve = |points: &[MetricsPoint]| {
            let places = Places::of(job, &metrics, axis);
            Arc::new(Curve::new(points.iter().map(|point| (places.at(point), point.loss)), log_scale))
        };
        let lines = Lines { raw: curve(&metrics.training), smoothed: None, validation: curve(&metrics.validation) };
        known.ready = Some(Ready { axis, log_scale, seen, lines: lines.clone() });
        lines
    }

    /// The training line with this much smoothing.
    pub fn smoothed(&self, lines: &Lines, weight: f64) -> Result<Arc<Curve>, ChartError> {
        if weight == 0.0 {
            return Ok(Arc::clone(&lines.raw));
        }
        if let Some((_, curve)) = lines.smoothed.as_ref().filter(|(known, _)| known.to_bits() == weight.to_bits()) {
            return Ok(Arc::clone(curve));
        }
        let curve = Arc::new(lines.raw.smoothed(weight)?);
        let mut known = lock(&self.known);
        if let Some(ready) = known.ready.as_mut().filter(|ready| Arc::ptr_eq(&ready.lines.raw, &lines.raw)) {
            ready.lines.smoothed = Some((weight, Arc::clone(&curve)));
        }
        Ok(curve)
    }
}

/// Where points stand on an axis.
pub struct Places<'a> {
    axis: ChartAxis,
    per_epoch: Option<f64>,
    looks: Vec<(f64, f64)>,
    job: &'a JobRecord,
}

impl<'a> Places<'a> {
    pub fn of(job: &'a JobRecord, metrics: &Metrics, axis: ChartAxis) -> Self {
        let looks = if axis == ChartAxis::Time { job.time_of_steps(metrics) } else { Vec::new() };
        Self { axis, per_epoch: super::view::steps_per_epoch(job, metrics), looks, job }
    }

    pub fn at(&self, point: &MetricsPoint) -> f64 {
        self.place_of(point.step + 1.0, point)
    }

    /// Of a step that is not there yet: the end of the run.
    pub fn end(&self, total_steps: f64) -> Option<f64> {
        match self.axis {
            ChartAxis::Step => Some(total_steps),
            ChartAxis::Epoch => self.per_epoch.map(|steps| total_steps / steps),
            // When a run that is under way ends is a guess; the axis ends where the run is.
            ChartAxis::Time => None,
        }
        .filter(|_| !self.job.has_ended())
    }

    fn place_of(&self, done: f64, point: &MetricsPoint) -> f64 {
        match self.axis {
            ChartAxis::Step => point.step,
            ChartAxis::Epoch => match self.per_epoch {
                Some(steps) => done / steps,
                None => point.epoch.unwrap_or(0.0),
            },
            ChartAxis::Time => between(&self.looks, done),
        }
    }
}

/// The second at which so many steps were done: between two looks, steps are taken to have gone evenly.
fn between(looks: &[(f64, f64)], done: f64) -> f64 {
    let after = looks.partition_point(|(steps, _)| *steps < done);
    match (after.checked_sub(1).and_then(|before| looks.get(before)), looks.get(after)) {
        (Some((from, at)), Some((to, end))) if to > from => (done - from) / (to - from) * (end - at) + at,
        (_, Some((_, at))) | (Some((_, at)), None) => *at,
        (None, None) => 0.0,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_between_two_looks_went_evenly() {
        let looks = [(0.0, 10.0), (100.0, 20.0), (110.0, 40.0)];
        assert_eq!(between(&looks, 0.0), 10.0);
        assert_eq!(between(&looks, 50.0), 15.0);
        assert_eq!(between(&looks, 105.0), 30.0);
        assert_eq!(between(&looks, 500.0), 40.0);
        assert_eq!(between(&[], 5.0), 0.0);
    }
}
