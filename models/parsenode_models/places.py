"""Folders that appear whole or not at all: they are made beside their place and moved there last."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def made_whole(out: Path) -> Iterator[Path]:
    """An empty folder to write files into. At the end it is on the disk under the name `out`, in place of what was there.

    Nothing else is touched, and nothing is left behind when the writing fails. Raises `OSError` when the disk does not do
    its part; `out` is then as it was.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}-"))
    made, old = beside / "made", beside / "old"
    try:
        made.mkdir()
        yield made
        for path in (*made.iterdir(), made):
            _flush(path)
        if out.exists():
            out.rename(old)
        try:
            made.rename(out)
        except OSError:
            if old.exists():
                old.rename(out)
            raise
        _flush(out.parent)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _flush(path: Path) -> None:
    """Waits until a file or folder is on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
