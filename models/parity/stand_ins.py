"""Stand-ins for packages that upstream imports and that cannot be had here, or that inference never calls.

Detectron2 is on no registry. Of it, upstream's inference uses a convolution with normalisation and activation, group
normalisation, a padded list of pictures, and names; those are written here from their documented behaviour. Everything
else that is asked of these modules is an empty class. CUDA calls stay on the CPU.
"""

import importlib.abc
import importlib.machinery
import sys
import types
from dataclasses import dataclass

import torch
from torch import nn

# Packages that are stood in for, with all modules below them, unless they are installed.
STOOD_IN = ("detectron2", "mpi4py", "cv2", "pycocotools", "nltk", "MultiScaleDeformableAttention")


class Conv2d(nn.Conv2d):
    """A convolution, then normalisation, then activation."""

    def __init__(self, *arguments, norm=None, activation=None, **named):
        super().__init__(*arguments, **named)
        self.norm, self.activation = norm, activation

    def forward(self, x):
        x = super().forward(x)
        x = x if self.norm is None else self.norm(x)
        return x if self.activation is None else self.activation(x)


def get_norm(norm, channels):
    """Normalisation by name; upstream uses group normalisation of 32 groups only."""
    return {"GN": lambda: nn.GroupNorm(32, channels), "": lambda: None, None: lambda: None}[norm]()


@dataclass
class ShapeSpec:
    """Shape of a feature map."""

    channels: int = None
    height: int = None
    width: int = None
    stride: int = None


class Backbone(nn.Module):
    """A backbone that pads nothing."""

    size_divisibility = 0


@dataclass
class ImageList:
    """Pictures of one size, padded at the right and below to a multiple."""

    tensor: torch.Tensor
    image_sizes: list

    @classmethod
    def from_tensors(cls, tensors, size_divisibility=0, pad_value=0.0):
        """Here for one picture, which is all that inference gives."""
        (picture,) = tensors
        multiple = max(size_divisibility, 1)
        padding = [-side % multiple for side in picture.shape[-2:]]
        padded = nn.functional.pad(picture, (0, padding[1], 0, padding[0]), value=pad_value)
        return cls(padded[None], [tuple(picture.shape[-2:])])


class Registry:
    """Takes classes and functions, and leaves them as they are."""

    def register(self, *_):
        return lambda thing: thing


KNOWN = {
    "detectron2.layers": {"Conv2d": Conv2d, "get_norm": get_norm, "ShapeSpec": ShapeSpec},
    "detectron2.modeling": {"Backbone": Backbone, "ShapeSpec": ShapeSpec, "BACKBONE_REGISTRY": Registry(),
                            "SEM_SEG_HEADS_REGISTRY": Registry()},
    "detectron2.structures": {"ImageList": ImageList},
}


class StandIn(types.ModuleType):
    """A module that has what it is known to have, and an empty class for any other name."""

    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return KNOWN.get(self.__name__, {}).get(name) or type(name, (), {})


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Is asked last: what is installed is used."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in STOOD_IN:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return StandIn(spec.name)

    def exec_module(self, module):
        pass


def install():
    """Puts the stand-ins in place, and keeps CUDA calls on the CPU."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.append(Finder())
    torch.Tensor.cuda = lambda tensor, *_, **__: tensor
    nn.Module.cuda = lambda module, *_, **__: module
    if not torch.cuda.is_available():
        torch.cuda.current_device = lambda: torch.device("cpu")
