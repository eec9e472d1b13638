"""train.compile: the same training within rounding, gone on with to the bit, or a clear refusal."""

import os
import shutil

import pytest
import torch
from toy_training import trainer

from raresight.pipeline.runtime.errors import DeviceError, StoppedError

CHANGES = {
    "epochs": 2,
    "model": {"name": "linear_probe", "features": "pixels", "grid": 4},
    "ema": {"decay": 0.9},
}


def compiled():
    """A trainer whose kernels are made anew."""
    torch._dynamo.reset()
    return trainer(compile=True, **CHANGES)


@pytest.mark.skipif(
    shutil.which(os.environ.get("CXX", "g++")) is None,
    reason="no C++ compiler; what is said then is tested below",
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, while it compiles
def test_it_trains_as_without_and_goes_on_to_the_same_bits():
    """Stopped before an epoch's last batch, it goes on with one of another size than the first."""
    run = compiled()
    undisturbed, plain = run.fit(), trainer(**CHANGES).fit()
    assert list(undisturbed.weights) == list(plain.weights)
    for name, weight in plain.weights.items():
        torch.testing.assert_close(undisturbed.weights[name], weight, rtol=1e-3, atol=1e-4)
    kept, stopped = [], compiled()
    last = stopped.steps_per_epoch - 1
    with pytest.raises(StoppedError):
        stopped.fit(keep=kept.append, stop_requested=lambda: stopped.progress.step == last)
    again = compiled()
    again.load_state(kept[-1])
    assert again.progress.step == last
    for name, weight in again.fit().weights.items():
        assert torch.equal(weight, undisturbed.weights[name]), name


def test_without_a_compiler_one_message_says_what_to_do():
    import torch._inductor.config as inductor

    with (
        inductor.patch({"cpp.cxx": (None, "/no/such/compiler")}),
        pytest.raises(DeviceError, match=r"C\+\+ compiler.*train\.compile: false") as refused,
    ):
        trainer(compile=True)
    assert refused.value.exit_code == 78
