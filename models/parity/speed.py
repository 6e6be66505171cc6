"""Times upstream in PyTorch against our graphs in ONNX Runtime, in turn, with the same weights, prompts and threads.

    python speed.py CHECKPOINT CHECKOUT FOLDER [--repeats N] [--threads N] [--program prompt_speed]

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
With --program it is the node's own pipeline instead, from a DICOM file of the same size to findings, by the example
`prompt_speed` of the crate `inference`: it keeps the embeddings of prompts that it has seen, as the node does.
"""

import argparse
import importlib
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

TARGETS = ("spleen", "right kidney", "left kidney", "gallbladder", "esophagus", "liver", "stomach", "aorta", "postcava",
           "pancreas", "right adrenal gland", "left adrenal gland", "duodenum", "bladder", "prostate")
COUNTS = (1, 15)
SIDE = {"v1": 1024, "v2": 512}
WINDOW = {"v1": "abdomen", "v2": "soft tissue"}
NAMES = ("image-encoder", "text-encoder", "mask-decoder")


def prompts(count: int) -> list[str]:
    """The first of the targets, as sentences."""
    return [f"{target} in abdomen CT" for target in TARGETS[:count]]


def prepare(checkpoint: Path, folder: Path) -> Path:
    """What both sides are asked: the generation, a picture, and the tokens of all prompts."""
    import numpy as np

    import upstream
    from modules import picture

    generation = "v1" if any(".lang_encoder." in name for name in upstream.state_of(checkpoint)) else "v2"
    clip = upstream.tokenizer()
    ids = {f"ids{index}": clip(prompt)["input_ids"] for index, prompt in enumerate(prompts(COUNTS[-1]))}
    path = folder / "asked.npz"
    np.savez(path, generation=generation, picture=picture(SIDE[generation], 0).numpy(), **ids)
    return path


def upstream_v1(asked, typed: argparse.Namespace):
    """A function of the number of prompts, that asks upstream's v1."""
    import numpy as np
    import upstream_v1 as v1
    from PIL import Image

    model = v1.model_of(typed.checkout, typed.checkpoint)
    from inference_utils import inference

    image = Image.fromarray(asked["picture"][0].transpose(1, 2, 0).astype(np.uint8))
    return lambda count: inference.interactive_infer_image(model, image, prompts(count))


def upstream_v2(asked, typed: argparse.Namespace):
    """A function of the number of prompts, that asks upstream's v2."""
    import torch

    import upstream

    model = upstream.build_v2(typed.checkout)
    upstream.load(model, upstream.state_of(typed.checkpoint))
    theirs = importlib.import_module("inference")
    images = torch.from_numpy(asked["picture"])[:, :1].int()

    def ask(count: int):
        skipped = mock.patch.object(type(model.sem_seg_head.predictor.language_encoder), "get_text_embeddings")
        with torch.no_grad(), skipped:
            found = model({"image": images, "text": ["[SEP]".join(prompts(count))]}, mode="eval")["predictions"]
            masks = torch.nn.functional.interpolate(found["pred_gmasks"], size=(SIDE["v2"],) * 2, mode="bicubic",
                                                    align_corners=False, antialias=True)
            return theirs.postprocess(masks, found["object_existence"])
    return ask


def enlarger(generation: str):
    """A graph of its own for the last step: masks four times as large, as probabilities."""
    from onnx import TensorProto, helper, numpy_helper
    import numpy as np

    way = {"v1": {"mode": "linear"}, "v2": {"mode": "cubic", "antialias": 1, "cubic_coeff_a": -0.75}}[generation]
    nodes = [helper.make_node("Resize", ["masks", "", "scales"], ["large"], **way),
             helper.make_node("Sigmoid", ["large"], ["probabilities"])]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 1, "rows", "columns"])
            for name in ("masks", "probabilities")]
    scales = numpy_helper.from_array(np.array([1, 1, 4, 4], np.float32), "scales")
    graph = helper.make_graph(nodes, "enlarge", ends[:1], ends[1:], [scales])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9).SerializeToString()


def ours(asked, typed: argparse.Namespace):
    """A function of the number of prompts, that asks our graphs. No PyTorch in this process."""
    import numpy as np

    from parsenode_models.sessions import run, session

    generation = str(asked["generation"])
    encode, embed, decode = (session(typed.folder / f"{name}.onnx", typed.threads) for name in NAMES)
    enlarge = session(enlarger(generation), typed.threads)
    image = asked["picture"]
    ids = [asked[f"ids{index}"].tolist() for index in range(COUNTS[-1])]
    random = np.random.default_rng(0)

    def decoded(features, group):
        """Prompts of one length, or one of them, with their noise."""
        embedded = run(embed, {"input_ids": np.array(group)})
        inputs = features | {"tokens": np.ascontiguousarray(embedded["token_emb"].transpose(1, 0, 2))}
        if generation == "v1":
            inputs["class_emb"] = embedded["class_emb"][None]
        for value in decode.get_inputs():
            if value.name.startswith("noise"):
                inputs[value.name] = random.random((value.shape[0], len(group), *value.shape[2:]), dtype=np.float32)
        masks = run(decode, inputs)["mask_logits"].reshape(len(group), 1, *(SIDE[generation] // 4,) * 2)
        return run(enlarge, {"masks": masks})["probabilities"]

    def ask(count: int):
        features = run(encode, {"image": image})
        groups = {}
        for index in range(count):
            groups.setdefault(index if generation == "v1" else len(ids[index]), []).append(ids[index])
        return [decoded(features, group) for group in groups.values()]
    return ask


def limit_torch(threads: int) -> None:
    """Only where it is used."""
    import torch

    torch.set_num_threads(threads)


def worker(typed: argparse.Namespace) -> None:
    """Reads numbers of prompts, answers with what it took."""
    import numpy as np

    asked = np.load(typed.asked)
    if typed.worker == "ours":
        ask = ours(asked, typed)
    else:
        limit_torch(typed.threads)
        ask = {"v1": upstream_v1, "v2": upstream_v2}[str(asked["generation"])](asked, typed)
    print(json.dumps({"generation": str(asked["generation"])}), flush=True)
    for line in sys.stdin:
        wall, processor = time.perf_counter(), time.process_time()
        ask(int(line))
        took = {"wall": time.perf_counter() - wall, "processor": time.process_time() - processor,
                "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}
        print(json.dumps(took), flush=True)


class Side:
    """A worker process."""

    def __init__(self, name: str, typed: argparse.Namespace) -> None:
        command = [sys.executable, __file__, typed.checkpoint, typed.checkout, typed.folder,
                   "--threads", typed.threads, "--asked", typed.asked, "--worker", name]
        self.is_program = name == "ours" and typed.program is not None
        if self.is_program:
            command = [typed.program, typed.folder, "--turns"]
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.generation = self._answer().get("generation")

    def _answer(self) -> dict:
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise SystemExit("a worker ended; run it with --worker to see why")

    def ask(self, generation: str, count: int) -> dict:
        """One turn."""
        words = [SIDE[generation], WINDOW[generation], *prompts(count)] if self.is_program else [count]
        self.process.stdin.write("\t".join(map(str, words)) + "\n")
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


def measure(typed: argparse.Namespace) -> None:
    """Both sides in turn; a line of the table as soon as it is there."""
    sides = [Side("upstream", typed), Side("ours", typed)]
    generation = sides[0].generation
    for side in sides:
        side.ask(generation, 1)  # first calls allocate
    print("| upstream's path | prompts | pairs | upstream s | ours s | ratio | upstream CPU s | ours CPU s | ratio |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    is_v1 = generation == "v1"
    one = [tuple(side.ask(generation, 1) for side in sides) for _ in range(typed.repeats)]
    row("one by one" if is_v1 else "together", 1, one)
    many = [tuple(side.ask(generation, COUNTS[-1]) for side in sides) for _ in range(typed.repeats)]
    row("together", COUNTS[-1], many)
    if is_v1:
        row("one by one", COUNTS[-1], [(pair[0], other[1]) for pair, other in zip(one, many)], times=COUNTS[-1])
    peaks = [max(pair[index]["peak"] for pair in many) for index in range(2)]
    print(f"\npeak memory: upstream {peaks[0]:.1f} GB, ours {peaks[1]:.1f} GB; {typed.threads} threads")
    for side in sides:
        side.end()


def main() -> None:
    """See the top of this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("checkpoint", "checkout", "folder"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--program", type=Path, help="the example prompt_speed, instead of the graphs alone")
    parser.add_argument("--worker", choices=("ours", "upstream"), help=argparse.SUPPRESS)
    parser.add_argument("--asked", type=Path, help=argparse.SUPPRESS)
    typed = parser.parse_args()
    if typed.worker:
        worker(typed)
        return
    with tempfile.TemporaryDirectory() as folder:
        typed.asked = prepare(typed.checkpoint, Path(folder))
        measure(typed)


if __name__ == "__main__":
    main()
