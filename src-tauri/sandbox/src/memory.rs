//! The memory that is left on this computer, so that a model which does not fit is refused in words before it is loaded.

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// What a model may take: what the system has left, or less where the sandbox was given less.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// Bytes.
    pub(crate) limit: Option<u64>,
}

impl Memory {
    /// Whether so many bytes can be had now.
    pub(crate) fn check(self, needed: u64) -> Result<(), String> {
        let memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
        // Where the system does not tell, loading is tried.
        let left = System::new_with_specifics(memory).map_or(u64::MAX, |system| system.available_memory());
        enough(needed, self.limit.map_or(left, |limit| left.min(limit)))
    }
}

fn enough(needed: u64, available: u64) -> Result<(), String> {
    if needed <= available {
        return Ok(());
    }
    let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
    let (needed, available) = (mebibytes(needed), mebibytes(available));
    Err(format!("it needs {needed} MiB of memory, and {available} MiB are available"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_with_both_figures() {
        assert_eq!(enough(5 << 20, 5 << 20), Ok(()));
        let why = enough((5 << 20) + 1, 5 << 20);
        assert_eq!(why, Err("it needs 6 MiB of memory, and 5 MiB are available".to_owned()));
        assert_eq!(Memory::default().check(1), Ok(()));
        assert!(Memory::default().check(u64::MAX - 1).is_err());
        assert!(Memory { limit: Some(1) }.check(2).is_err());
    }
}
