//! The memory that is left on this computer, so that a model which does not fit is refused in words before it is loaded.

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// Whether so many bytes can be had now.
pub(crate) fn check(needed: u64) -> Result<(), String> {
    let memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    // Where the system does not tell, loading is tried.
    enough(needed, System::new_with_specifics(memory).map_or(u64::MAX, |system| system.available_memory()))
}

fn enough(needed: u64, available: u64) -> Result<(), String> {
    if needed <= available {
        return Ok(());
    }
    let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
    let (needed, available) = (mebibytes(needed), mebibytes(available));
    Err(format!("it needs {needed} MiB of memory to be loaded, and {available} MiB are available"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_with_both_figures() {
        assert_eq!(enough(5 << 20, 5 << 20), Ok(()));
        let why = enough((5 << 20) + 1, 5 << 20);
        assert_eq!(why, Err("it needs 6 MiB of memory to be loaded, and 5 MiB are available".to_owned()));
        assert_eq!(check(1), Ok(()));
        assert!(check(u64::MAX - 1).is_err());
    }
}
