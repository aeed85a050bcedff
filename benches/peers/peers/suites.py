"""Rows that ask a suite: evalh with all variants at once beside one lm-eval run a variant."""

import shutil

from . import checks, evalh as own

VARIANTS = "base + adapters"


def _lm_eval(sitting, row, dtype, job, tasks, asked):
    """A call that runs lm-eval once a variant."""
    options, book, side = sitting.options, sitting.book, f"lm-eval {dtype}"

    def call(run):
        for name, adapter in [("base", None), *options.adapters]:
            if book.has(row, side, run, name):
                continue
            whole = job | {
                "part": name,
                "model": str(options.hf),
                "dtype": dtype,
                "adapter": adapter and str(adapter),
                "tasks": tasks,
                "folder": str(sitting.folder),
            }
            measured, found = sitting.python(row, side, run, "ask_lm_eval", whole)
            book.add(row, side, run, name, measured | {"parts": found["parts"]})
            book.check(row, f"{side}, {name}", checks.prompts(asked, found["items"]))
            answers = [item.get("log_probs") or item["text"] for item in found["items"]]
            book.keep_answers(row, side, name, answers)

    return call


def _evalh(sitting, row, side, suite, precision, variants):
    """A call that runs evalh once."""

    def call(run):
        part = VARIANTS if variants else "base"
        if sitting.book.has(row, side, run, part):
            return
        out = sitting.path(".run")
        measured = sitting.measure(row, side, run, part, sitting.evalh.run(suite, out, precision, variants))
        sitting.book.add(row, side, run, part, measured | {"preparation": own.preparation(out)})
        for variant, answers in own.answers(out).items():
            sitting.book.keep_answers(row, side, variant, answers)
        shutil.rmtree(out)

    return call


def _compare(book, row, compare):
    """Notes what each side of evalh answered beside each of lm-eval."""
    sides = book.answers.get(row, {})
    for side in [side for side in sides if side.startswith("evalh")]:
        for other in [side for side in sides if side.startswith("lm-eval")]:
            for variant in sides[side].keys() & sides[other].keys():
                found = compare(sides[side][variant], sides[other][variant])
                book.check(row, f"{side} beside {other}, {variant}", found)


def against_lm_eval(sitting, row, suite, job, tasks, dtypes, compare):
    """Measures a suite on both sides. `dtypes` are lm-eval's types with those of evalh that stand beside them."""
    options, calls = sitting.options, []
    asked = sitting.evalh.prompts(suite)
    for theirs, ours in dtypes:
        for precision in ours:
            if precision == "bf16" and not sitting.evalh.knows("run", "--precision"):
                sitting.book.leave_out(row, "evalh in bf16: this evalh has no --precision")
                continue
            side = f"evalh {precision}"
            named = precision if sitting.evalh.knows("run", "--precision") else None
            calls.append((options.runs, _evalh(sitting, row, side, suite, named, True)))
        calls.append((options.peer_runs, _lm_eval(sitting, row, theirs, job, tasks, asked)))
    sitting.in_turn(calls)
    _compare(sitting.book, row, compare)


def together(sitting, row, suite):
    """Measures evalh's base alone beside base and adapters in one run, at its default precision."""
    calls = []
    for variants in (False, True):
        side = "evalh, with adapters" if variants else "evalh, base alone"
        calls.append((sitting.options.runs, _evalh(sitting, row, side, suite, None, variants)))
    sitting.in_turn(calls)
