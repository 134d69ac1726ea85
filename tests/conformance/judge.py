"""Judges an answer by botocore's own service model: HTTP status, required members, types, enums, patterns, lengths.

botocore reads answers leniently, so a client's silence proves little; this asks for what the model promises.
"""

import datetime
import re

from botocore.exceptions import ClientError

TYPES = {
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

# A model's or provider's display name has at most 20 characters by the model, but the service itself sends longer
# ones, "Titan Multimodal Embeddings G1" among them.
LONGER_THAN_MODELLED = {"BrandedName"}


def ask(client, operation, **arguments):
    """Calls `client.operation(**arguments)`, holds the answer to the model, and returns it."""
    answer = getattr(client, operation)(**arguments)
    name = client.meta.method_to_api_mapping[operation]
    model = client.meta.service_model.operation_model(name)
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    expected = model.http.get("responseCode", 200)
    assert status == expected, f"{name} answered {status}, the model says {expected}"
    if model.output_shape is not None:
        body = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
        complaints = list(judge(model.output_shape, body, name))
        assert not complaints, "\n".join(complaints)
    return answer


def refusal(call, *arguments, **named):
    """(code, HTTP status, message) with which a call is refused; it must be."""
    try:
        answer = call(*arguments, **named)
    except ClientError as error:
        told = error.response
        return told["Error"]["Code"], told["ResponseMetadata"]["HTTPStatusCode"], told["Error"].get("Message", "")
    raise AssertionError(f"was not refused: {answer}")


def judge(shape, value, where):
    """Every way in which `value` is not what `shape` promises."""
    kind = TYPES.get(shape.type_name)
    if kind is None or is_stream(shape):
        return
    if not isinstance(value, kind):
        yield f"{where}: {type(value).__name__} instead of {shape.type_name}"
        return
    yield from bounds(shape, value, where)
    if shape.type_name == "structure":
        for name in shape.required_members:
            if name not in value:
                yield f"{where}: {name} is missing"
        for name, member in value.items():
            yield from judge(shape.members[name], member, f"{where}.{name}")
    elif shape.type_name == "list":
        for index, member in enumerate(value):
            yield from judge(shape.member, member, f"{where}[{index}]")
    elif shape.type_name == "map":
        for key, member in value.items():
            yield from judge(shape.key, key, f"{where} key")
            yield from judge(shape.value, member, f"{where}[{key}]")


def bounds(shape, value, where):
    meta = shape.metadata
    size = len(value) if isinstance(value, (str, list, dict)) else value
    if "min" in meta and size < meta["min"]:
        yield f"{where}: {size} is below {meta['min']}"
    if "max" in meta and size > meta["max"] and shape.name not in LONGER_THAN_MODELLED:
        yield f"{where}: {size} is above {meta['max']}"
    if isinstance(value, str):
        if "enum" in meta and value not in meta["enum"]:
            yield f"{where}: {value!r} is none of {meta['enum']}"
        if "pattern" in meta and not re.search(rf"^(?:{meta['pattern']})$", value):
            yield f"{where}: {value!r} does not match {meta['pattern']}"


def is_stream(shape):
    return getattr(shape, "is_eventstream", False) or shape.serialization.get("streaming") or shape.type_name == "blob"
