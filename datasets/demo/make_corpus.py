#!/usr/bin/env python3
"""Writes the demo's training data: `pretrain.jsonl` and `adapter.jsonl`, the same bytes for the same seed.

    python3 datasets/demo/make_corpus.py --out FOLDER

Everything in it is made by the modules beside this file. A text in which the words of an item of the mini suites occur is
thrown away and drawn again; `--check FILE...` looks for them in finished files. Python 3.9 or later, no packages.
"""

import argparse
import collections
import json
import pathlib
import random
import sys

sys.dont_write_bytecode = True

from corpus import arithmetic, choices, paragraphs, programs, sentences, suites  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
MINI = HERE.parent / "mini"

# How many rows of each kind `pretrain.jsonl` has in a thousand. It leaves two of the four tasks about sentences to the adapters.
MIXTURE = {"choices": 220, "letters": 150, "arithmetic": 190, "sum": 100, "cola": 50, "sst2": 50, "function": 110, "repair": 60,
           "detect": 40, "paragraph": 30}
ADAPTER_MIXTURE = {"mrpc": 400, "rte": 400, "cola": 100, "sst2": 100}
# The share of rows that are learnt from their first word on, not only what follows the prompt.
WHOLE = 0.25


class Maker:
    """Draws rows of every kind: prompts and what is to follow them."""

    def __init__(self, seed):
        """A maker whose rows follow from the seed."""
        self.rng = random.Random(seed)
        self.held = suites.Held(MINI)
        self.choice_shots = suites.choice_shots(MINI)
        self.problem_shots = suites.problem_shots(MINI)
        self.rejected = collections.Counter()

    def choices(self):
        """A question under its subject's header."""
        subject = self.rng.choices(["geography", "household physics", "programming", "words"], [3, 3, 3, 2])[0]
        if subject in self.choice_shots and self.rng.random() < 0.05:
            text, answer = self.rng.choice(self.choice_shots[subject])
        else:
            text, letter = choices.question(self.rng, subject)
            answer = f" {letter}"
        return choices.header(subject) + text, answer

    def draw(self, kind):
        """A prompt of a kind and what follows it."""
        if kind == "choices":
            return self.choices()
        if kind == "letters":
            return choices.letters(self.rng)
        if kind == "arithmetic" and self.rng.random() < 0.03:
            return self.rng.choice(self.problem_shots)
        if kind in ("arithmetic", "sum"):
            return arithmetic.problem(self.rng, kind == "sum")
        if kind == "paragraph":
            return "", paragraphs.paragraph(self.rng)
        if kind in sentences.TASKS:
            prompt, answer = sentences.prompt(self.rng, kind)
            return prompt, f" {answer}"
        if kind == "detect":
            prompt, answer = programs.detection(self.rng)
            return prompt, f" {answer}"
        return {"function": programs.function, "repair": programs.repair}[kind](self.rng)

    def row(self, mixture, whole):
        """A row of a mixture, drawn again while words of an item occur in it."""
        kind = self.rng.choices(list(mixture), list(mixture.values()))[0]
        while True:
            prompt, response = self.draw(kind)
            if self.held.find(prompt + response) is None:
                break
            self.rejected[kind] += 1
        if self.rng.random() < whole:
            prompt, response = "", prompt + response
        return {"prompt": prompt, "response": response}


def write(path, rows):
    """Writes rows as JSON Lines."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def check(paths):
    """Looks for the items' words in finished files; the exit code."""
    held, bad = suites.Held(MINI), 0
    for path in paths:
        rows = suites.lines(pathlib.Path(path))
        shots = [text + answer for solved in [*suites.choice_shots(MINI).values(), suites.problem_shots(MINI)] for text, answer in solved]
        for number, row in enumerate(rows, 1):
            text = "".join(value for value in row.values())
            for shot in shots:
                text = text.replace(shot, "\n")
            hit = held.find(text)
            if hit:
                bad += 1
                print(f"{path}:{number}: words of {hit[0]}: {hit[1]}")
        print(f"{path}: {len(rows)} texts looked at")
    print(f"{len(held.windows)} rows of words and {len(held.whole)} programs of the suites' items looked for; {bad} texts hold one")
    return 1 if bad else 0


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=pathlib.Path, help="folder to write to")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rows", type=int, default=256000, help="rows of pretrain.jsonl")
    parser.add_argument("--adapter-rows", type=int, default=8000, help="rows of adapter.jsonl")
    parser.add_argument("--check", nargs="+", metavar="FILE", help="look for items of the mini suites in these files instead")
    options = parser.parse_args()
    if options.check:
        sys.exit(check(options.check))
    if options.out is None:
        parser.error("--out or --check is needed")
    options.out.mkdir(parents=True, exist_ok=True)
    maker = Maker(options.seed)
    write(options.out / "pretrain.jsonl", (maker.row(MIXTURE, WHOLE) for _ in range(options.rows)))
    write(options.out / "adapter.jsonl", (maker.row(ADAPTER_MIXTURE, 0.0) for _ in range(options.adapter_rows)))
    print(f"{options.rows} and {options.adapter_rows} rows in {options.out}; drawn again: {dict(sorted(maker.rejected.items()))}")


if __name__ == "__main__":
    main()
