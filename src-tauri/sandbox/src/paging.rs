//! What every list operation has in common: filters by time and name, order, and pages.

use crate::clock::parse_iso8601;
use crate::constraints::Checks;
use crate::errors::ApiError;
use crate::router::Call;

/// What a listed thing shows of itself to the filters.
pub(crate) trait Listed {
    fn id(&self) -> &str;
    fn region(&self) -> &str;
    fn name(&self) -> &str;
    /// Milliseconds since the Unix epoch.
    fn created(&self) -> i64;
}

/// Names of a list operation's time filters: they differ between the operations.
pub(crate) struct TimeFilters {
    pub(crate) after: &'static str,
    pub(crate) before: &'static str,
}

pub(crate) const CREATION_TIME: TimeFilters = TimeFilters { after: "creationTimeAfter", before: "creationTimeBefore" };

/// The largest page, and the size of one when the request does not say.
const LARGEST_PAGE: usize = 1000;
const PAGE: usize = 100;

/// One page of `all` (oldest first) and the token of the next one. `keep` holds the operation's own filters.
pub(crate) fn page<T: Listed>(
    call: &Call,
    times: &TimeFilters,
    all: Vec<T>,
    keep: impl Fn(&T) -> bool,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let mut checks = Checks::default();
    checks.one_of("sortBy", call.query("sortBy"), &["CreationTime"]);
    checks.one_of("sortOrder", call.query("sortOrder"), &["Ascending", "Descending"]);
    let size = match call.query("maxResults").map(str::parse::<usize>) {
        None => PAGE,
        Some(Ok(size)) => {
            checks.range("maxResults", size as f64, 1.0, LARGEST_PAGE as f64);
            size
        }
        Some(Err(_)) => return Err(ApiError::validation("maxResults is not a number")),
    };
    checks.finish()?;
    let after = time(call, times.after)?;
    let before = time(call, times.before)?;
    let name = call.query("nameContains").unwrap_or_default().to_lowercase();
    let mut kept: Vec<T> = all
        .into_iter()
        .filter(|item| item.region() == call.region)
        .filter(|item| after.is_none_or(|after| item.created() > after))
        .filter(|item| before.is_none_or(|before| item.created() < before))
        .filter(|item| item.name().to_lowercase().contains(&name))
        .filter(|item| keep(item))
        .collect();
    if call.query("sortOrder") != Some("Ascending") {
        kept.reverse();
    }
    let start = match call.query("nextToken") {
        None => 0,
        // The token is the id of the last thing that was shown, so that new things do not shift the pages.
        Some(token) => kept
            .iter()
            .position(|item| item.id() == token)
            .map(|at| at + 1)
            .ok_or_else(|| ApiError::validation("The provided nextToken is invalid."))?,
    };
    let more = kept.len() > start + size;
    let page: Vec<T> = kept.into_iter().skip(start).take(size).collect();
    let next = page.last().filter(|_| more).map(|item| item.id().to_owned());
    Ok((page, next))
}

fn time(call: &Call, name: &str) -> Result<Option<i64>, ApiError> {
    call.query(name)
        .map(|text| parse_iso8601(text).ok_or_else(|| ApiError::validation(format!("{name} is not a time: {text}"))))
        .transpose()
}
