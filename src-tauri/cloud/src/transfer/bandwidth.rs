//! A limit in bytes a second that all requests share, and a request body that keeps to it.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

/// Sent in one piece when nothing limits it.
const CHUNK: usize = 256 * 1024;
/// With a limit, a chunk is what goes in this much time, so that the line is not filled in bursts.
const TICKS_A_SECOND: u64 = 20;

/// A limit that may be changed while transfers run.
#[derive(Debug)]
pub struct Bandwidth {
    /// Bytes a second; 0 is no limit.
    limit: AtomicU64,
    /// When what was promised so far will have gone.
    free_at: Mutex<Option<Instant>>,
}

impl Bandwidth {
    pub fn unlimited() -> Self {
        Self::limited(None)
    }

    /// Bytes a second.
    pub fn limited(limit: Option<u64>) -> Self {
        let bandwidth = Self { limit: AtomicU64::new(0), free_at: Mutex::new(None) };
        bandwidth.set(limit);
        bandwidth
    }

    /// From now on.
    pub fn set(&self, limit: Option<u64>) {
        self.limit.store(limit.map_or(0, |limit| limit.max(1)), Ordering::Relaxed);
        *self.free_at.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub fn limit(&self) -> Option<u64> {
        Some(self.limit.load(Ordering::Relaxed)).filter(|limit| *limit > 0)
    }

    /// Takes so many bytes of the line, and says until when to wait before they may go.
    fn take(&self, bytes: usize) -> Option<Instant> {
        let limit = self.limit()?;
        #[expect(clippy::cast_precision_loss, reason = "a pause")]
        let takes = Duration::from_secs_f64(bytes as f64 / limit as f64);
        let now = Instant::now();
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = free_at.map_or(now, |at| at.max(now));
        *free_at = Some(begin + takes);
        (begin > now).then_some(begin)
    }

    /// Waits until so many bytes may have gone.
    pub(super) async fn wait(&self, bytes: usize) {
        if let Some(at) = self.take(bytes) {
            tokio::time::sleep_until(at.into()).await;
        }
    }

    fn chunk(&self) -> usize {
        self.limit().map_or(CHUNK, |limit| usize::try_from(limit / TICKS_A_SECOND).unwrap_or(CHUNK).clamp(1024, CHUNK))
    }
}

/// How many bytes of one piece have gone out. A repeated request begins again at none.
#[derive(Debug, Default)]
pub(super) struct Sent {
    piece: AtomicU64,
    /// Of the whole transfer.
    pub(super) all: Arc<AtomicU64>,
}

impl Sent {
    pub(super) fn of(all: &Arc<AtomicU64>) -> Arc<Self> {
        Arc::new(Self { piece: AtomicU64::new(0), all: Arc::clone(all) })
    }

    pub(super) fn add(&self, bytes: u64) {
        self.piece.fetch_add(bytes, Ordering::Relaxed);
        self.all.fetch_add(bytes, Ordering::Relaxed);
    }

    /// What was sent was in vain.
    pub(super) fn begin_again(&self) {
        self.all.fetch_sub(self.piece.swap(0, Ordering::Relaxed), Ordering::Relaxed);
    }
}

/// A part of a file as a request body: counted as it goes, and held back as the limit asks.
pub(super) struct Paced {
    rest: Bytes,
    sent: Arc<Sent>,
    bandwidth: Arc<Bandwidth>,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Paced {
    pub(super) fn new(content: Bytes, sent: Arc<Sent>, bandwidth: Arc<Bandwidth>) -> Self {
        sent.begin_again();
        Self { rest: content, sent, bandwidth, waiting: None }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let chunk = self.bandwidth.chunk().min(self.rest.len());
        if self.waiting.is_none() {
            self.waiting = self.bandwidth.take(chunk).map(|at| Box::pin(tokio::time::sleep_until(at.into())));
        }
        if let Some(waiting) = &mut self.waiting {
            std::task::ready!(waiting.as_mut().poll(cx));
            self.waiting = None;
        }
        let chunk = self.rest.split_to(chunk);
        self.sent.add(chunk.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_limit_goes_in_a_second() {
        let bandwidth = Bandwidth::limited(Some(1000));
        let begin = Instant::now();
        let last = (0..10).filter_map(|_| bandwidth.take(500)).last();
        let promised = last.map(|at| at.duration_since(begin).as_secs_f64());
        assert!(promised.is_some_and(|seconds| (4.4..4.6).contains(&seconds)), "{promised:?}");
        bandwidth.set(None);
        assert_eq!(bandwidth.take(1_000_000), None);
    }
}
