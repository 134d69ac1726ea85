//! Long work in the background: what runs, how far it is, and how to cancel it.
//!
//! Owns the list of activities of this run of the program. What must outlive a restart (jobs) is written down by its
//! own module and shows up here again when it is taken up.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use whetstone_contract::{Activity, ActivityState, AppError, AppEvent, ErrorCode};

use crate::host::Host;

/// How many ended activities the drawer remembers.
const REMEMBERED: usize = 50;
/// The window hears of progress at most this often.
const QUIET: Duration = Duration::from_millis(100);

pub struct Activities {
    host: Arc<dyn Host>,
    next: AtomicU64,
    all: Arc<Mutex<BTreeMap<u64, Entry>>>,
}

struct Entry {
    activity: Activity,
    cancelled: Arc<AtomicBool>,
}

impl Activities {
    pub fn new(host: Arc<dyn Host>) -> Self {
        Self { host, next: AtomicU64::new(1), all: Arc::default() }
    }

    pub fn start(&self, title: impl Into<String>, phase: impl Into<String>, cancellable: bool) -> ActivityHandle {
        let key = self.next.fetch_add(1, Ordering::Relaxed);
        let cancelled = Arc::new(AtomicBool::new(false));
        let activity = Activity {
            id: key.to_string(),
            title: title.into(),
            phase: phase.into(),
            fraction: None,
            seconds_left: None,
            state: ActivityState::Running,
            error: None,
            cancellable,
        };
        self.host.emit(AppEvent::ActivityChanged { activity: activity.clone() });
        let mut all = lock(&self.all);
        all.insert(key, Entry { activity, cancelled: Arc::clone(&cancelled) });
        forget_oldest(&mut all);
        drop(all);
        ActivityHandle {
            host: Arc::clone(&self.host),
            all: Arc::clone(&self.all),
            key,
            cancelled,
            started: Instant::now(),
            told: None,
        }
    }

    /// Newest first.
    pub fn list(&self) -> Vec<Activity> {
        lock(&self.all).values().rev().map(|entry| entry.activity.clone()).collect()
    }

    pub fn cancel(&self, id: &str) -> Result<(), AppError> {
        let all = lock(&self.all);
        let entry = id.parse().ok().and_then(|key: u64| all.get(&key));
        let Some(entry) = entry else {
            return Err(AppError::new(ErrorCode::NotFound, "This activity is no longer listed."));
        };
        if !entry.activity.cancellable {
            return Err(AppError::new(ErrorCode::Refused, "This activity cannot be cancelled."));
        }
        entry.cancelled.store(true, Ordering::Relaxed);
        Ok(())
    }
}

fn forget_oldest(all: &mut BTreeMap<u64, Entry>) {
    while all.len() > REMEMBERED {
        let ended = all.iter().find(|(_, entry)| entry.activity.state != ActivityState::Running).map(|(key, _)| *key);
        let Some(ended) = ended else { return };
        all.remove(&ended);
    }
}

/// The side that does the work. An activity whose handle is dropped without an end counts as failed.
pub struct ActivityHandle {
    host: Arc<dyn Host>,
    all: Arc<Mutex<BTreeMap<u64, Entry>>>,
    key: u64,
    cancelled: Arc<AtomicBool>,
    started: Instant,
    told: Option<Instant>,
}

impl ActivityHandle {
    pub fn id(&self) -> String {
        self.key.to_string()
    }

    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    pub fn progress(&mut self, phase: &str, fraction: Option<f64>) {
        let now = Instant::now();
        let same_phase = lock(&self.all).get(&self.key).is_some_and(|entry| entry.activity.phase == phase);
        if same_phase && self.told.is_some_and(|told| now.duration_since(told) < QUIET) {
            return;
        }
        self.told = Some(now);
        let elapsed = self.started.elapsed().as_secs_f64();
        self.change(|activity| {
            phase.clone_into(&mut activity.phase);
            activity.fraction = fraction;
            activity.seconds_left = fraction.filter(|done| *done > 0.02).map(|done| elapsed * (1.0 - done) / done);
        });
    }

    pub fn finish(self, result: Result<(), &AppError>) {
        self.change(|activity| {
            activity.seconds_left = None;
            match result {
                Ok(()) => {
                    activity.state = ActivityState::Done;
                    activity.fraction = Some(1.0);
                }
                Err(error) if error.code == ErrorCode::Cancelled => activity.state = ActivityState::Cancelled,
                Err(error) => {
                    activity.state = ActivityState::Failed;
                    activity.error = Some(error.clone());
                }
            }
        });
    }

    /// The same with a result that is kept.
    pub fn end(self, result: &Result<(), AppError>) {
        match result {
            Ok(()) => self.finish(Ok(())),
            Err(error) => self.finish(Err(error)),
        }
    }

    fn change(&self, change: impl FnOnce(&mut Activity)) {
        let mut all = lock(&self.all);
        let Some(entry) = all.get_mut(&self.key) else { return };
        change(&mut entry.activity);
        let activity = entry.activity.clone();
        drop(all);
        self.host.emit(AppEvent::ActivityChanged { activity });
    }
}

impl Drop for ActivityHandle {
    fn drop(&mut self) {
        let running =
            lock(&self.all).get(&self.key).is_some_and(|entry| entry.activity.state == ActivityState::Running);
        if running {
            self.change(|activity| {
                activity.state = ActivityState::Failed;
                activity.error = Some(AppError::new(ErrorCode::Bug, "This work ended without a result."));
            });
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
