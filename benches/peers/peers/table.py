"""The record as Markdown: medians, ratios of medians, and what the answers' comparison found."""

import statistics

ROWS = {
    "mmlu-f32": ("5-shot MMLU, all variants, f32", "evalh f32", "lm-eval float32", 20),
    "mmlu-bf16": ("5-shot MMLU, all variants, bf16", "evalh bf16", "lm-eval bfloat16", 10),
    "humaneval": ("HumanEval, all variants", None, "lm-eval bfloat16", 10),
    "gsm8k-cot": ("GSM8K-CoT, all variants", None, "lm-eval bfloat16", 12),
    "prefill": ("prefill of 512 tokens, bf16, one thread", "evalh bf16", "transformers bf16", 1.5),
    "decode": ("decode at batch 1, 4-bit file, one thread", None, "llama.cpp", 1.0),
    "own-mmlu": ("all variants together against the base alone, MMLU", "evalh, with adapters", "evalh, base alone", None),
    "own-humaneval": ("all variants together against the base alone, HumanEval", "evalh, with adapters", "evalh, base alone", None),
}


def _by_run(measurements):
    runs = {}
    for measured in measurements:
        runs.setdefault(measured["run"], []).append(measured)
    most = max((len(parts) for parts in runs.values()), default=0)
    # A run that was interrupted between its parts says nothing.
    return [parts for parts in runs.values() if len(parts) == most]


def _asking(measured, clock):
    if "parts" in measured:
        return measured["parts"]["ask"][clock]
    return measured["wall"] - measured["preparation"] if clock == "wall" else None


def _summary(measurements):
    """Medians over runs of what a side took."""
    runs = _by_run(measurements)
    if not runs:
        return None
    found = {
        "runs": len(runs),
        "wall": statistics.median(sum(m["wall"] for m in run) for run in runs),
        "cpu": statistics.median(sum(m["cpu"] for m in run) for run in runs),
        "peak": statistics.median(max(m["peak_bytes"] for m in run) for run in runs),
        "spread": [min(sum(m["wall"] for m in run) for run in runs), max(sum(m["wall"] for m in run) for run in runs)],
        "load": max(m["load_average"] for run in runs for m in run),
    }
    if all("parts" in m or "preparation" in m for run in runs for m in run):
        found["asking"] = statistics.median(sum(_asking(m, "wall") for m in run) for run in runs)
    if all("seconds" in m for run in runs for m in run):
        found["wall"] = statistics.median(run[0]["seconds"] for run in runs)
        found["cpu"] = statistics.median(run[0]["cpu_seconds"] for run in runs)
        found["spread"] = [pick(run[0]["seconds"] for run in runs) for pick in (min, max)]
    return found


def _seconds(value):
    if value is None:
        return ""
    return f"{value * 1000:.2f} ms" if value < 2 else f"{value:.1f} s"


def _line(cells):
    return "| " + " | ".join(cells) + " |"


def _header(names, texts):
    """The first columns are texts, the others numbers."""
    return [_line(names), _line(["---"] * texts + ["---:"] * (len(names) - texts))]


def _sides(book, row):
    names = []
    for measured in book.data["measurements"]:
        if measured["row"] == row and measured["side"] not in names:
            names.append(measured["side"])
    return {name: _summary(book.runs(row, name)) for name in names}


def _measured(book):
    names = ["row", "side", "runs", "wall (least to most)", "CPU", "asking alone, wall", "peak memory", "load average"]
    lines = _header(names, 2)
    for row in ROWS:
        for side, s in _sides(book, row).items():
            spread = f"{_seconds(s['wall'])} ({_seconds(s['spread'][0])} to {_seconds(s['spread'][1])})"
            times = [spread, _seconds(s["cpu"]), _seconds(s.get("asking"))]
            lines.append(_line([row, side, str(s["runs"]), *times, f"{s['peak'] / 2**20:.0f} MiB", f"{s['load']:.1f}"]))
    return lines


def _ratios(book):
    lines = _header(["work", "sides", "wall", "CPU", "asking alone, wall", "peak memory", "aim"], 2)
    for row, (name, ours, theirs, aim) in ROWS.items():
        sides = _sides(book, row)
        if theirs not in sides:
            continue
        for side in [ours] if ours else [side for side in sides if side.startswith("evalh")]:
            if side not in sides:
                continue
            a, b = sides[side], sides[theirs]
            own = row.startswith("own-")
            cells = [name, f"{side} : {theirs}" if own else f"{theirs} : {side}"]
            for what in ("wall", "cpu", "asking", "peak"):
                upper, lower = (a, b) if own else (b, a)
                cells.append(f"{upper[what] / lower[what]:.2f}" if what in a and what in b else "")
            limits = {"own-mmlu": "at most 1.6, memory 1.15", "own-humaneval": "at most 1.5, memory 1.15"}
            cells.append(f"at least {aim}" if aim else limits[row])
            lines.append(_line(cells))
    return lines


def _merged(book):
    found = [m for m in book.data["measurements"] if m["row"] == "merged"]
    if not found:
        return []
    lines = ["", "Decode latency of adapters against the base (aim: merged 1.00 ± 0.02):", ""]
    lines += _header(["adapter", "how", "run", "ratio (95 % interval)", "of CPU (95 % interval)"], 2)
    for measured in found:
        for adapter in measured["adapters"]:
            ratios = [_ratio(adapter["ratio"]), _ratio(adapter["cpu_ratio"])]
            cells = [adapter["adapter"], adapter["how"], str(measured["run"] + 1), *ratios]
            lines.append(_line(cells))
    return lines


def _ratio(spread):
    low, high = spread["interval"]
    return f"{spread['median']:.3f} ({low:.3f} to {high:.3f})"


def markdown(book):
    """The whole report."""
    settings = book.data["settings"]
    about = "Ratios of medians; above 1 the peer takes longer (in the rows of evalh's own, the run with adapters)."
    lines = ["# evalh beside its peers", "", about, ""]
    lines += _ratios(book) + _merged(book) + ["", "## Measured", ""] + _measured(book)
    lines += ["", "## The same computation", ""]
    for row, checks in book.data["checks"].items():
        lines += [f"- {row}, {name}: {text}" for name, text in sorted(checks.items())]
    if book.data["left_out"]:
        lines += ["", "## Not measured", ""]
        lines += [f"- {row}: {why}" for row, reasons in book.data["left_out"].items() for why in reasons]
    lines += ["", "## Settings", ""]
    lines += [f"- {key.replace('_', ' ')}: {value}" for key, value in settings.items()]
    return "\n".join(lines) + "\n"
