"""How well the model does, run as the node runs it: ONNX Runtime, existence above 0.5, probability above 0.5, source grid.

Figures are of one CT and one MR. Slices that were held out lie within millimetres of slices of the training.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import series
from .folder import Model
from .pictures import encoder_inputs, on_source
from .targets import TARGETS

# Smallest part of a target in a slice, in voxels, that ought not be missed.
LEAST = 10


@dataclass
class Row:
    """One target in one series, over some slices."""

    target: str
    modality: str
    split: str
    slices: int  # that hold the target
    dice: float  # over all voxels of these slices together; nan where there are none
    missed: int  # slices that hold at least LEAST voxels of the target, where nothing was found
    without: int  # slices that do not hold it
    wrongly: int  # of these, where something was found


Truth = tuple[series.Stack, dict[str, list[int]]]


def labelled(name: str, shared: Path) -> Truth:
    """A series, and its slices by split."""
    stack = series.labelled(name, shared)
    training = [index for part in series.training_parts(stack) for index in part.slices]
    return stack, {"held out": series.held_out_slices(name), "training": training}


def found_masks(
    model: Model, values: np.ndarray, modality: str, prompts: list[str], slices: list[int] | None = None
) -> np.ndarray:
    """`[prompts, slices, rows, columns]`: what the model marks, in all slices or in these."""
    slices = list(range(len(values))) if slices is None else slices
    tokens = [model.tokens(prompt) for prompt in prompts]
    result = np.zeros((len(prompts), len(slices), *values.shape[1:]), bool)
    for place, image in enumerate(encoder_inputs(values, modality)[slices]):
        features = model.features(image)
        for row, each in enumerate(tokens):
            logits, exists = model.answer(features, each)
            if exists > 0.5:
                result[row, place] = (on_source(logits[None], *values.shape[1:])[0] > 0.5).numpy()
    return result


def rows_of(model: Model, truth: Truth, split: str, wording: str = "{what} in abdomen {modality}") -> list[Row]:
    """All targets of the modality of a labelled series, on the slices of a split."""
    stack, slices = truth[0], truth[1][split]
    wanted = [index for index, target in enumerate(TARGETS) if stack.modality in target.modalities]
    prompts = [wording.format(what=TARGETS[index].name, modality=stack.modality) for index in wanted]
    masks = found_masks(model, stack.values, stack.modality, prompts, slices)
    members = series.target_table()[wanted][:, stack.classes[slices]] > 0
    return [
        row(TARGETS[index].name, stack.modality, split, *pair)
        for index, *pair in zip(wanted, members, masks, strict=True)
    ]


def row(target: str, modality: str, split: str, truth: np.ndarray, mask: np.ndarray) -> Row:
    sizes, marked = truth.sum((1, 2)), mask.sum((1, 2))
    there = sizes > 0
    return Row(
        target,
        modality,
        split,
        int(there.sum()),
        dice(truth[there], mask[there]),
        int(((sizes >= LEAST) & (marked == 0)).sum()),
        int((~there).sum()),
        int((~there & (marked > 0)).sum()),
    )


def dice(truth: np.ndarray, mask: np.ndarray) -> float:
    total = truth.sum() + mask.sum()
    return float(2 * (truth & mask).sum() / total) if truth.size and total else float("nan")


def table_of(rows: list[Row]) -> str:
    """Markdown."""
    lines = [
        "| target | modality | split | slices with it | Dice | missed | slices without it | marked there |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        score = "–" if np.isnan(r.dice) else f"{r.dice:.3f}"
        lines.append(
            f"| {r.target} | {r.modality} | {r.split} | {r.slices} | {score} | {r.missed} | {r.without} | {r.wrongly} |"
        )
    return "\n".join(lines)


def report(model: Model, shared: Path, targets: list[tuple[str, list[str]]]) -> str:
    """Markdown: Dice a target, other words for the same, and prompts for what is not there."""
    truths = [labelled(name, shared) for name in series.HELD_OUT]
    rows = [row for truth in truths for split in truth[1] for row in rows_of(model, truth, split)]
    declared = {(name, modality) for name, modalities in targets for modality in modalities}
    shown = [row for row in rows if (row.target, row.modality) in declared]
    others = [row for row in rows if (row.target, row.modality) not in declared]
    parts = [
        f"Dice over all voxels of the slices that hold the target, at the pixels of the series. Missed: slices with at least "
        f'{LEAST} voxels of it where nothing was marked. Prompts: "liver in abdomen CT".',
        table_of(shown),
    ]
    if others:
        parts += ["Trained on and not declared: not good enough, or never asked for on its own:", table_of(others)]
    parts += [other_words(model, truths, declared), below_the_kidneys(model, shared, declared)]
    return "\n\n".join(parts) + "\n"


WORDINGS = [
    "{what}",
    "the {what}",
    "{what} in {modality}",
    "{modality} imaging of the {what} in the abdomen",
    "segment the {what}",
    "{what} in chest {modality}",
    "a clear outline of the {what}",
]
NOT_THERE = [
    "retinal vessel in retinal fundus",
    "retinal vessel",
    "polyp in colon endoscope",
    "optic disc",
    "left heart ventricle in heart MRI",
    "liver tumor in liver CT",
    "kidney cyst in kidney CT",
    "xylophone",
    "fetal head in ultrasound",
]


def other_words(model: Model, truths: list[Truth], declared: set[tuple[str, str]]) -> str:
    """Mean Dice on held-out slices for each wording, then how often prompts for what is not there are answered."""
    lines = [
        "Other words, mean Dice over all declared targets on held-out slices:",
        "",
        "| wording | CT | MRI |",
        "|---|---|---|",
    ]
    for wording in ["{what} in abdomen {modality}", *WORDINGS]:
        means = [held_out_mean(model, truth, wording, declared) for truth in truths]
        lines.append(f"| {wording} | " + " | ".join(f"{mean:.3f}" for mean in means) + " |")
    lines += [
        "",
        "Prompts for what is not there, slices (of all slices of the series) where something was marked:",
        "",
        "| prompt | CT | MRI |",
        "|---|---|---|",
    ]
    marked = [wrongly_marked(model, truth) for truth in truths]
    lines += [
        f"| {prompt} | " + " | ".join(f"{one[row]} of {count}" for one, count in marked) + " |"
        for row, prompt in enumerate(NOT_THERE)
    ]
    return "\n".join(lines)


def held_out_mean(model: Model, truth: Truth, wording: str, declared: set[tuple[str, str]]) -> float:
    rows = rows_of(model, truth, "held out", wording)
    scores = [row.dice for row in rows if (row.target, row.modality) in declared and not np.isnan(row.dice)]
    return float(np.mean(scores)) if scores else float("nan")


def wrongly_marked(model: Model, truth: Truth) -> tuple[list[int], int]:
    """In how many slices each prompt of `NOT_THERE` is answered, and how many there are."""
    stack = truth[0]
    masks = found_masks(model, stack.values, stack.modality, NOT_THERE)
    return [int(mask.any((1, 2)).sum()) for mask in masks], len(stack.values)


def below_the_kidneys(model: Model, shared: Path, declared: set[tuple[str, str]]) -> str:
    """How often organs of the upper abdomen are marked where the patient of the labelled CT has none of them."""
    values, modality = series.read_series(shared / "ct-torso")
    names = [name for name in series.NOT_IN_PELVIS if (name, modality) in declared]
    prompts = [f"{name} in abdomen {modality}" for name in names]
    slices = list(range(*series.LOWER_ABDOMEN))
    masks = found_masks(model, values, modality, prompts, slices)
    first, last = slices[0], slices[-1]
    lines = [
        f"Slices {first} to {last} of ct-torso, between pelvis and kidneys, never trained on, hold none of these. Marked in:",
        "",
        f"| target | of {len(slices)} slices |",
        "|---|---|",
    ]
    lines += [f"| {name} | {int(mask.any((1, 2)).sum())} |" for name, mask in zip(names, masks, strict=True)]
    return "\n".join(lines)
