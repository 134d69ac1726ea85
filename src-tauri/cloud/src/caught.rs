//! A request's body as the SDK writes it, caught before the network: what is shown is what is sent.

use std::sync::{Arc, Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

/// Nobody is to be asked for keys, or to be signed in, for something that is not sent.
pub(crate) fn no_credentials() -> Credentials {
    Credentials::new("none", "none", None, None, "not sent")
}

/// A network that keeps what it is given and answers as the service does, without being one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caught(Arc<Mutex<String>>);

impl Caught {
    pub(crate) fn client(&self) -> SharedHttpClient {
        let connector = self.clone();
        http_client_fn(move |_, _| SharedHttpConnector::new(connector.clone()))
    }

    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl HttpConnector for Caught {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().unwrap_or_default();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = String::from_utf8_lossy(body).into_owned();
        let created = StatusCode::try_from(201_u16);
        HttpConnectorFuture::ready(match created {
            Ok(status) => Ok(HttpResponse::new(status, SdkBody::from(r#"{"jobArn":""}"#))),
            Err(error) => Err(aws_smithy_runtime_api::client::result::ConnectorError::other(error.into(), None)),
        })
    }
}
