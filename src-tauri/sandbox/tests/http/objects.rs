//! What S3 promises here beyond what its clients' own tests see: nothing half-written, nothing by mistake.

use aws_sigv4::http_request::SignableBody;

use crate::client::receive;
use crate::running::start;

#[tokio::test]
async fn an_upload_that_is_not_what_it_says_leaves_the_old_object() {
    let running = start().await;
    let client = &running.client;
    assert_eq!(client.s3("PUT", "/bucket", b"").await.status, 200);
    assert_eq!(client.s3("PUT", "/bucket/key", b"old").await.status, 200);
    for (name, value) in [("content-md5", "XUFAKrxLKna5cZ2REBfFkg=="), ("x-amz-checksum-crc32", "NhCmhg==")] {
        let mut request = client.signed("s3", "PUT", "/bucket/key", b"new");
        request.headers_mut().insert(name, value.parse().unwrap());
        let answer = receive(client.send(request).await).await;
        assert_eq!(answer.status, 400, "{name}");
        assert!(answer.text().contains("<Code>BadDigest</Code>"), "{}", answer.text());
        assert_eq!(client.s3("GET", "/bucket/key", b"").await.text(), "old");
    }
    let mut right = client.signed("s3", "PUT", "/bucket/key", b"hello");
    right.headers_mut().insert("x-amz-checksum-crc32", "NhCmhg==".parse().unwrap());
    assert_eq!(client.send(right).await.status(), 200);
    assert_eq!(client.s3("GET", "/bucket/key", b"").await.text(), "hello");
    let staging = running.folder.path().join("s3-staging");
    assert_eq!(std::fs::read_dir(staging).unwrap().count(), 0, "what was refused is not kept");
}

#[tokio::test]
async fn a_chunked_upload_is_held_to_its_trailing_checksum() {
    let running = start().await;
    let client = &running.client;
    assert_eq!(client.s3("PUT", "/bucket", b"").await.status, 200);
    for (checksum, status) in [("NhCmhg==", 200), ("AAAAAA==", 400)] {
        let body = format!("3\r\nhel\r\n2\r\nlo\r\n0\r\nx-amz-checksum-crc32:{checksum}\r\n\r\n");
        let signable = SignableBody::StreamingUnsignedPayloadTrailer;
        let mut request = client.signed_as("s3", "PUT", "/bucket/chunked", body.as_bytes(), signable);
        for (name, value) in [
            ("content-encoding", "aws-chunked"),
            ("x-amz-decoded-content-length", "5"),
            ("x-amz-trailer", "x-amz-checksum-crc32"),
        ] {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let answer = receive(client.send(request).await).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert_eq!(client.s3("GET", "/bucket/chunked", b"").await.text(), "hello");
    }
    let mut request = client.signed("s3", "HEAD", "/bucket/chunked", b"");
    request.headers_mut().insert("x-amz-checksum-mode", "ENABLED".parse().unwrap());
    let head = receive(client.send(request).await).await;
    assert_eq!(head.header("x-amz-checksum-crc32"), "NhCmhg==");
    assert_eq!(head.header("content-encoding"), "", "how it was sent is not what it is");
}

#[tokio::test]
async fn a_bucket_is_made_only_on_purpose_and_goes_only_when_it_is_empty() {
    let running = start().await;
    let client = &running.client;
    let answer = client.s3("PUT", "/mistyped/key", b"x").await;
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("<Code>NoSuchBucket</Code>"));
    assert!(!running.folder.path().join("s3/mistyped").exists());

    assert_eq!(client.s3("PUT", "/bucket", b"").await.status, 200);
    assert_eq!(client.s3("PUT", "/bucket/a/b", b"x").await.status, 200);
    let refused = client.s3("DELETE", "/bucket", b"").await;
    assert_eq!(refused.status, 409);
    assert!(refused.text().contains("<Code>BucketNotEmpty</Code>"));
    assert_eq!(client.s3("DELETE", "/bucket/a/b", b"").await.status, 204);
    assert_eq!(client.s3("DELETE", "/bucket", b"").await.status, 204);
    assert_eq!(client.s3("HEAD", "/bucket", b"").await.status, 404);
}

#[tokio::test]
async fn a_key_of_a_jobs_output_is_never_too_long() {
    let running = start().await;
    let client = &running.client;
    assert_eq!(client.s3("PUT", "/bucket", b"").await.status, 200);
    let key = format!("/bucket/{}", ["a-folder-with-a-long-name"; 30].join("/"));
    assert_eq!(client.s3("PUT", &key, b"x").await.status, 200);
    let list = client.s3("GET", "/bucket?list-type=2&prefix=a-folder", b"").await.text();
    assert!(list.contains(key.trim_start_matches("/bucket/")), "{list}");
}

#[tokio::test]
async fn a_folder_put_there_by_hand_is_a_bucket() {
    let running = start().await;
    let folder = running.folder.path().join("s3/by-hand");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("note.txt"), "hello").unwrap();
    let answer = running.client.s3("GET", "/by-hand/note.txt", b"").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "hello"));
    assert_eq!(answer.header("etag"), "\"5d41402abc4b2a76b9719d911017c592\"");
}
