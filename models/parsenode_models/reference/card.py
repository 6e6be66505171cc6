"""The model card: what the model learnt from and how, written by the training; how well it does, by the evaluation."""

from dataclasses import dataclass
from pathlib import Path

from . import batches, series
from .folder import FILES
from .pictures import SIDE, WINDOW_HIGH_HU, WINDOW_LOW_HU
from .targets import TEMPLATES
from .training import SCHEDULE_STEPS

CARD = "README.md"
FIGURES = "## Figures\n"


@dataclass
class Facts:
    """What only the training knows."""

    steps: int
    seed: int
    threads: int
    seconds: float
    parameters: int
    slices: dict[str, int]  # of each labelled series, that the training saw


TEXT = """\
# organs-ct-mr: the reference model

A small promptable network that marks organs of the trunk in slices of CT and MR, so that parsenode does something real out of
the box. **Not for clinical use.** It learnt from one CT and one MR, one patient each, and nearly all figures below are of the
same two patients: they show that the training works and are no evidence for anybody else. It is for trying parsenode.

## What it is

Generation v2 of `inference/PROMPT.md`: the slice, the one before and the one after at {side} x {side} pixels; existence for each
prompt and slice; no noise, no edges. {parameters:,} parameters, stored in half precision, computed in single; the three graphs
have {bytes:,} bytes together. CT: one window from {low:.0f} to {high:.0f} HU. MR: percentiles 0.5 to 99.5 of the series' positive values.
A mask has {half} x {half} pixels. Of CLIP's vocabulary the network knows the words of its own training; all other tokens
are one and the same to it.

Targets: {targets}.

A target stands in `model.toml` for a modality where its Dice is at least {least}, on held-out slices and on those of the training.
`target_dist.json` has distributions for p-values, of masks that were right in random pictures of the training. `p_least` is 0:
p-values are reported and decide nothing; existence decides.

## What it learnt from

| series | slices | labels | licence |
|---|---|---|---|
| ct-abdomen-labelled | {ct_slices} of 30, 3 mm, no contrast agent | TotalSegmentator's classes | Apache-2.0, test data of wasserth/TotalSegmentator |
| mr-abdomen-labelled | {mr_slices} of 20, 3 mm | TotalSegmentator's classes for MR | the same |
| ct-torso, slices {pelvis} of 112 | pelvis of the labelled CT's patient | nobody's: the organs of the upper abdomen are not there; \
bone by a rule: above 150 HU, and holes in it above 60 HU | the same |
| mr-t1w-brain, thinned out | a head, cut along three axes | nobody's: nothing is there | PDDL, datalad/example-dicom-structural |

Pictures of the training: {shares}. "invented" are labelled slices with a random intensity for each label and for parts of what
nobody labelled (the idea of SynthSeg). "chest" are ellipses in the shape of a chest, because no labelled series shows one.
"nobody" are spots, clouds, stripes and blots, "shuffled" are slices in pieces that changed places: both hold nothing.
All are turned by up to 15°, scaled by 0.7 to 1.4, shifted, bent and cropped at random, with noise and another resolution. CT also
gets random contrast agent in vessels and organs, other contents of stomach and bowel, and narrower windows; MR other gamma and
uneven coils. Left and right are never exchanged.
There are {prompts} prompts a picture, in {templates} wordings with synonyms. Some ask for what is not there, at least one for what is
taken to be in no picture ("retinal vessel"); some of those are in words that the network does not know.

Held out and never trained on: slices {held_out}, counted from 0, feet to head. One slice on
each side of them is used by neither, except as the neighbour of a held-out one. That is a distance of 6 mm in the same patient:
the split shows memory of single slices, not more.

## How

In `models/`, with what `pip install '.[export,reference]'` and `pip install --no-deps open_clip_torch` bring:

    python -m parsenode_models.reference train       # with --data, the folder of the series
    python -m parsenode_models.reference evaluate
    python -m parsenode_models.reference check

{steps} steps of {pictures} pictures, of a schedule of {schedule}, AdamW, averaged weights, seed {seed}, {threads} thread(s) and a second process that makes pictures:
{minutes:.0f} minutes on two cores that other work used at the same time. The same seed, number of threads, release of PyTorch and kind of
processor give the same weights; others give a network as good with other numbers (products are rounded to bfloat16).
Grey levels of the training were rounded; the node cuts their decimals off, so it shows the network half a level less. The figures
below are of pictures made as the node makes them.

## Known failures

- Other people. The two images of other patients below are all that was tried; they were looked at while the training was
  designed, and never trained on.
- Between the pelvis and the kidneys the muscles beside the spine are taken for kidneys, and bowel for liver, spleen, stomach and
  gallbladder; how often is below. The training saw no slice from there.
- Images that show no trunk. Some of them get a mask, see below; the node refuses most such questions before the model is asked.
- A slice that is stored mirrored is answered mirrored: left and right are told by the place in the body.
- The chest above the diaphragm was only seen as ellipses: airways and gas in the bowel may be taken for lung, and the heart and its
  vessels for something of the abdomen.
- Bones of head, shoulders, arms and legs were never seen.
- Bladder, prostate, uterus, heart and esophagus are among the words that were always taught as absent, also in pictures that
  may show them, such as the slices of the pelvis: an answer that they are not there means nothing.
- Small things are coarse at {half} x {half}.
- It has seen no tumour, no child, and nobody lying on the side or on the belly.

"""


def write(folder: Path, facts: Facts, targets: list[tuple[str, list[str]]], least: float) -> None:
    """Writes the card without figures."""
    total = sum(batches.KINDS.values())
    text = TEXT.format(
        side=SIDE,
        half=SIDE // 2,
        parameters=facts.parameters,
        bytes=sum((folder / name).stat().st_size for name in FILES.values()),
        low=WINDOW_LOW_HU,
        high=WINDOW_HIGH_HU,
        targets=listed(targets),
        least=least,
        ct_slices=facts.slices["ct-abdomen-labelled"],
        mr_slices=facts.slices["mr-abdomen-labelled"],
        pelvis=f"{series.PELVIS[0]} to {series.PELVIS[1] - 1}",
        shares=", ".join(f"{kind} {share / total:.0%}" for kind, share in batches.KINDS.items()),
        prompts=batches.PROMPTS,
        templates=len(set(TEMPLATES)),
        held_out="; ".join(f"{ranges(blocks)} of {name}" for name, blocks in series.HELD_OUT.items()),
        steps=facts.steps,
        schedule=SCHEDULE_STEPS,
        pictures=batches.PICTURES,
        seed=facts.seed,
        threads=facts.threads,
        minutes=facts.seconds / 60,
    )
    (folder / CARD).write_text(text)


def listed(targets: list[tuple[str, list[str]]]) -> str:
    return "; ".join(f"{name} ({' and '.join(modalities)})" for name, modalities in targets)


def ranges(blocks: list[tuple[int, int]]) -> str:
    return ", ".join(f"{first} to {last}" for first, last in blocks)


def add_figures(folder: Path, text: str) -> None:
    """Puts the figures behind the card, in place of earlier ones."""
    card = (folder / CARD).read_text().split(FIGURES)[0].rstrip() + "\n\n"
    (folder / CARD).write_text(card + FIGURES + "\n" + text.rstrip() + "\n")
