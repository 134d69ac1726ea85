//! The account's own models: what there is, how it can be made to answer, and how it goes away in an order that works.
//!
//! The endpoint owns all of it; what is kept here is only what the endpoint cannot tell: when this app asked something
//! last, the token of a create call until its answer is there, and copies and imports until they have ended.
//!
//! | file | what it does |
//! | --- | --- |
//! | `list.rs` | models with their lineage and what answers for them |
//! | `plan.rs` | which ways there are to serve a model, at which price, and why the first |
//! | `create.rs` | deployments and provisioned throughput, each created once; turned to another model |
//! | `remove.rs` | what a deletion takes with it, and the deletion |
//! | `copy.rs`, `files.rs` | to another Region; to and from a folder of files |
//! | `bringing.rs` | copies and imports under way, carried to their end through restarts |
//!
//! Deliberately absent: a poller that never ends. Who looks at something unsettled has it looked at again, ever later.

mod bringing;
mod copy;
mod create;
mod files;
mod list;
mod plan;
mod remove;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use whetstone_contract::AppEvent;

use crate::Workbench;

pub use list::{Found, find_all, jobs_by_model};

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A store kind: when each ARN was asked last.
const ASKED: &str = "asked";

#[derive(Default)]
pub struct Serving {
    looking: AtomicBool,
    pause: Mutex<Option<Duration>>,
    /// Copies and imports that this run of the program carries, or has carried.
    carried: Mutex<BTreeSet<String>>,
}

impl Serving {
    /// Whether nobody carries it yet; from now on somebody does.
    fn carry_now(&self, id: &str) -> bool {
        self.carried.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned())
    }
}

impl Workbench {
    /// The window is to ask again: something was changed by the person, so soon.
    pub(crate) fn models_changed(&self) {
        *self.serving.pause.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.host.emit(AppEvent::ModelsChanged);
        self.host.emit(AppEvent::RunningCostsChanged);
    }

    /// Something is still being made: the window is told to look again in a while, each time a longer one.
    fn look_again_later(&self) {
        let Some(workbench) = self.me.upgrade() else { return };
        if self.serving.looking.swap(true, Ordering::AcqRel) {
            return;
        }
        let pause = {
            let mut last = self.serving.pause.lock().unwrap_or_else(PoisonError::into_inner);
            let next = last.map_or(FIRST_PAUSE, |last| last.mul_f64(1.3).min(LONGEST_PAUSE));
            *last = Some(next);
            next
        };
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            workbench.serving.looking.store(false, Ordering::Release);
            workbench.host.emit(AppEvent::ModelsChanged);
        });
    }

    /// A model answered: what has not for long is warned of.
    pub(crate) fn note_asked(&self, arn: &str) {
        let now = self.host.now_ms();
        if let Err(error) = self.store.save_document(ASKED, arn, now, &now) {
            tracing::warn!(%error, "when a model was asked could not be written down");
        }
    }
}
