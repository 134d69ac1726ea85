//! Time as the sandbox sees it: handed in, so that a test can hold it still, and written as the SDKs read it.

use std::sync::Arc;
use std::time::SystemTime;

use time::OffsetDateTime;
use time::macros::format_description;

/// Where "now" comes from.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// A clock that shows what `now` says.
    pub fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The computer's own.
    pub fn system() -> Self {
        Self::new(SystemTime::now)
    }

    pub(crate) fn now(&self) -> SystemTime {
        (self.0)()
    }

    /// Now, in milliseconds since the Unix epoch: the resolution that the API shows.
    pub(crate) fn millis(&self) -> i64 {
        millis(self.now())
    }
}

/// A time in milliseconds since the Unix epoch.
pub(crate) fn millis(at: SystemTime) -> i64 {
    (OffsetDateTime::from(at).unix_timestamp_nanos() / 1_000_000) as i64
}

/// `2026-11-22T10:08:24.123Z`. Both botocore and the Rust SDK's date-time parsers read this form.
pub(crate) fn iso8601(millis: i64) -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
        .ok()
        .and_then(|at| at.format(&form).ok())
        .unwrap_or_else(|| "1970-01-01T00:00:00.000Z".to_owned())
}

/// Reads an ISO-8601 time as a query carries it; `None` when it is not one.
pub(crate) fn parse_iso8601(text: &str) -> Option<i64> {
    let at = OffsetDateTime::parse(text, &time::format_description::well_known::Iso8601::DEFAULT).ok()?;
    Some((at.unix_timestamp_nanos() / 1_000_000) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_with_milliseconds_and_read_back() {
        let millis = 1_795_342_104_123;
        assert_eq!(iso8601(millis), "2026-11-22T10:08:24.123Z");
        assert_eq!(parse_iso8601(&iso8601(millis)), Some(millis));
        assert_eq!(parse_iso8601("2026-11-22T10:08:24Z"), Some(1_795_342_104_000));
        assert_eq!(parse_iso8601("yesterday"), None);
    }
}
