//! The one port: accepts connections, checks the Host header, and hands each request to its service.
//!
//! A connection speaks HTTP/1.1, or HTTP/2 where it begins with that protocol's own words, as the AWS SDK for JavaScript
//! does for Bedrock Runtime: without TLS nothing else tells the two apart.
//! Which one is decided by the service in the credential scope, as all live at the same address. State is
//! owned by `App`; this module owns only connections. Deliberately absent: CORS headers, so that no page in a browser
//! can read an answer, and any listening address beside 127.0.0.1.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, HeaderValue};
use http::{Request, Response, Version};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use s3s::Body;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::App;
use crate::auth::{self, Authorization};
use crate::errors::{ApiError, ErrorKind};
use crate::faults::{Cut, going_wrong};
use crate::patience::{Awaited, Stalled};
use crate::{ids, router, rpc, s3};

/// How long a connection may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Accepts connections until `stop`, then lets those that are open finish the answer they are giving.
pub(crate) async fn serve(app: Arc<App>, listener: TcpListener, stop: CancellationToken) {
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                connections.spawn(connection(app.clone(), stream, stop.clone()));
            }
            // Out of file handles, or a peer that was gone before it was accepted: neither is a reason to end.
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::task::yield_now().await;
            }
        }
    }
    connections.close();
    connections.wait().await;
}

async fn connection(app: Arc<App>, stream: TcpStream, stop: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was refused");
    }
    let Ok(Ok((second, stream))) = tokio::time::timeout(HEAD_TIMEOUT, protocol(stream)).await else { return };
    let service = service_fn(move |request| {
        let app = app.clone();
        async move { Box::pin(answer(app, addressed(request))).await }
    });
    let stream = TokioIo::new(stream);
    let result = if second {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        let mut connection = std::pin::pin!(builder.timer(TokioTimer::new()).serve_connection(stream, service));
        tokio::select! {
            result = connection.as_mut() => result,
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    } else {
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
        let mut connection = std::pin::pin!(builder.serve_connection(stream, service));
        tokio::select! {
            result = connection.as_mut() => result,
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// What an HTTP/2 connection begins with; no method of HTTP/1.1 does.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// Reads as much as it takes to know whether a connection speaks HTTP/2, and puts that before what follows.
async fn protocol(stream: TcpStream) -> std::io::Result<(bool, impl AsyncRead + AsyncWrite + Send + Unpin + 'static)> {
    let (mut reader, writer) = stream.into_split();
    let mut head = Vec::with_capacity(PREFACE.len());
    while head.len() < PREFACE.len() && PREFACE.starts_with(&head) {
        if (&mut reader).take((PREFACE.len() - head.len()) as u64).read_buf(&mut head).await? == 0 {
            break;
        }
    }
    let second = head == PREFACE;
    Ok((second, tokio::io::join(std::io::Cursor::new(head).chain(reader), writer)))
}

/// HTTP/2 may name the host in `:authority` alone; what comes after looks for it in the Host header.
fn addressed(mut request: Request<Incoming>) -> Request<Incoming> {
    if request.version() == Version::HTTP_2
        && !request.headers().contains_key(HOST)
        && let Some(host) = request.uri().authority().and_then(|name| HeaderValue::from_str(name.as_str()).ok())
    {
        request.headers_mut().insert(HOST, host);
    }
    request
}

/// The answer to a request, or the connection's end without one.
async fn answer(app: Arc<App>, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
    if !host_is_ours(&request, app.address()) {
        let error = ApiError::new(ErrorKind::AccessDenied, "The Host header does not name this sandbox.");
        return Ok(stamped(error.into_response()));
    }
    let path = request.uri().path().to_owned();
    if is_for_s3(&request) {
        let operation = if app.faults().any() { s3::operation_name(&request) } else { "" };
        let fault = app.faults().draw(operation, &path);
        let answer = async {
            let answer =
                s3::answer(App::s3(&app), request.map(|body| Body::http_body_unsync(Awaited::new(body)))).await;
            answer.unwrap_or_else(|error| stamped(error.into_response()))
        };
        return going_wrong(fault, |error| s3::refused(&error), answer).await;
    }
    let scope = Authorization::from_headers(request.headers()).map(|given| given.service);
    if let Some(service) = scope.as_deref().and_then(rpc::service) {
        return at_one_path(app, service, request).await;
    }
    let operation = router::find(request.method(), &path).map_or("", |(operation, _)| operation.name);
    let fault = app.faults().draw(operation, &path);
    let answer = async { stamped(bedrock(app, request).await.unwrap_or_else(ApiError::into_response)) };
    going_wrong(fault, |error| stamped(error.into_response()), answer).await
}

async fn bedrock(app: Arc<App>, request: Request<Incoming>) -> router::Answer {
    let (parts, body) = request.into_parts();
    let given = auth::precheck(&parts.headers, "bedrock", app.door())?;
    let found = router::find(&parts.method, parts.uri.path());
    let limit = found.as_ref().map_or(router::CONTROL_BODY, |(operation, _)| operation.body_limit);
    let body = collect(body, limit).await?;
    auth::verify(&parts, &body, &given, app.keys())?;
    let (operation, segments) = found.ok_or_else(|| {
        ApiError::new(ErrorKind::UnknownOperation, format!("No operation at {} {}.", parts.method, parts.uri.path()))
    })?;
    router::run(app, operation, given, segments, parts, body).await
}

async fn at_one_path(
    app: Arc<App>,
    service: &'static rpc::Service,
    request: Request<Incoming>,
) -> Result<Response<Body>, Cut> {
    let (parts, body) = request.into_parts();
    let verified = async {
        let given = auth::precheck(&parts.headers, service.scope, app.door())?;
        let body = collect(body, router::CONTROL_BODY).await?;
        auth::verify(&parts, &body, &given, app.keys())?;
        Ok((given, body))
    };
    let (given, body) = match verified.await {
        Ok(verified) => verified,
        Err(error) => return Ok(rpc::refused(service, error)),
    };
    // What is asked for stands in the body here.
    let operation = rpc::operation_name(service, &parts, &body).unwrap_or_default();
    let fault = app.faults().draw(&operation, parts.uri.path());
    let answer = rpc::run(app, service, given, &parts, body);
    going_wrong(fault, |error| rpc::refused(service, error), answer).await
}

async fn collect(body: Incoming, limit: usize) -> Result<Bytes, ApiError> {
    match Limited::new(Awaited::new(body), limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            let message = format!("The request body is larger than {limit} bytes.");
            Err(ApiError::new(ErrorKind::RequestTooLarge, message))
        }
        Err(error) if error.is::<Stalled>() => {
            Err(ApiError::new(ErrorKind::RequestTimeout, format!("The body was not sent to its end: {error}.")))
        }
        Err(error) => Err(ApiError::new(ErrorKind::Serialization, format!("The body broke off: {error}"))),
    }
}

/// Only requests that were addressed to the loopback get in: a page that rebinds its own name to 127.0.0.1 does not.
fn host_is_ours(request: &Request<Incoming>, address: SocketAddr) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let Some((name, port)) = host.to_str().ok().and_then(|text| text.rsplit_once(':')) else { return false };
    matches!(name, "127.0.0.1" | "localhost") && port.parse() == Ok(address.port())
}

/// An S3 request says so in its credential scope, or is presigned. One without any signature is S3's when its path is
/// no Bedrock operation, so that each service refuses it in its own words.
fn is_for_s3(request: &Request<Incoming>) -> bool {
    if let Some(given) = Authorization::from_headers(request.headers()) {
        return given.service == "s3";
    }
    if request.headers().contains_key(http::header::AUTHORIZATION) {
        return false;
    }
    request.uri().query().is_some_and(|query| query.contains("X-Amz-Signature="))
        || router::find(request.method(), request.uri().path()).is_none()
}

fn stamped(mut response: Response<Body>) -> Response<Body> {
    if let Ok(id) = HeaderValue::from_str(&ids::request_id()) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}
