"""One sitting: the sides of a row measured in turn."""

import json
import sys
import time

from . import child


class Sitting:
    """What rows share: where files go, the two sides' tools, the record."""

    def __init__(self, options, evalh, book, folder):
        self.options, self.evalh, self.book, self.folder = options, evalh, book, folder
        self._next = 0

    def path(self, ending):
        """A new name in the temporary folder."""
        self._next += 1
        return self.folder / f"{self._next}{ending}"

    def measure(self, row, side, run, part, command, env=None):
        """Runs a command and gives what it took."""
        print(f"{time.strftime('%H:%M:%S')} {row}, {side}, {part}, run {run + 1} ... ", end="", flush=True, file=sys.stderr)
        log = self.path(".log")
        measured = child.run(command, log, env)
        print(f"{measured['wall']:.1f} s, CPU {measured['cpu']:.1f} s", file=sys.stderr)
        return measured

    def python(self, row, side, run, script, job):
        """Measures one of the children beside this file; gives what it wrote too."""
        given, written = self.path(".job.json"), self.path(".out.json")
        given.write_text(json.dumps(job))
        program = f"{__file__.rsplit('/', 1)[0]}/{script}.py"
        measured = self.measure(row, side, run, job.get("part", "all"), [sys.executable, program, str(given), str(written)])
        return measured, json.loads(written.read_text())

    def in_turn(self, runs):
        """Calls of `(wanted runs, call(run))`, the sides in turn, the order of a round the reverse of the one before."""
        for run in range(max(wanted for wanted, _ in runs)):
            due = [call for wanted, call in runs if run < wanted]
            for call in due if run % 2 == 0 else reversed(due):
                call(run)
