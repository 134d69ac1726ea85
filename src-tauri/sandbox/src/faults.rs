//! Faults on request: answers that go wrong in the way that a file says, so that a client's own care can be tried.
//!
//! ```toml
//! seed = 7                           # for what is drawn by chance; 1 when it is left out
//!
//! [[fault]]
//! operation = "PutObject"            # an operation's name; left out: any
//! resource = "*/training/*"          # a pattern for the path; left out: any
//! nth = [1, 3]                       # the first and third request that fit; left out: each
//! probability = 0.1                  # of those; left out: all
//! kind = "throttling"
//! ```
//!
//! Kinds: `throttling`, `internal`, `unavailable`, `access-denied`, `expired-token`, `clock-skew` answer an error in the
//! service's own words; `reset` closes the connection without an answer; `truncated` closes it in the midst of the
//! body; `latency` waits `milliseconds` and then answers truly. The first fault that fits a request is the one it gets.
//!
//! Counts and chance live as long as the sandbox. Deliberately absent: faults that change what is kept; a request that
//! goes wrong before its answer was not carried out, and one whose answer is cut was.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use http::Response;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use s3s::Body;
use serde::Deserialize;

use crate::SandboxError;
use crate::errors::{ApiError, ErrorKind};
use crate::iam::policy::glob;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileText {
    #[serde(default = "one")]
    seed: u64,
    #[serde(default)]
    fault: Vec<FaultText>,
}

fn one() -> u64 {
    1
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultText {
    operation: Option<String>,
    resource: Option<String>,
    nth: Option<Vec<u64>>,
    probability: Option<f64>,
    kind: Kind,
    milliseconds: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Throttling,
    Internal,
    Unavailable,
    AccessDenied,
    ExpiredToken,
    ClockSkew,
    Reset,
    Truncated,
    Latency,
}

/// What is to go wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    /// Of `latency` only.
    pub(crate) wait: Duration,
}

/// The faults of a sandbox; none unless a file says so.
#[derive(Debug, Default)]
pub(crate) struct Faults(Option<Mutex<Plan>>);

#[derive(Debug)]
struct Plan {
    chance: StdRng,
    faults: Vec<Planned>,
}

#[derive(Debug)]
struct Planned {
    text: FaultText,
    /// Requests that fitted so far.
    seen: u64,
}

impl Faults {
    /// Reads a file of faults.
    pub(crate) fn open(path: &Path) -> Result<Self, SandboxError> {
        let wrong = |reason: String| SandboxError::Faults { path: path.to_owned(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        Self::parse(&text).map_err(wrong)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: FileText = toml::from_str(text).map_err(|error| error.to_string())?;
        for fault in &file.fault {
            if (fault.kind == Kind::Latency) != fault.milliseconds.is_some() {
                return Err("milliseconds belong to the kind latency, and it needs them".to_owned());
            }
            if fault.probability.is_some_and(|p| !(0.0..=1.0).contains(&p)) {
                return Err("a probability is a number from 0 to 1".to_owned());
            }
            if fault.nth.as_ref().is_some_and(|nth| nth.is_empty() || nth.contains(&0)) {
                return Err("nth counts from 1 and names at least one request".to_owned());
            }
        }
        let faults = file.fault.into_iter().map(|text| Planned { text, seen: 0 }).collect();
        Ok(Self(Some(Mutex::new(Plan { chance: StdRng::seed_from_u64(file.seed), faults }))))
    }

    /// Whether any are planned: what a request is called need not be found out otherwise.
    pub(crate) fn any(&self) -> bool {
        self.0.is_some()
    }

    /// What is to go wrong with a request for this operation at this path.
    pub(crate) fn draw(&self, operation: &str, path: &str) -> Option<Fault> {
        let mut plan = self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let Plan { chance, faults } = &mut *plan;
        faults.iter_mut().find_map(|planned| {
            let fits = |pattern: &Option<String>, value: &str| pattern.as_deref().is_none_or(|one| glob(one, value));
            if !fits(&planned.text.operation, operation) || !fits(&planned.text.resource, path) {
                return None;
            }
            planned.seen += 1;
            let due = planned.text.nth.as_ref().is_none_or(|nth| nth.contains(&planned.seen));
            let drawn = due && planned.text.probability.is_none_or(|p| chance.random_bool(p));
            drawn.then(|| Fault {
                kind: planned.text.kind,
                wait: Duration::from_millis(planned.text.milliseconds.unwrap_or_default()),
            })
        })
    }
}

/// A connection that is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection was cut because a fault was asked for")]
pub(crate) struct Cut;

/// Gives an answer the fault that was drawn for it. `refused` says an error in the words of its service.
pub(crate) async fn going_wrong(
    fault: Option<Fault>,
    refused: impl FnOnce(ApiError) -> Response<Body>,
    answer: impl Future<Output = Response<Body>>,
) -> Result<Response<Body>, Cut> {
    let Some(fault) = fault else { return Ok(answer.await) };
    let (kind, message) = match fault.kind {
        Kind::Reset => return Err(Cut),
        Kind::Truncated => return Ok(truncated(answer.await)),
        Kind::Latency => {
            tokio::time::sleep(fault.wait).await;
            return Ok(answer.await);
        }
        Kind::Throttling => (ErrorKind::Throttling, "Too many requests, please wait before trying again."),
        Kind::Internal => (ErrorKind::InternalServer, "We encountered an internal error. Please try again."),
        Kind::Unavailable => (ErrorKind::ServiceUnavailable, "Service is unable to handle request."),
        Kind::AccessDenied => (ErrorKind::AccessDenied, "You are not authorized to perform this operation."),
        Kind::ExpiredToken => (ErrorKind::ExpiredToken, "The security token included in the request is expired"),
        Kind::ClockSkew => (ErrorKind::InvalidSignature, "Signature expired: the request's time is too far off."),
    };
    Ok(refused(ApiError::new(kind, message)))
}

/// The answer with the first half of the first piece of its body, and then the connection's end.
fn truncated(answer: Response<Body>) -> Response<Body> {
    answer.map(|body| {
        let first = body
            .into_data_stream()
            .take(1)
            .map(|piece| piece.map(|bytes| Frame::data(bytes.slice(..bytes.len() / 2))).map_err(std::io::Error::other));
        let end = futures_util::stream::once(async {
            // What came before is sent while this waits; otherwise it would be dropped with the connection.
            tokio::task::yield_now().await;
            Err(std::io::Error::other(Cut))
        });
        Body::http_body_unsync(StreamBody::new(first.chain(end)))
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failure here is a failed test")]
mod tests {
    use super::*;

    fn kinds(faults: &Faults, operation: &str, path: &str, times: usize) -> Vec<Option<Kind>> {
        (0..times).map(|_| faults.draw(operation, path).map(|fault| fault.kind)).collect()
    }

    #[test]
    fn a_fault_comes_to_the_requests_that_fit_and_to_no_other() {
        let faults = Faults::parse(
            "[[fault]]\noperation = \"PutObject\"\nresource = \"*/a/*\"\nnth = [2]\nkind = \"throttling\"\n\
             [[fault]]\noperation = \"Get*\"\nkind = \"latency\"\nmilliseconds = 5\n",
        )
        .unwrap();
        assert_eq!(kinds(&faults, "PutObject", "/bucket/b/1", 2), [None, None]);
        assert_eq!(kinds(&faults, "PutObject", "/bucket/a/1", 3), [None, Some(Kind::Throttling), None]);
        let slow = faults.draw("GetObject", "/").unwrap();
        assert_eq!((slow.kind, slow.wait), (Kind::Latency, Duration::from_millis(5)));
    }

    #[test]
    fn chance_is_the_same_for_the_same_seed() {
        let draw = |seed: u64| {
            let text = format!("seed = {seed}\n[[fault]]\nprobability = 0.5\nkind = \"reset\"\n");
            kinds(&Faults::parse(&text).unwrap(), "Any", "/", 64)
        };
        assert_eq!(draw(3), draw(3));
        assert_ne!(draw(3), draw(4));
        let hits = draw(3).iter().flatten().count();
        assert!((16..=48).contains(&hits), "{hits}");
    }

    #[test]
    fn a_file_that_says_something_unknown_is_refused() {
        for text in [
            "[[fault]]\nkind = \"flood\"\n",
            "[[fault]]\nkind = \"latency\"\n",
            "[[fault]]\nkind = \"reset\"\nmilliseconds = 3\n",
            "[[fault]]\nkind = \"reset\"\nprobability = 1.5\n",
            "[[fault]]\nkind = \"reset\"\nnth = [0]\n",
            "colour = \"red\"\n",
        ] {
            assert!(Faults::parse(text).is_err(), "{text}");
        }
        assert!(!Faults::default().any());
    }
}
