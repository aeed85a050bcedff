#!/usr/bin/env python3
"""Writes the reference values of evalh-stats' tests: metrics, their standard errors, and Python's own random draws.

Needs: CPython 3.11; pip install lm-eval==0.4.13 scikit-learn scipy
Use:   python tools/make_stats_reference.py            (writes crates/evalh-stats/tests/data/{metrics,python_random}.json)

Metrics come from scikit-learn and SciPy, standard errors from lm-eval's own functions (its one-process path).
"""

import json
import math
import os
import platform
import random
import warnings
from pathlib import Path

os.environ["DISABLE_MULTIPROC"] = "1"
warnings.simplefilter("ignore")

import scipy
import sklearn
from lm_eval import __version__ as lm_eval_version
from lm_eval.api import metrics as lm
from scipy import stats
from sklearn import metrics as sk

OUT = Path(__file__).parent.parent / "crates/evalh-stats/tests/data"
RESAMPLES = [100, 2000]


def errors(function, items):
    return [[n, lm.bootstrap_stderr(function, items, n)] for n in RESAMPLES]


def labels(seed, n, kinds, right):
    draw = random.Random(seed)
    gold = [draw.randrange(kinds) for _ in range(n)]
    predicted = [g if draw.random() < right else draw.randrange(kinds) for g in gold]
    return gold, predicted


def classification():
    cases = [labels(1, 60, 2, 0.5), labels(2, 25, 2, 0.9), labels(3, 80, 3, 0.4), labels(4, 40, 5, 0.0)]
    cases += [([0, 0, 1], [0, 0, 0]), ([0, 0, 0], [0, 1, 0]), ([1, 1], [1, 1]), ([0, 0], [0, 0]), ([1, 1, 1], [0, 0, 0]),
              ([7, 3, 3, 7, 9], [7, 3, 7, 7, 3]), ([0, 1, 1], [1, 0, 0])]
    for gold, predicted in cases:
        items = list(zip(gold, predicted))
        case = {"gold": gold, "predicted": predicted, "accuracy": sk.accuracy_score(gold, predicted),
                "balanced_accuracy": sk.balanced_accuracy_score(gold, predicted), "matthews": sk.matthews_corrcoef(gold, predicted)}
        for positive in sorted(set(gold) | set(predicted) | {1}):
            ask = {"labels": [positive], "average": None}
            case.setdefault("positive", []).append({
                "label": positive,
                "f1": float(sk.f1_score(gold, predicted, **ask)[0]),
                "precision": float(sk.precision_score(gold, predicted, **ask)[0]),
                "recall": float(sk.recall_score(gold, predicted, **ask)[0])})
        if len(gold) > 20:
            case["accuracy_stderr"] = lm.mean_stderr([float(g == p) for g, p in items])
            case["matthews_stderr"] = errors(lm.matthews_corrcoef, items)
            if set(gold) <= {0, 1}:
                case["f1_stderr"] = errors(lm.f1_score, items)
        yield case


def correlation():
    draw = random.Random(5)
    n = 50
    gold = [round(draw.uniform(0, 5), 1) for _ in range(n)]
    noisy = [g + draw.gauss(0, 1.5) for g in gold]
    coarse = [round(x) for x in noisy]
    for x, y in [(gold, noisy), (gold, coarse), ([1e-9, 2e-9, 4e-9], [3e8, 1e8, -5e8]), ([1, 2], [2, 1]), ([1, 2, 2, 3], [1, 1, 1, 2])]:
        case = {"gold": x, "predicted": y, "pearson": float(stats.pearsonr(x, y)[0]), "spearman": float(stats.spearmanr(x, y)[0])}
        if len(x) == n:
            items = list(zip(x, y))
            for name, function in [("pearson", stats.pearsonr), ("spearman", stats.spearmanr)]:
                def statistic(rows):
                    return float(function(*zip(*rows))[0])
                case[f"{name}_stderr"] = errors(statistic, items)
        yield case


def loss():
    draw = random.Random(6)
    lengths = [draw.randrange(1, 200) for _ in range(40)]
    log_probs = [-length * draw.uniform(1, 4) for length in lengths]
    items = list(zip(log_probs, lengths))

    def nats(rows):
        return -lm.weighted_mean(rows)

    yield {"log_probs": log_probs, "lengths": lengths,
           "nats_per_token": nats(items), "bits_per_byte": lm.bits_per_byte(items), "word_perplexity": lm.weighted_perplexity(items),
           "nats_per_token_stderr": errors(nats, items), "bits_per_byte_stderr": errors(lm.bits_per_byte, items),
           "word_perplexity_stderr": errors(lm.weighted_perplexity, items)}


def pooled():
    for seed, sizes in [(7, [100, 40, 12]), (8, [3, 3]), (9, [250])]:
        draw = random.Random(seed)
        values = [draw.random() for _ in sizes]
        stderrs = [math.sqrt(v * (1 - v) / n) for v, n in zip(values, sizes)]
        yield {"values": values, "stderrs": stderrs, "sizes": sizes, "value": lm.aggregate_subtask_metrics(values, sizes),
               "stderr": float(lm.pooled_sample_stderr(stderrs, sizes))}


def python_random():
    for seed in [0, 1, 42, 1234, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**63 + 12345, 2**64 - 1]:
        draw = random.Random(seed)
        case = {"seed": seed, "random": [draw.random() for _ in range(4)]}
        case["getrandbits"] = [[bits, draw.getrandbits(bits)] for bits in [1, 5, 31, 32, 33, 40, 53, 63, 64]]
        case["randrange"] = [[low, high, draw.randrange(low, high)] for low, high in
                             [(0, 1), (0, 2), (0, 3), (10, 1010), (0, 2**32), (0, 2**32 + 1), (5, 2**63)]]
        # Both ways of sampling, and the sizes at which the one becomes the other: 21, 85 (6 to 21), 277 (22 to 85).
        sizes = [(0, 0), (5, 5), (21, 5), (22, 5), (7473, 5), (85, 6), (86, 6), (85, 21), (86, 21), (277, 22), (278, 22), (100, 100)]
        case["sample"] = [[n, k, draw.sample(range(n), k)] for n, k in sizes]
        case["choices"] = [[n, k, draw.choices(range(n), k=k)] for n, k in [(1, 3), (10, 8), (1000, 5)]]
        case["shuffle"] = []
        for n in [0, 1, 2, 12]:
            values = list(range(n))
            draw.shuffle(values)
            case["shuffle"].append(values)
        # Far enough to have passed through several blocks of 624 words.
        for _ in range(5000):
            draw.random()
        case["far"] = [draw.random(), draw.sample(range(7473), 8)]
        yield case


def write(name, content):
    def compact(value):
        return json.dumps(value, separators=(",", ":"))

    parts = []
    for key, value in content.items():
        if isinstance(value, list):
            value = "[\n" + ",\n".join(map(compact, value)) + "\n]"
        else:
            value = compact(value)
        parts.append(f"{compact(key)}: {value}")
    (OUT / name).write_text("{\n" + ",\n".join(parts) + "\n}\n")


def main():
    write("metrics.json", {
        "source": f"scikit-learn {sklearn.__version__}, SciPy {scipy.__version__}, lm-eval {lm_eval_version} (standard errors; "
                  "bootstrap_stderr in one process)",
        "classification": list(classification()), "correlation": list(correlation()), "loss": list(loss()), "pooled": list(pooled())})
    write("python_random.json", {"source": f"CPython {platform.python_version()} random.Random", "seeds": list(python_random())})


if __name__ == "__main__":
    main()
