"""Digests of all prompts of whole benchmarks, over the files that their authors publish."""

import csv
import hashlib
import json

from . import harness

CHATS = [
    None,
    {"system": None, "shots_as_turns": False},
    {"system": "Answer briefly.", "shots_as_turns": True},
]


def _mmlu_rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return [
            {"question": row[0], "choices": row[1:5], "answer": "ABCD".index(row[5])}
            for row in csv.reader(file)
        ]


def _mmlu(data):
    for path in sorted((harness.TASKS / "mmlu/default").glob("mmlu_*.yaml")):
        settings = harness.config(path.relative_to(harness.TASKS))
        subject = settings["dataset_name"]
        splits = {split: _mmlu_rows(data / f"mmlu/{split}/{subject}_{split}.csv") for split in ("test", "dev")}
        yield subject, settings, splits


def _json_lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _gsm8k(data, name):
    splits = {split: _json_lines(data / f"gsm8k/{split}.jsonl") for split in ("test", "train")}
    yield "", harness.config(f"gsm8k/{name}.yaml"), splits


def _tsv(path, columns=None):
    lines = path.read_text(encoding="utf-8-sig").split("\n")
    lines = lines[:-1] if lines[-1] == "" else lines
    rows = [line.split("\t") for line in lines]
    header = columns or rows.pop(0)
    return [dict(zip(header, row, strict=True)) for row in rows]


def _glue_row(task, row, number):
    labels = ["entailment", "not_entailment"]
    match task:
        case "cola" | "sst2":
            fields = {"sentence": row["sentence"], "label": int(row["label"])}
        case "mrpc":
            fields = {"sentence1": row["#1 String"], "sentence2": row["#2 String"], "label": int(row["Quality"])}
        case "qnli":
            fields = {key: row[key] for key in ("question", "sentence")} | {"label": labels.index(row["label"])}
        case "rte":
            fields = {key: row[key] for key in ("sentence1", "sentence2")} | {"label": labels.index(row["label"])}
        case "wnli":
            fields = {key: row[key] for key in ("sentence1", "sentence2")} | {"label": int(row["label"])}
    return fields | {"idx": number}


def _glue(data, names):
    folders = {"cola": "CoLA", "mrpc": "MRPC", "qnli": "QNLI", "rte": "RTE", "sst2": "SST-2", "wnli": "WNLI"}
    for name in names:
        columns = ["source", "label", "mark", "sentence"] if name == "cola" else None
        splits = {}
        for split, file in (("validation", "dev"), ("train", "train")):
            path = data / "glue" / folders[name] / f"{file}.tsv"
            if path.exists():
                splits[split] = [_glue_row(name, row, number) for number, row in enumerate(_tsv(path, columns))]
        settings = harness.config(f"glue/{name}/default.yaml")
        if "train" not in splits:
            settings.pop("training_split")
        yield name, settings, splits


def _digest(parts, shots=None, seed=1234, chat=None):
    digest = hashlib.sha256()
    items = 0
    for name, settings, splits in parts:
        for item in harness.prompts(harness.task(dict(settings), splits, shots, seed), chat):
            digest.update(harness.canonical(item))
            items += 1
    return {"items": items, "shots": shots, "seed": seed, "chat": chat, "sha256": digest.hexdigest()}


def digests(data):
    """All cases: the suite, the tasks asked of it, and the digest."""
    found = []
    for chat in CHATS:
        found.append({"suite": "mmlu", "tasks": []} | _digest(_mmlu(data), 5, chat=chat))
        found.append({"suite": "gsm8k", "tasks": []} | _digest(_gsm8k(data, "gsm8k"), 5, chat=chat))
        found.append({"suite": "gsm8k_cot", "tasks": []} | _digest(_gsm8k(data, "gsm8k-cot"), 8, chat=chat))
        with_train = ["cola", "mrpc", "rte", "sst2", "wnli"]
        found.append({"suite": "glue_prompt", "tasks": with_train} | _digest(_glue(data, with_train), 3, chat=chat))
    found.append({"suite": "glue_prompt", "tasks": ["qnli"]} | _digest(_glue(data, ["qnli"]), 0))
    found.append({"suite": "mmlu", "tasks": []} | _digest(_mmlu(data), 2))
    found.append({"suite": "gsm8k", "tasks": []} | _digest(_gsm8k(data, "gsm8k"), 8, seed=7))
    found.append({"suite": "gsm8k_cot", "tasks": []} | _digest(_gsm8k(data, "gsm8k-cot"), 3))
    return found
