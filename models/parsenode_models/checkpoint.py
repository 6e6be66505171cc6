"""Reads and writes checkpoint files of BiomedParse.

The file of v1 is a dictionary of tensors by bare names. That of v2 has them under `state_dict`, each name behind
`model.`, beside the state of an optimiser. Reading executes nothing that a file holds, and takes only what fits: each
tensor that the network needs, with its shape, and only numbers in it.
"""

import collections
import os
import pickle
import zipfile
from pathlib import Path

import torch
from torch import Tensor

from .failure import Failure
from .folder import Say, need_free_place
from .networks.keys import table
from .networks.network import Network
from .networks.sizes import FULL, TINY, Generation, Size
from .random_weights import values

State = dict[str, Tensor]

PREFIX = "model."
# Where each generation keeps its text encoder: that tells them apart.
MARKS: dict[Generation, str] = {"v1": "sem_seg_head.predictor.lang_encoder.lang_encoder.",
                                "v2": "sem_seg_head.predictor.language_encoder.encoder_transformer."}
# The shape of this tells the full size from the tiny one.
FIRST_BIAS = "backbone.patch_embed.proj.bias"
# Of faults of one kind, so many are named.
NAMED = 8
# Words of PyTorch about what is no tensor: a call, a class, or the state of an object.
CODE = ("GLOBAL", "Unsupported global", "REDUCE", "BUILD", "Can only build", "Can only create new object")
# So much of a file tells other forms.
START_BYTES = 256
# Part of the names of an encoder that the published file of v1 holds, unused: its size tells so.
PUBLISHED_V1 = "biomed_encoder"
# What unused tensors are for, by a part of their names.
UNUSED = {PUBLISHED_V1: "BiomedBERT", "mask_sptial": "prompts by points", "spatial": "prompts by points",
          "pn_indicator": "prompts by points", "logit_scale": "training", "class_embed": "the other generation",
          "dilation_kernel": "training", "criterion": "training", "loss": "training", "weight_dict": "training"}


def read(path: Path, say: Say) -> Network:
    """The network of a checkpoint file.

    Raises `Failure` when the file is none of BiomedParse, damaged, holds more than tensors, or has other tensors.
    """
    say(f"reading {path}")
    state = _bare(path, _content(path))
    generation = _generation(path, state)
    size = _size(generation, state)
    with torch.device("meta"):
        network = Network(size)
    say(f"a checkpoint of BiomedParse {generation}")
    if size == FULL["v1"] and not any(PUBLISHED_V1 in name for name in state):
        say(f"warning: no tensor is named {PUBLISHED_V1}…; this is not the file of v1 that Microsoft publishes")
    _take(path, network, state, say)
    return network.eval()


def _content(path: Path) -> object:
    if not path.is_file():
        raise Failure(f"{path}: no such file")
    _refuse_other_forms(path)
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        if any(word in str(error) for word in CODE):
            raise Failure(f"{path} holds more than tensors, and nothing of it was executed: "
                          f"{_first_words(error)}") from error
        raise _damaged(path, error) from error
    except Exception as error:  # what a damaged file runs into is not foreseen
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise _damaged(path, error) from error


def _refuse_other_forms(path: Path) -> None:
    """Names forms that are downloaded in place of a checkpoint."""
    with path.open("rb") as file:
        start = file.read(START_BYTES)
    if start.startswith(b"version https://git-lfs"):
        raise Failure(f"{path} is a pointer of Git LFS, not the file itself: git lfs pull brings it")
    if start.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise Failure(f"{path} is a page of HTML, not a checkpoint: the download wants a login or accepted conditions")
    if start[8:9] == b"{" and 2 <= int.from_bytes(start[:8], "little") <= path.stat().st_size - 8:
        raise Failure(f"{path} is a safetensors file; a checkpoint as published is wanted, .pt or .ckpt")


def _damaged(path: Path, error: Exception) -> Failure:
    return Failure(f"{path} is truncated, or no checkpoint of PyTorch: {_first_words(error)}")


def _first_words(error: Exception) -> str:
    """The line of an error that says what it is about, without advice on how to switch the protection off."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if any(word in line for word in (*CODE, "Unsupported"))]
    return (telling or lines or [type(error).__name__])[0][:200]


def _bare(path: Path, content: object) -> State:
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict):
        raise Failure(f"{path} holds no dictionary of tensors")
    tensors = {name: tensor for name, tensor in content.items()
               if isinstance(name, str) and isinstance(tensor, Tensor)}
    return {name.removeprefix(PREFIX): tensor for name, tensor in tensors.items()}


def _generation(path: Path, state: State) -> Generation:
    for generation, mark in MARKS.items():
        if any(name.startswith(mark) for name in state):
            return generation
    some = ", ".join(list(state)[:3]) or "none"
    raise Failure(f"{path} is a checkpoint of another model: no tensor is named {' or '.join(MARKS.values())}… "
                  f"(its first tensors: {some})")


def _size(generation: Generation, state: State) -> Size:
    bias = state.get(FIRST_BIAS)
    is_tiny = bias is not None and tuple(bias.shape) == (TINY[generation].embed,)
    return (TINY if is_tiny else FULL)[generation]


def _take(path: Path, network: Network, state: State, say: Say) -> None:
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    _refuse(path, "lacks", [name for name in wanted if name not in state])
    _refuse(path, "has other shapes:", [
        f"{name} {list(state[name].shape)}, not {list(shape)}" for name, shape in wanted.items()
        if tuple(state[name].shape) != shape])
    _refuse(path, "has no floating-point numbers in", [name for name in wanted if not state[name].is_floating_point()])
    _refuse(path, "has NaN or infinity in", [name for name in wanted if not _is_finite(state[name])])
    network.load_state_dict({name: state[name].float() for name in wanted}, assign=True)
    say(f"{len(wanted)} tensors taken; {_unused_in_words([name for name in state if name not in wanted])}")


def _refuse(path: Path, what: str, names: list[str]) -> None:
    if names:
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        raise Failure(f"{path} {what} {', '.join(names[:NAMED])}{more}")


def _is_finite(tensor: Tensor) -> bool:
    """Extremes are enough: NaN and infinity come through, and no second tensor of the size is made."""
    if tensor.numel() == 0:
        return True
    least, most = tensor.aminmax()
    return bool(torch.isfinite(least) and torch.isfinite(most))


def _unused_in_words(names: list[str]) -> str:
    if not names:
        return "none unused"
    reasons = collections.Counter(
        next((reason for part, reason in UNUSED.items() if part in name), "unknown") for name in names)
    return f"{len(names)} unused: " + ", ".join(f"{count} of {reason}" for reason, count in reasons.items())


def write(network: Network, path: Path, seed: int, say: Say) -> None:
    """Writes the weights in the published form. At full size, with random numbers for what inference does not use.

    Raises `Failure` when there is something at `path`, `OSError` when the disk does not do its part.
    """
    need_free_place(path)
    generation = network.size.generation
    state = dict(network.state_dict())
    if network.size == FULL[generation]:
        state |= {key.name: torch.from_numpy(values(key.name, key.shape, seed))
                  for key in table(generation) if not key.used}
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            torch.save(state if generation == "v1" else {"state_dict": {PREFIX + name: tensor for name, tensor
                                                                      in state.items()}}, file)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
    say(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
