#!/usr/bin/env python3
"""Writes the demo's training data, `choices.jsonl`, `exam.jsonl`, `pretrain.jsonl` and `adapter.jsonl`: the same bytes for the
same seed.

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

# How many rows of each kind the files have in a thousand: `told`, `part` and `plain` are multiple choice with every, some and
# no option's verdict. `pretrain.jsonl` leaves two of the four tasks about sentences to the adapters.
CHOICES_MIXTURE = {"told": 400, "part": 300, "plain": 200, "letters": 100}
EXAM_MIXTURE = {"told": 150, "part": 250, "plain": 550, "letters": 50}
MIXTURE = {"told": 50, "part": 90, "plain": 200, "letters": 40, "arithmetic": 190, "sum": 80, "cola": 50, "sst2": 50, "function": 120,
           "repair": 65, "detect": 45, "paragraph": 20}
ADAPTER_MIXTURE = {"mrpc": 400, "rte": 400, "cola": 100, "sst2": 100}
# The shares of rows that are learnt from their first word on, not only what follows the prompt; of multiple choice none.
WHOLE_CHOICES, WHOLE = 0.25, 0.1
# The share of multiple choice that stands under its subject's header, as the suite has it; the rest is shorter without.
HEADED = 0.7
END = "<|endoftext|>"
CHOICES = {"told", "part", "plain"}


class Maker:
    """Draws rows of every kind: prompts and what is to follow them."""

    def __init__(self, seed):
        """A maker whose rows follow from the seed."""
        self.rng = random.Random(seed)
        self.held = suites.Held(MINI)
        self.choice_shots = suites.choice_shots(MINI)
        self.problem_shots = suites.problem_shots(MINI)
        self.rejected = collections.Counter()

    def choices(self, kind):
        """A question of a drawn subject, and the verdicts that its kind tells."""
        subject = self.rng.choices(list(choices.SHARES), list(choices.SHARES.values()))[0]
        above = choices.header(subject) if self.rng.random() < HEADED else ""
        if subject in self.choice_shots and self.rng.random() < 0.03:
            text, answer = self.rng.choice(self.choice_shots[subject])
            return [(above + text, False), (answer, True)]
        return choices.asked(above, *choices.question(self.rng, subject), choices.verdicts(self.rng, kind))

    def text(self, kind):
        """A prompt of a kind and what follows it."""
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

    def draw(self, kind):
        """The pieces of a row of a kind, and whether each is learnt."""
        if kind in CHOICES:
            return self.choices(kind)
        if kind == "letters":
            return choices.letters(self.rng)
        prompt, response = self.text(kind)
        return [(prompt, False), (response, True)]

    def pieces(self, mixture):
        """The kind and the pieces of a row of a mixture, drawn again while words of an item occur in it."""
        kind = self.rng.choices(list(mixture), list(mixture.values()))[0]
        while True:
            pieces = self.draw(kind)
            if self.held.find(suites.untold(pieces)) is None:
                return kind, pieces
            self.rejected[kind] += 1

    def turns(self, mixture, whole):
        """A row as turns: the assistant's are learnt. The end of the text is one's own word, as the template has none."""
        kind, pieces = self.pieces(mixture)
        if kind not in CHOICES and self.rng.random() < whole:
            pieces = [("".join(text for text, _ in pieces), True)]
        turns = []
        for text, learnt in pieces:
            role = "assistant" if learnt else "user"
            if turns and turns[-1]["role"] == role:
                turns[-1]["content"] += text
            elif text:
                turns.append({"role": role, "content": text})
        turns[-1]["content"] += END
        return {"messages": turns}

    def completion(self, mixture):
        """A row as prompt and response."""
        _, ((prompt, _), (response, _)) = self.pieces(mixture)
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
            turns = row.get("messages", [{"role": "assistant", "content": "".join(row.get(key, "") for key in ("prompt", "response"))}])
            text = suites.untold([(turn["content"].replace(END, ""), turn["role"] == "assistant") for turn in turns])
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
    parser.add_argument("--choices-rows", type=int, default=96000, help="rows of choices.jsonl")
    parser.add_argument("--exam-rows", type=int, default=24000, help="rows of exam.jsonl")
    parser.add_argument("--adapter-rows", type=int, default=8000, help="rows of adapter.jsonl")
    parser.add_argument("--check", nargs="+", metavar="FILE", help="look for items of the mini suites in these files instead")
    options = parser.parse_args()
    if options.check:
        sys.exit(check(options.check))
    if options.out is None:
        parser.error("--out or --check is needed")
    options.out.mkdir(parents=True, exist_ok=True)
    maker, examiner = Maker(options.seed), Maker(options.seed + 1)
    files = [("choices", options.choices_rows, lambda: maker.turns(CHOICES_MIXTURE, WHOLE_CHOICES)), ("pretrain", options.rows, lambda: maker.turns(MIXTURE, WHOLE)),
             ("exam", options.exam_rows, lambda: examiner.turns(EXAM_MIXTURE, WHOLE_CHOICES)),
             ("adapter", options.adapter_rows, lambda: maker.completion(ADAPTER_MIXTURE))]
    for name, rows, make in files:
        write(options.out / f"{name}.jsonl", (make() for _ in range(rows)))
    print(f"{', '.join(str(rows) for _, rows, _ in files)} rows in {options.out}; drawn again: {dict(sorted((maker.rejected + examiner.rejected).items()))}")


if __name__ == "__main__":
    main()
