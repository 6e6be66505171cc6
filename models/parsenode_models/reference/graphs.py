"""The trained network as three ONNX graphs, weights in half precision: they are cast to single inside the graph."""

import copy
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, checker, helper, numpy_helper
from torch import nn

from ..half import halved
from .network import COARSE, FINE, TOKEN_WIDTH, WIDTHS, MaskDecoder, Network
from .pictures import SIDE

OPSET = 18
# Constants with fewer values stay as they are.
HALF_FROM = 256
FILES = {
    "image_encoder": "image-encoder.onnx",
    "text_encoder": "text-encoder.onnx",
    "mask_decoder": "mask-decoder.onnx",
}
FEATURES = ["fine", "coarse", "middle"]


def fused(module: nn.Module) -> nn.Module:
    """The module with each batch normalisation made part of the convolution before it."""
    module = copy.deepcopy(module).eval()
    for part in list(module.modules()):
        if isinstance(part, nn.Sequential) and len(part) > 1 and isinstance(part[1], nn.BatchNorm2d):
            part[0], part[1] = torch.nn.utils.fuse_conv_bn_eval(part[0], part[1]), nn.Identity()
        elif isinstance(getattr(part, "norm", None), nn.BatchNorm2d):
            part.second, part.norm = torch.nn.utils.fuse_conv_bn_eval(part.second, part.norm), nn.Identity()
    return module


class OneSlice(nn.Module):
    """The decoder without what only the training needs."""

    def __init__(self, decoder: MaskDecoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, fine, coarse, middle, tokens):
        return self.decoder(fine, coarse, middle, tokens)


class OnlyTokens(nn.Module):
    """The text encoder without what only the training needs."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids):
        return self.encoder(input_ids)


def write(network: Network, folder: Path) -> None:
    """Writes the three files."""
    half = SIDE // 2
    features = (
        torch.zeros(1, FINE, half, half),
        torch.zeros(1, COARSE, SIDE // 8, SIDE // 8),
        torch.zeros(1, WIDTHS[3], SIDE // 16, SIDE // 16),
    )
    save(
        fused(network.image), (torch.zeros(1, 3, SIDE, SIDE),), ["image"], FEATURES, {}, folder / FILES["image_encoder"]
    )
    save(
        OnlyTokens(network.text).eval(),
        (torch.ones(2, 9, dtype=torch.long),),
        ["input_ids"],
        ["token_emb"],
        {"input_ids": {0: "P", 1: "T"}, "token_emb": {0: "P", 1: "T"}},
        folder / FILES["text_encoder"],
    )
    save(
        OneSlice(network.mask).eval(),
        (*features, torch.zeros(9, 2, TOKEN_WIDTH)),
        [*FEATURES, "tokens"],
        ["mask_logits", "existence_logits"],
        {"tokens": {0: "T", 1: "n"}, "mask_logits": {0: "n"}, "existence_logits": {0: "n"}},
        folder / FILES["mask_decoder"],
    )


def save(module: nn.Module, inputs: tuple, names: list[str], outputs: list[str], open_: dict, file: Path) -> None:
    torch.onnx.export(
        module,
        inputs,
        str(file),
        input_names=names,
        output_names=outputs,
        dynamic_axes=open_,
        opset_version=OPSET,
        dynamo=False,
    )
    model = onnx.load(file)
    halve(model)
    named(model, "parsenode-models", file.stem)
    checker.check_model(model, full_check=True)
    file.write_bytes(model.SerializeToString(deterministic=True))


def named(model: onnx.ModelProto, producer: str, graph: str) -> None:
    """Leaves no trace of where and when it was made."""
    model.producer_name, model.producer_version, model.graph.name = producer, "1", graph
    for node in model.graph.node:
        node.doc_string = ""


def halve(model: onnx.ModelProto) -> None:
    """Stores large constants in half precision, tables of integers in 16 bits, with a cast behind each.

    Raises `Failure` when a constant does not fit in half precision.
    """
    casts = []
    for constant in model.graph.initializer:
        values = numpy_helper.to_array(constant)
        if values.size < HALF_FROM:
            continue
        if values.dtype == np.float32:
            smaller, to = halved(constant.name, values), TensorProto.FLOAT
        elif values.dtype == np.int64 and values.min() >= -32768 and values.max() < 32768:
            smaller, to = values.astype(np.int16), TensorProto.INT64
        else:
            continue
        name = constant.name
        constant.CopyFrom(numpy_helper.from_array(smaller, f"{name}.stored"))
        casts.append(helper.make_node("Cast", [f"{name}.stored"], [name], name=f"{name}.cast", to=to))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
