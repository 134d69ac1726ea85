"""S3 by the clients that people copy with: boto3 and its transfer manager, the AWS CLI, and rclone."""

import base64
import hashlib
import json
import os
import urllib.error
import urllib.request
import zlib

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from judge import refusal

PART = 5 << 20


@pytest.fixture(scope="module")
def bucket(account):
    account.s3.create_bucket(Bucket="objects")
    return "objects"


def noise(size, seed=1):
    """Bytes that do not compress, the same at each run."""
    return hashlib.shake_128(seed.to_bytes(4, "big")).digest(size)


def test_a_bucket_is_made_found_and_deleted(account):
    s3 = account.s3
    s3.create_bucket(Bucket="passing", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert s3.head_bucket(Bucket="passing")["BucketRegion"] == "eu-west-1"
    assert s3.get_bucket_location(Bucket="passing")["LocationConstraint"] == "eu-west-1"
    assert "Status" not in s3.get_bucket_versioning(Bucket="passing")
    told = s3.list_buckets()
    assert "passing" in [one["Name"] for one in told["Buckets"]]
    assert told["Owner"]["DisplayName"]
    assert refusal(s3.create_bucket, Bucket="passing")[:2] == ("BucketAlreadyOwnedByYou", 409)
    s3.delete_bucket(Bucket="passing")
    assert refusal(s3.head_bucket, Bucket="passing")[1] == 404


KEYS = ["a b", "a+b", "100%41", "ümlaut/ä", "dir/one", "dir/two", "dir/deeper/three", "z&<>'\""]


def test_every_key_is_listed_as_it_was_put(account, bucket):
    for key in KEYS:
        account.s3.put_object(Bucket=bucket, Key=f"keys/{key}", Body=key.encode())
    for operation in ("list_objects", "list_objects_v2"):
        pages = account.s3.get_paginator(operation).paginate(
            Bucket=bucket, Prefix="keys/", PaginationConfig={"PageSize": 3}
        )
        listed = [one["Key"] for page in pages for one in page["Contents"]]
        assert listed == sorted((f"keys/{key}" for key in KEYS), key=str.encode)
    folded = account.s3.list_objects_v2(Bucket=bucket, Prefix="keys/", Delimiter="/")
    assert [one["Prefix"] for one in folded["CommonPrefixes"]] == ["keys/dir/", "keys/ümlaut/"]
    for key in KEYS:
        assert account.s3.get_object(Bucket=bucket, Key=f"keys/{key}")["Body"].read() == key.encode()
    gone = account.s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": f"keys/{key}"} for key in KEYS]})
    assert len(gone["Deleted"]) == len(KEYS)
    assert account.s3.list_objects_v2(Bucket=bucket, Prefix="keys/")["KeyCount"] == 0


def test_ranges_and_conditions_of_reads_and_writes(account, bucket):
    s3 = account.s3
    tag = s3.put_object(Bucket=bucket, Key="digits", Body=b"0123456789", IfNoneMatch="*")["ETag"]
    assert s3.get_object(Bucket=bucket, Key="digits", Range="bytes=2-4")["Body"].read() == b"234"
    assert s3.get_object(Bucket=bucket, Key="digits", Range="bytes=-3")["Body"].read() == b"789"
    assert refusal(s3.get_object, Bucket=bucket, Key="digits", Range="bytes=10-")[:2] == ("InvalidRange", 416)
    assert refusal(s3.put_object, Bucket=bucket, Key="digits", Body=b"x", IfNoneMatch="*")[1] == 412
    assert refusal(s3.put_object, Bucket=bucket, Key="digits", Body=b"x", IfMatch='"other"')[1] == 412
    assert refusal(s3.get_object, Bucket=bucket, Key="digits", IfNoneMatch=tag)[1] == 304
    assert refusal(s3.head_object, Bucket=bucket, Key="digits", IfMatch='"other"')[1] == 412
    assert refusal(s3.get_object, Bucket=bucket, Key="digits", VersionId="other")[:2] == ("InvalidArgument", 400)
    s3.put_object(Bucket=bucket, Key="digits", Body=b"new", IfMatch=tag)
    assert s3.get_object(Bucket=bucket, Key="digits")["Body"].read() == b"new"


def test_a_copy_keeps_or_replaces_what_is_said_of_an_object(account, bucket):
    s3 = account.s3
    s3.put_object(Bucket=bucket, Key="from", Body=b"text", ContentType="text/plain", Metadata={"a": "b"})
    s3.copy_object(Bucket=bucket, Key="to", CopySource=f"{bucket}/from")
    kept = s3.head_object(Bucket=bucket, Key="to")
    assert (kept["ContentType"], kept["Metadata"]) == ("text/plain", {"a": "b"})
    s3.copy_object(
        Bucket=bucket, Key="to", CopySource=f"{bucket}/from", MetadataDirective="REPLACE", ContentType="text/csv"
    )
    replaced = s3.head_object(Bucket=bucket, Key="to")
    assert (replaced["ContentType"], replaced["Metadata"]) == ("text/csv", {})
    assert refusal(s3.copy_object, Bucket=bucket, Key="to", CopySource=f"{bucket}/not-there")[:2] == ("NoSuchKey", 404)
    s3.delete_object(Bucket=bucket, Key="to")
    s3.delete_object(Bucket=bucket, Key="to")


def digest(algorithm, content):
    if algorithm == "CRC32":
        return zlib.crc32(content).to_bytes(4, "big")
    return hashlib.new(algorithm.lower(), content).digest()


def text(raw):
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_a_checksum_is_verified_kept_and_told(account, bucket, algorithm):
    s3, member, key = account.s3, f"Checksum{algorithm}", f"checksum/{algorithm}"
    right = text(digest(algorithm, b"hello"))
    assert s3.put_object(Bucket=bucket, Key=key, Body=b"hello", ChecksumAlgorithm=algorithm)[member] == right
    told = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    assert (told[member], told["ChecksumType"]) == (right, "FULL_OBJECT")
    s3.put_object(Bucket=bucket, Key=key, Body=b"hello", **{member: right})
    wrong = text(digest(algorithm, b"other"))
    assert refusal(s3.put_object, Bucket=bucket, Key=key, Body=b"hello", **{member: wrong})[:2] == ("BadDigest", 400)
    assert s3.copy_object(Bucket=bucket, Key=key + "-copy", CopySource=f"{bucket}/{key}")["CopyObjectResult"][member] == right


@pytest.mark.parametrize(("algorithm", "kind"), [("SHA256", "COMPOSITE"), ("CRC32", "COMPOSITE"), ("CRC32", "FULL_OBJECT")])
def test_an_object_in_parts_keeps_the_checksum_of_its_parts_or_of_the_whole(account, bucket, algorithm, kind):
    s3, member, name = account.s3, f"Checksum{algorithm}", {"Bucket": bucket, "Key": f"parts/{algorithm}-{kind}"}
    begun = s3.create_multipart_upload(**name, ChecksumAlgorithm=algorithm, ChecksumType=kind, ContentType="text/plain")
    assert (begun["ChecksumAlgorithm"], begun["ChecksumType"]) == (algorithm, kind)
    upload = {**name, "UploadId": begun["UploadId"]}
    contents = [noise(PART, 1), noise(PART, 2), b"234"]
    s3.put_object(Bucket=bucket, Key="digits", Body=b"0123456789")
    sent = [
        s3.upload_part(**upload, PartNumber=number, Body=content, ChecksumAlgorithm=algorithm)
        for number, content in enumerate(contents[:2], 1)
    ]
    copied = s3.upload_part_copy(
        **upload, PartNumber=3, CopySource=f"{bucket}/digits", CopySourceRange="bytes=2-4"
    )["CopyPartResult"]
    assert begun["UploadId"] in [one["UploadId"] for one in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]]
    pages = s3.get_paginator("list_parts").paginate(**upload, PaginationConfig={"PageSize": 2})
    parts = [part for page in pages for part in page["Parts"]]
    assert [part[member] for part in parts] == [text(digest(algorithm, content)) for content in contents]
    named = [
        {"PartNumber": number, "ETag": part["ETag"], member: part[member]} for number, part in enumerate([*sent, copied], 1)
    ]
    whole = b"".join(contents)
    if kind == "COMPOSITE":
        expected = text(digest(algorithm, b"".join(digest(algorithm, content) for content in contents))) + "-3"
    else:
        expected = text(digest(algorithm, whole))
    wrong = [{**named[0], member: named[1][member]}, *named[1:]]
    assert refusal(s3.complete_multipart_upload, **upload, MultipartUpload={"Parts": wrong})[:2] == ("InvalidPart", 400)
    done = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": named})
    assert (done[member], done["ChecksumType"]) == (expected, kind)
    assert done["ETag"].endswith('-3"')
    got = s3.get_object(**name, ChecksumMode="ENABLED")
    assert got[member] == expected
    assert got["Body"].read() == whole
    assert refusal(s3.list_parts, **upload)[:2] == ("NoSuchUpload", 404)


def test_an_upload_that_is_given_up_leaves_nothing(account, bucket):
    s3, name = account.s3, {"Bucket": bucket, "Key": "given-up"}
    upload = {**name, "UploadId": s3.create_multipart_upload(**name)["UploadId"]}
    s3.upload_part(**upload, PartNumber=1, Body=b"x")
    s3.abort_multipart_upload(**upload)
    assert refusal(s3.upload_part, **upload, PartNumber=2, Body=b"x")[:2] == ("NoSuchUpload", 404)
    assert refusal(s3.head_object, **name)[1] == 404


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_address_opens_one_object_for_a_while(account, bucket, version):
    client = account.client("s3", config=Config(signature_version=version))
    put = client.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "signed"})
    # Version 2 signs the content type too, and Python would make one up.
    request = urllib.request.Request(put, data=b"by address", method="PUT", headers={"Content-Type": ""})
    assert urllib.request.urlopen(request).status == 200
    got = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "signed"})
    assert urllib.request.urlopen(got).read() == b"by address"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(got.replace("/signed?", "/digits?"))
    assert refused.value.code == 403
    late = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "signed"}, ExpiresIn=-60)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(late)
    assert refused.value.code in (400, 403)


def test_the_transfer_manager_brings_a_file_there_and_back_in_parts(account, bucket, tmp_path):
    sent, back = tmp_path / "sent", tmp_path / "back"
    sent.write_bytes(noise(3 * PART + 17))
    parts = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=4)
    account.s3.upload_file(str(sent), bucket, "transferred", Config=parts)
    account.s3.copy({"Bucket": bucket, "Key": "transferred"}, bucket, "copied", Config=parts)
    account.s3.download_file(bucket, "copied", str(back), Config=parts)
    assert back.read_bytes() == sent.read_bytes()


def test_the_command_line_calls_every_operation_on_objects(aws, tmp_path):
    body, got = tmp_path / "body", tmp_path / "got"
    body.write_bytes(b"0123456789")
    place = ("--bucket", "by-cli")
    aws("s3api", "create-bucket", *place)
    for command in ("head-bucket", "get-bucket-location", "get-bucket-versioning"):
        aws("s3api", command, *place)
    aws("s3api", "list-buckets")
    aws("s3api", "put-object", *place, "--key", "a", "--body", str(body))
    aws("s3api", "head-object", *place, "--key", "a")
    aws("s3api", "get-object", *place, "--key", "a", str(got))
    assert got.read_bytes() == b"0123456789"
    aws("s3api", "copy-object", *place, "--key", "b", "--copy-source", "by-cli/a")
    aws("s3api", "list-objects", *place)
    aws("s3api", "list-objects-v2", *place)
    key = (*place, "--key", "c")
    upload = (*key, "--upload-id", json.loads(aws("s3api", "create-multipart-upload", *key))["UploadId"])
    first = json.loads(aws("s3api", "upload-part", *upload, "--part-number", "1", "--body", str(body)))["ETag"]
    aws("s3api", "upload-part-copy", *upload, "--part-number", "2", "--copy-source", "by-cli/a")
    aws("s3api", "list-parts", *upload)
    aws("s3api", "list-multipart-uploads", *place)
    parts = json.dumps({"Parts": [{"PartNumber": 1, "ETag": first}]})
    aws("s3api", "complete-multipart-upload", *upload, "--multipart-upload", parts)
    given_up = json.loads(aws("s3api", "create-multipart-upload", *key))["UploadId"]
    aws("s3api", "abort-multipart-upload", *key, "--upload-id", given_up)
    aws("s3api", "delete-object", *place, "--key", "a")
    gone = json.dumps({"Objects": [{"Key": "b"}, {"Key": "c"}]})
    aws("s3api", "delete-objects", *place, "--delete", gone)
    aws("s3api", "delete-bucket", *place)
    assert aws.refused("s3api", "get-bucket-location", *place) == "NoSuchBucket"


def test_sync_carries_over_only_what_changed(aws, account, bucket, tmp_path):
    there, back = tmp_path / "there", tmp_path / "back"
    there.mkdir()
    for number in range(5):
        (there / f"{number}.txt").write_text(str(number) * 100)
    aws("s3", "sync", str(there), f"s3://{bucket}/sync")
    (there / "3.txt").unlink()
    (there / "4.txt").write_text("changed")
    told = aws("s3", "sync", "--delete", str(there), f"s3://{bucket}/sync")
    assert sorted(line.split(":")[0] for line in told.splitlines() if ": " in line) == ["delete", "upload"]
    aws("s3", "sync", f"s3://{bucket}/sync", str(back))
    assert {one.name: one.read_text() for one in back.iterdir()} == {one.name: one.read_text() for one in there.iterdir()}


def test_rclone_brings_a_folder_there_and_back(rclone, bucket, tmp_path):
    there, back = tmp_path / "there", tmp_path / "back"
    (there / "deeper").mkdir(parents=True)
    (there / "small.txt").write_text("small")
    (there / "deeper" / "ü +%.bin").write_bytes(noise(2 * PART + 1))
    rclone("sync", str(there), f"box:{bucket}/rclone")
    rclone("check", str(there), f"box:{bucket}/rclone", "--download")
    assert "small.txt" in rclone("ls", f"box:{bucket}/rclone")
    rclone("sync", f"box:{bucket}/rclone", str(back))
    for path in ("small.txt", "deeper/ü +%.bin"):
        assert (back / path).read_bytes() == (there / path).read_bytes()
    os.remove(there / "small.txt")
    rclone("sync", str(there), f"box:{bucket}/rclone")
    assert "small.txt" not in rclone("ls", f"box:{bucket}/rclone")
