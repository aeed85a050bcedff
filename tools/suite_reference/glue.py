"""GLUE tasks of which no copy was at hand, over invented rows in the official columns."""

from lm_eval.tasks.glue.mnli import utils as mnli

from . import harness

MNLI = [
    {"sentence1": "The shop opens at nine.", "sentence2": "  The shop is open at ten ", "gold_label": "neutral"},
    {"sentence1": "No one came.", "sentence2": "The hall was full.", "gold_label": "contradiction"},
    {"sentence1": 'She said "yes.', "sentence2": "She agreed..", "gold_label": "entailment"},
]
QQP = [
    {"id": "0", "qid1": "1", "qid2": "2", "question1": "How do I boil an egg?", "question2": "How are eggs boiled?", "is_duplicate": "1"},
    {"id": "1", "qid1": "3", "qid2": "4", "question1": 'What is "rain"?', "question2": "Why is it raining? ", "is_duplicate": "0"},
]
LABELS = ["entailment", "neutral", "contradiction"]


def _mnli(path, split):
    settings = harness.config(path) | {"doc_to_text": mnli.doc_to_text}
    rows = [
        {"premise": row["sentence1"], "hypothesis": row["sentence2"], "label": LABELS.index(row["gold_label"])}
        for row in MNLI
    ]
    return harness.task(settings, {split: rows, "train": rows}, 0)


def _qqp():
    rows = [
        {"question1": row["question1"], "question2": row["question2"], "label": int(row["is_duplicate"])}
        for row in QQP
    ]
    return harness.task(harness.config("glue/qqp/default.yaml"), {"validation": rows, "train": rows}, 0)


def _shown(made):
    items = harness.prompts(made)
    for item, doc in zip(items, made.validation_docs(), strict=True):
        item["target"] = made.doc_to_choice(doc)[made.doc_to_target(doc)]
    return items


def tasks():
    """For each task its official file, its rows, and lm-eval's prompts."""
    matched = _mnli("glue/mnli/default.yaml", "validation_matched")
    mismatched = _mnli("glue/mnli/mismatch.yaml", "validation_mismatched")
    return [
        {"task": "mnli", "file": "MNLI/dev_matched.tsv", "rows": MNLI, "items": _shown(matched)},
        {"task": "mnli_mismatch", "file": "MNLI/dev_mismatched.tsv", "rows": MNLI, "items": _shown(mismatched)},
        {"task": "qqp", "file": "QQP/dev.tsv", "rows": QQP, "items": _shown(_qqp())},
    ]
