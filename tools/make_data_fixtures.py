#!/usr/bin/env python3
"""Writes the fixtures of evalh-data: what Python reads from the same bytes.

Needs (any recent versions): pip install datasets pyarrow
Use: python tools/make_data_fixtures.py crates/evalh-data/tests/data [--benchmarks ../shared/datasets]

- *.parquet, *.json: small files with invented content by the `datasets` library and by `pyarrow`, and their rows as
  `pyarrow` reads them.
- refused/*.parquet: files that use what evalh-data does not read.
- benchmarks.json, with --benchmarks only: for files of real benchmarks their number of rows and a sha256 of the rows as
  JSON, read with Python's `csv` module, `str.split` and `json`. No row of theirs is stored.
"""

import argparse
import csv
import hashlib
import json
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq


def hub(out: Path) -> None:
    """As the hub's copies of benchmarks are made: the datasets library's own to_parquet."""
    features = datasets.Features({
        "question": datasets.Value("string"),
        "choices": datasets.List(datasets.Value("string")),
        "answer": datasets.ClassLabel(names=["A", "B", "C", "D"]),
        "score": datasets.Value("float32"),
        "idx": datasets.Value("int32"),
        "spans": {"text": datasets.List(datasets.Value("string")), "start": datasets.List(datasets.Value("int64"))},
        "turns": [{"role": datasets.Value("string"), "words": datasets.List(datasets.Value("string"))}],
    })
    rows = [
        {
            "question": f"Which of four colours does stone {n} have? \"{'ä' * (n % 3)}\"\n",
            "choices": ["red", "green", "blue", f"colour {n}"],
            "answer": n % 4,
            "score": n / 10,
            "idx": n,
            "spans": {"text": [f"stone {n}"] * (n % 3), "start": list(range(n % 3))},
            "turns": [{"role": "asker", "words": ["which", str(n)][: t + 1]} for t in range(n % 3)],
        }
        for n in range(20)
    ]
    rows[3]["choices"] = None
    rows[4]["question"] = None
    rows[5]["answer"] = None
    rows[6]["turns"] = None
    rows[7]["turns"] = [{"role": None, "words": None}, {"role": "x", "words": [None, ""]}]
    datasets.Dataset.from_list(rows, features=features).to_parquet(out / "hub.parquet")


def kinds() -> pa.Table:
    """Every kind of value that is read, with missing ones at every level."""
    n = 24
    some = lambda values: [None if k % 7 == 3 else v for k, v in enumerate(values)]  # noqa: E731
    field = pa.field
    return pa.table(
        {
            "i8": pa.array(some([k - 20 for k in range(n)]), pa.int8()),
            "i16": pa.array([(k - 20) * 1000 for k in range(n)], pa.int16()),
            "u8": pa.array(some([255 - k for k in range(n)]), pa.uint8()),
            "u32": pa.array([2**32 - 1 - k for k in range(n)], pa.uint32()),
            "i64": pa.array(some([-(2**63) + k for k in range(n)]), pa.int64()),
            "u64": pa.array([2**64 - 1 - k for k in range(n)], pa.uint64()),
            "f32": pa.array(some([k / 3 for k in range(n)]), pa.float32()),
            "f64": pa.array([1e300 / (k + 1) for k in range(n)], pa.float64()),
            "bool": pa.array(some([k % 3 == 0 for k in range(n)]), pa.bool_()),
            "none": pa.nulls(n),
            "word": pa.array(some(["ab"[k % 2] for k in range(n)]), pa.dictionary(pa.int32(), pa.string())),
            "text": pa.array([f"line {k}\r\n\"{chr(0x1F600 + k)}\"" for k in range(n)], pa.large_string()),
            "lists": pa.array(
                some([[[k] * j for j in range(k % 3)] if k % 5 else None for k in range(n)]),
                pa.list_(pa.list_(pa.int32())),
            ),
            "deep": pa.array(
                some([[{"a": k, "b": ["x"] * (k % 2), "c": {"d": k % 3 == 0 or None}}] * (k % 4) for k in range(n)]),
                pa.list_(pa.struct([
                    field("a", pa.int64()), field("b", pa.list_(pa.string())), field("c", pa.struct([field("d", pa.bool_())])),
                ])),
            ),
            "needed": pa.array([f"{k}" for k in range(n)], pa.string()),
        },
        schema=pa.schema([
            field("i8", pa.int8()), field("i16", pa.int16()), field("u8", pa.uint8()), field("u32", pa.uint32()),
            field("i64", pa.int64()), field("u64", pa.uint64()), field("f32", pa.float32()), field("f64", pa.float64()),
            field("bool", pa.bool_()), field("none", pa.null()), field("word", pa.dictionary(pa.int32(), pa.string())),
            field("text", pa.large_string()), field("lists", pa.list_(pa.list_(pa.int32()))),
            field("deep", pa.list_(pa.struct([
                field("a", pa.int64()), field("b", pa.list_(pa.string())), field("c", pa.struct([field("d", pa.bool_())])),
            ]))),
            field("needed", pa.string(), nullable=False),
        ]),
    )


# How the same table is written.
WAYS = {
    "snappy": {},
    "plain_groups": {"compression": "none", "use_dictionary": False, "row_group_size": 9},
    "second_version": {"data_page_version": "2.0", "write_page_checksum": True, "write_page_index": True},
    "second_version_plain": {"data_page_version": "2.0", "compression": "none", "use_dictionary": False},
    "small_pages": {"data_page_size": 16, "write_batch_size": 3, "use_compliant_nested_type": False, "version": "1.0"},
}


def refused(out: Path) -> None:
    out.mkdir(exist_ok=True)
    write = lambda name, values, kind, **options: pq.write_table(  # noqa: E731
        pa.table({"x": pa.array(values, kind)}), out / f"{name}.parquet", **options
    )
    for codec in ["gzip", "zstd", "brotli", "lz4"]:
        write(codec, ["a", "b"], pa.string(), compression=codec)
    write("delta", [1, 2], pa.int64(), use_dictionary=False, column_encoding="DELTA_BINARY_PACKED")
    write("binary", [b"a", b"b"], pa.binary())
    write("timestamp", [1, 2], pa.timestamp("ms"))
    write("date", [1, 2], pa.date32())
    write("half", [1.0, 2.0], pa.float16())
    write("decimal", [1, 2], pa.decimal128(9, 2))
    write("map", [[("a", 1)]], pa.map_(pa.string(), pa.int32()))
    write("nan", [1.0, float("nan")], pa.float64())


def digest(rows: list) -> dict:
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    return {"rows": len(rows), "sha256": hashlib.sha256(text.encode()).hexdigest()}


def benchmarks(root: Path) -> dict:
    digests = {}
    for split in ["dev", "val", "test"]:
        rows = []
        for path in sorted((root / "mmlu" / split).glob("*.csv")):
            with path.open(newline="", encoding="utf-8") as file:
                rows += list(csv.reader(file))
        digests[f"mmlu/{split}"] = digest(rows)
    for path in sorted(root.glob("glue/*/*.tsv")):
        text = path.read_bytes().decode().removeprefix("\ufeff").removesuffix("\n")
        rows = [line.split("\t") for line in text.split("\n")]
        digests[str(path.relative_to(root))] = digest(rows)
    for path in sorted(root.glob("*/*.jsonl")):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").removesuffix("\n").split("\n")]
        digests[str(path.relative_to(root))] = digest(rows)
    return digests


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--benchmarks", type=Path)
    arguments = parser.parse_args()
    out: Path = arguments.out
    out.mkdir(exist_ok=True)
    hub(out)
    for name, options in WAYS.items():
        pq.write_table(kinds(), out / f"{name}.parquet", **{"store_schema": False, **options})
    pq.write_table(kinds().slice(0, 0), out / "empty.parquet", store_schema=False)
    for name in ["hub", "snappy", "empty"]:
        # The other ways hold the same table as the first.
        rows = pq.read_table(out / f"{name}.parquet").to_pylist()
        lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        (out / f"{name}.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    refused(out / "refused")
    if arguments.benchmarks:
        text = json.dumps(benchmarks(arguments.benchmarks), indent=1)
        (out / "benchmarks.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
