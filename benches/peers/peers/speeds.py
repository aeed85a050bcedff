"""Rows of bare speed: a prompt, a token."""

import importlib.util
import json
import statistics

PASSES = 5


def _bench(sitting, row, side, options, precision, take, variants=False):
    """A call that runs `evalh bench` and keeps what `take` reads out of its JSON."""

    def call(run):
        if sitting.book.has(row, side, run, "all"):
            return
        out = sitting.path(".bench")
        command = sitting.evalh.bench([*options, "--out", str(out)], precision, variants)
        measured = sitting.measure(row, side, run, "all", command)
        sitting.book.add(row, side, run, "all", measured | take(json.loads((out / "bench.json").read_text())))

    return call


def _has_bench(sitting, row, precision):
    if not sitting.evalh.knows("bench"):
        sitting.book.leave_out(row, "this evalh has no `bench`")
    elif precision and not sitting.evalh.knows("bench", "--precision"):
        sitting.book.leave_out(row, "this evalh's `bench` has no --precision")
    else:
        return True
    return False


def prefill(sitting, row):
    """512 tokens in bf16 on one thread, beside transformers."""
    if not _has_bench(sitting, row, "bf16"):
        return

    def theirs(run):
        side = "transformers bf16"
        if sitting.book.has(row, side, run, "all"):
            return
        job = {"model": str(sitting.options.hf), "dtype": "bfloat16", "tokens": 512, "threads": 1, "passes": PASSES}
        measured, found = sitting.python(row, side, run, "prefill_transformers", job)
        sitting.book.add(row, side, run, "all", measured | _medians(found))

    own = ["--only", "prefill", "--threads", "1", "--prompt-tokens", "512", "--repetitions", str(PASSES)]
    take = lambda found: _taken(found["prefill"][0])
    runs = sitting.options.runs
    sitting.in_turn([(runs, _bench(sitting, row, "evalh bf16", own, "bf16", take)), (runs, theirs)])


def decode(sitting, row):
    """A token of one sequence on one thread from 4-bit weights, beside llama.cpp with the same file."""
    if importlib.util.find_spec("llama_cpp") is None:
        sitting.book.leave_out(row, "llama-cpp-python is not installed")
        return
    if not _has_bench(sitting, row, None):
        return
    options = sitting.options

    def theirs(run):
        side = "llama.cpp"
        if sitting.book.has(row, side, run, "all"):
            return
        job = {"model": str(options.model), "prompt_tokens": 128, "new_tokens": 64, "threads": 1, "passes": PASSES}
        measured, found = sitting.python(row, side, run, "decode_llama", job)
        sitting.book.add(row, side, run, "all", measured | _medians(found))
        sitting.book.check(row, f"llama.cpp of llama-cpp-python {found['version']}", found["system"].strip(" |"))

    own = ["--only", "decode", "--threads", "1", "--context", "128", "--batch", "1", "--new-tokens", "64", "--repetitions", str(PASSES)]
    take = lambda found: _taken(found["decode"][0])
    calls = [(options.runs, theirs)]
    for precision in ("f32", "bf16"):
        if sitting.evalh.knows("bench", "--precision"):
            calls.append((options.runs, _bench(sitting, row, f"evalh {precision}", own, precision, take)))
        elif precision == "f32":
            calls.append((options.runs, _bench(sitting, row, "evalh f32", own, None, take)))
    sitting.in_turn(calls)


def merged(sitting, row):
    """A token with a merged adapter beside one of the base, interleaved within one process."""
    if not _has_bench(sitting, row, None):
        return
    own = ["--only", "adapters", "--context", "128", "--new-tokens", "64", "--rounds", "15"]
    take = lambda found: {"adapters": found["adapters"]}
    sitting.in_turn([(sitting.options.runs, _bench(sitting, row, "evalh", own, None, take, True))])


def _medians(found):
    return {"seconds": statistics.median(found["seconds"]), "cpu_seconds": statistics.median(found["cpu"])}


def _taken(figure):
    return {"seconds": figure["seconds"]["median"], "cpu_seconds": figure["cpu_seconds"]["median"]}
