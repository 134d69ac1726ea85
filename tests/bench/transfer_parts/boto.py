"""boto3 as a program of its own: `boto.py default|crt up|down one|many LOCAL BUCKET KEY`.

`default` is boto3's own transfer manager with its defaults; `crt` the AWS common runtime client that boto3 takes when it
is installed and asked for. boto3 makes that one for TLS whatever the endpoint says; here it is made for the plain HTTP that
the server speaks. Many files go through one manager, all of them submitted at once, as its documentation has it.
"""

import functools
import os
import sys
from pathlib import Path

import boto3
import boto3.crt
from boto3.s3.transfer import TransferConfig, create_transfer_manager

boto3.crt.create_s3_crt_client = functools.partial(boto3.crt.create_s3_crt_client, use_ssl=False)


def main():
    kind, direction, how, local, bucket, key = sys.argv[1:]
    client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    config = TransferConfig(preferred_transfer_client="crt" if kind == "crt" else "classic")
    pairs = [(Path(local), key)]
    if how == "many" and direction == "up":
        pairs = [(path, f"{key}/{path.name}") for path in sorted(Path(local).iterdir())]
    if how == "many" and direction == "down":
        Path(local).mkdir(parents=True, exist_ok=True)
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{key}/")
        keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
        pairs = [(Path(local) / one.rsplit("/", 1)[1], one) for one in keys]
    with create_transfer_manager(client, config) as manager:
        name = type(manager).__name__
        if kind == "crt" and "CRT" not in name:
            sys.exit(f"boto3 took {name} and not its CRT client")
        if direction == "up":
            futures = [manager.upload(str(path), bucket, one) for path, one in pairs]
        else:
            futures = [manager.download(bucket, one, str(path)) for path, one in pairs]
        for future in futures:
            future.result()


main()
