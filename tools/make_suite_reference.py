#!/usr/bin/env python3
"""Writes the reference values of evalh-task's suites: what lm-eval asks, and how it scores answers.

Needs: CPython 3.11; pip install lm-eval==0.4.13 datasets pyarrow
Use:   python tools/make_suite_reference.py DATASETS   (writes crates/evalh-task/tests/data/{lm_eval_{digests,cases,glue},python_re}.json and hub_mmlu/)

DATASETS is a folder with the benchmarks' own files: mmlu/, gsm8k/, glue/. Of them only digests are written; the cases are
of invented content.
"""

import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from suite_reference import benchmarks, cases, glue, hub, patterns

OUT = Path(__file__).parent.parent / "crates/evalh-task/tests/data"


def write(name, value):
    text = json.dumps(value, indent=1, ensure_ascii=False)
    # lists of texts on one line
    text = re.sub(r"\[\s+((?:\"(?:[^\"\\]|\\.)*\"|[-\d.]+)(?:,\s+(?:\"(?:[^\"\\]|\\.)*\"|[-\d.]+))*)\s+\]", lambda m: "[" + re.sub(r",\n\s+", ", ", m[1]) + "]", text)
    (OUT / name).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    write("lm_eval_cases.json", cases.all_cases())
    write("lm_eval_glue.json", glue.tasks())
    write("python_re.json", patterns.table())
    hub.write(OUT.parent.parent.parent.parent / "datasets/mini/mini_mmlu", OUT / "hub_mmlu")
    write("lm_eval_digests.json", benchmarks.digests(Path(sys.argv[1])))
