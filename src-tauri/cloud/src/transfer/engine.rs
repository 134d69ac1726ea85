//! Pieces of work, several at once: as many as [`Pace`] found worth while and memory has room for. A piece may lead to
//! further ones. Trouble that passes by itself is waited out.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::handle::{Control, TransferOutcome, TransferProgress};
use super::pace::Pace;
use crate::{CloudError, CloudErrorCode};

/// What all pieces together may hold in memory.
const BUDGET: u64 = 64 * 1024 * 1024;
/// A piece is tried so often, beside what the SDK repeats by itself.
const ATTEMPTS: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const TELL_EVERY: Duration = Duration::from_millis(200);
/// How fast an old rate is forgotten.
const NEW_SHARE: f64 = 0.15;

/// Counts of one transfer.
#[derive(Debug, Default)]
pub(super) struct Meter {
    pub(super) bytes: Arc<AtomicU64>,
    pub(super) total_bytes: AtomicU64,
    pub(super) files: AtomicU64,
    pub(super) total_files: AtomicU64,
    pub(super) unchecked: AtomicU64,
}

impl Meter {
    pub(super) fn file_done(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn skipped(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn outcome(&self) -> TransferOutcome {
        TransferOutcome {
            files: self.files.load(Ordering::Relaxed),
            bytes: self.total_bytes.load(Ordering::Relaxed),
            unchecked: self.unchecked.load(Ordering::Relaxed),
        }
    }
}

pub(super) trait Job: Send + Sync + 'static {
    type Work: Clone + Send + 'static;

    fn meter(&self) -> &Meter;

    /// What it holds in memory while it is done, and about what it moves.
    fn weight(&self, work: &Self::Work) -> u64;

    /// Does it, and says what is to be done next because of it.
    fn perform(self: Arc<Self>, work: Self::Work) -> impl Future<Output = Result<Vec<Self::Work>, CloudError>> + Send;
}

struct Piece<W> {
    work: W,
    weight: u64,
    attempt: u32,
}

/// Does all of it. `Cancelled` leaves nothing running; what is to be taken away is the caller's.
pub(super) async fn drive<J: Job>(
    job: &Arc<J>,
    first: Vec<J::Work>,
    at_once: (usize, usize),
    control: &mut watch::Receiver<Control>,
    tell: &watch::Sender<TransferProgress>,
) -> Result<(), CloudError> {
    let piece = |work: J::Work| Piece { weight: job.weight(&work), work, attempt: 0 };
    let mut waiting: VecDeque<Piece<J::Work>> = first.into_iter().map(piece).collect();
    let mut running = JoinSet::new();
    let mut held = 0;
    let mut pace = Pace::new(at_once.0, at_once.1, Instant::now());
    let mut teller = Teller::new(job.meter());
    let mut tick = tokio::time::interval(TELL_EVERY);
    loop {
        let command = *control.borrow_and_update();
        if matches!(command, Control::Cancel | Control::Stop) {
            running.shutdown().await;
            let code = if command == Control::Cancel { CloudErrorCode::Cancelled } else { CloudErrorCode::Other };
            return Err(CloudError::new("Transfer", code, "it was ended from here"));
        }
        while command == Control::Run && running.len() < pace.limit() {
            let fits = waiting.front().is_some_and(|piece| held == 0 || held + piece.weight <= BUDGET);
            let Some(piece) = waiting.pop_front_if(|_| fits) else { break };
            held += piece.weight;
            running.spawn(attempt(Arc::clone(job), piece));
        }
        if running.is_empty() && waiting.is_empty() {
            tell.send_replace(teller.progress(job.meter(), pace.limit(), false));
            return Ok(());
        }
        tokio::select! {
            Some(ended) = running.join_next() => {
                let (mut piece, result) = ended.map_err(|error| {
                    CloudError::new("Transfer", CloudErrorCode::Other, error.to_string())
                })?;
                held -= piece.weight;
                let now = Instant::now();
                match result {
                    Ok(next) => {
                        pace.finished(piece.weight, now);
                        // What was begun is finished before anything else is begun.
                        for work in next.into_iter().rev() {
                            waiting.push_front(Piece { weight: job.weight(&work), work, attempt: 0 });
                        }
                    }
                    Err(error) if passes(&error) && piece.attempt + 1 < ATTEMPTS => {
                        if error.code == CloudErrorCode::Throttled {
                            pace.throttled(now);
                        }
                        piece.attempt += 1;
                        waiting.push_front(piece);
                    }
                    Err(error) => return Err(error),
                }
            }
            _ = tick.tick() => {
                tell.send_replace(teller.progress(job.meter(), pace.limit(), command == Control::Pause));
            }
            // Without a handle this task is aborted, so the channel cannot be closed here for long.
            _ = control.changed() => {}
        }
    }
}

async fn attempt<J: Job>(job: Arc<J>, piece: Piece<J::Work>) -> (Piece<J::Work>, Result<Vec<J::Work>, CloudError>) {
    if piece.attempt > 0 {
        tokio::time::sleep(FIRST_PAUSE * 2_u32.pow(piece.attempt - 1)).await;
    }
    let result = job.perform(piece.work.clone()).await;
    (piece, result)
}

fn passes(error: &CloudError) -> bool {
    use CloudErrorCode::{NotReady, Throttled, Timeout, Unavailable, Unreachable};
    matches!(error.code, Throttled | NotReady | Unavailable | Unreachable | Timeout)
}

/// The rate, as a running mean.
struct Teller {
    last: (Instant, u64),
    rate: Option<f64>,
}

impl Teller {
    fn new(meter: &Meter) -> Self {
        Self { last: (Instant::now(), meter.bytes.load(Ordering::Relaxed)), rate: None }
    }

    fn progress(&mut self, meter: &Meter, at_once: usize, paused: bool) -> TransferProgress {
        let (bytes, total_bytes) = (meter.bytes.load(Ordering::Relaxed), meter.total_bytes.load(Ordering::Relaxed));
        let now = Instant::now();
        let elapsed = now.duration_since(self.last.0).as_secs_f64();
        if elapsed > 0.05 && !paused {
            #[expect(clippy::cast_precision_loss, reason = "a rate")]
            let new = bytes.saturating_sub(self.last.1) as f64 / elapsed;
            self.rate = Some(self.rate.map_or(new, |rate| rate + (new - rate) * NEW_SHARE));
        }
        self.last = (now, bytes);
        let rate = self.rate.unwrap_or(0.0);
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let seconds_left = (rate > 1.0).then(|| total_bytes.saturating_sub(bytes) as f64 / rate);
        TransferProgress {
            bytes,
            total_bytes,
            files: meter.files.load(Ordering::Relaxed),
            total_files: meter.total_files.load(Ordering::Relaxed),
            bytes_a_second: rate,
            seconds_left,
            at_once,
            paused,
        }
    }
}
