"""`target_dist.json`: how confident and how bright the masks of a target usually are, as Beta distributions.

`{type: {target: [[a, b], [a, b], [a, b], [a, b]]}}`: of the mask's probability, of R, G and B; a and b are positive.
"""

import json
import math
from pathlib import Path

from .failure import Failure

Statistics = dict[str, dict[str, list[list[float]]]]
DISTRIBUTIONS = 4


def read_statistics(path: Path) -> Statistics:
    """Reads and checks a file.

    Raises `Failure` when it is no such file; says where.
    """
    if not path.is_file():
        raise Failure(f"{path}: no such file")
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise Failure(f"{path}: no JSON: {error}") from error
    if not isinstance(found, dict) or not found:
        raise Failure(f"{path}: want {{type: {{target: four pairs}}}}")
    for kind, targets in found.items():
        if not isinstance(targets, dict):
            raise Failure(f"{path}: {kind}: want {{target: four pairs}}")
        for target, pairs in targets.items():
            _need_pairs(f"{path}: {kind}: {target}", pairs)
    return found


def _need_pairs(where: str, pairs: object) -> None:
    fits = (isinstance(pairs, list) and len(pairs) == DISTRIBUTIONS
            and all(isinstance(pair, list) and len(pair) == 2 and all(map(_is_positive, pair)) for pair in pairs))
    if not fits:
        raise Failure(f"{where}: want four pairs [a, b] of positive numbers")


def _is_positive(number: object) -> bool:
    if not isinstance(number, (int, float)) or isinstance(number, bool):
        return False
    try:
        return math.isfinite(number) and number > 0
    except OverflowError:  # a whole number that no float holds
        return False
