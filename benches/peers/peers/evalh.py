"""evalh's side: its commands, and what its records say."""

import json
import subprocess
from pathlib import Path


def lines(path):
    """The objects of a JSON Lines file."""
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


class Evalh:
    """The binary, with what every command of a sitting gets."""

    def __init__(self, binary, model, data, adapters):
        self.binary, self.model, self.data = str(Path(binary).resolve()), str(model), str(data)
        self.adapters = [word for name, path in adapters for word in ("--adapter", f"{name}={path}")]

    def knows(self, command, option=None):
        """Whether the binary has a command, and the command an option."""
        asked = subprocess.run([self.binary, command, "--help"], capture_output=True, text=True, check=False)
        return asked.returncode == 0 and (option is None or option in asked.stdout)

    def run(self, suite, out, precision, variants=True):
        """The command that answers a suite into a new folder."""
        own = ["run", *suite, "--model", self.model, "--data", self.data, "--out", str(out), "--quiet", "--offline"]
        return [self.binary, *own, *(self.adapters if variants else []), *_precision(precision)]

    def bench(self, options, precision=None, variants=False):
        """The command that measures speed, for machines."""
        own = ["bench", "--model", self.model, "--json", "--quiet", "--offline", *options]
        return [self.binary, *own, *(self.adapters if variants else []), *_precision(precision)]

    def prompts(self, suite):
        """What would be asked, with token ids."""
        command = [self.binary, "prompts", *suite, "--model", self.model, "--data", self.data, "--offline"]
        asked = subprocess.run(command, capture_output=True, text=True, check=True)
        return [json.loads(line) for line in asked.stdout.splitlines()]


def _precision(precision):
    return ["--precision", precision] if precision else []


def preparation(folder):
    """Seconds that a run spent before its first question: loading, and the start of the sandbox."""
    timings = json.loads((Path(folder) / "timings.json").read_text())
    return timings["load_seconds"] + timings["sandbox_prepare_seconds"]


def answers(folder):
    """By variant what was answered, in the order in which items are asked: texts, or lists of log-probabilities."""
    found = {}
    for sample in lines(Path(folder) / "samples.jsonl"):
        answer = sample["answer"]
        if "generated" in answer:
            taken = answer["generated"]["text"]
        else:
            taken = [choice["log_prob"] for choice in answer["scored"]]
        found.setdefault(sample["variant"], []).append(taken)
    return found
