"""The record of a comparison: one JSON file, written again after each measurement."""

import json
import os
from pathlib import Path


class Book:
    """Measurements as they come. What is there already is not measured again."""

    def __init__(self, path, settings, rows):
        self.path = Path(path)
        self.answers_path = self.path.with_suffix(".answers.json")
        self.answers = json.loads(self.answers_path.read_text()) if self.answers_path.exists() else {}
        self.data = {"settings": settings, "measurements": [], "checks": {}, "left_out": {}}
        if self.path.exists():
            old = json.loads(self.path.read_text())
            if old["settings"] != settings:
                differ = sorted(key for key in settings | old["settings"] if settings.get(key) != old["settings"].get(key))
                raise SystemExit(f"{path} was measured with other settings ({', '.join(differ)}): choose another --out")
            # What was left out of the rows at hand may be there now.
            self.data = old | {"left_out": {row: why for row, why in old["left_out"].items() if row not in rows}}

    def runs(self, row, side):
        """The measurements of one side of a row, in the order of their runs."""
        found = [m for m in self.data["measurements"] if m["row"] == row and m["side"] == side]
        return sorted(found, key=lambda m: (m["run"], m["part"]))

    def has(self, row, side, run, part):
        """Whether this was measured."""
        return any(m["run"] == run and m["part"] == part for m in self.runs(row, side))

    def add(self, row, side, run, part, measured):
        """Keeps a measurement, on the disk."""
        self.data["measurements"].append({"row": row, "side": side, "run": run, "part": part} | measured)
        self.save()

    def keep_answers(self, row, side, variant, answers):
        """Keeps what a side answered, in a file of its own, for the comparison of the sides."""
        self.answers.setdefault(row, {}).setdefault(side, {})[variant] = answers
        _write(self.answers_path, self.answers)

    def check(self, row, name, text):
        """Keeps what a comparison found."""
        self.data["checks"].setdefault(row, {})[name] = text
        self.save()

    def leave_out(self, row, why):
        """Keeps why something was not measured."""
        self.data["left_out"].setdefault(row, [])
        if why not in self.data["left_out"][row]:
            self.data["left_out"][row].append(why)
        self.save()

    def save(self):
        """Writes the measurements."""
        _write(self.path, self.data)


def _write(path, data):
    """Writes a file whole, so that an interruption leaves the earlier or the later one."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(new, path)
