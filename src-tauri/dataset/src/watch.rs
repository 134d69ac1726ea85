//! How long work says how far it is and hears that it should stop.

/// Whoever waits for long work. It is asked from several threads, a few times a second's work.
pub trait Watch: Sync {
    /// `done` of `of`, in the unit of the work: bytes or records.
    fn progress(&self, done: u64, of: u64);

    /// Whether the work should stop where it is and leave nothing behind.
    fn cancelled(&self) -> bool;
}

/// Nobody waits: the work is not told about and not stopped.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn progress(&self, _done: u64, _of: u64) {}

    fn cancelled(&self) -> bool {
        false
    }
}
