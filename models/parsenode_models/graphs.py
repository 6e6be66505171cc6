"""From a network to its three ONNX graphs.

The graphs hold no names of files or machines, and the same network gives the same bytes.
"""

import logging
import warnings
from collections.abc import Callable
from pathlib import Path

import onnx
import onnx_ir
import torch
from onnxscript import optimizer

from .networks.network import ImageEncoder, MaskDecoder, Network, TextEncoder, feature_names
from .networks.sizes import LEVELS

OPSET = 18
# Sizes for which a graph is made, where any size goes: no two the same, none of them 1, so that none is taken for fixed.
EXAMPLE_TOKENS, EXAMPLE_PROMPTS = 7, 3
# Folding weights at export keeps the same work out of every start of the node; so no weight is too large.
NO_LIMIT = 1 << 40
NAMES = ("image-encoder", "text-encoder", "mask-decoder")


def make(network: Network, name: str) -> onnx_ir.Model:
    """The graph of a part of a network; `name` is one of `NAMES`."""
    makers: dict[str, Callable[[Network], onnx_ir.Model]] = {
        "image-encoder": _image_encoder, "text-encoder": _text_encoder, "mask-decoder": _mask_decoder}
    return makers[name](network)


def _image_encoder(network: Network) -> onnx_ir.Model:
    image = torch.zeros(1, 3, network.size.side, network.size.side)
    return _export(ImageEncoder(network), (image,), ["image"], feature_names(network.size), None)


def _text_encoder(network: Network) -> onnx_ir.Model:
    ids = torch.zeros(EXAMPLE_PROMPTS, EXAMPLE_TOKENS, dtype=torch.int64)
    outputs = ["token_emb", "class_emb"] if network.size.generation == "v1" else ["token_emb"]
    shapes = ({0: torch.export.Dim("prompts"), 1: torch.export.Dim("tokens", max=network.size.context)},)
    return _export(TextEncoder(network), (ids,), ["input_ids"], outputs, shapes)


def _mask_decoder(network: Network) -> onnx_ir.Model:
    size, names = network.size, feature_names(network.size)
    features = [torch.zeros(shape) for shape in feature_shapes(network)]
    tokens_open = torch.export.Dim("tokens", max=size.context)
    if size.generation == "v1":
        tokens = torch.zeros(EXAMPLE_TOKENS, 1, size.width)
        arguments = (features, tokens, [torch.zeros(1, 1, size.width)])
        shapes = ([None] * len(features), {0: tokens_open}, [None])
        return _export(MaskDecoder(network), arguments, [*names, "tokens", "class_emb"], ["mask_logits"], shapes)
    prompts_open = torch.export.Dim("prompts")
    shape_of = network.sem_seg_head.predictor.noise_shape
    noise = [torch.zeros(shape_of(level, EXAMPLE_PROMPTS)) for level in range(LEVELS)]
    arguments = (features, torch.zeros(EXAMPLE_TOKENS, EXAMPLE_PROMPTS, size.width), noise)
    shapes = ([None] * len(features), {0: tokens_open, 1: prompts_open}, [{1: prompts_open}] * LEVELS)
    inputs = [*names, "tokens", *(f"noise{level}" for level in range(LEVELS))]
    outputs = ["mask_logits", "edge_logits", "existence_logits"]
    return _export(MaskDecoder(network), arguments, inputs, outputs, shapes)


def feature_shapes(network: Network) -> list[tuple[int, ...]]:
    """Shapes of the features, without computing them."""
    size = network.size
    channels = size.width // size.heads
    shapes: dict[str, tuple[int, ...]] = {"mask_features": (size.width, size.mask_side() ** 2)}
    for level in range(LEVELS):
        shapes[f"masks{level}"] = (size.width, size.level_side(level) ** 2)
    for index in range(size.decoder_layers):
        pixels = size.level_side(index % LEVELS) ** 2
        shapes[f"key{index}"] = (size.heads, channels, pixels)
        shapes[f"value{index}"] = (size.heads, pixels, channels)
    return [shapes[name] for name in feature_names(size)]


def _export(part: torch.nn.Module, arguments: tuple, inputs: list[str], outputs: list[str],
            shapes: tuple | None) -> onnx_ir.Model:
    for talker in ("torch.onnx", "onnxscript"):
        logging.getLogger(talker).setLevel(logging.ERROR)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            part.eval(), arguments, dynamo=True, opset_version=OPSET, input_names=inputs, output_names=outputs,
            dynamic_shapes=shapes, verbose=False)
    model = program.model
    optimizer.optimize(model, input_size_limit=NO_LIMIT, output_size_limit=NO_LIMIT)
    return _plain(model)


def _plain(model: onnx_ir.Model) -> onnx_ir.Model:
    """Without what tells about the machine or the exporter's version."""
    model.producer_name, model.producer_version = "parsenode-models", "1"
    model.doc_string = ""
    model.metadata_props.clear()
    model.graph.metadata_props.clear()
    model.graph.doc_string = ""
    for node in onnx_ir.traversal.RecursiveGraphIterator(model.graph):
        node.metadata_props.clear()
        node.doc_string = None
        for value in node.outputs:
            value.metadata_props.clear()
    for value in [*model.graph.inputs, *model.graph.initializers.values()]:
        value.metadata_props.clear()
        value.doc_string = None
    _name_open_sides(model)
    return model


def _name_open_sides(model: onnx_ir.Model) -> None:
    """The exporter names open sides by number; inputs are told apart by what they are."""
    names: dict[str, str] = {}
    for value in model.graph.inputs:
        wanted = {"input_ids": ("prompts", "tokens"), "tokens": ("tokens", "prompts")}.get(value.name, ())
        for side, name in zip(value.shape or (), wanted):
            if not isinstance(side, int):
                names[str(side)] = name
    for value in [*model.graph.inputs, *model.graph.outputs]:
        value.shape = onnx_ir.Shape([side if isinstance(side, int) else names.get(str(side), str(side))
                                     for side in value.shape or ()])


def write(model: onnx_ir.Model, path: Path) -> None:
    """Writes a graph, weights inside: all of ours are smaller than the 2 GiB that a file may have."""
    proto = onnx_ir.to_proto(model)
    content = proto.SerializeToString(deterministic=True)
    del proto
    path.write_bytes(content)


def check(path: Path) -> None:
    """Has ONNX look over a graph.

    Raises `onnx.checker.ValidationError` when it is not as ONNX wants it.
    """
    onnx.checker.check_model(str(path), full_check=True)
