"""Runs a program and tells what it took."""

import os
import subprocess
import time
from pathlib import Path


class Failed(Exception):
    """A program did not end well."""


def run(command, log, env=None):
    """Runs a program to its end, its output into `log`.

    Gives wall seconds, CPU seconds (user and system, its own children included), the highest resident size of any of
    its processes in bytes, and the load average as it began. `wait4` counts what it waits for only, so nothing of other
    children is in it.
    """
    load = os.getloadavg()[0]
    with Path(log).open("wb") as out:
        began = time.perf_counter()
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        tail = "\n".join(Path(log).read_text(errors="replace").splitlines()[-15:])
        raise Failed(f"{' '.join(map(str, command))}: exit code {child.returncode}\n{tail}")
    return {
        "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * 1024,
        "load_average": load,
    }
