//! S3.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier};

use crate::{BUCKET, Clients, Outcome};

pub async fn all(clients: &Clients) -> Outcome<()> {
    let s3 = &clients.s3;
    s3.create_bucket().bucket(BUCKET).send().await?;
    s3.head_bucket().bucket(BUCKET).send().await?;
    s3.get_bucket_location().bucket(BUCKET).send().await?;
    s3.get_bucket_versioning().bucket(BUCKET).send().await?;
    s3.list_buckets().send().await?;
    let body = ByteStream::from_static(b"0123456789");
    s3.put_object().bucket(BUCKET).key("digits").body(body).send().await?;
    let part = s3.get_object().bucket(BUCKET).key("digits").range("bytes=2-4").send().await?;
    same(part.body.collect().await?.to_vec().as_slice(), b"234".as_slice())?;
    s3.head_object().bucket(BUCKET).key("digits").send().await?;
    s3.copy_object().bucket(BUCKET).key("copy").copy_source(format!("{BUCKET}/digits")).send().await?;
    s3.list_objects().bucket(BUCKET).send().await?;
    let listed = s3.list_objects_v2().bucket(BUCKET).prefix("co").send().await?;
    same(&listed.contents().len(), &1)?;
    in_parts(clients).await?;
    let doomed = Delete::builder().objects(ObjectIdentifier::builder().key("copy").build()?).build()?;
    s3.delete_objects().bucket(BUCKET).delete(doomed).send().await?;
    s3.delete_object().bucket(BUCKET).key("digits").send().await?;
    s3.create_bucket().bucket("rust-sdk-passing").send().await?;
    s3.delete_bucket().bucket("rust-sdk-passing").send().await?;
    Ok(())
}

async fn in_parts(clients: &Clients) -> Outcome<()> {
    let s3 = &clients.s3;
    let begin = || s3.create_multipart_upload().bucket(BUCKET).key("parts");
    let upload = begin().checksum_algorithm(ChecksumAlgorithm::Crc32).send().await?;
    let id = upload.upload_id().unwrap_or_default();
    let first = s3
        .upload_part()
        .bucket(BUCKET)
        .key("parts")
        .upload_id(id)
        .part_number(1)
        .checksum_algorithm(ChecksumAlgorithm::Crc32)
        .body(ByteStream::from(vec![7; 5 << 20]))
        .send()
        .await?;
    let second = s3
        .upload_part_copy()
        .bucket(BUCKET)
        .key("parts")
        .upload_id(id)
        .part_number(2)
        .copy_source(format!("{BUCKET}/digits"))
        .send()
        .await?;
    s3.list_multipart_uploads().bucket(BUCKET).send().await?;
    s3.list_parts().bucket(BUCKET).key("parts").upload_id(id).send().await?;
    let copied = second.copy_part_result();
    let parts = [
        (first.e_tag(), first.checksum_crc32()),
        (copied.and_then(|part| part.e_tag()), copied.and_then(|part| part.checksum_crc32())),
    ];
    let parts = parts.into_iter().zip(1..).map(|((e_tag, crc32), number)| {
        CompletedPart::builder()
            .part_number(number)
            .set_e_tag(e_tag.map(str::to_owned))
            .set_checksum_crc32(crc32.map(str::to_owned))
            .build()
    });
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
    s3.complete_multipart_upload().bucket(BUCKET).key("parts").upload_id(id).multipart_upload(parts).send().await?;
    let whole = s3.get_object().bucket(BUCKET).key("parts").send().await?;
    same(&whole.body.collect().await?.to_vec().len(), &((5 << 20) + 10))?;
    let given_up = begin().send().await?;
    let id = given_up.upload_id().unwrap_or_default();
    s3.abort_multipart_upload().bucket(BUCKET).key("parts").upload_id(id).send().await?;
    Ok(())
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(got: &T, wanted: &T) -> Outcome<()> {
    if got == wanted { Ok(()) } else { Err(format!("{got:?} is not {wanted:?}").into()) }
}
