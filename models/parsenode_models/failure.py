"""How a command fails: a text for people and an exit code for scripts, the same as those of `parsenode`."""

import errno
from pathlib import Path

MISUSE = 64
BAD_INPUT = 65
OWN_FAULT = 70
DISK = 74


class Failure(Exception):
    """What went wrong, and whose fault it is."""

    def __init__(self, text: str, code: int = BAD_INPUT) -> None:
        super().__init__(text)
        self.code = code


def of_disk(error: OSError) -> Failure:
    """A file could not be read or written."""
    if error.errno == errno.ENOSPC:
        return Failure(f"the disk is full: {error.filename or error}", DISK)
    return Failure(f"{error.filename or 'a file'}: {error.strerror or error}", DISK)


def of_us(error: Exception) -> Failure:
    """What nobody foresaw, in one line, or a package that is missing."""
    if isinstance(error, ImportError):
        return Failure(f"{error}; this needs: pip install './models[export]'", OWN_FAULT)
    words = " ".join(str(error).split())[:300]
    return Failure(f"our own fault: {type(error).__name__}: {words}", OWN_FAULT)


def need_checkout(folder: Path, option: str) -> None:
    """Raises `Failure` when a folder of the repository is not there, as after an installation."""
    if not (folder / "model.toml").is_file():
        raise Failure(f"{folder} has no model.toml: run this in models/ of a checkout, or give {option}", MISUSE)
