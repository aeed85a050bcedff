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

# How many texts of each kind `pretrain.jsonl` has in a thousand.
MIXTURE = {"choices": 270, "arithmetic": 130, "cola": 70, "sst2": 70, "mrpc": 60, "rte": 60, "function": 110, "repair": 90, "detect": 60,
           "paragraph": 80}


class Maker:
    """Draws texts of every kind."""

    def __init__(self, seed):
        """A maker whose texts follow from the seed."""
        self.rng = random.Random(seed)
        self.held = suites.Held(MINI)
        self.choice_shots = suites.choice_shots(MINI)
        self.problem_shots = suites.problem_shots(MINI)
        self.rejected = collections.Counter()

    def clean(self, kind, make):
        """What `make` gives, drawn again while words of an item occur in it."""
        while True:
            made = make()
            if self.held.find("".join(made) if isinstance(made, tuple) else made) is None:
                return made
            self.rejected[kind] += 1

    def shots(self, solved, in_order):
        """Now and then some of the suite's solved examples, to begin a text with."""
        if self.rng.random() < 0.75:
            return []
        count = self.rng.randint(1, 5)
        return solved[:count] if in_order else self.rng.sample(solved, count)

    def choices(self):
        """Questions of one subject under its header."""
        subject = self.rng.choices(["geography", "household physics", "programming", "words"], [3, 3, 3, 2])[0]
        blocks = self.shots(self.choice_shots.get(subject, []), True) if subject in self.choice_shots else []
        for _ in range(self.rng.randint(1, 6 - min(len(blocks), 5))):
            blocks.append(self.clean("choices", lambda: choices.block(self.rng, subject)))
        return choices.header(subject) + "\n\n".join(blocks)

    def arithmetic(self):
        """Word problems one after the other."""
        blocks = self.shots(self.problem_shots, False)
        for _ in range(self.rng.randint(1, 6 - min(len(blocks), 5))):
            blocks.append(self.clean("arithmetic", lambda: arithmetic.block(self.rng)))
        return "\n\n".join(blocks)

    def pair(self, kind):
        """A prompt and what follows it."""
        if kind in sentences.TASKS:
            prompt, answer = self.clean(kind, lambda: sentences.prompt(self.rng, kind))
            return prompt, f" {answer}"
        if kind == "detect":
            prompt, answer = self.clean(kind, lambda: programs.detection(self.rng))
            return prompt, f" {answer}"
        make = {"function": programs.function, "repair": programs.repair}[kind]
        return self.clean(kind, lambda: make(self.rng))

    def text(self, kind):
        """A text of a kind."""
        if kind == "choices":
            return self.choices()
        if kind == "arithmetic":
            return self.arithmetic()
        if kind == "paragraph":
            return self.clean(kind, lambda: paragraphs.paragraph(self.rng))
        return "".join(self.pair(kind))


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
        shots = [shot for solved in suites.choice_shots(MINI).values() for shot in solved] + suites.problem_shots(MINI)
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
    parser.add_argument("--texts", type=int, default=40000, help="texts of pretrain.jsonl")
    parser.add_argument("--pairs", type=int, default=4000, help="prompts with answers of adapter.jsonl")
    parser.add_argument("--check", nargs="+", metavar="FILE", help="look for items of the mini suites in these files instead")
    options = parser.parse_args()
    if options.check:
        sys.exit(check(options.check))
    if options.out is None:
        parser.error("--out or --check is needed")
    options.out.mkdir(parents=True, exist_ok=True)
    maker = Maker(options.seed)
    kinds, weights = zip(*MIXTURE.items())
    write(options.out / "pretrain.jsonl", ({"text": maker.text(maker.rng.choices(kinds, weights)[0])} for _ in range(options.texts)))
    pairs = (maker.pair(maker.rng.choice(sentences.TASKS)) for _ in range(options.pairs))
    write(options.out / "adapter.jsonl", ({"prompt": prompt, "response": response} for prompt, response in pairs))
    print(f"{options.texts} texts and {options.pairs} pairs in {options.out}; drawn again: {dict(sorted(maker.rejected.items()))}")


if __name__ == "__main__":
    main()
