"""Writes the tables of keys and shapes of the published checkpoints, by building upstream's own models.

    python keys.py v1 CHECKOUT
    python keys.py v2 CHECKOUT

Which keys are used is what our modules ask for. BiomedBERT, which the file of v1 holds and nothing uses, is left out.
"""

import sys
from pathlib import Path

import upstream
from parsenode_models.commands import empty_network
from parsenode_models.networks.keys import FOLDER
from parsenode_models.networks.sizes import FULL

BUILD = {"v1": lambda checkout: upstream.build_v1(checkout).model, "v2": upstream.build_v2}


def main(generation: str, checkout: str) -> None:
    """See the top of this file."""
    theirs = BUILD[generation](Path(checkout)).state_dict()
    ours = empty_network(FULL[generation]).state_dict()
    lines = [f"# Keys of BiomedParse {generation}: shape, and whether inference uses it. Made by models/parity/keys.py."]
    for key, tensor in sorted(theirs.items()):
        shape = " ".join(map(str, tensor.shape)) or "-"
        lines.append(f"{key}\t{shape}\t{'used' if key in ours else 'unused'}")
    path = FOLDER / f"keys-{generation}.tsv"
    path.write_text("\n".join(lines) + "\n")
    print(f"{path}: {len(theirs)} keys, {len(ours)} used")


if __name__ == "__main__":
    main(*sys.argv[1:])
