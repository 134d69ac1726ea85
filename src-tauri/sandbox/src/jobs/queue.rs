//! Whose turn it is to train: so many at once, the others in the order in which their jobs were created.
//!
//! A job that waits does so by its place in that order, not by when it came to the queue, so that after a restart the
//! eldest goes on first. Deliberately absent: any knowledge of jobs beyond their place.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Creation time and id of a job.
pub(super) type Place = (i64, String);

pub(super) struct Queue {
    at_once: usize,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    training: usize,
    waiting: BTreeSet<Place>,
}

impl Queue {
    pub(super) fn new(at_once: usize) -> Arc<Self> {
        Arc::new(Self { at_once, state: Mutex::default(), changed: Notify::new() })
    }

    /// Takes a place in the queue. Dropping it gives the place up.
    pub(super) fn stand(self: &Arc<Self>, place: Place) -> Standing {
        self.state().waiting.insert(place.clone());
        Standing { queue: self.clone(), place, is_on: false }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue, and then a turn.
pub(super) struct Standing {
    queue: Arc<Queue>,
    place: Place,
    is_on: bool,
}

impl Standing {
    /// Waits for the turn, which lasts until this is dropped.
    pub(super) async fn turn(&mut self) {
        loop {
            let changed = self.queue.changed.notified();
            tokio::pin!(changed);
            // Registered before the look, so that no change in between is missed.
            changed.as_mut().enable();
            {
                let mut state = self.queue.state();
                if self.is_on || (state.training < self.queue.at_once && state.waiting.first() == Some(&self.place)) {
                    if !self.is_on {
                        state.waiting.remove(&self.place);
                        state.training += 1;
                        self.is_on = true;
                    }
                    drop(state);
                    // There may be room for the next one too.
                    self.queue.changed.notify_waiters();
                    return;
                }
            }
            changed.await;
        }
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        if self.is_on {
            state.training -= 1;
        } else {
            state.waiting.remove(&self.place);
        }
        drop(state);
        self.queue.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn is_on(standing: &mut Standing) -> bool {
        // A turn that can be had is had at once.
        tokio::time::timeout(Duration::ZERO, standing.turn()).await.is_ok()
    }

    #[tokio::test]
    async fn the_eldest_trains_first_and_a_turn_that_ends_makes_room() {
        let queue = Queue::new(2);
        let [mut fourth, mut second, mut first, mut third] =
            [4, 2, 1, 3].map(|created| queue.stand((created, format!("job{created}"))));
        assert!(!is_on(&mut fourth).await && !is_on(&mut third).await, "others are before them");
        assert!(is_on(&mut first).await && is_on(&mut second).await);
        assert!(!is_on(&mut third).await, "two are training");
        drop(first);
        assert!(!is_on(&mut fourth).await, "the third is before it");
        assert!(is_on(&mut third).await);
        drop(second);
        assert!(is_on(&mut fourth).await);
    }

    #[tokio::test]
    async fn a_place_that_is_given_up_lets_the_next_one_on() {
        let queue = Queue::new(1);
        let gone = queue.stand((1, "gone".to_owned()));
        let mut next = queue.stand((2, "next".to_owned()));
        let waiting = tokio::spawn(async move {
            next.turn().await;
            next.place.1.clone()
        });
        drop(gone);
        assert_eq!(waiting.await.ok().as_deref(), Some("next"));
    }
}
