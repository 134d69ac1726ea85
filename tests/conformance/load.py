"""Many requests at once, quicker than any SDK could send them: each is signed once, by botocore, and sent again and again.

A signature is good for some minutes, so the load must be over by then.
"""

import asyncio
import math
import time
from collections import Counter
from urllib.parse import quote

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def signed(environment, service, target, method="GET"):
    """The bytes of a signed request without a body."""
    endpoint, region = environment["AWS_ENDPOINT_URL"], environment["AWS_REGION"]
    credentials = Credentials(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])
    request = AWSRequest(method=method, url=endpoint + target)
    request.headers["Host"] = endpoint.removeprefix("http://")
    (S3SigV4Auth if service == "s3" else SigV4Auth)(credentials, service, region).add_auth(request)
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode()


def reads(environment, job_arn, bucket, key):
    """Reads of the control plane and of S3, as a client makes them that shows a job."""
    job = quote(job_arn, safe="")
    targets = [
        "/foundation-models",
        "/foundation-models?byCustomizationType=FINE_TUNING",
        "/model-customization-jobs?maxResults=10",
        f"/model-customization-jobs/{job}",
        "/custom-models",
        "/model-customization/custom-model-deployments",
        "/provisioned-model-throughputs",
    ]
    requests = [signed(environment, "bedrock", target) for target in targets]
    objects = [signed(environment, "s3", f"/{bucket}/{key}"), signed(environment, "s3", f"/{bucket}?list-type=2")]
    return requests, objects


async def answer(reader):
    """The status of the next answer, whose body is read to its end."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status = int(head.split(" ", 2)[1])
    fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    if "content-length" in fields:
        await reader.readexactly(int(fields["content-length"]))
    elif fields.get("transfer-encoding") == "chunked":
        while size := int((await reader.readline()).split(b";")[0], 16):
            await reader.readexactly(size + 2)
        await reader.readuntil(b"\r\n")
    return status


async def connection(port, turns, found):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for kind, request in turns:
        began = time.monotonic()
        writer.write(request)
        status = await answer(reader)
        found.append((kind, status, time.monotonic() - began))
    writer.close()


async def all_of(port, kinds, total, connections):
    everything = [(kind, request) for kind, requests in kinds.items() for request in requests]
    turns = [everything[index % len(everything)] for index in range(total)]
    found = []
    began = time.monotonic()
    await asyncio.gather(*(connection(port, turns[at::connections], found) for at in range(connections)))
    return found, time.monotonic() - began


def send(port, kinds, total, connections):
    """Sends `total` requests over so many connections, one after the other on each. `kinds` names lists of requests.

    Figures: how many were answered with which status, and for each kind the median and the 99th percentile of seconds.
    """
    found, seconds = asyncio.run(all_of(port, kinds, total, connections))
    figures = {
        "requests": len(found),
        "connections": connections,
        "statuses": dict(Counter(status for _, status, _ in found)),
        "seconds": round(seconds, 2),
        "requests_per_second": round(len(found) / seconds),
    }
    for kind in kinds:
        took = sorted(taken for name, _, taken in found if name == kind)
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            figures[f"{kind}_{name}_ms"] = round(1000 * took[math.ceil(share * len(took)) - 1], 2)
    return figures
