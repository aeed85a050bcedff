"""The mini questions in the hub's form of MMLU (cais/mmlu): all subjects in one Parquet file a split."""

import csv

import pyarrow as pa
import pyarrow.parquet as pq

SUBJECTS = ["mini_programming", "mini_geography", "mini_household_physics"]
SCHEMA = pa.schema(
    [("question", pa.string()), ("subject", pa.string()), ("choices", pa.list_(pa.string())), ("answer", pa.int64())]
)


def write(mini, out):
    """Reads the folder of the mini suite's CSV files and writes `all/SPLIT-00000-of-00001.parquet`."""
    (out / "all").mkdir(parents=True, exist_ok=True)
    for split in ("test", "dev"):
        rows = []
        for subject in SUBJECTS:
            with (mini / split / f"{subject}_{split}.csv").open(newline="", encoding="utf-8-sig") as file:
                for question, *choices, answer in csv.reader(file):
                    rows.append({"question": question, "subject": subject, "choices": choices, "answer": "ABCD".index(answer)})
        pq.write_table(pa.Table.from_pylist(rows, SCHEMA), out / "all" / f"{split}-00000-of-00001.parquet")
