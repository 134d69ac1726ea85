//! A server that answers each request as the test says, and tells the test what was asked.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use whetstone_cloud::{Cloud, Credentials, Endpoint, Timeouts, profiles::Endpoints};

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    /// Path and query, still encoded.
    pub target: String,
    pub head: String,
    pub body: Vec<u8>,
}

impl Asked {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What to do with a request.
pub enum Reply {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    /// Sends these bytes and then nothing more, with the connection left open until the other side closes it.
    ThenSilence(Vec<u8>),
    /// Sends these bytes and closes the connection.
    ThenHangUp(Vec<u8>),
}

impl Reply {
    pub fn json(status: u16, body: &str) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self::Answer { status, headers, body: body.as_bytes().to_vec() }
    }

    /// An error as Bedrock writes it.
    pub fn bedrock_error(status: u16, code: &str, message: &str) -> Self {
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("x-amzn-errortype", format!("{code}:http://internal.amazon.com/coral/com.amazon.bedrock/")),
            ("x-amzn-requestid", "4f0a7c1e-6d0f-4c0a-9a53-5b1f3a1f2c3d".to_owned()),
        ];
        let body = serde_json::json!({ "message": message }).to_string().into_bytes();
        Self::Answer { status, headers, body }
    }

    /// An error as S3 writes it.
    pub fn s3_error(status: u16, code: &str) -> Self {
        let headers =
            vec![("content-type", "application/xml".to_owned()), ("x-amz-request-id", "4442587FB7D0A2F9".to_owned())];
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>in words</Message></Error>"
        );
        Self::Answer { status, headers, body: body.into_bytes() }
    }

    pub fn xml(body: &str) -> Self {
        Self::Answer {
            status: 200,
            headers: vec![("content-type", "application/xml".to_owned())],
            body: body.as_bytes().to_vec(),
        }
    }
}

/// A running server. It stops with the test's runtime.
pub struct Answering {
    pub url: String,
    asked: mpsc::UnboundedReceiver<Asked>,
    closed: mpsc::UnboundedReceiver<()>,
}

impl Answering {
    /// `reply` is given each request and its number, from 0.
    pub async fn start(reply: impl Fn(usize, &Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (tell_asked, asked) = mpsc::unbounded_channel();
        let (tell_closed, closed) = mpsc::unbounded_channel();
        let reply = Arc::new(reply);
        tokio::spawn(async move {
            let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
            while let Ok((socket, _)) = listener.accept().await {
                let (reply, count) = (Arc::clone(&reply), Arc::clone(&count));
                let (tell_asked, tell_closed) = (tell_asked.clone(), tell_closed.clone());
                tokio::spawn(async move {
                    let mut socket = socket;
                    let Some(request) = read(&mut socket).await else { return };
                    let number = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    let reply = reply(number, &request);
                    tell_asked.send(request).ok();
                    answer(&mut socket, reply).await;
                    tell_closed.send(()).ok();
                });
            }
        });
        Self { url, asked, closed }
    }

    /// The next request, waiting for it.
    pub async fn asked(&mut self) -> Asked {
        tokio::time::timeout(Duration::from_secs(20), self.asked.recv()).await.unwrap().unwrap()
    }

    /// All requests so far.
    pub fn all_asked(&mut self) -> Vec<Asked> {
        std::iter::from_fn(|| self.asked.try_recv().ok()).collect()
    }

    /// Waits until the other side has closed a connection.
    pub async fn closed(&mut self) {
        tokio::time::timeout(Duration::from_secs(20), self.closed.recv()).await.unwrap().unwrap();
    }

    pub fn cloud(&self) -> Cloud {
        self.cloud_with(Timeouts::default())
    }

    pub fn cloud_with(&self, timeouts: Timeouts) -> Cloud {
        Cloud::connect_with(endpoint(&self.url), timeouts).unwrap()
    }
}

pub fn endpoint(url: &str) -> Endpoint {
    Endpoint {
        region: "us-east-1".into(),
        endpoints: Endpoints::all(url),
        credentials: Credentials::Static { id: "AKIDEXAMPLE".into(), secret: "a secret".into(), session: None },
    }
}

async fn read(socket: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).to_lowercase();
    let line = String::from_utf8_lossy(&bytes[..head_end]).lines().next()?.to_owned();
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let length: usize = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = bytes.split_off(head_end + 4);
    while body.len() < length {
        if socket.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Asked { method, target, head, body })
}

async fn answer(socket: &mut TcpStream, reply: Reply) {
    match reply {
        Reply::Answer { status, headers, body } => {
            let mut head = format!("HTTP/1.1 {status} Said\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                write!(head, "{name}: {value}\r\n").unwrap();
            }
            head += "\r\n";
            socket.write_all(head.as_bytes()).await.ok();
            socket.write_all(&body).await.ok();
        }
        Reply::ThenHangUp(bytes) => {
            socket.write_all(&bytes).await.ok();
        }
        Reply::ThenSilence(bytes) => {
            socket.write_all(&bytes).await.ok();
            let mut rest = [0; 1024];
            while socket.read(&mut rest).await.is_ok_and(|count| count > 0) {}
        }
    }
}
