//! Work that takes its time: what it has come to, how it is cancelled, and that the window hears of it.
//!
//! A [`Watched`] is one piece of work. It becomes an activity once it has taken longer than a blink, so that quick work
//! does not flicker through the list. A [`Background`] keeps what was asked for while it is computed and afterwards, so
//! that a window that asks again gets the same answer without a second computation.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use whetstone_contract::{AppError, Coverage, ErrorCode};
use whetstone_dataset::Watch;

use crate::activities::{Activities, ActivityHandle};

/// Work shorter than this is no activity.
const BLINK: Duration = Duration::from_millis(400);
/// The window is nudged at most this often.
const NUDGE: Duration = Duration::from_millis(300);
/// A call waits so long for what it asked, before it answers that it is under way.
const PATIENCE: Duration = Duration::from_millis(150);

type Nudge = Box<dyn Fn() + Send + Sync>;

pub struct Watched {
    activities: Arc<Activities>,
    title: String,
    phase: &'static str,
    /// Tells the window to look again.
    nudge: Nudge,
    started: Instant,
    /// Bits of the fraction done; not a number while it cannot be told.
    fraction: AtomicU64,
    cancelled: AtomicBool,
    shown: Mutex<Shown>,
}

#[derive(Default)]
struct Shown {
    activity: Option<ActivityHandle>,
    nudged: Option<Instant>,
}

impl Watched {
    pub fn new(activities: &Arc<Activities>, title: impl Into<String>, phase: &'static str, nudge: Nudge) -> Self {
        Self {
            activities: Arc::clone(activities),
            title: title.into(),
            phase,
            nudge,
            started: Instant::now(),
            fraction: AtomicU64::new(f64::NAN.to_bits()),
            cancelled: AtomicBool::new(false),
            shown: Mutex::default(),
        }
    }

    pub fn coverage(&self) -> Coverage {
        let fraction = f64::from_bits(self.fraction.load(Ordering::Relaxed));
        Coverage {
            complete: false,
            fraction: fraction.is_finite().then_some(fraction),
            activity: lock(&self.shown).activity.as_ref().map(ActivityHandle::id),
        }
    }

    /// Nobody needs it any more.
    pub fn abandon(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    pub fn finish(&self, result: Result<(), &AppError>) {
        if let Some(activity) = lock(&self.shown).activity.take() {
            activity.finish(result);
        }
        (self.nudge)();
    }
}

impl Watch for Watched {
    fn progress(&self, done: u64, of: u64) {
        #[expect(clippy::cast_precision_loss, reason = "a share of a bar")]
        let fraction = if of == 0 { f64::NAN } else { done as f64 / of as f64 };
        self.fraction.store(fraction.to_bits(), Ordering::Relaxed);
        if self.started.elapsed() < BLINK {
            return;
        }
        let mut shown = lock(&self.shown);
        let activity =
            shown.activity.get_or_insert_with(|| self.activities.start(self.title.as_str(), self.phase, true));
        activity.progress(self.phase, fraction.is_finite().then_some(fraction));
        if activity.is_cancelled() {
            self.cancelled.store(true, Ordering::Relaxed);
        }
        if shown.nudged.is_none_or(|nudged| nudged.elapsed() >= NUDGE) {
            shown.nudged = Some(Instant::now());
            drop(shown);
            (self.nudge)();
        }
    }

    fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

/// Answers that are computed in the background, the last few of them kept.
pub struct Background<K, T> {
    kept: usize,
    works: Mutex<VecDeque<(K, Arc<Work<T>>)>>,
}

struct Work<T> {
    watched: Watched,
    so_far: Mutex<Option<Arc<T>>>,
    outcome: Mutex<Option<Result<Arc<T>, AppError>>>,
    ended: Condvar,
}

pub enum Standing<T> {
    Ready(Arc<T>),
    /// With what was found so far, where the work tells of that.
    UnderWay(Coverage, Option<Arc<T>>),
}

pub fn complete() -> Coverage {
    Coverage { complete: true, fraction: Some(1.0), activity: None }
}

impl<K: PartialEq, T: Send + Sync + 'static> Background<K, T> {
    pub fn new(kept: usize) -> Self {
        Self { kept, works: Mutex::default() }
    }

    /// The answer, if it comes within a moment. The work begins with the first who asks.
    pub fn ask(
        &self,
        key: K,
        watched: impl FnOnce() -> Watched,
        compute: impl FnOnce(&Watched) -> Result<T, AppError> + Send + 'static,
    ) -> Result<Standing<T>, AppError> {
        self.within(Some(PATIENCE), key, watched, |watched, _| compute(watched))
    }

    /// The same for work that tells, as often as it likes, what it has found so far.
    pub fn ask_telling(
        &self,
        key: K,
        watched: impl FnOnce() -> Watched,
        compute: impl FnOnce(&Watched, &(dyn Fn(T) + Sync)) -> Result<T, AppError> + Send + 'static,
    ) -> Result<Standing<T>, AppError> {
        self.within(Some(PATIENCE), key, watched, compute)
    }

    /// The answer, however long it takes.
    pub fn wait(
        &self,
        key: K,
        watched: impl FnOnce() -> Watched,
        compute: impl FnOnce(&Watched, &(dyn Fn(T) + Sync)) -> Result<T, AppError> + Send + 'static,
    ) -> Result<Arc<T>, AppError> {
        match self.within(None, key, watched, compute)? {
            Standing::Ready(answer) => Ok(answer),
            Standing::UnderWay(..) => Err(AppError::new(ErrorCode::Bug, "This work ended without a result.")),
        }
    }

    /// Where the work on this stands, if it was ever asked for.
    pub fn standing(&self, key: &K) -> Option<Standing<T>> {
        let works = lock(&self.works);
        let (_, work) = works.iter().find(|(known, _)| known == key)?;
        match &*lock(&work.outcome) {
            Some(Ok(answer)) => Some(Standing::Ready(Arc::clone(answer))),
            Some(Err(_)) => None,
            None => Some(Standing::UnderWay(work.watched.coverage(), None)),
        }
    }

    /// The answer to this, if it is there already.
    pub fn known(&self, key: &K) -> Option<Arc<T>> {
        let works = lock(&self.works);
        let (_, work) = works.iter().find(|(known, _)| known == key)?;
        lock(&work.outcome).as_ref()?.as_ref().ok().map(Arc::clone)
    }

    fn within(
        &self,
        patience: Option<Duration>,
        key: K,
        watched: impl FnOnce() -> Watched,
        compute: impl FnOnce(&Watched, &(dyn Fn(T) + Sync)) -> Result<T, AppError> + Send + 'static,
    ) -> Result<Standing<T>, AppError> {
        let work = self.begun(key, watched, compute);
        let deadline = patience.map(|patience| Instant::now() + patience);
        let mut outcome = lock(&work.outcome);
        loop {
            if let Some(ended) = &*outcome {
                let ended = ended.clone();
                drop(outcome);
                return match ended {
                    Ok(answer) => Ok(Standing::Ready(answer)),
                    Err(error) => {
                        // Whoever asks again has it tried again.
                        lock(&self.works).retain(|(_, known)| !Arc::ptr_eq(known, &work));
                        Err(error)
                    }
                };
            }
            outcome = match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => {
                    drop(outcome);
                    let so_far = lock(&work.so_far).clone();
                    return Ok(Standing::UnderWay(work.watched.coverage(), so_far));
                }
                Some(left) => work.ended.wait_timeout(outcome, left).unwrap_or_else(PoisonError::into_inner).0,
                None => work.ended.wait(outcome).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn begun(
        &self,
        key: K,
        watched: impl FnOnce() -> Watched,
        compute: impl FnOnce(&Watched, &(dyn Fn(T) + Sync)) -> Result<T, AppError> + Send + 'static,
    ) -> Arc<Work<T>> {
        let mut works = lock(&self.works);
        if let Some((_, work)) = works.iter().find(|(known, _)| *known == key) {
            return Arc::clone(work);
        }
        let work = Arc::new(Work {
            watched: watched(),
            so_far: Mutex::new(None),
            outcome: Mutex::new(None),
            ended: Condvar::new(),
        });
        works.push_front((key, Arc::clone(&work)));
        let kept = self.kept.min(works.len());
        for (_, forgotten) in works.drain(kept..) {
            forgotten.watched.abandon();
        }
        drop(works);
        let working = Arc::clone(&work);
        std::thread::spawn(move || {
            // A panic in there must not leave anyone waiting.
            let tell = |found: T| *lock(&working.so_far) = Some(Arc::new(found));
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| compute(&working.watched, &tell)));
            let result = result.unwrap_or_else(|_| {
                Err(AppError::new(ErrorCode::Bug, "A part of the program stopped unexpectedly.")
                    .hint("Try again; if it happens again, please report it."))
            });
            let told = result.as_ref().map(|_| ()).map_err(Clone::clone);
            *lock(&working.outcome) = Some(result.map(Arc::new));
            *lock(&working.so_far) = None;
            working.ended.notify_all();
            match &told {
                Ok(()) => working.watched.finish(Ok(())),
                Err(error) => working.watched.finish(Err(error)),
            }
        });
        work
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
