"""Writes a model folder: three graphs, statistics, and `model.toml` with what they are and their checksums.

The form is that of inference/PROMPT.md. A folder appears whole or not at all; see `places`.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import graphs, half
from .failure import Failure
from .networks.network import Network
from .networks.sizes import Generation
from .places import made_whole
from .statistics import read_statistics

MANIFEST = "model.toml"
STATISTICS = "target_dist.json"
# Values of Modality (0008,0060) with pictures of the kinds that a generation was trained on.
MODALITIES = {"v1": ["CT", "MR", "CR", "DX", "US", "OP", "OPT", "ES", "XC", "DMS", "GM", "SM"],
              "v2": ["CT", "MR", "US"]}

Say = Callable[[str], None]


@dataclass(frozen=True)
class About:
    """What a folder says of its model."""

    name: str
    version: str
    title: str
    manufacturer: str
    licence: str
    remark: str
    """Comment at the top, one line."""


def about_checkpoint(generation: Generation, sha256: str) -> About:
    """What a folder says that was exported from a checkpoint with this SHA-256. Whose weights it holds is not known."""
    return About(
        name=f"biomedparse-{generation}", version=generation[1:], title=f"BiomedParse {generation}, exported checkpoint",
        manufacturer="maker of the checkpoint, not verified",
        licence="that of the checkpoint; Microsoft's published one: CC BY-NC-SA 4.0",
        remark=f"Exported from a checkpoint of the form of BiomedParse {generation} with SHA-256 {sha256}. Whose weights it "
               "holds was not verified; those that Microsoft publishes are neither for clinical nor for commercial use.")


@dataclass(frozen=True)
class Options:
    """How a folder is written."""

    precision: str = "fp32"
    """Of the weights in the files, `fp32` or `fp16`; what is computed is float32 in both."""
    statistics: Path | None = None
    """A `target_dist.json` to put into the folder."""


def write(network: Network, about: About, out: Path, options: Options, say: Say) -> None:
    """Writes the folder `out`, which must not exist.

    Raises `Failure` when it exists or statistics do not fit, `OSError` when the disk does not do its part.
    """
    need_free_place(out)
    statistics = read_statistics(options.statistics) if options.statistics else None
    with made_whole(out) as part:
        files = _write_graphs(network, part, options, say)
        if statistics is not None:
            (part / STATISTICS).write_text(json.dumps(statistics, indent=1) + "\n")
            files["statistics"] = STATISTICS
        (part / MANIFEST).write_text(manifest(network, about, checksums(part, files)))
        need_free_place(out)
    say(f"{out}: written")


def need_free_place(out: Path) -> None:
    """Raises `Failure` when there is something at `out`."""
    if out.exists():
        raise Failure(f"{out} exists; give a folder that does not, or remove it first")


def _write_graphs(network: Network, folder: Path, options: Options, say: Say) -> dict[str, str]:
    files = {}
    for name in graphs.NAMES:
        say(f"making {name}.onnx")
        model = graphs.make(network, name)
        if options.precision == "fp16":
            half.narrow(model)
        path = folder / f"{name}.onnx"
        graphs.write(model, path)
        del model
        graphs.check(path)
        say(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")
        files[name.replace("-", "_")] = path.name
    return files


def checksums(folder: Path, files: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Role → name and SHA-256 of a file."""
    return {role: (name, sha256(folder / name)) for role, name in files.items()}


def sha256(path: Path) -> str:
    """The SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def manifest(network: Network, about: About, files: dict[str, tuple[str, str]]) -> str:
    """The text of `model.toml`."""
    generation = network.size.generation
    quoted = ", ".join(f'"{modality}"' for modality in MODALITIES[generation])
    lines = [
        f"# {about.remark}", "format = 1", "", "[model]",
        *(f"{key} = {json.dumps(getattr(about, key), ensure_ascii=False)}"
          for key in ("name", "version", "title", "manufacturer", "licence")),
        'kind = "prompt"', f"modalities = [{quoted}]", "", "[prompt]", f'generation = "{generation}"',
        f"side = {network.size.side}", f'vocabulary = "{generation}"', 'tokenizer = "clip"']
    for role, (name, sha256) in files.items():
        lines += ["", f"[files.{role}]", f'file = "{name}"', f'sha256 = "{sha256}"']
    return "\n".join(lines) + "\n"
