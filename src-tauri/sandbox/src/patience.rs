//! A request's body that does not wait for ever: where no byte comes for too long, it ends in an error, so that a client
//! that stalls holds neither a connection nor what is half taken in.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// How long a client may take between two pieces of a body.
const PATIENCE: Duration = Duration::from_secs(60);

/// No byte came for so long.
#[derive(Debug, thiserror::Error)]
#[error("no byte came for {} seconds", .0.as_secs_f64())]
pub(crate) struct Stalled(Duration);

/// A body that is waited for with so much patience.
pub(crate) struct Awaited<B> {
    body: B,
    patience: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<B> Awaited<B> {
    pub(crate) fn new(body: B) -> Self {
        Self { body, patience: PATIENCE, waiting: None }
    }
}

impl<B> Body for Awaited<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.waiting = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let patience = self.patience;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(patience)));
        waiting.as_mut().poll(context).map(|()| Some(Err(Stalled(patience).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failure here is a failed test")]
mod tests {
    use std::convert::Infallible;

    use futures_util::{StreamExt, stream};
    use http_body_util::{BodyExt, StreamBody};

    use super::*;

    #[tokio::test]
    async fn a_body_that_stalls_ends_in_an_error_and_one_that_goes_on_does_not() {
        let pieces = || stream::iter(["a", "b"].map(|text| Ok::<_, Infallible>(Frame::data(Bytes::from(text)))));
        let waited_for = |body| Awaited { patience: Duration::from_millis(20), ..Awaited::new(body) };
        let whole = waited_for(StreamBody::new(pieces().boxed())).collect().await.unwrap();
        assert_eq!(whole.to_bytes(), "ab");
        let stalling = pieces().chain(stream::pending()).boxed();
        let error = waited_for(StreamBody::new(stalling)).collect().await.unwrap_err();
        assert!(error.is::<Stalled>(), "{error}");
    }
}
