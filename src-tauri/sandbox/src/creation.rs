//! Creating a thing once for its client token.
//!
//! The same token with the same request answers what the first one answered; with another request it is an error, whose
//! kind differs between the operations. Looking, making and remembering are one transaction, so any number of equal
//! requests at the same time make one thing. Tokens do not expire.

use crate::app::App;
use crate::errors::{ApiError, ErrorKind};
use crate::state::{Change, Earlier, Resource, Token};

/// What became of a create request.
pub(crate) enum Made<T> {
    New(T),
    /// An earlier request with the same token made it: its ARN.
    Earlier(String),
}

impl<T: Resource> Made<T> {
    pub(crate) fn arn(&self) -> &str {
        match self {
            Self::New(made) => made.arn(),
            Self::Earlier(arn) => arn,
        }
    }
}

/// Makes what `make` returns and keeps it, unless the token was seen before. `make` sees to it that names are free.
pub(crate) fn once<T: Resource>(
    app: &App,
    token: Option<&Token>,
    otherwise: ErrorKind,
    make: impl FnOnce(&Change<'_>) -> Result<T, ApiError>,
) -> Result<Made<T>, ApiError> {
    app.state().change(|change| {
        if let Some(arn) = seen(change, token, otherwise)? {
            return Ok(Made::Earlier(arn));
        }
        let made = make(change)?;
        change.insert(&made)?;
        if let Some(token) = token {
            change.remember(token, made.arn())?;
        }
        Ok(Made::New(made))
    })
}

/// The answer to an earlier request with the same token. For operations that look at more than the state before they
/// make a thing: a repeated request is answered before that, as what was fine then may not be now.
pub(crate) fn earlier(app: &App, token: Option<&Token>, otherwise: ErrorKind) -> Result<Option<String>, ApiError> {
    app.state().change(|change| seen(change, token, otherwise))
}

fn seen(change: &Change<'_>, token: Option<&Token>, otherwise: ErrorKind) -> Result<Option<String>, ApiError> {
    let Some(token) = token else { return Ok(None) };
    match change.earlier(token)? {
        Earlier::None => Ok(None),
        Earlier::Same(arn) => Ok(Some(arn)),
        Earlier::Different => Err(ApiError::new(
            otherwise,
            "The provided clientRequestToken was used for a request with other parameters.",
        )),
    }
}
