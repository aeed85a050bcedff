#!/usr/bin/env python3
"""Loads an adapter in PEFT and compares its logits with given ones.

    python benches/training/peft_check.py ADAPTER MODEL OURS.json

ADAPTER is a PEFT folder, MODEL the folder of its base. OURS.json: {"sequences": [{"tokens": [ids], "logits": [[...], ...],
"positions": [...]}]}, a row of logits for each of the positions, which may be left out where every token has a row. For a
classifier (task_type SEQ_CLS) "logits" is its one row. Prints JSON with the largest differences, absolute and relative to
the largest logit of the row, and how far the adapter moves the base; ends with status 1 above --tolerance, or where the
adapter moves nothing.
"""

import argparse
import json
import sys
import warnings

import torch
import training
from peft import PeftConfig, PeftModel
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("adapter")
    parser.add_argument("model")
    parser.add_argument("ours")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="largest absolute difference of a logit")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def load(args):
    """The adapted model; a key that PEFT does not find, of which it warns, is an error."""
    classifier = PeftConfig.from_pretrained(args.adapter).task_type == "SEQ_CLS"
    kind = AutoModelForSequenceClassification if classifier else AutoModelForCausalLM
    base = kind.from_pretrained(args.model, dtype=torch.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        return PeftModel.from_pretrained(base, args.adapter).eval(), classifier


def rows(model, classifier, sequence):
    """The rows of logits that a sequence asks for, [rows, vocabulary or labels]."""
    logits = model(input_ids=torch.tensor([sequence["tokens"]])).logits
    if classifier:
        return logits
    return logits[0][sequence.get("positions", list(range(len(sequence["tokens"]))))]


def compare(model, classifier, sequences):
    """The largest differences over all sequences."""
    absolute, relative, moved, agreed, compared = 0.0, 0.0, 0.0, 0, 0
    for sequence in sequences:
        ours = torch.tensor(sequence["logits"], dtype=torch.float64).reshape(-1, len(row_of(sequence["logits"])))
        theirs = rows(model, classifier, sequence).double()
        with model.disable_adapter():
            base = rows(model, classifier, sequence).double()
        if ours.shape != theirs.shape:
            raise SystemExit(f"logits of shape {list(ours.shape)}, where PEFT gives {list(theirs.shape)}")
        apart = (ours - theirs).abs()
        # A NaN fails every comparison, so it must not be lost in a maximum.
        if not torch.isfinite(apart).all():
            raise SystemExit("logits that are NaN or infinite")
        absolute = max(absolute, apart.max().item())
        relative = max(relative, (apart / theirs.abs().amax(-1, keepdim=True)).max().item())
        moved = max(moved, (theirs - base).abs().max().item())
        agreed += int((ours.argmax(-1) == theirs.argmax(-1)).sum())
        compared += len(ours)
    return {
        "rows": compared,
        "max_abs": absolute,
        "max_rel": relative,
        "same_argmax": agreed,
        "adapter_moves_base_by": moved,
    }


def row_of(logits):
    """One row of them, be they one row or several."""
    return logits[0] if isinstance(logits[0], list) else logits


def main(args):
    training.set_threads(args.threads)
    with open(args.ours, encoding="utf-8") as file:
        sequences = json.load(file)["sequences"]
    with torch.inference_mode():
        result = compare(*load(args), sequences)
    if not result["rows"]:
        raise SystemExit(f"{args.ours} has nothing to compare")
    result["passed"] = result["max_abs"] <= args.tolerance < result["adapter_moves_base_by"]
    return {**result, "tolerance": args.tolerance, **training.versions()}


if __name__ == "__main__":
    outcome = main(options())
    print(json.dumps(outcome, indent=1))
    sys.exit(0 if outcome["passed"] else 1)
