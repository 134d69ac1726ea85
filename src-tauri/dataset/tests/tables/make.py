"""Makes the Parquet and XLSX files of this folder, and what their records are, with other people's tools.

    pip install pandas pyarrow openpyxl
    python make.py
"""

import datetime
import json
import pathlib

import openpyxl
import pandas
import pyarrow
import pyarrow.parquet

FOLDER = pathlib.Path(__file__).parent
EXPECTED = {}

ROWS = [
    {"id": 1, "question": "Où est ma carte ?", "answer": "arrival", "score": 0.1, "when": datetime.date(2026, 1, 31)},
    {"id": 2, "question": "line one\nline two, \"quoted\"", "answer": "", "score": 2.5, "when": datetime.date(1999, 12, 1)},
    {"id": 3, "question": "🙂", "answer": "lost", "score": None, "when": None},
]


def expect(name, records):
    EXPECTED[name] = records


def pairs(text=str):
    return [
        {
            "prompt": row["question"],
            "completion": row["answer"],
            "extra": {key: text(row[key]) for key in ("id", "score", "when")},
        }
        for row in ROWS
    ]


def parquet():
    value = lambda cell: str(cell) if isinstance(cell, datetime.date) else cell
    for compression in ("none", "snappy", "gzip", "zstd"):
        name = f"pairs-{compression}.parquet"
        # An index that pandas keeps in a column of its own.
        frame = pandas.DataFrame(ROWS, index=[10, 11, 13])
        schema = pyarrow.schema([("id", pyarrow.int64()), ("question", pyarrow.string()), ("answer", pyarrow.string()),
                                 ("score", pyarrow.float64()), ("when", pyarrow.date32())])
        table = pyarrow.Table.from_pandas(frame, schema=schema)
        pyarrow.parquet.write_table(table, FOLDER / name, compression=compression, row_group_size=2)
        expect(name, pairs(value))
    # Texts as lengths and as differences, which other writers choose by themselves.
    for version in ("1.0", "2.0"):
        name = f"pairs-delta-{version[0]}.parquet"
        encodings = {"question": "DELTA_BYTE_ARRAY", "answer": "DELTA_LENGTH_BYTE_ARRAY"}
        pyarrow.parquet.write_table(table, FOLDER / name, compression="snappy", use_dictionary=False,
                                    column_encoding=encodings, data_page_version=version)
        expect(name, pairs(value))
    conversations = [
        {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"},
                      {"role": "assistant", "content": "Hello"}], "tags": ["a", "b"], "source": {"name": "web"}},
        {"messages": [{"role": "user", "content": "Bye"}, {"role": "assistant", "content": None}], "tags": [],
         "source": None},
    ]
    table = pyarrow.Table.from_pylist(conversations)
    pyarrow.parquet.write_table(table, FOLDER / "messages.parquet", compression="zstd")
    expect("messages.parquet", [
        {"turns": [[message["role"], message["content"]] for message in record["messages"]],
         "extra": {"tags": record["tags"], "source": record["source"]}}
        for record in conversations
    ])


def xlsx():
    shown = lambda cell: "" if cell is None else str(cell)
    frame = pandas.DataFrame(ROWS)
    frame["when"] = pandas.to_datetime(frame["when"])
    with pandas.ExcelWriter(FOLDER / "pairs.xlsx", engine="openpyxl") as writer:
        frame.to_excel(writer, index=False, sheet_name="pairs")
        pandas.DataFrame({"x": [1]}).to_excel(writer, index=False, sheet_name="notes")
    expect("pairs.xlsx", pairs(shown))
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Where is my card?", "arrival"])
    sheet.append([None, None])
    sheet.append(["Is it true?", True])
    sheet.append(["How much?", "=1+1"])
    book.save(FOLDER / "no-header.xlsx")
    # A formula that nothing has worked out yet shows nothing.
    expect("no-header.xlsx", [
        {"prompt": "Where is my card?", "completion": "arrival", "extra": {}},
        {"prompt": "Is it true?", "completion": "true", "extra": {}},
        {"prompt": "How much?", "completion": "", "extra": {}},
    ])


parquet()
xlsx()
(FOLDER / "expected.json").write_text(json.dumps(EXPECTED, indent=1, ensure_ascii=False) + "\n")
