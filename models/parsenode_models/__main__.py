"""The command line: `python -m parsenode_models export` and `random`."""

import argparse
import sys
import time
from pathlib import Path

from .failure import Failure, of_disk, of_us

EXPORT_TEXT = """\
Writes a model folder for parsenode from a checkpoint of BiomedParse.

CHECKPOINT is biomedparse_v1.pt or biomedparse_v2.ckpt as published; which of the two it is, is found out. Nothing in
the file is executed: only tensors are read. OUT is a folder that does not exist yet. It gets

  image-encoder.onnx   once a picture
  text-encoder.onnx    once a prompt
  mask-decoder.onnx    for each prompt on each picture
  target_dist.json     with --statistics only; without it, parsenode uses the published numbers
  model.toml           what the node reads first, with the SHA-256 of each file

This takes a few minutes and up to 6 GB of memory. Then: parsenode model show OUT
"""

RANDOM_TEXT = """\
Writes a model folder of the form of BiomedParse with random weights: to try the path, or to measure it, without a
checkpoint. What it finds means nothing.

--size tiny makes files of some hundred kB that run in milliseconds; --size full those of the published networks.
--checkpoint writes the weights to a checkpoint file of the published form as well, or, without OUT, only there.
"""

CODES = "Exit codes: 0 done, 1 --check found a difference, 64 misuse, 65 bad input, 70 our own fault, 74 disk."


class Parser(argparse.ArgumentParser):
    """Misuse ends with 64, as that of `parsenode` does."""

    def error(self, message: str) -> None:
        """Says what is wrong, and ends."""
        self.print_usage(sys.stderr)
        self.exit(64, f"{self.prog}: {message}\n")


def parser() -> Parser:
    """What may be typed."""
    whole = Parser(prog="parsenode_models", description="Makes models for parsenode.", epilog=CODES)
    tasks = whole.add_subparsers(dest="task", required=True, parser_class=Parser, metavar="TASK")
    plain = argparse.RawDescriptionHelpFormatter
    export = tasks.add_parser("export", help="a checkpoint of BiomedParse → a model folder", description=EXPORT_TEXT,
                              epilog=CODES, formatter_class=plain)
    export.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    export.add_argument("out", type=Path, metavar="OUT")
    _add_options(export)
    random = tasks.add_parser("random", help="random weights → a model folder", description=RANDOM_TEXT, epilog=CODES,
                              formatter_class=plain)
    random.add_argument("out", type=Path, metavar="OUT", nargs="?")
    random.add_argument("--generation", choices=("v1", "v2"), required=True)
    random.add_argument("--size", choices=("tiny", "full"), default="tiny")
    random.add_argument("--seed", type=seed, default=1, metavar="N", help="other seeds give other weights; default 1")
    random.add_argument("--checkpoint", type=Path, metavar="FILE", help="write the weights there")
    random.add_argument("--check", action="store_true", help="compare OUT with what would be written; write nothing")
    _add_options(random)
    return whole


def seed(text: str) -> int:
    """A whole number from 0.

    Raises `argparse.ArgumentTypeError` for anything else.
    """
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a whole number from 0 is wanted, not {text}")
    return int(text)


def _add_options(task: argparse.ArgumentParser) -> None:
    task.add_argument("--precision", choices=("fp32", "fp16"), default="fp32",
                      help="of the weights in the files: fp16 halves them; computed is fp32 in both (default)")
    task.add_argument("--statistics", type=Path, metavar="FILE", help="a target_dist.json to put into the folder")


class Progress:
    """Says on stderr what is being done, with the seconds since the start."""

    def __init__(self) -> None:
        self.start = time.monotonic()

    def __call__(self, text: str) -> None:
        print(f"[{time.monotonic() - self.start:6.1f} s] {text}", file=sys.stderr, flush=True)


def main() -> int:
    """Runs a command; returns its exit code."""
    arguments = parser().parse_args()
    try:
        from . import commands  # PyTorch takes seconds to load: not for --help

        return commands.TASKS[arguments.task](arguments, Progress())
    except Failure as error:
        failure = error
    except OSError as error:
        failure = of_disk(error)
    except Exception as error:  # an exit code for each end
        failure = of_us(error)
    print(f"error: {failure}", file=sys.stderr)
    return failure.code


if __name__ == "__main__":
    sys.exit(main())
