"""How a command fails: a text for people and an exit code for scripts, the same as those of `parsenode`."""

import errno

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
