"""What the model is asked for: targets, the classes of the labelled series that they are made of, and prompts in words.

Knows nothing of pictures.
"""

import random
from dataclasses import dataclass

# Classes of a pixel, whatever series it comes from; 0 is what nobody labelled. Names begin so in the label files.
CLASSES = {
    1: ["spleen"],
    2: ["kidney_right"],
    3: ["kidney_left"],
    4: ["gallbladder"],
    5: ["liver"],
    6: ["stomach"],
    7: ["pancreas"],
    8: ["adrenal_gland_right"],
    9: ["adrenal_gland_left"],
    10: ["lung_"],
    11: ["small_bowel"],
    12: ["duodenum"],
    13: ["colon"],
    14: ["vertebrae"],
    15: ["rib_"],
    16: ["costal_cartilages"],
    17: ["intervertebral_discs"],
    18: ["aorta"],
    19: ["inferior_vena_cava"],
    20: ["portal_vein"],
    21: ["spinal_cord"],
    22: ["autochthon"],
    23: ["iliopsoas"],
}
CLASS_COUNT = 24


@dataclass(frozen=True)
class Target:
    """One thing to ask for."""

    name: str
    classes: tuple[int, ...]
    modalities: tuple[str, ...]
    synonyms: tuple[str, ...] = ()


BOTH, CT = ("CT", "MRI"), ("CT",)
TARGETS = [
    Target("liver", (5,), BOTH, ("hepatic parenchyma", "liver parenchyma")),
    Target("spleen", (1,), BOTH, ("splenic parenchyma",)),
    Target("left kidney", (3,), BOTH, ("lk", "kidney left", "l kidney")),
    Target("right kidney", (2,), BOTH, ("rk", "kidney right", "r kidney")),
    Target("aorta", (18,), BOTH, ("abdominal aorta",)),
    Target("bone", (14, 15), CT, ("bones", "skeleton")),
    Target("lung", (10,), CT, ("lungs", "both lungs")),
    Target("gallbladder", (4,), BOTH, ("gall bladder", "gb")),
    Target("stomach", (6,), BOTH, ()),
    Target("pancreas", (7,), BOTH, ("pancreatic gland",)),
    Target("inferior vena cava", (19,), BOTH, ("ivc", "postcava", "vena cava inferior")),
    Target("colon", (13,), BOTH, ("large bowel", "large intestine")),
    Target("small bowel", (11,), BOTH, ("small intestine",)),
    Target("duodenum", (12,), BOTH, ()),
    Target("left adrenal gland", (9,), BOTH, ("left adrenal",)),
    Target("right adrenal gland", (8,), BOTH, ("right adrenal",)),
    Target("portal and splenic vein", (20,), BOTH, ()),
    Target("spinal cord", (21,), BOTH, ()),
    Target("kidney", (2, 3), BOTH, ("kidneys", "both kidneys")),
]
NAMES = [target.name for target in TARGETS]

# Words for what is taken to be in no picture of the training. They teach that a word of a target does not make the target.
# Of bladder, prostate, uterus, heart and esophagus this is not so: slices of the pelvis may show the first three, the upper ones
# the last two. The card says it among the failures.
FOREIGN = [
    "retinal vessel",
    "optic disc",
    "optic cup",
    "polyp",
    "melanoma",
    "skin lesion",
    "prostate",
    "bladder",
    "uterus",
    "left heart ventricle",
    "right heart ventricle",
    "left heart atrium",
    "myocardium",
    "heart",
    "brain ventricles",
    "hippocampus",
    "cerebellum",
    "brain tumor",
    "whole brain tumor",
    "tumor core",
    "enhancing tumor",
    "edema",
    "glioma",
    "liver tumor",
    "kidney tumor",
    "kidney cyst",
    "lung nodule",
    "lung tumor",
    "pancreas tumor",
    "colon tumor",
    "colon polyp",
    "hepatic vessel",
    "breast tumor",
    "fetal head",
    "pubic symphysis",
    "thyroid",
    "left lung lobe",
    "pleural effusion",
    "pneumothorax",
    "infection",
    "pneumonia",
    "neoplastic cells",
    "inflammatory cells",
    "glands",
    "esophagus",
    "pulmonary embolism",
    "eye",
    "tooth",
    "placenta",
    "nothing",
    "object",
    "everything",
]
SITES = [
    "abdomen",
    "chest",
    "pelvis",
    "liver",
    "kidney",
    "pancreas",
    "pancreatic",
    "lung",
    "stomach",
    "colon",
    "heart",
    "esophagus",
    "bladder",
    "prostate",
    "breast",
    "brain",
    "retinal",
    "skin",
    "other",
]
ENDINGS = {"CT": ["CT"], "MRI": ["MRI", "MRI", "MRI-T2", "MRI-T1-Gd", "MRI-FLAIR", "MRI-ADC"]}
FOREIGN_ENDINGS = ["CT", "MRI", "X-Ray", "ultrasound", "fundus", "OCT", "endoscope", "dermoscopy", "pathology"]
TEMPLATES = [
    "{what} in {site} {modality}",
    "{what} in {site} {modality}",
    "{what} in {site} {modality}",
    "{what}",
    "{what}",
    "the {what}",
    "{what} in {modality}",
    "{what} in {site}",
    "{what} in the {site}",
    "{modality} imaging of the {what}",
    "{modality} imaging of the {what} in the {site}",
    "segment the {what}",
    "segment the {what} in {site} {modality}",
    "{what} on {modality}",
    "where is the {what}",
    "find the {what} in this {modality}",
    "visualization of the {what} in {modality}",
    "{what} in {site} {modality} imaging",
    "{what} in abdominal {modality}",
]


def prompt(what: str, ending: str, choose: random.Random) -> str:
    """One way to ask for it."""
    site = "abdomen" if choose.random() < 0.7 else choose.choice(SITES)
    return choose.choice(TEMPLATES).format(what=what, site=site, modality=ending)


def asking(target: Target, modality: str | None, choose: random.Random) -> str:
    """A prompt for the target in a picture of this modality; None where the picture has none."""
    what = target.name if choose.random() < 0.75 else choose.choice([target.name, *target.synonyms])
    modality = modality or choose.choice(["CT", "MRI"])
    return prompt(what, choose.choice(ENDINGS[modality]), choose)


def foreign(choose: random.Random) -> str:
    """A prompt for what is never there."""
    return prompt(choose.choice(FOREIGN), choose.choice(FOREIGN_ENDINGS), choose)


def all_words() -> list[str]:
    """Texts that together hold every word a prompt of the training may have."""
    endings = sorted({ending for choices in ENDINGS.values() for ending in choices} | set(FOREIGN_ENDINGS))
    names = [name for target in TARGETS for name in (target.name, *target.synonyms)]
    empty = [template.format(what="", site="", modality="") for template in TEMPLATES]
    return [*names, *FOREIGN, *SITES, *endings, *empty]


def class_of(label_name: str) -> int:
    """The class of a name in a label file."""
    known = ((number, prefix) for number, prefixes in CLASSES.items() for prefix in prefixes)
    return next(number for number, prefix in known if label_name.startswith(prefix))
