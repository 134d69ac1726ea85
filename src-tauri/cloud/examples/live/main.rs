//! The live lane: what only a real account can settle, asked with the app's own code through a profile of the AWS
//! configuration. It reads; only `--paid` creates anything, and then one job under a dollar whose price is said first.
//!
//! `live REPORT.md [--paid --role ARN --bucket NAME]`, with WHETSTONE_LIVE_PROFILE naming the profile. A profile with an
//! `endpoint_url` is followed there, so that the lane itself can be tried against the sandbox; the report then says so.
#![expect(clippy::print_stdout, reason = "a person reads along")]

mod paid;
mod report;

use std::collections::BTreeSet;
use std::process::ExitCode;

use report::Report;
use whetstone_catalog::catalog;
use whetstone_cloud::profiles::{ConfigFiles, Service, Surroundings};
use whetstone_cloud::{Cloud, CloudError, Credentials, Endpoint, JobStatus, S3Uri};

/// Output folders of so many jobs are looked at.
const MOST_JOBS: usize = 10;

type Outcome<T> = Result<T, String>;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("live: {message}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Outcome<()> {
    let call = Call::read()?;
    let profile = std::env::var("WHETSTONE_LIVE_PROFILE")
        .map_err(|_| "WHETSTONE_LIVE_PROFILE names no profile; this lane is for a person with an account")?;
    let plan =
        ConfigFiles::read(Surroundings::of_this_process()).plan(&profile).map_err(|refusal| refusal.to_string())?;
    let region = std::env::var("AWS_REGION").ok().or_else(|| plan.region.clone());
    let region = region.ok_or(format!("neither AWS_REGION nor the profile {profile} names a Region"))?;
    let endpoints = plan.endpoints.clone();
    let elsewhere = endpoints.get(Service::Bedrock).map(str::to_owned);
    let credentials = Credentials::Profile { plan: Box::new(plan), code: None };
    let cloud = Cloud::connect(Endpoint { region: region.clone(), endpoints, credentials }).map_err(words)?;

    let mut report = Report::begin(&region, elsewhere.as_deref());
    identity(&cloud, &mut report).await?;
    models(&cloud, &region, &mut report).await;
    jobs(&cloud, &mut report).await;
    prices(&cloud, &region, &mut report).await;
    if let Some(wanted) = &call.paid {
        // What was read so far is kept whatever becomes of the job.
        report.save(&call.report)?;
        paid::run(&cloud, &region, wanted, &mut report).await?;
    } else {
        report.note("No job was started: that needs --paid.");
    }
    report.save(&call.report)?;
    println!("written to {}", call.report);
    Ok(())
}

struct Call {
    report: String,
    paid: Option<paid::Wanted>,
}

impl Call {
    fn read() -> Outcome<Self> {
        const USAGE: &str = "live REPORT.md [--paid --role ARN --bucket NAME]";
        let (mut report, mut asked, mut role, mut bucket) = (None, false, None, None);
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--paid" => asked = true,
                "--role" => role = arguments.next(),
                "--bucket" => bucket = arguments.next(),
                other if !other.starts_with('-') => report = Some(other.to_owned()),
                _ => return Err(USAGE.into()),
            }
        }
        let paid = match (asked, role, bucket) {
            (false, ..) => None,
            (true, Some(role), Some(bucket)) => Some(paid::Wanted { role, bucket }),
            (true, ..) => return Err("--paid needs --role and --bucket".into()),
        };
        Ok(Self { report: report.ok_or(USAGE)?, paid })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "stands behind map_err")]
pub fn words(error: CloudError) -> String {
    error.to_string()
}

async fn identity(cloud: &Cloud, report: &mut Report) -> Outcome<()> {
    report.section("Who is asking");
    let identity = cloud.identity().await.map_err(words)?;
    report.line(&format!("account {}, {}", identity.account, identity.arn));
    Ok(())
}

/// Which of the catalog's models are there, under which ids, in which state.
async fn models(cloud: &Cloud, region: &str, report: &mut Report) {
    report.section("Base models");
    let listed = match cloud.foundation_models().await {
        Ok(listed) => listed,
        Err(error) => return report.unsettled("which models can be tuned here", &error.to_string()),
    };
    for model in listed.iter().filter(|model| !model.customizations.is_empty()) {
        let known = catalog().find(&model.id).map_or("not in the catalog", |known| known.lifecycle.status.as_str());
        report.line(&format!(
            "{}: {}; served {}; {}{}; the catalog says {known}",
            model.id,
            model.customizations.join(", "),
            model.inference_types.join(", "),
            model.lifecycle.as_deref().unwrap_or("no lifecycle"),
            model.end_of_life.map_or_else(String::new, |_| " with an end of life".to_owned()),
        ));
    }
    for known in catalog().models().iter().filter(|known| !known.local && known.tunable_in(region)) {
        let here = listed.iter().find(|model| model.id == known.id);
        match here {
            Some(model) if !model.customizations.is_empty() => {
                report.settled(&format!("{} can be tuned in {region}", known.id));
            }
            Some(_) => report.settled(&format!("{} is listed in {region} and cannot be tuned there", known.id)),
            None => report.settled(&format!("{} is not listed in {region}", known.id)),
        }
    }
}

/// Where jobs left their loss files, and which hyperparameters they were started with.
async fn jobs(cloud: &Cloud, report: &mut Report) {
    report.section("Jobs that are there");
    let jobs = match cloud.jobs(None).await {
        Ok(jobs) => jobs,
        Err(error) => return report.unsettled("where loss files lie", &error.to_string()),
    };
    report.line(&format!("{} jobs", jobs.len()));
    let mut places = BTreeSet::new();
    for summary in jobs.iter().take(MOST_JOBS) {
        let job = match cloud.job(&summary.arn).await {
            Ok(job) => job,
            Err(error) => {
                report.line(&format!("{}: {error}", summary.name));
                continue;
            }
        };
        let keys: Vec<&str> = job.hyperparameters.keys().map(String::as_str).collect();
        report.line(&format!("{} on {}: hyperparameters {}", job.status.as_str(), job.base_model_arn, keys.join(", ")));
        if job.status == JobStatus::Completed {
            places.extend(csv_files(cloud, &job).await);
        }
    }
    if places.is_empty() {
        report.unsettled("where loss files lie", "no completed job with files was found");
    }
    for place in places {
        report.settled(&format!("a loss file lies at `<output>/model-customization-job-<id>/{place}`"));
    }
}

/// Paths of a job's CSV files below its own folder.
pub async fn csv_files(cloud: &Cloud, job: &whetstone_cloud::Job) -> Vec<String> {
    let Some(output) = job.output_uri.as_deref().and_then(S3Uri::parse) else { return Vec::new() };
    let id = job.arn.rsplit('/').next().unwrap_or_default();
    let folder = output.child(&format!("model-customization-job-{id}"));
    let Ok(objects) = cloud.list_objects(&folder.bucket, &format!("{}/", folder.key)).await else { return Vec::new() };
    let below = |key: &str| key.strip_prefix(&folder.key).map(|rest| rest.trim_start_matches('/').to_owned());
    objects.iter().filter(|object| object.key.ends_with(".csv")).filter_map(|object| below(&object.key)).collect()
}

async fn prices(cloud: &Cloud, region: &str, report: &mut Report) {
    report.section("Prices");
    let rows = match cloud.bedrock_prices(region).await {
        Ok(rows) => rows,
        Err(error) => return report.unsettled("prices", &error.to_string()),
    };
    report.line(&format!("{} rows that could be read", rows.len()));
    let wanted = ["Customization", "custom-model", "RFT", "ModelUnits"];
    for row in rows.iter().filter(|row| wanted.iter().any(|word| row.usage_type.contains(word))) {
        let dated = row.published.as_deref().unwrap_or("no date");
        report.settled(&format!("{}: {} USD per {:?} ({dated})", row.usage_type, row.usd, row.unit));
    }
}
