"""Makes tissue-ct/tissue-ct.onnx: tissue classes of a CT by Hounsfield range. No training, no weights of anybody.

In models/:

    python -m parsenode_models.make_tissue_ct            # writes tissue-ct/tissue-ct.onnx
    python -m parsenode_models.make_tissue_ct --check    # exit 1 when the committed file is not what this makes

What the graph computes, for each voxel (input: Hounsfield units, `[1, 1, D, H, W]`, any size):

1. h: the volume smoothed by a 3 x 3 x 3 binomial kernel, edges repeated.
2. Class scores on the ordered scale gas < fat < soft tissue < bone. With boundaries b1 < b2 < b3 and a width T,
   score k is (k h - b1 - ... - bk) / T: neighbouring classes change places exactly at their boundary, and the
   softmax of the scores is soft over a few T around it.
3. Fat loses where the 3 x 3 x 3 neighbourhood spans a large range: a voxel half lung, half muscle has the
   Hounsfield number of fat and is none.
4. Gas counts as "lung and gas" only inside the body: where tissue lies to the left, to the right, in front and
   behind, in the same slice (running sums along rows and columns, both ways). The rest is background: the air of
   the room. Tissue means 5 x 5 pixels of it, so the thin shell of a table does not enclose anything.

Output: logits `[1, 5, D, H, W]` for background, lung and gas, fat, soft tissue, bone.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, checker, helper, numpy_helper

from .failure import Failure, need_checkout

OPSET = 17
IR_VERSION = 8
CLASSES = ["background", "lung and gas", "fat", "soft tissue", "bone"]

# Hounsfield units at which neighbouring classes meet: gas | fat | soft tissue | bone.
BOUNDARIES_HU = [-250.0, -30.0, 150.0]
# Width of the change from one class to the next.
WIDTH_HU = 15.0
# A neighbourhood that spans more than this is an edge between two other classes rather than fat.
FAT_RANGE_HU = 350.0
# What counts as tissue when the inside of the body is looked for.
TISSUE_HU = -250.0
TISSUE_PIXELS = 5
# Score that a voxel of gas loses on the side of the body's surface where it is not; any large number does.
WRONG_SIDE = 30.0

OUTPUT = Path(__file__).resolve().parent.parent / "tissue-ct" / "tissue-ct.onnx"


def smoothing_kernel() -> np.ndarray:
    line = np.array([1, 2, 1], np.float32) / 4
    kernel = line[:, None, None] * line[None, :, None] * line[None, None, :]
    return kernel[None, None]


def score_weights() -> tuple[np.ndarray, np.ndarray]:
    """Slope and offset of the four scores, with the smoothed volume and the excess of its range as inputs."""
    slopes = np.arange(4, dtype=np.float32) / WIDTH_HU
    offsets = -np.concatenate([[0.0], np.cumsum(BOUNDARIES_HU)]).astype(np.float32) / WIDTH_HU
    excess = np.array([0, -1, 0, 0], np.float32) / WIDTH_HU
    return np.stack([slopes, excess], axis=1).reshape(4, 2, 1, 1, 1).astype(np.float32), offsets


class Graph:
    """Nodes and constants, collected in order."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def add(self, op: str, inputs: list[str], output: str, **attributes) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output


def smoothed(graph: Graph) -> str:
    pads = graph.constant("one_voxel_around", np.array([0, 0, 1, 1, 1, 0, 0, 1, 1, 1], np.int64))
    graph.add("Pad", ["hounsfield", pads], "padded", mode="edge")
    kernel = graph.constant("binomial", smoothing_kernel())
    return graph.add("Conv", ["padded", kernel], "smoothed", kernel_shape=[3, 3, 3])


def range_excess(graph: Graph) -> str:
    """By how much the range of the neighbourhood exceeds FAT_RANGE_HU; 0 where it does not."""
    pool = {"kernel_shape": [3, 3, 3], "strides": [1, 1, 1]}
    graph.add("MaxPool", ["padded"], "largest", **pool)
    graph.add("Neg", ["padded"], "negated")
    graph.add("MaxPool", ["negated"], "smallest_negated", **pool)
    graph.add("Add", ["largest", "smallest_negated"], "range")
    graph.add("Sub", ["range", graph.constant("fat_range", np.float32(FAT_RANGE_HU))], "over_range")
    return graph.add("Relu", ["over_range"], "range_excess")


def inside_body(graph: Graph) -> str:
    """Per voxel whether tissue lies on all four sides of it in its slice."""
    threshold = graph.constant("tissue_threshold", np.float32(TISSUE_HU))
    graph.add("Greater", ["smoothed", threshold], "is_tissue")
    graph.add("Cast", ["is_tissue"], "tissue", to=TensorProto.FLOAT)
    graph.add("Neg", ["tissue"], "tissue_negated")
    around = TISSUE_PIXELS // 2
    graph.add("MaxPool", ["tissue_negated"], "core_negated",
              kernel_shape=[1, TISSUE_PIXELS, TISSUE_PIXELS], pads=[0, around, around] * 2)
    graph.add("Neg", ["core_negated"], "core")
    sides = []
    for axis_name, axis in [("row", 3), ("column", 4)]:
        axis_constant = graph.constant(f"axis_{axis_name}", np.int64(axis))
        for direction, reverse in [("before", 0), ("after", 1)]:
            sides.append(graph.add("CumSum", ["core", axis_constant], f"{axis_name}_{direction}", reverse=reverse))
    graph.add("Min", sides, "least_of_four_sides")
    return graph.add("Greater", ["least_of_four_sides", graph.constant("none", np.float32(0))], "is_inside")


def build() -> onnx.ModelProto:
    graph = Graph()
    h = smoothed(graph)
    excess = range_excess(graph)
    weights, offsets = score_weights()
    graph.add("Concat", [h, excess], "features", axis=1)
    graph.add("Conv", ["features", graph.constant("score_weights", weights),
                       graph.constant("score_offsets", offsets)], "scores", kernel_shape=[1, 1, 1])
    split = graph.constant("one_and_three", np.array([1, 3], np.int64))
    graph.nodes.append(helper.make_node("Split", ["scores", split], ["gas", "others"], name="split", axis=1))
    inside = inside_body(graph)
    keep = graph.constant("keep", np.float32(0))
    lose = graph.constant("lose", np.float32(-WRONG_SIDE))
    graph.add("Where", [inside, lose, keep], "outside_bias")
    graph.add("Where", [inside, keep, lose], "inside_bias")
    graph.add("Add", ["gas", "outside_bias"], "background")
    graph.add("Add", ["gas", "inside_bias"], "lung_and_gas")
    graph.add("Concat", ["background", "lung_and_gas", "others"], "logits", axis=1)

    shape = [1, 1, "slices", "rows", "columns"]
    proto = helper.make_graph(
        graph.nodes, "tissue_ct",
        [helper.make_tensor_value_info("hounsfield", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, len(CLASSES), *shape[2:]])],
        graph.constants)
    model = helper.make_model(proto, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION,
                              producer_name="parsenode-models", producer_version="1")
    model.doc_string = "Tissue classes of a CT by Hounsfield range; not trained, not for diagnosis"
    checker.check_model(model, full_check=True)
    return model


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the committed file, write nothing")
    parser.add_argument("--out", type=Path, metavar="FILE", help="in place of the committed file")
    arguments = parser.parse_args()
    try:
        if arguments.out is None:
            need_checkout(OUTPUT.parent, "--out FILE")
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        return failure.code
    out = arguments.out or OUTPUT
    content = build().SerializeToString(deterministic=True)
    if arguments.check:
        same = out.is_file() and out.read_bytes() == content
        print(f"{out}: {'as made' if same else 'DIFFERS from what this script makes'}")
        return 0 if same else 1
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(content)
    print(f"{out}: {len(content)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
