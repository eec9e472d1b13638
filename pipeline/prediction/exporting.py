"""The deployed model as one file for other programs: ONNX, or an exported program of torch."""

import io
import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from raresight.pipeline.core.files import write_json
from raresight.pipeline.dataset.schema import versions
from raresight.pipeline.prediction.packing import about
from raresight.pipeline.prediction.predictor import Predictor
from raresight.pipeline.prediction.table import written_whole
from raresight.pipeline.runtime.errors import DeviceError, RaresightError

TOLERANCE = 1e-4  # of a score or a probability; float32 on other kernels differs by some 1e-6
BATCHES = (1, 7, 1000)  # sizes that the export is tried with

Outputs = tuple[np.ndarray, np.ndarray, np.ndarray]  # score, probability, answer
Program = Callable[[np.ndarray], Outputs]


@dataclass(frozen=True, kw_only=True)
class Format:
    """A kind of file: the ``modules`` that it needs besides torch, how its bytes are made of a
    deployed model, an example and the card, and how they are run.
    """

    modules: tuple[str, ...]
    libraries: tuple[str, ...]
    convert: Callable[[Any, Any, Mapping[str, Any]], bytes]
    open: Callable[[bytes], Program]

    def require(self, name: str) -> None:
        """DeviceError, with the line that installs them, where a module is not there."""
        if missing := [module for module in self.modules if find_spec(module) is None]:
            raise DeviceError(
                f"--format {name} needs {' and '.join(missing)}: pip install 'raresight[export]'"
            )


def export(predictor: Predictor, name: str, out: Path, images: np.ndarray) -> dict[str, Any]:
    """Write ``out`` in the format ``name``, and its card beside it; returns the card.

    The export is run on ``images``, uint8 (n, H, W, C), n > 0, before anything is written.
    RaresightError where it does not agree with the model.
    """
    import torch

    from raresight.pipeline.prediction.deployed import INPUTS, OUTPUTS, Deployed

    form = FORMATS[name]
    form.require(name)
    card = about(predictor.opened) | {
        "format": name,
        "inputs": list(INPUTS),
        "outputs": list(OUTPUTS),
        "libraries": versions("raresight", "torch", *form.libraries),
    }
    model = Deployed(predictor.scorer.model, predictor.decision).eval().requires_grad_(False)
    example = torch.zeros((2, *predictor.opened.image_shape), dtype=torch.uint8)
    with warnings.catch_warnings(), torch.inference_mode(False), torch.no_grad():
        warnings.simplefilter("ignore")  # of converters about themselves
        content = form.convert(model, example, card)
        checked = compare(predictor, form.open(content), images)
    card |= {"checked": checked}
    if checked["largest_difference"] > TOLERANCE or checked["different_answers"]:
        raise RaresightError(
            f"the export does not agree with the model, so {out} was not written: on "
            f"{checked['images']} images scores differ by up to "
            f"{checked['largest_difference']:.3g} ({TOLERANCE:g} is allowed) and "
            f"{checked['different_answers']} answers differ. "
            "Export as another --format."
        )
    with written_whole(out) as file:
        file.write(content)
    write_json(card_file(out), card)
    return card


def card_file(out: Path) -> Path:
    """Where the card of an export is."""
    return out.with_name(f"{out.name}.json")


def compare(predictor: Predictor, program: Program, images: np.ndarray) -> dict[str, Any]:
    """How far the program is from the model on the images, in batches of each size of BATCHES."""
    applied = predictor.apply(images)
    names = np.asarray(applied.classes)
    largest, different = 0.0, 0
    for size in BATCHES:
        for at in range(0, min(len(images), size * 20), size):  # few of the small ones
            rows = slice(at, at + size)
            score, probability, answer = program(images[rows])
            for ours, theirs in ((applied.scores, score), (applied.probabilities, probability)):
                largest = max(largest, float(np.abs(ours[rows] - theirs).max()))
            different += int((applied.answers[rows] != names[answer]).sum())
    return {
        "images": len(images),
        "batch_sizes": list(BATCHES),
        "largest_difference": largest,
        "different_answers": different,
    }


def _to_torch(model: Any, example: Any, card: Mapping[str, Any]) -> bytes:
    import torch

    buffer = io.BytesIO()
    text = json.dumps(card, indent=2, ensure_ascii=False)
    torch.export.save(_program(model, example), buffer, extra_files={"raresight.json": text})
    return buffer.getvalue()


def _program(model: Any, example: Any) -> Any:
    import torch

    batch = torch.export.Dim("n", min=1, max=1 << 20)
    return torch.export.export(model, (example,), dynamic_shapes=({0: batch},))


def _open_torch(content: bytes) -> Program:
    import torch

    module = torch.export.load(io.BytesIO(content)).module()

    def run(images: np.ndarray) -> Outputs:
        score, probability, answer = module(torch.from_numpy(np.ascontiguousarray(images)))
        return score.numpy(), probability.numpy(), answer.numpy()

    return run


def _to_onnx(model: Any, example: Any, card: Mapping[str, Any]) -> bytes:
    import onnx
    import torch

    from raresight.pipeline.prediction.deployed import INPUTS, OUTPUTS

    exported = torch.onnx.export(
        _program(model, example),
        (example,),
        dynamo=True,
        input_names=list(INPUTS),
        output_names=list(OUTPUTS),
        verbose=False,
    )
    assert exported is not None  # only where a file is given does it return nothing
    proto = exported.model_proto
    for node in proto.graph.node:  # where the code lies on this machine is nobody's business
        del node.metadata_props[:]
    text = json.dumps(card, ensure_ascii=False)
    onnx.helper.set_model_props(proto, {"raresight": text})
    onnx.checker.check_model(proto, full_check=True)
    return bytes(proto.SerializeToString(deterministic=True))


def _open_onnx(content: bytes) -> Program:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def run(images: np.ndarray) -> Outputs:
        score, probability, answer = session.run(None, {"images": np.ascontiguousarray(images)})
        return score, probability, answer

    return run


FORMATS: Mapping[str, Format] = {
    "onnx": Format(
        modules=("onnx", "onnxscript", "onnxruntime"),
        libraries=("onnx", "onnxscript"),
        convert=_to_onnx,
        open=_open_onnx,
    ),
    "torch": Format(modules=(), libraries=(), convert=_to_torch, open=_open_torch),
}
