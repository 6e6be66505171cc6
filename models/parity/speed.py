"""Times upstream in PyTorch against our graphs in ONNX Runtime, in turn, with the same weights, pixels and threads.

    python speed.py CHECKPOINT CHECKOUT FOLDER [--repeats N] [--threads N]

Two processes hold a model each; one works while the other sleeps, and they take turns, so that what else the machine
does falls on both. Asked is one slice with 1 and with 15 prompts, from prepared pixels and text to probabilities on the
network's picture. Of each turn: seconds, seconds of processor, and the peak memory of the process.

What upstream is asked:
- v1, "together": all prompts in one call of interactive_infer_image. Prompts of a call change each other's masks there;
  upstream's own recognition therefore asks one by one.
- v1, "one by one": what interactive_infer_image_all does, the backbone anew for each prompt. Every call costs the same,
  so 15 prompts are taken as 15 times the call with one.
- v2: the model as inference.py asks it, all prompts of a slice in one call, and the masks resized and suppressed.
  The embeddings of its training classes, which it computes anew for every volume and does not use, are left out.

Ours: encode the slice, encode the prompts, decode (v1: prompt by prompt; v2: prompts of equal length together), resize.
"""

import argparse
import importlib
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

TARGETS = ("spleen", "right kidney", "left kidney", "gallbladder", "esophagus", "liver", "stomach", "aorta", "postcava",
           "pancreas", "right adrenal gland", "left adrenal gland", "duodenum", "bladder", "prostate")
COUNTS = (1, 15)
SIDE = {"v1": 1024, "v2": 512}


def prompts(count: int) -> list[str]:
    """The first of the targets, as sentences."""
    return [f"{target} in abdomen CT" for target in TARGETS[:count]]


def generation_of(checkpoint: Path) -> str:
    """By what is in the file."""
    import upstream

    return "v1" if any(".lang_encoder." in name for name in upstream.state_of(checkpoint)) else "v2"


def upstream_v1(checkpoint: Path, checkout: Path):
    """A function of the number of prompts, that asks upstream's v1."""
    import numpy as np
    import upstream_v1 as v1
    from PIL import Image

    from modules import picture

    model = v1.model_of(checkout, checkpoint)
    from inference_utils import inference

    image = Image.fromarray(picture(SIDE["v1"], 0).squeeze(0).permute(1, 2, 0).numpy().astype(np.uint8))
    return lambda count: inference.interactive_infer_image(model, image, prompts(count))


def upstream_v2(checkpoint: Path, checkout: Path):
    """A function of the number of prompts, that asks upstream's v2."""
    import torch

    import upstream
    from modules import picture

    model = upstream.build_v2(checkout)
    upstream.load(model, upstream.state_of(checkpoint))
    theirs = importlib.import_module("inference")
    images = picture(SIDE["v2"], 0)[:, :1].int()

    def ask(count: int):
        skipped = mock.patch.object(type(model.sem_seg_head.predictor.language_encoder), "get_text_embeddings")
        with torch.no_grad(), skipped:
            found = model({"image": images, "text": ["[SEP]".join(prompts(count))]}, mode="eval")["predictions"]
            masks = torch.nn.functional.interpolate(found["pred_gmasks"], size=(SIDE["v2"],) * 2, mode="bicubic",
                                                    align_corners=False, antialias=True)
            return theirs.postprocess(masks, found["object_existence"])
    return ask


def ours(generation: str, folder: Path, threads: int):
    """A function of the number of prompts, that asks our graphs."""
    import numpy as np
    import torch

    import upstream
    from modules import picture
    from parsenode_models import compare
    from parsenode_models.graphs import NAMES

    encode, embed, decode = (compare.session(folder / f"{name}.onnx", threads) for name in NAMES)
    image = picture(SIDE[generation], 0).numpy()
    clip = upstream.tokenizer()
    random = np.random.default_rng(0)

    def decoded(features, ids):
        """Prompts of one length, or one of them, with their noise."""
        embedded = compare.run(embed, {"input_ids": ids})
        asked = features | {"tokens": np.ascontiguousarray(embedded["token_emb"].transpose(1, 0, 2))}
        if generation == "v1":
            asked["class_emb"] = embedded["class_emb"][None]
        for value in decode.get_inputs():
            if value.name.startswith("noise"):
                shape = (value.shape[0], len(ids), *value.shape[2:])
                asked[value.name] = random.random(shape, dtype=np.float32)
        return compare.run(decode, asked)["mask_logits"].reshape(len(ids), 1, *(SIDE[generation] // 4,) * 2)

    def ask(count: int):
        features = compare.run(encode, {"image": image})
        groups = {}
        for index, prompt in enumerate(prompts(count)):
            ids = clip(prompt)["input_ids"]
            groups.setdefault(index if generation == "v1" else len(ids), []).append(ids)
        masks = torch.from_numpy(np.concatenate([decoded(features, np.array(ids)) for ids in groups.values()]))
        side = SIDE[generation]
        if generation == "v1":
            return torch.nn.functional.interpolate(masks, size=(side, side), mode="bilinear").sigmoid()
        return torch.nn.functional.interpolate(masks, size=(side, side), mode="bicubic", align_corners=False,
                                               antialias=True).sigmoid()
    return ask


def worker(typed: argparse.Namespace) -> None:
    """Reads numbers of prompts, answers with what it took."""
    import torch

    torch.set_num_threads(typed.threads)
    generation = generation_of(typed.checkpoint)
    if typed.worker == "ours":
        ask = ours(generation, typed.folder, typed.threads)
    else:
        ask = {"v1": upstream_v1, "v2": upstream_v2}[generation](typed.checkpoint, typed.checkout)
    print(json.dumps({"generation": generation}), flush=True)
    for line in sys.stdin:
        wall, processor = time.perf_counter(), time.process_time()
        with torch.no_grad():
            ask(int(line))
        took = {"wall": time.perf_counter() - wall, "processor": time.process_time() - processor,
                "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}
        print(json.dumps(took), flush=True)


class Side:
    """A worker process."""

    def __init__(self, name: str, typed: argparse.Namespace) -> None:
        command = [sys.executable, __file__, typed.checkpoint, typed.checkout, typed.folder,
                   "--threads", typed.threads, "--worker", name]
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.generation = self._answer()["generation"]
        self.taken: dict[int, list[dict]] = {}

    def _answer(self) -> dict:
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise SystemExit("a worker ended; run it with --worker to see why")

    def ask(self, count: int) -> dict:
        """One turn."""
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        return self._answer()

    def end(self) -> None:
        """Ends the process."""
        self.process.stdin.close()
        self.process.wait()


def row(name: str, count: int, pairs: list[tuple[dict, dict]], times: int = 1) -> None:
    """A line of the table: medians, and the median of the ratios of the pairs."""
    cells = []
    for key in ("wall", "processor"):
        theirs, own = [times * pair[0][key] for pair in pairs], [pair[1][key] for pair in pairs]
        ratio = statistics.median(one / other for one, other in zip(theirs, own))
        cells.append(f"{statistics.median(theirs):.1f} | {statistics.median(own):.1f} | **{ratio:.2f}**")
    print(f"| {name} | {count} | {len(pairs)} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    """See the top of this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("checkpoint", "checkout", "folder"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--worker", choices=("ours", "upstream"), help=argparse.SUPPRESS)
    typed = parser.parse_args()
    if typed.worker:
        return worker(typed)
    sides = [Side("upstream", typed), Side("ours", typed)]
    for side in sides:
        side.ask(1)  # first calls allocate
    print("| upstream's path | prompts | pairs | upstream s | ours s | ratio | upstream CPU s | ours CPU s | ratio |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    pairs = {count: [tuple(side.ask(count) for side in sides) for _ in range(typed.repeats)] for count in COUNTS[:1]}
    v1 = sides[0].generation == "v1"
    row("one by one" if v1 else "together", 1, pairs[1])
    pairs[15] = [tuple(side.ask(15) for side in sides) for _ in range(typed.repeats)]
    row("together", 15, pairs[15])
    if v1:
        row("one by one", 15, [(one[0], many[1]) for one, many in zip(pairs[1], pairs[15])], times=15)
    peaks = [max(turn["peak"] for pair in pairs[count] for turn in pair[index:index + 1])
             for index, count in ((0, 15), (1, 15))]
    print(f"\npeak memory: upstream {peaks[0]:.1f} GB, ours {peaks[1]:.1f} GB; {typed.threads} threads")
    for side in sides:
        side.end()
    return None


if __name__ == "__main__":
    main()
