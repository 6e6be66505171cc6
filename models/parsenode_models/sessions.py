"""Runs graphs in ONNX Runtime on the CPU, set as the node sets it. Does not know PyTorch."""

from pathlib import Path

import numpy as np
import onnxruntime
from onnxruntime import InferenceSession

Tensors = dict[str, np.ndarray]


def session(graph: Path | bytes, threads: int = 2) -> InferenceSession:
    """A graph, from a file or as its bytes, ready to run."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    what = graph if isinstance(graph, bytes) else str(graph)
    return InferenceSession(what, options, providers=["CPUExecutionProvider"])


def run(graph: InferenceSession, inputs: Tensors) -> Tensors:
    """All outputs of a graph by name. Inputs that it does not have are left out."""
    wanted = {value.name for value in graph.get_inputs()}
    names = [value.name for value in graph.get_outputs()]
    return dict(zip(names, graph.run(names, {name: inputs[name] for name in wanted})))
