//! List operations: what all of them have in common, so that each is a description of its filters and a view.
//!
//! Filters by time, name and status, order by creation time, and pages. A page's token says where in the order the page
//! ended and for which filters, so things that come or go between two pages shift nothing, and a token that is used
//! with other filters is refused. Deliberately absent: filters of one operation only, which it hands in.

use http::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::clock::parse_iso8601;
use crate::constraints::{self, Checks};
use crate::errors::ApiError;
use crate::router::{self, Answer, Call};
use crate::state::Resource;

/// What a listed thing shows of itself to the filters.
pub(crate) trait Listed: Resource {
    /// Milliseconds since the Unix epoch.
    fn created(&self) -> i64;
    /// As the operation's status filter spells it.
    fn status(&self) -> &'static str;
}

/// How an operation spells what all lists have.
pub(crate) struct Listing {
    /// The member of the answer that holds the summaries.
    pub(crate) member: &'static str,
    pub(crate) after: &'static str,
    pub(crate) before: &'static str,
    pub(crate) name_contains: &'static str,
    /// The status filter, with all that it may say. `None` where things have no status.
    pub(crate) status: Option<(&'static str, &'static [&'static str])>,
}

impl Listing {
    /// The spelling that most operations share.
    pub(crate) const fn new(member: &'static str, statuses: &'static [&'static str]) -> Self {
        Self {
            member,
            after: "creationTimeAfter",
            before: "creationTimeBefore",
            name_contains: "nameContains",
            status: Some(("statusEquals", statuses)),
        }
    }
}

/// The largest page, and the size of one when the request does not say.
const LARGEST_PAGE: usize = 1000;
const PAGE: usize = 100;

/// Answers a list request with what there is of a kind in the request's Region. `keep` holds the operation's own
/// filters, `view` makes a summary.
pub(crate) fn answer<T: Listed>(
    app: &App,
    call: &Call,
    listing: &Listing,
    keep: impl Fn(&T) -> bool,
    view: impl Fn(&T) -> Value,
) -> Answer {
    let wanted = Wanted::of(call, listing)?;
    let mut kept: Vec<T> = app.state().all::<T>()?;
    kept.retain(|item| item.region() == call.region && wanted.admits(item) && keep(item));
    let (page, next) = wanted.page(kept);
    let mut answer = json!({ listing.member: page.iter().map(view).collect::<Vec<Value>>() });
    if let Some(next) = next {
        answer["nextToken"] = json!(next);
    }
    router::json(StatusCode::OK, &answer)
}

/// A list request, read.
struct Wanted<'a> {
    after: Option<i64>,
    before: Option<i64>,
    /// In small letters.
    name: String,
    status: Option<&'a str>,
    ascending: bool,
    size: usize,
    /// What tells this list from one with other filters.
    fingerprint: String,
    /// Creation time and id of the last thing on the page before.
    from: Option<(i64, String)>,
}

impl<'a> Wanted<'a> {
    fn of(call: &'a Call, listing: &Listing) -> Result<Self, ApiError> {
        let mut checks = Checks::default();
        checks.one_of("sortBy", call.query("sortBy"), &["CreationTime"]);
        checks.one_of("sortOrder", call.query("sortOrder"), &["Ascending", "Descending"]);
        checks.optional(listing.name_contains, call.query(listing.name_contains), &constraints::NAME_PART);
        let status = listing.status.and_then(|(filter, statuses)| {
            let wanted = call.query(filter);
            checks.one_of(filter, wanted, statuses);
            wanted
        });
        let size = match call.query("maxResults").map(str::parse::<usize>) {
            None => PAGE,
            Some(Ok(size)) => {
                checks.range("maxResults", size as f64, 1.0, LARGEST_PAGE as f64);
                size
            }
            Some(Err(_)) => return Err(ApiError::validation("maxResults is not a number")),
        };
        checks.finish()?;
        let fingerprint = fingerprint(call, listing);
        let from = call.query("nextToken").map(|token| read_token(token, &fingerprint)).transpose()?;
        Ok(Self {
            after: time(call, listing.after)?,
            before: time(call, listing.before)?,
            name: call.query(listing.name_contains).unwrap_or_default().to_lowercase(),
            status,
            ascending: call.query("sortOrder") == Some("Ascending"),
            size,
            fingerprint,
            from,
        })
    }

    fn admits(&self, item: &impl Listed) -> bool {
        self.after.is_none_or(|after| item.created() > after)
            && self.before.is_none_or(|before| item.created() < before)
            && self.status.is_none_or(|status| item.status() == status)
            && item.name().to_lowercase().contains(&self.name)
    }

    /// One page, and the token of the next one.
    fn page<T: Listed>(&self, mut kept: Vec<T>) -> (Vec<T>, Option<String>) {
        let place = |item: &T| (item.created(), item.id().to_owned());
        kept.sort_by_cached_key(place);
        if !self.ascending {
            kept.reverse();
        }
        if let Some(from) = &self.from {
            kept.retain(|item| if self.ascending { place(item) > *from } else { place(item) < *from });
        }
        let more = kept.len() > self.size;
        kept.truncate(self.size);
        let next = kept.last().filter(|_| more).map(|item| self.token(item));
        (kept, next)
    }

    fn token(&self, last: &impl Listed) -> String {
        hex::encode(format!("{} {} {}", self.fingerprint, last.created(), last.id()))
    }
}

fn read_token(token: &str, fingerprint: &str) -> Result<(i64, String), ApiError> {
    let read = || {
        let text = String::from_utf8(hex::decode(token).ok()?).ok()?;
        let mut parts = text.splitn(3, ' ');
        let (of, created, id) = (parts.next()?, parts.next()?, parts.next()?);
        (of == fingerprint).then_some((created.parse().ok()?, id.to_owned()))
    };
    read().ok_or_else(|| ApiError::validation("The provided nextToken is invalid."))
}

/// Of everything that decides which things are on the list, and in which order. The size of a page may change.
fn fingerprint(call: &Call, listing: &Listing) -> String {
    let mut hash = Sha256::new();
    hash.update(listing.member);
    for (name, value) in call.queries().filter(|(name, _)| !matches!(*name, "nextToken" | "maxResults")) {
        hash.update([0]);
        hash.update(name);
        hash.update([1]);
        hash.update(value);
    }
    hex::encode(&hash.finalize()[..8])
}

fn time(call: &Call, name: &str) -> Result<Option<i64>, ApiError> {
    call.query(name)
        .map(|text| parse_iso8601(text).ok_or_else(|| ApiError::validation(format!("{name} is not a time: {text}"))))
        .transpose()
}
