"""What others make of the same file: one of them a process, named on the command line.

The pydantic model holds the rules of the Bedrock conversation format for Nova as the project's facts tell them; it is
the kind of validator that AWS publishes, written anew. Polars ends at the first broken line, so it is given a file
without any.
"""

import sys
from pathlib import Path

RESERVED = ("system:", "user:", "bot:", "assistant:", "thought:", "[eos]", "<image>", "<video>", "<unk>")


def json_lines(path):
    import json

    good = 0
    with path.open("rb") as file:
        for line in file:
            try:
                json.loads(line)
                good += 1
            except ValueError:
                pass
    return good


def orjson_lines(path):
    import orjson

    good = 0
    with path.open("rb") as file:
        for line in file:
            try:
                orjson.loads(line)
                good += 1
            except ValueError:
                pass
    return good


def pydantic_records(path):
    from typing import Literal, Optional

    from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

    class Text(BaseModel):
        model_config = ConfigDict(extra="forbid")
        text: str

        @field_validator("text")
        @classmethod
        def holds_no_reserved_word(cls, text):
            lower = text.lower()
            for word in RESERVED:
                if word in lower:
                    raise ValueError(f"{word} is reserved")
            if not lower.strip():
                raise ValueError("the text is empty")
            return text

    class Message(BaseModel):
        role: Literal["user", "assistant"]
        content: list[Text]

        @field_validator("content")
        @classmethod
        def has_a_block(cls, content):
            if not content:
                raise ValueError("there is no block")
            return content

    class Conversation(BaseModel):
        schemaVersion: Optional[str] = None
        system: Optional[list[Text]] = None
        messages: list[Message]

        @model_validator(mode="after")
        def takes_turns(self):
            if len(self.messages) < 2:
                raise ValueError("there are fewer than two messages")
            for place, message in enumerate(self.messages):
                if message.role != ("user", "assistant")[place % 2]:
                    raise ValueError(f"message {place} is out of turn")
            if self.messages[-1].role != "assistant":
                raise ValueError("the last message is not the assistant's")
            return self

    good = 0
    with path.open("rb") as file:
        for line in file:
            try:
                Conversation.model_validate_json(line)
                good += 1
            except ValidationError:
                pass
    return good


def polars_scan(path):
    import polars

    return polars.scan_ndjson(path).select(polars.col("messages").count()).collect().item()


def duckdb_read(path):
    import duckdb

    columns = (
        "{'schemaVersion': 'VARCHAR', 'system': 'STRUCT(\"text\" VARCHAR)[]',"
        " 'messages': 'STRUCT(\"role\" VARCHAR, content STRUCT(\"text\" VARCHAR)[])[]'}"
    )
    query = f"SELECT count(messages) FROM read_json('{path}', format='newline_delimited', columns={columns}, ignore_errors=true)"
    return duckdb.sql(query).fetchall()[0][0]


PEERS = {
    "json": json_lines,
    "orjson": orjson_lines,
    "pydantic": pydantic_records,
    "polars": polars_scan,
    "duckdb": duckdb_read,
}

if __name__ == "__main__":
    print(PEERS[sys.argv[1]](Path(sys.argv[2])))
