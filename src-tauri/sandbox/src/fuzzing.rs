//! What a fuzzer may call: signatures, the routing of requests, and (from `runtime`) bodies and the event stream.
//! Compiled for it alone.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Uri, header};
use http_body_util::BodyExt;
use s3s::Body;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::app::App;
use crate::auth::{self, Authorization, Door};
use crate::clock::Clock;
use crate::faults::Faults;
use crate::home::Home;
use crate::identity::{Caller, Session};
use crate::router::{self, Handler};
pub use crate::runtime::fuzzing::{event_stream, invoke_body};
use crate::{SandboxConfig, WorkerCommand, WorkerLimits, ids, rpc, s3};

const HOST: &str = "127.0.0.1:4566";
const REGION: &str = "us-east-1";

/// A sandbox that nobody can reach, on a folder in memory. Its jobs stop before they begin.
struct Alone {
    app: Arc<App>,
    runtime: Runtime,
    _folder: TempDir,
}

impl Alone {
    fn new() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").expect("there is a file system in memory");
        let home = Home::open(folder.path()).expect("the folder is there");
        let keys = home.keys().expect("keys can be written");
        let config = SandboxConfig {
            data_dir: folder.path().to_owned(),
            port: 0,
            region: REGION.to_owned(),
            worker: WorkerCommand { program: "/bin/false".into(), args: Vec::new() },
            limits: WorkerLimits::default(),
            faults: None,
        };
        let clock = Clock::new(now);
        let address = HOST.parse().expect("an address");
        let app = App::new(config, Faults::default(), home, keys, address, clock).expect("a sandbox");
        app.stopping().cancel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { app: Arc::new(app), runtime, _folder: folder }
    }

    fn get() -> &'static Self {
        static ALONE: OnceLock<Alone> = OnceLock::new();
        ALONE.get_or_init(Self::new)
    }
}

/// The clock stands still, so that an input does the same each time.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_342_104)
}

/// A request as text: a line with method and target, a line a header, an empty line, and the body.
fn request(bytes: &[u8]) -> Option<(Parts, Bytes)> {
    let at = bytes.windows(2).position(|two| two == b"\n\n");
    let (head, body) = at.map_or((bytes, &bytes[bytes.len()..]), |at| (&bytes[..at], &bytes[at + 2..]));
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = lines.next()?;
    let space = first.iter().position(|byte| *byte == b' ')?;
    let mut request = Request::builder()
        .method(Method::from_bytes(&first[..space]).ok()?)
        .uri(Uri::try_from(&first[space + 1..]).ok().filter(|uri| uri.path().starts_with('/'))?)
        .body(())
        .ok()?;
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        request.headers_mut().append(name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?);
    }
    Some((request.into_parts().0, Bytes::copy_from_slice(body)))
}

/// Nobody gets in with a signature that was made up; whoever holds the key does, whatever is signed; and nothing that
/// was signed can be changed.
pub fn signature(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    Authorization::parse(&text);
    let alone = Alone::get();
    let keys = alone.app.keys();
    let door = Door { keys, region: REGION, now: now() };
    assert!(Caller::of_key(keys, door.now, &Session::new_key(), Some(&text)).is_err());
    let Some((mut parts, body)) = request(bytes) else { return };
    for service in ["bedrock", "sts", "iam"] {
        if let Ok(given) = auth::precheck(&parts.headers, service, door) {
            assert!(auth::verify(&parts, &body, &given, keys).is_err(), "a signature that was made up is believed");
        }
    }
    not_into_s3(alone, &parts, &body);
    if !sign_truly(&mut parts, &body, keys) {
        return;
    }
    let given = auth::precheck(&parts.headers, "bedrock", door).expect("a true signature passes");
    assert_eq!((&given.caller, given.region.as_str()), (&Caller::User, REGION));
    auth::verify(&parts, &body, &given, keys).expect("a true signature is believed");
    let mut longer = body.to_vec();
    longer.push(b' ');
    assert!(auth::verify(&parts, &longer, &given, keys).is_err());
    parts.method = if parts.method == Method::GET { Method::POST } else { Method::GET };
    assert!(auth::verify(&parts, &body, &given, keys).is_err());
}

fn not_into_s3(alone: &Alone, parts: &Parts, body: &Bytes) {
    let mut request = Request::new(Body::from(body.clone()));
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = parts.uri.clone();
    *request.headers_mut() = parts.headers.clone();
    s3::operation_name(&request);
    let answer = alone.runtime.block_on(s3::answer(App::s3(&alone.app), request));
    let status = answer.expect("S3 answers").status();
    assert!(status.is_client_error() || status == http::StatusCode::NOT_IMPLEMENTED, "S3 answered {status}");
}

/// Signs a request as a client does, over every header that it has.
fn sign_truly(parts: &mut Parts, body: &[u8], keys: &crate::Keys) -> bool {
    for name in ["authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256", "host"] {
        parts.headers.remove(name);
    }
    let identity = Credentials::new(keys.access_key_id(), keys.secret_access_key(), None, None, "fuzz").into();
    let settings = SigningSettings::default();
    let params = v4::SigningParams::builder().identity(&identity).region(REGION).name("bedrock").time(now());
    let params = params.settings(settings).build().expect("all is given").into();
    let mut headers = vec![("host", HOST)];
    for (name, value) in &parts.headers {
        let Ok(value) = value.to_str() else { return false };
        headers.push((name.as_str(), value));
    }
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let url = format!("http://{HOST}{target}");
    let Ok(signable) = SignableRequest::new(parts.method.as_str(), url, headers.into_iter(), SignableBody::Bytes(body))
    else {
        return false;
    };
    // What cannot be signed cannot be sent.
    let Ok(signed) = sign(signable, &params) else { return false };
    let (instructions, _) = signed.into_parts();
    for (name, value) in instructions.headers() {
        let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) else {
            return false;
        };
        parts.headers.insert(name, value);
    }
    parts.headers.insert(header::HOST, HeaderValue::from_static(HOST));
    true
}

/// Every request finds its one operation or none, and an operation answers or refuses: it does not fail.
pub fn route(bytes: &[u8]) {
    let Some((parts, body)) = request(bytes) else { return };
    let alone = Alone::get();
    router::parse_query(&String::from_utf8_lossy(&body));
    let found = router::find(&parts.method, parts.uri.path());
    if let Some((operation, segments)) = found {
        assert_eq!(operation.method, parts.method);
        assert!(segments.iter().all(|segment| !segment.is_empty()));
        let mut values = segments.iter();
        let path: Vec<String> = operation
            .path
            .split('/')
            .map(|part| match part.starts_with('{') {
                true => percent_encoding::utf8_percent_encode(
                    values.next().map_or("", String::as_str),
                    percent_encoding::NON_ALPHANUMERIC,
                )
                .to_string(),
                false => part.to_owned(),
            })
            .collect();
        let again = router::find(&parts.method, &path.join("/"));
        assert_eq!(again.map(|(found, segments)| (found.name, segments)), Some((operation.name, segments.clone())));
        if matches!(operation.handler, Handler::Control(_)) {
            let run = router::run(alone.app.clone(), operation, user(), segments, parts.clone(), body.clone());
            let status = alone.runtime.block_on(run).unwrap_or_else(|error| error.into_response()).status();
            assert!(!status.is_server_error(), "{} answered {status}", operation.name);
        }
    }
    for service in ["sts", "iam", "servicequotas", "pricing"] {
        let service = rpc::service(service).expect("it is there");
        let answer = alone.runtime.block_on(rpc::run(alone.app.clone(), service, user(), &parts, body.clone()));
        let (head, body) = answer.into_parts();
        let body = alone.runtime.block_on(body.collect()).expect("a body").to_bytes();
        let body = String::from_utf8(body.to_vec()).expect("an answer is text");
        assert!(!head.status.is_server_error(), "{} answered {}: {body}", service.scope, head.status);
    }
    ids::last_segment(parts.uri.path());
}

fn user() -> auth::Given {
    auth::Given::user(REGION)
}
