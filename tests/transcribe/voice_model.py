"""A small ONNX model that tells voices apart, in the form that sherpa-onnx reads: the mean spectrum of speech beside an average one."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

MELS = 80
METADATA = {
    "framework": "3d-speaker",
    "language": "zh",
    "sample_rate": "16000",
    "output_dim": str(MELS),
    "normalize_samples": "1",
    "feature_normalize_type": "",
}


def write_voice_model(path: Path, average: npt.ArrayLike | None = None, metadata: dict[str, str] | None = None) -> Path:
    """embedding = spectrum − its loudness − `average`: log-mel frames [1, T, 80] averaged over time, then over bins for the loudness.

    `average` (80 numbers) is what all voices share.
    """
    shared = np.zeros(MELS) if average is None else np.asarray(average)
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["spectrum"], axes=[1], keepdims=0),
        helper.make_node("ReduceMean", ["spectrum"], ["loudness"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["spectrum", "loudness"], ["shape"]),
        helper.make_node("Sub", ["shape", "shared"], ["embedding"]),
    ]
    graph = helper.make_graph(
        nodes,
        "voices",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", "T", MELS])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["N", MELS])],
        [numpy_helper.from_array(shared.astype(np.float32), "shared")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    for key, value in (METADATA if metadata is None else metadata).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(model, path)
    return path
