"""What the benchmark of foreign images shows the model is what it says."""

import judged
import numpy as np

from benchmarks.unlike import CHANGES, flagged, kinds, ordinary_images, other_content
from raresight.pipeline.prediction.predictor import open_predictor


def test_foreign_images_are_what_they_are_called(kept_project):
    ordinary = ordinary_images(kept_project.folder)
    tested = np.array(judged.SPLITS) == "test"
    np.testing.assert_array_equal(ordinary, judged.draw_images()[tested])
    image = np.array([[[200, 10, 10], [0, 0, 0]]], np.uint8)
    assert CHANGES["hue by 120 degrees"](image).tolist() == [[[10, 200, 10], [0, 0, 0]]]
    assert CHANGES["gray"](image).tolist() == [[[67, 67, 67], [0, 0, 0]]]  # 0.299 r + 0.587 g + ...
    assert CHANGES["channels swapped"](image)[0, 0].tolist() == [10, 10, 200]
    assert CHANGES["half as bright"](image)[0, 0].tolist() == [100, 5, 5]
    shapes = {images.shape[1:] for images in kinds(ordinary).values()}
    assert shapes == {ordinary.shape[1:]}
    assert len(np.unique(other_content((12, 12, 3), 3).reshape(3, -1), axis=0)) == 3
    shares = flagged(open_predictor(kept_project.model, "cpu"), ordinary)
    assert len(shares) == 9
    for together, pixels, features, _ in shares.values():
        assert max(pixels, features) <= together <= pixels + features
    assert shares["blank"][0] == 1
