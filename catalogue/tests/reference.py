"""Our numbers once more, in numpy and SciPy: what tests/reference.rs compares with.

Standard input is one JSON document, standard output another. Written from the published description, pixel by pixel,
so that it shares no shortcut with the Rust code.
"""

import json
import sys

import numpy as np
from scipy import stats


def p_values(rows):
    """Twice the smaller tail, from SciPy's distribution; and what its test of one observation says at some points.

    The test rounds a tail to 2.2e-16, the distribution does not. The fourth root of what is lost reaches 1e-4.
    """
    if not rows:
        return []
    beta = np.array([row["beta"] for row in rows])
    at = np.array([row["at"] for row in rows])
    which = stats.beta(beta[..., 0], beta[..., 1])
    each = 2 * np.minimum(which.cdf(at), which.sf(at))
    together = np.prod(each**0.25, axis=1)
    return [
        {"each": e, "together": t, "test": test(row) if n % TESTED_EVERY == 0 else None}
        for n, (e, t, row) in enumerate(zip(each.tolist(), together.tolist(), rows))
    ]


TESTED_EVERY = 101


def test(row):
    """SciPy's Kolmogorov-Smirnov test, as upstream calls it: slow."""
    pairs = zip(row["beta"], row["at"])
    return [stats.ks_1samp([x], stats.beta(a, b).cdf).pvalue for (a, b), x in pairs]


def combine(maps, scores):
    """Recognition of v1."""
    maps = [np.array(m, np.float32) for m in maps]
    kept = []
    for i in sorted(range(len(maps)), key=lambda i: scores[i], reverse=True):
        mask = maps[i] > 0.5
        if mask.sum() == 0:
            continue
        if all((mask & (maps[k] > 0.5)).sum() <= 0.5 * mask.sum() for k in kept):
            kept.append(i)
    pixels = len(maps[0]) if maps else 0
    region = {i: maps[i] > 0.1 for i in kept}
    won = dict.fromkeys(kept, 0)
    for p in range(pixels):
        voters = [i for i in kept if region[i][p]]
        if voters:
            won[max(voters, key=lambda i: maps[i][p])] += 1
    mean = {i: maps[i][region[i]].astype(np.float64).mean() for i in kept}
    surest = max(kept, key=lambda i: mean[i]) if kept else None
    left = [i for i in kept if i == surest or won[i] >= 0.5 * region[i].sum()]
    owners = []
    for p in range(pixels):
        voters = [i for i in left if maps[i][p] > 0.5]
        owners.append(max(voters, key=lambda i: maps[i][p]) + 1 if voters else 0)
    return {"kept": sorted(left), "owners": owners}


def merge(maps, scores):
    """The merge of v2."""
    maps = [np.array(m, np.float32) for m in maps]
    if len(maps) == 1:
        kept = [0] if scores[0] > 0.5 else []
    else:
        kept = []
        for i in sorted(range(len(maps)), key=lambda i: scores[i], reverse=True):
            mask = maps[i] > 0.5
            if scores[i] < 0.5:
                break
            if mask.sum() == 0:
                continue
            union = [((maps[k] > 0.5) & mask).sum() / ((maps[k] > 0.5) | mask).sum() for k in kept]
            if all(u <= 0.5 for u in union):
                kept.append(i)
    kept = sorted(kept)
    pixels = len(maps[0]) if maps else 0
    if not kept:
        return {"kept": kept, "owners": [0] * pixels}
    stack = np.stack([np.full(pixels, 0.5, np.float32)] + [maps[i] for i in kept])
    names = np.array([0] + [i + 1 for i in kept])
    return {"kept": kept, "owners": names[stack.argmax(0)].tolist()}


def main():
    asked = json.load(sys.stdin)
    json.dump(
        {
            "p_values": p_values(asked["p_values"]),
            "combine": [combine(c["maps"], c["scores"]) for c in asked["pictures"]],
            "merge": [merge(c["maps"], c["scores"]) for c in asked["pictures"]],
        },
        sys.stdout,
    )


main()
