"""Upstream's own models, built from a checkout of upstream, with weights that are given.

Nothing of upstream is changed in its files. What is replaced while it runs: packages that cannot be had (see
stand_ins.py), downloads (tokenizer, BiomedBERT, statistics), and the source of random numbers of v2.
"""

import gzip
import json
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import torch
import transformers

import stand_ins
from parsenode_models.checkpoint import UNUSED

V1_CONFIG = "configs/biomedparse_inference.yaml"
LEVELS, HEADS = 3, 8
# Draws that reach an output; a tenth does not.
DRAWS = 9


def vocabulary(folder: Path) -> Path:
    """The files of CLIP's tokenizer, made from the list of merges that open_clip brings."""
    import open_clip

    text = gzip.open(Path(open_clip.__file__).parent / "bpe_simple_vocab_16e6.txt.gz").read().decode()
    merges = text.split("\n")[1:49152 - 256 - 2 + 1]
    byte_symbols = list(_byte_symbols().values())
    words = byte_symbols + [symbol + "</w>" for symbol in byte_symbols] + ["".join(line.split()) for line in merges]
    words += ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: index for index, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    return folder


def _byte_symbols() -> dict[int, str]:
    """A printable character for each byte, printable ones first, as GPT-2 began it."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    symbols = {byte: chr(byte) for byte in printable}
    for byte in range(256):
        if byte not in symbols:
            symbols[byte] = chr(256 + len(symbols) - len(printable))
    return symbols


def tokenizer() -> transformers.CLIPTokenizer:
    """CLIP's tokenizer, as upstream loads it."""
    with tempfile.TemporaryDirectory() as folder:
        path = vocabulary(Path(folder))
        return transformers.CLIPTokenizer(str(path / "vocab.json"), str(path / "merges.txt"), model_max_length=77)


@contextmanager
def _no_downloads():
    clip = tokenizer()
    bert = mock.Mock(side_effect=lambda *_, **__: torch.nn.Module())
    with (mock.patch.object(transformers.CLIPTokenizer, "from_pretrained", lambda *_, **__: clip),
          mock.patch.object(transformers.AutoTokenizer, "from_pretrained", lambda *_, **__: clip),
          mock.patch.object(transformers.AutoModel, "from_pretrained", bert)):
        yield


def build_v1(checkout: Path):
    """Upstream's v1 model as example_prediction.py builds it, weights still to be given."""
    stand_ins.install()
    sys.path.insert(0, str(checkout))
    with _no_downloads():
        from modeling import build_model
        from modeling.BaseModel import BaseModel
        from utilities.arguments import load_opt_from_config_files

        opt = load_opt_from_config_files([str(checkout / V1_CONFIG)])
        opt["device"] = torch.device("cpu")
        return BaseModel(opt, build_model(opt)).eval()


def build_v2(checkout: Path):
    """Upstream's v2 model as inference.py builds it, weights still to be given."""
    stand_ins.install()
    sys.path.insert(0, str(checkout))
    import hydra

    with _no_downloads(), hydra.initialize_config_dir(str(checkout.resolve() / "configs" / "model"), version_base=None):
        return hydra.utils.instantiate(hydra.compose("biomedparse_3D"), _convert_="object").eval()


def state_of(checkpoint: Path) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint of the published form, by upstream's names."""
    content = torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)
    content = content.get("state_dict", content)
    return {name.removeprefix("model."): tensor for name, tensor in content.items()}


def load(model: torch.nn.Module, state: dict[str, torch.Tensor]) -> None:
    """Gives weights to a model; every one that the state has must have a place, or be known to be unused."""
    missing, unexpected = model.load_state_dict(state, strict=False)
    unknown = [name for name in unexpected if not any(part in name for part in UNUSED)]
    if unknown:
        raise SystemExit(f"upstream has no place for {unknown[:3]}")
    given = len(state) - len(unexpected)
    print(f"weights given: {given}; unused: {len(unexpected)}; of upstream left as made: {len(missing)}")


class Noise:
    """Uniform numbers in the layout of our inputs `noise0` to `noise2`, one set a slice, handed to upstream draw by draw.

    `levels[level]` is `[slices, layers of the level * heads, prompts, queries, pixels]`. Upstream draws
    `[slices in the batch * prompts * heads, queries, pixels]`, nine times for the layers and once more for nothing.
    """

    def __init__(self, levels: list[np.ndarray]) -> None:
        self.levels, self.draw, self.slice = levels, 0, 0

    def like(self, tensor: torch.Tensor) -> torch.Tensor:
        """In place of `torch.rand_like`."""
        batch = tensor.shape[0] // (self.levels[0].shape[2] * HEADS)
        slices = slice(self.slice, self.slice + batch)
        if self.draw == DRAWS:
            self.draw, self.slice = 0, self.slice + batch
            return torch.zeros_like(tensor)
        first = self.draw // LEVELS * HEADS
        numbers = self.levels[self.draw % LEVELS][slices, first:first + HEADS]
        self.draw += 1
        return torch.from_numpy(numbers).transpose(1, 2).flatten(0, 2).to(tensor.dtype).reshape(tensor.shape)

    @contextmanager
    def given(self):
        """While this holds, upstream draws from here."""
        with mock.patch.object(torch, "rand_like", self.like):
            yield
