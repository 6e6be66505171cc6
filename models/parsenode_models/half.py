"""Keeps the weights of a graph in half precision: files of half the size.

What is computed stays float32: each weight is widened where it is used, which ONNX Runtime does once when it loads the
graph. Sums of many products, hard thresholds and a variance with 1e-12 added would not stand half precision.
"""

import numpy as np
import onnx_ir

from .failure import Failure

# Smaller tensors stay as they are: nothing is gained.
LEAST_ELEMENTS = 1024


def narrow(model: onnx_ir.Model) -> None:
    """Stores each large float32 weight as float16, with a Cast behind it.

    Raises `Failure` when a weight does not fit in half precision.
    """
    graph = model.graph
    wide = [value for value in graph.initializers.values()
            if value.dtype == onnx_ir.DataType.FLOAT and value.const_value.size >= LEAST_ELEMENTS]
    for value in wide:
        _replace(graph, value, halved(value.name, value.const_value.numpy()))


def halved(name: str, numbers: np.ndarray) -> np.ndarray:
    """The numbers of a weight as float16.

    Raises `Failure`, with the name, when one of them does not fit.
    """
    with np.errstate(over="ignore"):  # looked for right below
        narrowed = numbers.astype(np.float16)
    if np.isinf(narrowed).sum() > np.isinf(numbers).sum():
        raise Failure(f"{name} has numbers that half precision cannot hold (65504 at most)")
    return narrowed


def _replace(graph: onnx_ir.Graph, value: onnx_ir.Value, narrowed: np.ndarray) -> None:
    name = value.name
    stored = onnx_ir.Value(name=f"{name}.half", shape=value.shape, type=onnx_ir.TensorType(onnx_ir.DataType.FLOAT16),
                           const_value=onnx_ir.tensor(narrowed, name=f"{name}.half"))
    cast = onnx_ir.node("Cast", [stored], attributes={"to": int(onnx_ir.DataType.FLOAT)}, name=f"{name}.widen")
    widened = cast.outputs[0]
    widened.name, widened.shape, widened.type = f"{name}.wide", value.shape, value.type
    value.replace_all_uses_with(widened)
    graph.initializers.pop(name)
    graph.initializers[stored.name] = stored
    graph.insert_before(graph[0], cast)
