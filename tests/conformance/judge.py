"""Judges every answer by botocore's own service model: HTTP status, members, types, enums, patterns, lengths, errors.

botocore reads answers leniently, so a client's silence proves little; this asks for what the model promises. A judge
listens to a client's own events, which botocore offers for that, so no client is patched and no call escapes: an answer
that breaks the model fails the call that brought it.
"""

import datetime
import json
import re
from xml.etree import ElementTree

from botocore.exceptions import ClientError

PARSED = {
    "string": str,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "boolean": bool,
    "timestamp": datetime.datetime,
    "structure": dict,
    "map": dict,
    "list": list,
}

# What a service answers whatever the operation, with its status, by the protocol that the service speaks.
JSON_ERRORS = {
    "ExpiredTokenException": 403,
    "InvalidSignatureException": 403,
    "MissingAuthenticationTokenException": 403,
    "RequestEntityTooLargeException": 413,
    "SerializationException": 400,
    "UnknownOperationException": 404,
    "UnrecognizedClientException": 403,
}
COMMON_ERRORS = {
    "rest-json": JSON_ERRORS,
    # Services of this protocol answer all of the client's mistakes with 400.
    "json": dict.fromkeys([*JSON_ERRORS, "AccessDeniedException", "ThrottlingException"], 400),
    "query": {
        "AccessDenied": 403,
        "ExpiredToken": 403,
        "InvalidAction": 400,
        "InvalidClientTokenId": 403,
        "MissingAuthenticationToken": 403,
        "RequestEntityTooLarge": 413,
        "ServiceUnavailable": 503,
        "SignatureDoesNotMatch": 403,
        "Throttling": 400,
        "ValidationError": 400,
    },
    # The service model names hardly any of S3's errors; these are those of its reference.
    "rest-xml": {
        "AccessDenied": 403,
        "BadDigest": 400,
        "BucketAlreadyOwnedByYou": 409,
        "BucketNotEmpty": 409,
        "EntityTooLarge": 400,
        "ExpiredToken": 400,
        "EntityTooSmall": 400,
        "ExpiredToken": 400,
        "IncompleteBody": 400,
        "InternalError": 500,
        "InvalidAccessKeyId": 403,
        "InvalidArgument": 400,
        "InvalidBucketName": 400,
        "InvalidDigest": 400,
        "InvalidPart": 400,
        "InvalidPartOrder": 400,
        "InternalError": 500,
        "InvalidRange": 416,
        "InvalidRequest": 400,
        "MalformedXML": 400,
        "NoSuchBucket": 404,
        "NoSuchKey": 404,
        "NoSuchUpload": 404,
        "NotImplemented": 501,
        "PreconditionFailed": 412,
        "RequestTimeTooSkewed": 403,
        "SignatureDoesNotMatch": 403,
        "SlowDown": 503,
        "XAmzContentSHA256Mismatch": 400,
        # An answer to HEAD, and one that nothing has changed, have no body to name an error in.
        "304": 304,
        "400": 400,
        "403": 403,
        "404": 404,
        "412": 412,
        "416": 416,
    },
}


def watch(client, seen):
    """Judges every answer that `client` gets from now on, and tells `seen(service, operation)` of those that are good."""

    def after_call(http_response, parsed, model, **_):
        complaints = list(judge_answer(client.meta.service_model, model, http_response, parsed))
        assert not complaints, "\n".join(complaints)
        if http_response.status_code < 300:
            seen(client.meta.service_model, model)

    client.meta.events.register("after-call", after_call)
    return client


def judge_answer(service, operation, response, parsed):
    """Every way in which an answer is not what the model of its operation promises."""
    name, status = operation.name, response.status_code
    if not parsed["ResponseMetadata"].get("RequestId"):
        yield f"{name}: the answer has no request id"
    if status >= 300:
        yield from judge_error(service, operation, response, parsed)
        return
    expected = operation.http.get("responseCode", 200)
    # A part of an object is asked for by a header, which the model does not know of.
    if status != expected and not (status == 206 and "ContentRange" in parsed):
        yield f"{name} answered {status}, the model says {expected}"
    shape = operation.output_shape
    if shape is None:
        return
    body = {key: value for key, value in parsed.items() if key != "ResponseMetadata"}
    yield from judge(shape, body, name)
    if operation.has_streaming_output or operation.has_event_stream_output or "payload" in shape.serialization:
        return
    if service.protocol in ("json", "rest-json"):
        yield from judge_raw(shape, json.loads(response.content or b"{}"), name, service.protocol)
    elif service.protocol == "query":
        root = ElementTree.fromstring(response.content)
        yield from judge_xml(shape, root.find(f"{{*}}{name}Result"), name)


def judge_error(service, operation, response, parsed):
    name, status, code = operation.name, response.status_code, parsed["Error"].get("Code")
    declared = {shape.error_code: shape for shape in operation.error_shapes}
    common = COMMON_ERRORS[service.protocol]
    if code in declared:
        promised = declared[code].metadata.get("error", {}).get("httpStatusCode", status)
    elif code in common:
        promised = common[code]
    else:
        yield f"{name} answered {code!r}, which is none of its errors: {sorted(declared)}"
        return
    if status != promised:
        yield f"{name} answered {code} with {status}, the model says {promised}"
    if service.protocol in ("json", "rest-json"):
        body = json.loads(response.content or b"{}")
        if service.protocol == "rest-json" and code not in response.headers.get("x-amzn-errortype", ""):
            yield f"{name}: {code} has no x-amzn-errortype"
        if not (body.get("message") or body.get("Message")):
            yield f"{name}: {code} says nothing"
        if code in declared:
            told = {key: value for key, value in body.items() if key not in ("__type", "message", "Message")}
            yield from judge_raw(declared[code], told, f"{name} {code}", service.protocol)
    elif not code.isdigit() and not parsed["Error"].get("Message"):
        yield f"{name}: {code} says nothing"


def events(client, operation, stream):
    """The events of a stream as (name, body), each held to the model."""
    name = client.meta.method_to_api_mapping[operation]
    shape = client.meta.service_model.operation_model(name).get_event_stream_output()
    told = []
    for event in stream:
        assert len(event) == 1, f"{name}: an event is one thing, not {sorted(event)}"
        ((member, body),) = event.items()
        complaints = list(judge(shape.members[member], body, f"{name} {member}"))
        assert not complaints, "\n".join(complaints)
        told.append((member, body))
    return told


def refusal(call, *arguments, **named):
    """(code, HTTP status, message) with which a call is refused; it must be."""
    try:
        answer = call(*arguments, **named)
    except ClientError as error:
        told = error.response
        return told["Error"]["Code"], told["ResponseMetadata"]["HTTPStatusCode"], told["Error"].get("Message", "")
    raise AssertionError(f"was not refused: {answer}")


def judge(shape, value, where, types=PARSED):
    """Every way in which `value`, as a client hands it out, is not what `shape` promises."""
    kind = types.get(shape.type_name)
    # Of IAM's texts, botocore itself hands out policy documents as what they say.
    if kind is None or is_stream(shape) or (shape.name == "policyDocumentType" and isinstance(value, dict)):
        return
    if not isinstance(value, kind):
        yield f"{where}: {type(value).__name__} instead of {shape.type_name}"
        return
    yield from bounds(shape, value, where)
    if shape.type_name == "structure":
        # A document holds what it likes.
        if getattr(shape, "is_document_type", False):
            return
        for name in shape.required_members:
            if name not in value:
                yield f"{where}: {name} is missing"
        if getattr(shape, "is_tagged_union", False) and len(value) != 1:
            yield f"{where}: a union has one member, not {sorted(value)}"
        for name, member in value.items():
            yield from judge(shape.members[name], member, f"{where}.{name}", types)
    elif shape.type_name == "list":
        for index, member in enumerate(value):
            yield from judge(shape.member, member, f"{where}[{index}]", types)
    elif shape.type_name == "map":
        for key, member in value.items():
            yield from judge(shape.key, key, f"{where} key", types)
            yield from judge(shape.value, member, f"{where}[{key}]", types)


def bounds(shape, value, where):
    meta = shape.metadata
    size = len(value) if isinstance(value, (str, list, dict)) else value
    if "min" in meta and size < meta["min"]:
        yield f"{where}: {size} is below {meta['min']}"
    if "max" in meta and size > meta["max"]:
        yield f"{where}: {size} is above {meta['max']}"
    if isinstance(value, str):
        if "enum" in meta and value not in meta["enum"]:
            yield f"{where}: {value!r} is none of {meta['enum']}"
        if "pattern" in meta and not re.search(rf"^(?:{java_pattern(meta['pattern'])})$", value, re.DOTALL):
            yield f"{where}: {value!r} does not match {meta['pattern']}"


def java_pattern(pattern):
    """Models are written for Java; what it calls letters, spaces and numbers is a little wider in Python's words."""
    for java, python in ((r"\p{L}", r"\w"), (r"\p{M}", ""), (r"\p{N}", r"\d"), (r"\p{Z}", r"\s")):
        pattern = pattern.replace(java, python)
    return pattern


RAW = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "blob": (str,),
}


def judge_raw(shape, value, where, protocol):
    """What a client's parser forgives in JSON: members that the model does not know, nulls, and the wrong kind of text."""
    if getattr(shape, "is_document_type", False):
        return
    if shape.type_name == "timestamp":
        yield from judge_time(shape, value, where)
        return
    if isinstance(value, bool) != (shape.type_name == "boolean") or not isinstance(value, RAW[shape.type_name]):
        yield f"{where}: {json.dumps(value)[:80]} is no {shape.type_name}"
        return
    if shape.type_name == "structure":
        members = {
            member.serialization.get("name", name): member
            for name, member in shape.members.items()
            if "location" not in member.serialization
        }
        for name, member in value.items():
            if name in members:
                yield from judge_raw(members[name], member, f"{where}.{name}", protocol)
            else:
                yield f"{where}: the model knows no {name}"
    elif shape.type_name == "list":
        for index, member in enumerate(value):
            yield from judge_raw(shape.member, member, f"{where}[{index}]", protocol)
    elif shape.type_name == "map":
        for key, member in value.items():
            yield from judge_raw(shape.value, member, f"{where}[{key}]", protocol)


def judge_time(shape, value, where):
    """Times are seconds unless the model says otherwise; botocore reads nearly anything, the Rust SDK does not."""
    if shape.serialization.get("timestampFormat", "unixTimestamp") == "iso8601":
        if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value):
            yield f"{where}: {value!r} is no ISO 8601 time"
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        yield f"{where}: {value!r} is no number of seconds"


def judge_xml(shape, element, where):
    """Elements that the model does not know; what is missing or wrong shows in the parsed answer."""
    if element is None:
        yield f"{where}: there is no result"
        return
    if shape.type_name == "structure":
        members = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        for child in element:
            name = child.tag.rpartition("}")[2]
            if name in members:
                yield from judge_xml(members[name], child, f"{where}.{name}")
            else:
                yield f"{where}: the model knows no {name}"
    elif shape.type_name == "list":
        for index, child in enumerate(element):
            yield from judge_xml(shape.member, child, f"{where}[{index}]")


def is_stream(shape):
    told = shape.serialization
    return told.get("eventstream") or told.get("streaming") or shape.type_name == "blob"
