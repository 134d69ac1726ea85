//! Files to S3 and back from a command line, for measurements and for tests that kill it half-way:
//! `transfer up|down LOCAL s3://BUCKET/KEY --endpoint URL [--folder] [--journal FILE] [--limit BYTES_A_SECOND]`.
//! Keys and Region come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION.
#![expect(clippy::print_stdout, reason = "the figures are what a measurement reads")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use whetstone_cloud::profiles::Endpoints;
use whetstone_cloud::{Bandwidth, Cloud, Credentials, Endpoint, S3Uri, Transfer, TransferOptions};

#[tokio::main]
async fn main() -> ExitCode {
    let begun = Instant::now();
    match run().await {
        Ok((outcome, at_once)) => {
            println!(
                "{{\"seconds\": {:.3}, \"files\": {}, \"bytes\": {}, \"unchecked\": {}, \"at_once\": {at_once}}}",
                begun.elapsed().as_secs_f64(),
                outcome.files,
                outcome.bytes,
                outcome.unchecked
            );
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("transfer: {message}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(whetstone_cloud::TransferOutcome, usize), String> {
    let call = Call::read()?;
    let variable = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let cloud = Cloud::connect(Endpoint {
        region: variable("AWS_REGION")?,
        endpoints: call.endpoint.as_deref().map(Endpoints::all).unwrap_or_default(),
        credentials: Credentials::Static {
            id: variable("AWS_ACCESS_KEY_ID")?,
            secret: variable("AWS_SECRET_ACCESS_KEY")?,
            session: None,
        },
    });
    let cloud = cloud.map_err(|error| error.to_string())?;
    let mut transfer = call.start(&cloud);
    let mut at_once = 0;
    while let Some(progress) = transfer.next_progress().await {
        at_once = progress.at_once;
    }
    transfer.join().await.map(|outcome| (outcome, at_once)).map_err(|error| error.to_string())
}

struct Call {
    up: bool,
    folder: bool,
    local: PathBuf,
    remote: S3Uri,
    endpoint: Option<String>,
    options: TransferOptions,
}

impl Call {
    fn read() -> Result<Self, String> {
        const USAGE: &str =
            "transfer up|down LOCAL s3://BUCKET/KEY [--endpoint URL] [--folder] [--journal FILE] [--limit N]";
        let mut words = Vec::new();
        let (mut endpoint, mut folder, mut journal, mut limit) = (None, false, None, None);
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--endpoint" => endpoint = arguments.next(),
                "--folder" => folder = true,
                "--journal" => journal = arguments.next(),
                "--limit" => limit = arguments.next().and_then(|text| text.parse().ok()),
                _ => words.push(argument),
            }
        }
        let [direction, local, remote] = words.as_slice() else { return Err(USAGE.into()) };
        let remote = S3Uri::parse(remote).ok_or(USAGE)?;
        let local = PathBuf::from(local);
        let journal = journal.map_or_else(|| local.with_extension("journal"), PathBuf::from);
        let bandwidth = Arc::new(Bandwidth::limited(limit));
        let options = TransferOptions { bandwidth, ..TransferOptions::new(journal) };
        Ok(Self { up: direction == "up", folder, local, remote, endpoint, options })
    }

    fn start(self, cloud: &Cloud) -> Transfer {
        match (self.up, self.folder) {
            (true, true) => cloud.upload_folder(&self.local, &self.remote, self.options),
            (true, false) => cloud.upload_file(&self.local, &self.remote, self.options),
            (false, true) => cloud.download_folder(&self.remote, &self.local, self.options),
            (false, false) => cloud.download_file(&self.remote, &self.local, self.options),
        }
    }
}
