use std::{fs, time::Duration};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use whetstone_cloud::{
    Cloud, CloudErrorCode, Credentials, Job, JobStatus, MAX_OBJECT_IN_MEMORY, Metrics, MetricsReader, Phases,
    SeriesNews, Timeouts,
};

use crate::answering::{Answering, Reply, endpoint};

/// S3 over a folder, at a port of its own.
pub struct Store {
    pub cloud: Cloud,
    pub url: String,
    pub folder: TempDir,
}

pub async fn store() -> Store {
    let folder = tempfile::tempdir().unwrap();
    let service = {
        let mut builder = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single("AKIDEXAMPLE", "a secret"));
        builder.build()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await.ok();
            });
        }
    });
    let cloud = Cloud::connect(endpoint(&url)).unwrap();
    cloud.ensure_bucket("data").await.unwrap();
    Store { cloud, url, folder }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let store = store().await;
    let error = store.cloud.get_object("data", "nothing").await.unwrap_err();
    assert_eq!((error.code, error.operation), (CloudErrorCode::NotFound, "GetObject"));
    assert_eq!(store.cloud.list_objects("no-such-bucket", "").await.unwrap_err().code, CloudErrorCode::NotFound);
}

#[tokio::test]
async fn a_wrong_key_is_a_matter_of_the_signature() {
    let store = store().await;
    let mut wrong = endpoint(&store.url);
    wrong.credentials = Credentials::Static { id: "AKIDEXAMPLE".into(), secret: "another".into(), session: None };
    let error = Cloud::connect(wrong).unwrap().get_object("data", "key").await.unwrap_err();
    assert_eq!(error.code, CloudErrorCode::Signature);
}

#[tokio::test]
async fn a_bucket_is_made_once() {
    let store = store().await;
    store.cloud.ensure_bucket("another").await.unwrap();
    store.cloud.ensure_bucket("another").await.unwrap();
    assert!(store.folder.path().join("another").is_dir());
}

#[tokio::test]
async fn a_bucket_is_made_in_the_region_of_the_connection() {
    for (region, place) in [("eu-west-1", Some("eu-west-1")), ("us-east-1", None)] {
        let mut server = Answering::start(|number, _| match number {
            0 => Reply::Answer { status: 404, headers: vec![], body: vec![] },
            _ => Reply::xml(""),
        })
        .await;
        let mut endpoint = endpoint(&server.url);
        endpoint.region = region.into();
        Cloud::connect(endpoint).unwrap().ensure_bucket("data").await.unwrap();
        assert_eq!(server.asked().await.method, "HEAD");
        let create = server.asked().await;
        assert_eq!(create.method, "PUT");
        let body = String::from_utf8(create.body).unwrap();
        match place {
            Some(place) => assert!(body.contains(&format!("<LocationConstraint>{place}<")), "{body}"),
            None => assert_eq!(body, ""),
        }
    }
}

#[tokio::test]
async fn a_long_listing_is_complete_and_in_order() {
    let store = store().await;
    let folder = store.folder.path().join("data/many");
    fs::create_dir(&folder).unwrap();
    for number in 0..1_100 {
        fs::write(folder.join(format!("{number:04}")), "abc").unwrap();
    }
    fs::write(store.folder.path().join("data/other"), "abc").unwrap();
    let objects = store.cloud.list_objects("data", "many/").await.unwrap();
    assert_eq!(objects.len(), 1_100);
    assert!(objects.is_sorted_by(|a, b| a.key < b.key));
    assert_eq!((objects[0].key.as_str(), objects[0].size), ("many/0000", 3));
}

fn job(status: JobStatus) -> Job {
    Job {
        arn: "arn:aws:bedrock:us-east-1:123456789012:model-customization-job/whetstone.tiny-v1/abcdefghijkl".into(),
        name: "job".into(),
        status,
        failure_message: None,
        phases: Phases::default(),
        base_model_arn: String::new(),
        customization_type: None,
        hyperparameters: std::collections::BTreeMap::new(),
        output_model_name: String::new(),
        output_model_arn: None,
        role_arn: String::new(),
        training_uri: None,
        validation_uris: vec![],
        output_uri: Some("s3://data/out/".into()),
        client_token: None,
        created: None,
        modified: None,
        ended: None,
        training_loss: None,
        validation_losses: vec![],
    }
}

#[tokio::test]
async fn loss_files_are_found_wherever_they_stand() {
    for place in [
        "validation_artifacts/post_fine_tuning_validation/validation_metrics.csv",
        "validation_artifacts/post_fine_tuning_validation/validation/validation_metrics.csv",
        "validation_artifacts/validation_metrics.csv",
    ] {
        let store = store().await;
        let folder = store.folder.path().join("data/out/model-customization-job-abcdefghijkl");
        let validation = folder.join(place);
        fs::create_dir_all(validation.parent().unwrap()).unwrap();
        fs::create_dir_all(folder.join("training_artifacts")).unwrap();
        fs::write(validation, "step_number,epoch_number,validation_loss,perplexity\n1,0,1.5,4.48\n").unwrap();
        let training = "step_number,epoch_number,training_loss,perplexity\n0,0,2.0,7.39\n1,0,1.7,5.47\n2,0,1";
        fs::write(folder.join("training_artifacts/step_wise_training_metrics.csv"), training).unwrap();

        let metrics = store.cloud.metrics(&job(JobStatus::InProgress)).await.unwrap();
        assert_eq!(
            metrics.training.iter().map(|point| (point.step, point.loss)).collect::<Vec<_>>(),
            [(0.0, 2.0), (1.0, 1.7)]
        );
        assert_eq!(metrics.validation.iter().map(|point| (point.step, point.loss)).collect::<Vec<_>>(), [(1.0, 1.5)]);
        assert_eq!(metrics.unreadable_lines, 0);
    }
}

#[tokio::test]
async fn a_loss_file_that_grew_is_read_on_and_one_written_anew_is_read_whole() {
    let store = store().await;
    let folder = store.folder.path().join("data/out/model-customization-job-abcdefghijkl/training_artifacts");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("step_wise_training_metrics.csv");
    let mut reader = MetricsReader::default();
    let mut metrics = Metrics::default();
    let mut look = async |text: &str, status: JobStatus| {
        fs::write(&file, text).unwrap();
        let news = store.cloud.metrics_news(&job(status), &mut reader).await.unwrap();
        let kind = match &news.training {
            SeriesNews::Same => "same",
            SeriesNews::More(_) => "more",
            SeriesNews::Anew(_) => "anew",
        };
        metrics.take(news);
        let losses: Vec<f64> = metrics.training.iter().map(|point| point.loss).collect();
        (kind, losses)
    };
    let head = "step_number,epoch_number,training_loss,perplexity\n";
    let running = JobStatus::InProgress;
    assert_eq!(look(&format!("{head}0,0,2.0,7.4\n1,0,1."), running.clone()).await, ("anew", vec![2.0]));
    assert_eq!(look(&format!("{head}0,0,2.0,7.4\n1,0,1."), running.clone()).await, ("same", vec![2.0]));
    assert_eq!(
        look(&format!("{head}0,0,2.0,7.4\n1,0,1.5,4.5\n2,0,1.2,3.3\n"), running.clone()).await.1,
        [2.0, 1.5, 1.2]
    );
    let grown = format!("{head}0,0,2.0,7.4\n1,0,1.5,4.5\n2,0,1.2,3.3\n3,0,1.1");
    assert_eq!(look(&grown, JobStatus::Completed).await, ("more", vec![2.0, 1.5, 1.2, 1.1]));
    let other = format!("{head}0,0,9.0,7.4\n1,0,8.0,4.5\n2,0,7.0,3.3\n3,0,6.0,3.3\n4,0,5.0,3.3\n");
    assert_eq!(look(&other, running).await, ("anew", vec![9.0, 8.0, 7.0, 6.0, 5.0]));
}

#[tokio::test]
async fn a_job_without_loss_files_has_no_metrics_yet() {
    let store = store().await;
    assert_eq!(store.cloud.metrics(&job(JobStatus::InProgress)).await.unwrap(), Default::default());
    let nowhere = Job { output_uri: Some("https://example.org".into()), ..job(JobStatus::Completed) };
    assert_eq!(store.cloud.metrics(&nowhere).await.unwrap_err().code, CloudErrorCode::Validation);
}

#[tokio::test]
async fn an_object_that_stops_coming_is_an_error_and_not_half_an_object() {
    let timeouts = Timeouts { stall: Duration::from_millis(300), ..Timeouts::default() };
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nthe beginning";
    let silent = Answering::start(move |_, _| Reply::ThenSilence(head.into())).await;
    let error = silent.cloud_with(timeouts).get_object("data", "key").await.unwrap_err();
    assert_eq!(error.code, CloudErrorCode::Unreachable, "{error}");
    let broken = Answering::start(move |_, _| Reply::ThenHangUp(head.into())).await;
    let error = broken.cloud_with(timeouts).get_object("data", "key").await.unwrap_err();
    assert_eq!(error.code, CloudErrorCode::Unreachable, "{error}");
}

#[tokio::test]
async fn an_object_too_large_for_memory_is_refused_before_it_is_read() {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", MAX_OBJECT_IN_MEMORY + 1);
    let server = Answering::start(move |_, _| Reply::ThenSilence(head.clone().into())).await;
    assert_eq!(server.cloud().get_object("data", "key").await.unwrap_err().code, CloudErrorCode::TooLarge);
}
