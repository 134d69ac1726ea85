"""A large file there and back, by each of the clients that people copy with: what comes back is what was sent.

`WHETSTONE_TRANSFER_MB` says how large; a gigabyte is tried by hand, as it takes a minute or two.
"""

import hashlib
import os

import pytest

SIZE = int(os.environ.get("WHETSTONE_TRANSFER_MB", "64")) * 1_000_000

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A folder with one file of chance in it, and the file's digest."""
    folder = tmp_path_factory.mktemp("large")
    with (folder / "file.bin").open("wb") as out:
        for at in range(0, SIZE, 1 << 20):
            out.write(os.urandom(min(1 << 20, SIZE - at)))
    return folder, digest(folder / "file.bin")


@pytest.fixture
def place(account, request):
    name = f"large-{abs(hash(request.node.name)) % 10**9}"
    account.s3.create_bucket(Bucket=name)
    yield name
    for entry in account.s3.list_objects_v2(Bucket=name).get("Contents", []):
        account.s3.delete_object(Bucket=name, Key=entry["Key"])
    account.s3.delete_bucket(Bucket=name)


def digest(path):
    with path.open("rb") as body:
        return hashlib.file_digest(body, "sha256").hexdigest()


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA256"])
def test_the_transfer_manager(account, large, place, tmp_path, algorithm):
    folder, sent = large
    back = tmp_path / "back"
    account.s3.upload_file(str(folder / "file.bin"), place, "file.bin", ExtraArgs={"ChecksumAlgorithm": algorithm})
    kept = account.s3.head_object(Bucket=place, Key="file.bin", ChecksumMode="ENABLED")
    assert kept["ContentLength"] == SIZE
    assert kept[f"Checksum{algorithm}"]
    account.s3.download_file(place, "file.bin", str(back))
    assert digest(back) == sent


def test_the_command_line_s_sync(aws, large, place, tmp_path):
    folder, sent = large
    aws("s3", "sync", str(folder), f"s3://{place}/")
    aws("s3", "sync", f"s3://{place}/", str(tmp_path))
    assert digest(tmp_path / "file.bin") == sent


def test_rclone(rclone, large, place, tmp_path):
    folder, sent = large
    rclone("copy", str(folder), f"box:{place}")
    rclone("check", str(folder), f"box:{place}")
    rclone("copy", f"box:{place}", str(tmp_path))
    assert digest(tmp_path / "file.bin") == sent
