"""The mini suites: their solved examples, which the corpus may hold, and their items, which it must not."""

import csv
import json
import re

WINDOW = 8
# The four options that every question for a direction has.
DIRECTIONS = frozenset((name,) for name in ("north", "east", "south", "west"))


def words(text):
    """The words and numbers of a text, in lower case."""
    return re.findall(r"[a-z0-9]+", text.lower())


def lines(path):
    """The objects of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def choice_shots(mini):
    """The `dev` questions of mini_mmlu by subject: what its prompts say up to the answer, and the answer."""
    shots = {}
    for path in sorted((mini / "mini_mmlu/dev").glob("*.csv")):
        subject = path.stem.removeprefix("mini_").removesuffix("_dev").replace("_", " ")
        with path.open(newline="", encoding="utf-8") as file:
            shots[subject] = [("{}\nA. {}\nB. {}\nC. {}\nD. {}\nAnswer:".format(*row), f" {row[5]}") for row in csv.reader(file) if row]
    return shots


def problem_shots(mini):
    """The `train` problems of mini_gsm8k, likewise."""
    return [(f"Question: {row['question']}\nAnswer:", f" {row['answer']}") for row in lines(mini / "mini_gsm8k/train.jsonl")]


def item_options(mini):
    """The four options of every item of mini_mmlu."""
    for path in sorted((mini / "mini_mmlu/test").glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            yield from ([tuple(words(option)) or option for option in row[1:5]] for row in csv.reader(file))


def item_texts(mini):
    """Every text of an item: (suite, text, whether it is code). Code counts as a whole, prose by its windows of words."""
    for path in sorted((mini / "mini_mmlu/test").glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.reader(file):
                yield from (("mini_mmlu", text, False) for text in row[:5])
                yield "mini_mmlu", " ".join(row[:5]), False
    for row in lines(mini / "mini_gsm8k/test.jsonl"):
        yield "mini_gsm8k", row["question"], False
        yield "mini_gsm8k", row["answer"], False
    for path in sorted((mini / "mini_glue").glob("*/dev.tsv")):
        rows = [line.split("\t") for line in path.read_text(encoding="utf-8-sig").splitlines()]
        yield from (("mini_glue_prompt", cell, False) for row in rows if row[0] != "index" for cell in row if len(words(cell)) >= 4)
    for row in lines(mini / "mini_humaneval.jsonl"):
        yield "mini_humaneval", row["prompt"].split('"""')[1].split(">>>")[0], False
        yield "mini_humaneval", row["canonical_solution"], True
    for row in lines(mini / "mini_quixbugs/quixbugs.jsonl"):
        code, text = row["buggy"].split('"""')[:2]
        yield from (("mini_quixbugs", part, False) for part in re.split(r"\n\n", text.split("Example")[0]))
        yield from (("mini_quixbugs", body.strip().split("\n", 1)[1], True) for body in (code, row["correct"]))
    for row in lines(mini / "mini_text/mini_text.jsonl"):
        yield "mini_perplexity", row["text"], False


def untold(pieces):
    """The text of a row's pieces without the verdicts behind options: what is looked at for items."""
    return "".join(text for text, learnt in pieces if not (learnt and text in (" yes", " no")))


def options(text):
    """The options of the multiple-choice questions in a text, as tuples of their words."""
    for found in re.findall(r"\nA\. (.+)\nB\. (.+)\nC\. (.+)\nD\. (.+)\nAnswer:", text):
        yield [tuple(words(option)) or option for option in found]


class Held:
    """The suites' items, to be kept out of the corpus."""

    def __init__(self, mini):
        """Reads the items under `mini`: prose of 8 words and more by every 8 words in a row, questions and sentences of 5 to 7
        words and code of 8 words and more as a whole, multiple choice by its four options in any order too."""
        self.windows, self.whole = {}, {}
        self.options = [frozenset(row) for row in item_options(mini)]
        for suite, text, code in item_texts(mini):
            found = words(text)
            if code:
                if len(found) >= WINDOW:
                    self.whole["".join(text.split())] = suite
            elif len(found) >= WINDOW:
                for start in range(len(found) - WINDOW + 1):
                    self.windows[tuple(found[start:start + WINDOW])] = suite
            elif len(found) >= 5:
                self.windows[tuple(found)] = suite
        self.lengths = sorted({len(window) for window in self.windows})

    def find(self, text):
        """The first item's words that occur in the text, with their suite, or None."""
        found = words(text)
        for length in self.lengths:
            for start in range(len(found) - length + 1):
                window = tuple(found[start:start + length])
                if window in self.windows:
                    return self.windows[window], " ".join(window)
        for row in options(text):
            same = next((item for item in self.options if item == frozenset(row)), None)
            if same and same != DIRECTIONS:
                return "mini_mmlu", f"the options {sorted(same)}"
        packed = "".join(text.split())
        return next(((suite, code) for code, suite in self.whole.items() if code in packed), None)
