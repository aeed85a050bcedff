#!/usr/bin/env python3
"""Measures evalh and its peers on the same work, side by side in one sitting.

See README.md beside this file for what to install and what each row is.
"""

import argparse
import hashlib
import importlib.metadata
import os
import platform
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

from peers.book import Book
from peers.child import Failed
from peers.evalh import Evalh
from peers.rows import ROWS, SUBJECTS
from peers.sitting import Sitting
from peers.table import markdown

PACKAGES = ["lm-eval", "torch", "transformers", "peft", "llama-cpp-python"]


def arguments():
    """What the user asks for."""
    shown = argparse.ArgumentDefaultsHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], formatter_class=shown)
    parser.add_argument("--evalh", required=True, type=Path, help="the binary")
    parser.add_argument("--model", required=True, type=Path, help="GGUF file: what evalh and llama.cpp load")
    same = "the same weights as a Hugging Face folder: what lm-eval and transformers load"
    parser.add_argument("--hf", required=True, type=Path, help=same)
    parser.add_argument("--adapters", required=True, type=Path, help="folder of the adapters `standard` and `selective`")
    parser.add_argument("--data", required=True, type=Path, help="folder of mmlu/, gsm8k/ and humaneval/ as upstream has them")
    parser.add_argument("--rows", default=",".join(ROWS), help="rows to measure")
    parser.add_argument("--runs", type=int, default=3, help="repetitions of each side")
    parser.add_argument("--peer-runs", type=int, default=0, help="repetitions of lm-eval, where they should be fewer; 0: as --runs")
    parser.add_argument("--out", required=True, type=Path, help="record to write or go on with, FILE.json; FILE.md beside it")
    parser.add_argument("--mmlu-subjects", type=int, default=10, choices=range(1, len(SUBJECTS) + 1), metavar="N")
    parser.add_argument("--mmlu-limit", type=int, default=20, metavar="N", help="questions of a subject")
    parser.add_argument("--humaneval-limit", type=int, default=164, metavar="N", help="problems")
    parser.add_argument("--gsm8k-limit", type=int, default=100, metavar="N", help="questions")
    parser.add_argument("--new-tokens", type=int, default=256, metavar="N", help="most tokens of an answer")
    given = parser.parse_args()
    unknown = set(given.rows.split(",")) - set(ROWS)
    if unknown:
        parser.error(f"unknown rows: {', '.join(sorted(unknown))} (there are: {', '.join(ROWS)})")
    if given.out.suffix != ".json":
        parser.error("--out must end in .json")
    return given


def digest(path):
    """The beginning of a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def processor():
    """The processor's name."""
    names = [line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor()


def version(package):
    """A package's version, or that it is missing."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def settings(given):
    """All that may not differ between measurements of one record."""
    limits = ["mmlu_subjects", "mmlu_limit", "humaneval_limit", "gsm8k_limit", "new_tokens"]
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "evalh": digest(given.evalh),
        "model": f"{given.model.name}, {digest(given.model)}",
        "packages": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
    } | {name: getattr(given, name) for name in limits}


def warm(given):
    """Reads the weights once, so that neither side pays for the disk."""
    for path in [given.evalh, given.model, *given.hf.glob("*.safetensors"), *given.adapters.glob("s*/*.safetensors")]:
        with path.open("rb") as file:
            while file.read(1 << 24):
                pass


def main():
    """Measures the rows asked for; a row that fails is named, and the others go on."""
    given = arguments()
    adapters = [(name, (given.adapters / name).resolve()) for name in ("standard", "selective")]
    options = SimpleNamespace(**vars(given) | {"adapters": adapters, "peer_runs": given.peer_runs or given.runs})
    book = Book(given.out, settings(given), given.rows.split(","))
    evalh = Evalh(given.evalh, given.model.resolve(), given.data.resolve(), adapters)
    warm(given)
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        for row in given.rows.split(","):
            own = Path(folder) / row
            own.mkdir()
            try:
                ROWS[row](Sitting(options, evalh, book, own), row)
            except Failed as failure:
                failed.append(row)
                book.leave_out(row, "; ".join(line.strip() for line in str(failure).splitlines()[-3:]))
                print(f"{row}: {failure}", file=sys.stderr)
            given.out.with_suffix(".md").write_text(markdown(book), encoding="utf-8")
    print(given.out.with_suffix(".md").read_text(encoding="utf-8"))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
