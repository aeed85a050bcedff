#!/usr/bin/env python3
"""Writes the long manifests of suites in datasets/: mmlu, gsm8k, glue and quixbugs.

Needs a folder with copies of the files and their SHA256SUMS, laid out as `SUITE/PATH` (python tools/make_suite_manifests.py
../shared/datasets). Hashes and sizes are those of the copies, where a source has the same bytes. Hashes of the hub's
Parquet files are what public checks of these commits state; where none was found the field is left out, and the hash is
taken on first use.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

MMLU_HUB = [
    ("all/dev-00000-of-00001.parquet", None, None),
    ("all/test-00000-of-00001.parquet", 3504718, "74a41822ce7d3def56e1682f958469c04642a5336a5ce912fa375fdb90fb25d7"),
]
GSM8K_HUB = [
    ("main/train-00000-of-00001.parquet", None, "ea82612ea9582142387730c793eb67d3b12849002bc0b7fa6f8efafa7351419d"),
    ("main/test-00000-of-00001.parquet", None, "ee7b8da9e381df27b9e3f7758a159ab2bdaa4dbaa910546cbbc47e0cb44e4f59"),
]
GLUE_HUB = [
    ("cola/validation", 37551, "c14b7219a7d9f9fe3dd291fd000f6623ee413805eb108c9c49578ed50873e4ba"),
    ("sst2/validation", 72819, "a1371f3b3a7b0bcefa8388799a9359dc3ce76c349cc0079507a7991364fd2a9b"),
    ("mrpc/validation", 75678, "33c007dbf5bfa8463d87a13e6226df8c0fcf2596c2cd39d0f3bb79754e00f50f"),
    ("stsb/validation", 150622, "152de7cf1fa34ee4df1c243bd209b02ade21a1d5c4fb3b7da5240f78e4000aa9"),
    ("qqp/validation", 3729274, "efd86a539c412d74874ee451573d7bd142f56c47fe36de033b9f367d8bb0fa71"),
    ("mnli/validation_matched", 1214936, "7f918c09d9c35446b8e8f06a5672f8ab704e2897fecbf52e2e154141f3d7c421"),
    ("mnli/validation_mismatched", 1251152, "04aba92823a954be36fe1b69b61eed334c9eb1009daba0dd79f69d77b87c535c"),
    ("qnli/validation", 872062, "e69311b81dc65589286091d9905a27617a90436dd215c7a59832fa8f4f336169"),
    ("rte/validation", 69020, "fb2aa2e04f551133ba663617a15ae133dc22b0f6a969bc0629b5ea6003ee9cf8"),
    ("wnli/validation", 11067, "880037e45e03df868d5799ca21dc03f3a6378f0adf3c01c7bfc46b94fa61f1cb"),
]
# For shots alone, and large: not fetched, but known where a user's folder has them.
GLUE_HUB_TRAIN = [
    ("cola/train", 251124, "2e7538afa2000e63f5343f16a758d75c452661a384208399d2035cd2fce45c33"),
    ("sst2/train", 3110468, "66a253e67968acfabcbe49dbe9da964b42ac1c851c40ab760e8c8942efdb3229"),
    ("mrpc/train", 649281, "61fd41301e0e244b0420c4350a170c8e7cf64740335fc875a4af2d79af0df0af"),
    ("stsb/train", 502065, "bbd93bbb988fd18437e02185fe3b2bd9a18350376c392e7820de9df1b247ed1f"),
    ("qqp/train", 33558839, "4d6f02e643f7c36e9a4f7d4971a5ee9bd74063a319452fe6c87850c739774cd7"),
    ("mnli/train", 52224361, "49a4a5508b89b8fed2c6e81d2c47d00f4759050a7048c6cc5d95d31122ced3c1"),
    ("qnli/train", 17528917, "ebc7cb70a5bbde0b0336c3d51f31bb4df4673e908e8874b090b52169b1365c6c"),
    ("rte/train", 583976, "a6252ab17015d718f6de1effe0980f7b158df63e3d16207cd8bd396b608e5147"),
    ("wnli/train", 38835, "40f4c0c60db68addeda8e9cbe25e6344cd99d5bbb80125535994a9a3141ee0a9"),
]
# Official files of which there is no copy here.
GLUE_UNSEEN = [
    "MNLI/dev_matched.tsv", "MNLI/dev_mismatched.tsv", "MNLI/train.tsv", "QQP/dev.tsv", "QQP/train.tsv", "QNLI/train.tsv",
]
# The copy of QNLI's dev set has the official rows and other bytes, so that its hash says nothing of another copy.
GLUE_UNPINNED = ["QNLI/dev.tsv"]
# Programs of QuixBugs whose tests are Python, beside those without JSON cases.
QUIXBUGS_SPECIAL = ["knapsack", "levenshtein", "sqrt"]


class Manifest:
    """A manifest that grows section by section."""

    def __init__(self, copies: Path, name: str, comment: str, **fields):
        self.copies, self.name = copies / name, name
        sums = (line.split("  ") for line in (copies / "SHA256SUMS").read_text().splitlines())
        self.sums = {path.removeprefix(f"{name}/"): sha for sha, path in sums if path.startswith(f"{name}/")}
        self.lines = [f"# {line}" for line in comment.splitlines()]
        self.fields(name=name, kind="suite", **fields)

    def fields(self, **fields):
        self.lines += [f"{key} = {json.dumps(value)}" for key, value in fields.items() if value is not None]

    def section(self, header: str, **fields):
        self.lines += ["", f"[[{header}]]"]
        self.fields(**fields)

    def file(self, section: str, path: str, member=None, size=None, sha256=None):
        self.section(f"{section}.file", path=path, member=member, bytes=size, sha256=sha256)

    def copied(self, section: str, path: str, member=None):
        """A file with the size and hash of the copy."""
        self.file(section, path, member, (self.copies / path).stat().st_size, self.sums[path])

    def hub(self, repo: str, revision: str, files):
        self.section("source", type="hub", repo=repo, repo_type="dataset", revision=revision)
        for path, size, sha256 in files:
            self.file("source", path, None, size, sha256)

    def git(self, repo: str, commit: str):
        self.section("source", type="git", url=f"https://github.com/{repo}", commit=commit)

    def write(self):
        path = ROOT / "datasets" / f"{self.name}.toml"
        path.write_text("\n".join(["# Made by tools/make_suite_manifests.py.", *self.lines, ""]), encoding="utf-8")


def mmlu(copies: Path):
    manifest = Manifest(
        copies, "mmlu",
        "The hub's copy has one Parquet file a split, with the subject as a column; upstream's own layout is a CSV file a\n"
        "subject. Upstream's repository has no data beyond an early draft; the git source is a public copy whose test and\n"
        "dev rows equal a second one.",
        description="MMLU: 14042 multiple-choice questions of 57 subjects, with five examples a subject",
        licence="MIT", upstream="https://github.com/hendrycks/test", split="test", items=14042,
    )
    manifest.hub("cais/mmlu", "c30699e8356da336a370243923dbaf21066bb9fe", MMLU_HUB)
    manifest.git("jonny-vr/LLMCBench", "720be179c2492271f61d7a09291ffd003f36f47d")
    paths = sorted(path for path in manifest.sums if path.endswith(".csv"))
    for path in paths:
        if not path.startswith("val/"):
            manifest.copied("source", path, f"data/MMLU/{path}")
    # No suite reads them; the git source lacks rows of one.
    manifest.section("layout")
    for path in paths:
        if path.startswith("val/"):
            manifest.copied("layout", path)
    manifest.write()


def gsm8k(copies: Path):
    manifest = Manifest(
        copies, "gsm8k", "The examples before a question are drawn from the train split.",
        description="GSM8K: 1319 grade-school arithmetic problems in words",
        licence="MIT", upstream="https://github.com/openai/grade-school-math", split="test", items=1319,
    )
    manifest.hub("openai/gsm8k", "740312add88f781978c0658806c59bc2815b9866", GSM8K_HUB)
    manifest.git("openai/grade-school-math", "3101c7d5072418e28b9008a6636bde82a006892c")
    for path in ["train.jsonl", "test.jsonl"]:
        manifest.copied("source", path, f"grade_school_math/data/{path}")
    manifest.write()


def glue(copies: Path):
    manifest = Manifest(
        copies, "glue",
        "GLUE has no licence of its own; each task keeps that of its source. CoLA: sentences of published works, expected to\n"
        "be fair use in research. STS-B: scores CC BY-SA 4.0, each text source has its own terms. Not checked against their\n"
        "owners' pages: MRPC, Microsoft Research's terms; SST-2 and RTE, none stated, for research; QNLI, CC BY-SA 4.0 (of\n"
        "SQuAD); WNLI, CC BY 4.0; MNLI, mostly the OANC's terms; QQP, Quora's terms.\n"
        "The sets for validation alone: the test sets have no public labels. The last layout is that of the official\n"
        "download; no public repository was found that holds it as a whole.",
        description="GLUE: nine tasks of English sentence classification and similarity, validation sets",
        licence="LicenseRef-differs-by-task", upstream="https://gluebenchmark.com", split="validation", items=69711,
    )
    files = [(f"{path}-00000-of-00001.parquet", size, sha) for path, size, sha in GLUE_HUB]
    manifest.hub("nyu-mll/glue", "bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c", files)
    manifest.section("layout")
    for path, size, sha in GLUE_HUB_TRAIN:
        manifest.file("layout", f"{path}-00000-of-00001.parquet", None, size, sha)
    manifest.section("layout")
    for path in sorted([*(path for path in manifest.sums if path.endswith((".tsv"))), *GLUE_UNSEEN]):
        if path in manifest.sums and path not in GLUE_UNPINNED:
            manifest.copied("layout", path)
        else:
            manifest.file("layout", path)
    manifest.write()


def quixbugs(copies: Path):
    manifest = Manifest(
        copies, "quixbugs",
        "A checkout of upstream's Python half; its commit pins the bytes. The layout is the same as JSON, an object a program.",
        description="QuixBugs: 40 small Python programs with a defect of one line each, and their tests",
        licence="MIT", upstream="https://github.com/jkoppel/QuixBugs", items=40,
    )
    manifest.git("jkoppel/QuixBugs", "4257f44b0ff1181dedaedee6a447e133219fcebf")
    lines = (copies / "quixbugs/quixbugs.jsonl").read_text(encoding="utf-8").splitlines()
    for program in map(json.loads, lines):
        name = program["name"]
        manifest.file("source", f"python_programs/{name}.py")
        manifest.file("source", f"correct_python_programs/{name}.py")
        if program["cases"] is not None:
            manifest.file("source", f"json_testcases/{name}.json")
        if program["cases"] is None or name in QUIXBUGS_SPECIAL:
            manifest.file("source", f"python_testcases/test_{name}.py")
    manifest.file("source", "python_programs/node.py")
    manifest.section("layout")
    for path in ["quixbugs.jsonl", "node.json"]:
        manifest.copied("layout", path)
    manifest.write()


def main():
    copies = Path(sys.argv[1])
    for make in [mmlu, gsm8k, glue, quixbugs]:
        make(copies)


if __name__ == "__main__":
    main()
