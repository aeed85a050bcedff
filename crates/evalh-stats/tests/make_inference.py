#!/usr/bin/env python3
"""Writes the reference values of evalh-stats' tests, intervals and power analysis.

Needs: pip install scipy statsmodels
Use:   python crates/evalh-stats/tests/make_inference.py         (writes data/inference.json beside it)

Values come from SciPy and statsmodels. Three things those do not have are computed here by other means than in the crate:
Tango's score by solving the likelihood equation numerically; bootstrap draws by a ChaCha8 written after RFC 8439 (with 8
rounds, a 64-bit counter and stream 0), given to SciPy as its own; and the exact Wilcoxon test with ties by SciPy's
permutation test over all signs.
"""

import json
import math
from pathlib import Path

import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from scipy import integrate, optimize, special, stats
from scipy.stats._resampling import BootstrapResult
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import DescrStatsW, ttost_paired

OUT = Path(__file__).parent / "data/inference.json"
random = np.random.default_rng(20)


def differences():
    """Lists of differences: few seeds, speed-ups, right/wrong answers, heavy tails, many items."""
    yield [0.1, 0.3]
    yield [0.021, -0.004, 0.013]
    yield [0.21, 0.19, 0.28, 0.15, 0.24]
    yield [-0.5, 0.0, 0.5, 0.5, 1.0, -0.25, 0.75]
    yield list(np.round(random.normal(0.1, 1, 30), 6))
    yield list(np.round(random.standard_cauchy(50), 6))
    yield [float(x) for x in random.choice([-1, 0, 1], 120, p=[0.1, 0.75, 0.15])]
    yield list(np.round(random.normal(-0.01, 0.2, 400), 6))
    yield [float(x) for x in random.choice([-1, 0, 1], 3000, p=[0.03, 0.93, 0.04])]


DIFFERENCES = list(differences())


def t_tests():
    for place, d in enumerate(DIFFERENCES):
        test = stats.ttest_rel(d, np.zeros(len(d)))
        yield {"differences": place, "t": test.statistic, "df": int(test.df), "p": test.pvalue, "d": test.statistic / math.sqrt(len(d)),
               "intervals": [[c, *DescrStatsW(d).tconfint_mean(alpha=1 - c)] for c in (0.5, 0.9, 0.95, 0.999)]}


def t_tails():
    """One-sided p-values and bounds of a difference of 0 whose margin lies t standard errors off."""
    for n in (2, 3, 4, 10, 31, 200, 1000, 1001, 1002, 14042, 10**6, 10**9):
        for t in (1e-6, 0.01, 0.5, 1.0, 1.9, 3.0, 6.0, 12.0):
            yield [n, t, stats.t.sf(t, n - 1)]


def t_quantiles():
    for n in (2, 3, 4, 10, 31, 200, 1000, 1001, 1002, 14042, 10**6, 10**9):
        for confidence in (0.01, 0.5, 0.9, 0.95, 0.999, 1 - 1e-7):
            yield [n, confidence, stats.t.isf((1 - confidence) / 2, n - 1)]


def wilcoxons():
    exact = [[0.1, 0.3], [0.1, -0.2, 0.3, 0.4, -0.5], list(np.round(random.normal(0.3, 1, 12), 6)),
             [0.0, 0.0, 0.4, -0.1, 0.2], list(np.round(random.normal(0.2, 1, 49), 6)), list(np.round(random.normal(-0.4, 1, 50), 6))]
    for d in exact:
        test = stats.wilcoxon(d, method="exact")
        yield {"differences": d, "statistic": test.statistic, "p": test.pvalue, "exact": True}
    tied = [[1.0, 1.0, -1.0], [0.5, 0.5, -0.25, 0.75, 0.0, 0.25], [1.0] * 9 + [-1.0] * 2, [0.1, 0.2, 0.2, -0.2, 0.3, 0.3, 0.4, -0.5, 0.5, 0.5],
            [float(x) for x in random.integers(-3, 6, 18)]]
    for d in tied:
        every = stats.PermutationMethod(n_resamples=np.inf)
        test = stats.wilcoxon([x for x in d if x], method=every)
        yield {"differences": d, "statistic": test.statistic, "p": test.pvalue, "exact": True}
    for d in DIFFERENCES[6:] + [list(np.round(random.normal(0.3, 1, 51), 6)), list(np.round(random.normal(0.1, 1, 300), 1))]:
        if sum(x != 0 for x in d) <= 50:
            continue
        test = stats.wilcoxon(d, method="asymptotic", correction=False)
        yield {"differences": d, "statistic": test.statistic, "p": test.pvalue, "exact": False}


def holms():
    for p in ([0.03], [0.01, 0.04, 0.03], [0.2, 0.001, 0.8, 0.04, 0.04, 1.0], list(random.uniform(size=25) ** 3), [0.5, 0.5, 0.5]):
        yield {"p": p, "adjusted": list(multipletests(p, method="holm")[1])}


def clusters():
    for sizes in ([3] * 10, [1, 2, 3, 4, 5, 30], [57, 100, 12, 14, 310], [1] * 8):
        which = [g for g, size in enumerate(sizes) for _ in range(size)]
        effect = random.normal(0, 0.1, len(sizes))
        values = [round(float(0.2 + effect[g] + random.normal(0, 0.05)), 6) for g in which]
        fit = sm.OLS(values, np.ones(len(values))).fit(cov_type="cluster", cov_kwds={"groups": which}, use_t=True)
        means = [float(np.mean([v for v, g in zip(values, which) if g == k])) for k in range(len(sizes))]
        test = stats.ttest_1samp(means, 0)
        yield {"values": values, "clusters": which, "mean": fit.params[0], "stderr": fit.bse[0],
               "interval": list(fit.conf_int(0.05)[0]), "t_of_means": test.statistic, "p_of_means": test.pvalue}


def power_of(d, n, alpha):
    """Power of the two-sided t-test as an integral over the standard deviation seen, checked against statsmodels where
    SciPy's noncentral t gives a number."""
    df, shift, t = n - 1, d * math.sqrt(n), stats.t.isf(alpha / 2, n - 1)
    root = math.sqrt(df)

    def beyond(s):
        return root * stats.chi.pdf(s * root, df) * (special.ndtr(shift - t * s) + special.ndtr(-shift - t * s))

    # Pieces that meet where the integrand is sharp: about 1, and where t is on its bound.
    middle, width = shift / t, 10 / t
    ends = [0] + [x for x in (1 - 6 / root, 1, 1 + 6 / root, 1 + 20 / root, middle - width, middle, middle + width) if x > 0]
    ends = sorted(x for x in ends if x <= 1 + 20 / root)
    found = sum(integrate.quad(beyond, a, b, epsabs=1e-14, epsrel=1e-13, limit=200)[0] for a, b in zip(ends, ends[1:]))
    theirs = float(TTestPower().power(d, n, alpha))
    assert math.isnan(theirs) or abs(found - theirs) < 1e-10, (d, n, alpha, found, theirs)
    return found


def power():
    """Roots of the power; statsmodels' solve_power stops up to 1e-5 away from them, and at two items elsewhere."""
    detectable, needed = [], []
    for n in (2, 3, 5, 10, 30, 200, 1319, 14042):
        for alpha, wished in ((0.05, 0.8), (0.01, 0.9), (0.2, 0.5), (0.05, 0.99)):
            most = 1 / n
            while power_of(most, n, alpha) < wished:
                most *= 1.5
            d = optimize.brentq(lambda d: power_of(d, n, alpha) - wished, 1e-9, most, xtol=1e-15)
            detectable.append([n, alpha, wished, d])
    for d in (3.0, 1.0, 0.5, 0.2, 0.1, 0.03):
        for alpha, wished in ((0.05, 0.8), (0.01, 0.9), (0.1, 0.5)):
            few, many = 1, 20000
            while many - few > 1:
                middle = (few + many) // 2
                few, many = (few, middle) if power_of(d, middle, alpha) >= wished else (middle, many)
            needed.append([d, alpha, wished, many])
    return {"detectable": detectable, "needed": needed}


def margins():
    for place, d in enumerate(DIFFERENCES):
        if len(d) < 3:
            continue
        scale = float(np.std(d, ddof=1) / math.sqrt(len(d)))
        for margin in (0.5 * scale, 2 * scale, 6 * scale):
            for confidence in (0.9, 0.95, 0.99):
                less = stats.ttest_1samp(d, -margin, alternative="greater")
                bound = less.confidence_interval(confidence).low
                p, _, _ = ttost_paired(np.array(d), np.zeros(len(d)), -margin, margin)
                interval = DescrStatsW(d).tconfint_mean(alpha=2 * (1 - confidence))
                yield {"differences": place, "margin": margin, "confidence": confidence, "p": less.pvalue, "bound": bound,
                       "p_equivalent": float(p), "interval": list(interval)}


def tango_score(gained, lost, n, assumed):
    """The score with the rate lost from its likelihood equation given the difference."""
    low, high = max(0.0, -assumed), (1 - assumed) / 2
    same = n - gained - lost

    def slope(q):
        return gained * q * (1 - 2 * q - assumed) + lost * (q + assumed) * (1 - 2 * q - assumed) - 2 * same * q * (q + assumed)

    # The slope of the likelihood times its positive denominators; at an end where it does not change its sign, the
    # likelihood is largest there.
    inner = 1e-14 * (high - low)
    if slope(low + inner) <= 0:
        q = low
    elif slope(high - inner) >= 0:
        q = high
    else:
        q = optimize.brentq(slope, low + inner, high - inner, xtol=1e-18, rtol=1e-15)
    variance = n * (2 * q + assumed - assumed**2)
    return (gained - lost - n * assumed) / math.sqrt(variance)


def tangos():
    for gained, lost, n in ((0, 0, 50), (1, 0, 50), (0, 3, 50), (7, 2, 44), (1, 7, 21), (12, 3, 100), (40, 55, 1319), (0, 40, 14042),
                            (300, 280, 14042), (10, 10, 20), (5, 4, 10)):
        seen = (gained - lost) / n
        for confidence in (0.9, 0.95, 0.99):
            z = special.ndtri((1 + confidence) / 2)
            low = optimize.brentq(lambda d: tango_score(gained, lost, n, d) - z, -1 + 1e-12, seen - 1e-9, xtol=1e-15)
            high = optimize.brentq(lambda d: tango_score(gained, lost, n, d) + z, seen + 1e-9, 1 - 1e-12, xtol=1e-15)
            tests = [[m, stats.norm.sf(tango_score(gained, lost, n, -m))] for m in (0.01, 0.05, 0.2)]
            yield {"gained": gained, "lost": lost, "n": n, "confidence": confidence, "interval": [low, high], "tests": tests}


def chacha8(seed, words):
    """`words` 32-bit words of ChaCha8 with the key of the seed's eight bytes and zeros."""
    blocks = -(-words // 16)
    state = np.zeros((16, blocks), dtype=np.uint32)
    state[:4] = np.frombuffer(b"expand 32-byte k", dtype="<u4")[:, None]
    state[4:12] = np.frombuffer(seed.to_bytes(8, "little") + bytes(24), dtype="<u4")[:, None]
    counter = np.arange(blocks, dtype=np.uint64)
    state[12], state[13] = counter & 0xFFFFFFFF, counter >> np.uint64(32)
    x = state.copy()

    def quarter(a, b, c, d):
        for p, q, r, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[p] += x[q]
            x[r] ^= x[p]
            x[r] = (x[r] << np.uint32(by)) | (x[r] >> np.uint32(32 - by))

    for _ in range(4):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return (x + state).T.reshape(-1)[:words]


def drawn(seed, resamples, n):
    words = chacha8(seed, resamples * n).astype(np.uint64)
    product = words * np.uint64(n)
    assert ((product & np.uint64(0xFFFFFFFF)) >= n).all(), "a word to be drawn again: take another seed"
    return (product >> np.uint64(32)).astype(int).reshape(resamples, n)


def resampled(statistic, n, resamples, seed, confidence):
    """SciPy's intervals from our draws. `statistic` takes arrays of places, resamples first."""
    values = statistic(drawn(seed, resamples, n))
    prior = BootstrapResult(confidence_interval=None, bootstrap_distribution=values, standard_error=None)
    out = {"resamples": resamples, "seed": seed, "confidence": confidence}
    for method in ("percentile", "BCa"):
        found = stats.bootstrap((np.arange(n),), lambda places, axis: statistic(np.asarray(places)), n_resamples=0,
                                bootstrap_result=prior, confidence_level=confidence, method=method, vectorized=True)
        out[method] = list(found.confidence_interval)
        out["stderr"] = float(found.standard_error)
    return out


def bootstraps():
    settings = ((500, 0, 0.95), (2000, 1, 0.9), (1000, 2**40 + 7, 0.99))
    items = []
    skewed = np.round(random.exponential(1, 25), 6)
    answers = random.choice([-1.0, 0.0, 1.0], 60, p=[0.1, 0.7, 0.2])
    for values in (skewed, answers):
        for setting in settings:
            # The mean over places that are whole numbers, as Rust sums them: in order.
            case = resampled(lambda i: np.cumsum(values[i], axis=-1)[..., -1] / i.shape[-1], len(values), *setting)
            items.append({"values": list(values), **case})
    ratios = []
    above, below = np.round(random.exponential(1, 30), 6), np.round(random.uniform(1, 3, 30), 6)
    for setting in settings:
        case = resampled(lambda i: above[i].sum(-1) / below[i].sum(-1), 30, *setting)
        ratios.append({"above": list(above), "below": list(below), **case})
    grouped = []
    which = np.repeat(np.arange(12), random.integers(1, 6, 12))
    values = np.round(random.normal(0.1, 0.3, len(which)) + which / 30, 6)
    sums, sizes = np.bincount(which, values), np.bincount(which)
    for setting in settings:
        case = resampled(lambda i: sums[i].sum(-1) / sizes[i].sum(-1), 12, *setting)
        grouped.append({"values": list(values), "clusters": which.tolist(), **case})
    return {"means": items, "ratios": ratios, "clusters": grouped}


cases = {
    "source": f"SciPy {scipy.__version__}, statsmodels {statsmodels.__version__}, NumPy {np.__version__}; tests/make_inference.py",
    "normal_quantile": [[p, special.ndtri(p)] for p in (1e-300, 1e-12, 0.001, 0.025, 0.3, 0.5, 0.8, 0.975, 1 - 1e-9)],
    "differences": DIFFERENCES, "t_test": list(t_tests()), "t_tail": list(t_tails()), "t_quantile": list(t_quantiles()), "wilcoxon": list(wilcoxons()),
    "holm": list(holms()), "clustered": list(clusters()), "power": power(), "margin": list(margins()), "tango": list(tangos()),
    "bootstrap": bootstraps(),
}


def plain(value):
    if isinstance(value, dict):
        return {key: plain(x) for key, x in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(x) for x in value]
    value = value.item() if isinstance(value, np.generic) else value
    return int(value) if isinstance(value, float) and value == int(value) else value


parts = [f'"{name}": {json.dumps(plain(part), separators=(",", ":"))}' for name, part in cases.items()]
OUT.write_text("{\n" + ",\n".join(parts) + "\n}\n")
