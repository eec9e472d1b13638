"""The pictures beside the page are of the data that the stages left."""

import numpy as np
from PIL import Image

from raresight.pipeline.dataset import Dataset
from raresight.pipeline.report.charts.draw import draw_learning
from raresight.pipeline.report.figures import write
from raresight.pipeline.report.figures.contact_sheet import write_sheet
from raresight.pipeline.report.figures.learning_curves import draw_curves


def pixels(path):
    with Image.open(path) as picture:
        return np.array(picture)


def test_contact_sheets_show_the_originals_and_their_copies(rare, tmp_path):
    for name in ("generated", "augmented"):
        write_sheet(Dataset(rare.data / name), tmp_path / "sheet.png")
        drawn = (rare.page.parent / f"figures/{name}.png").read_bytes()
        assert drawn == (tmp_path / "sheet.png").read_bytes()


def test_a_set_without_copies_has_a_sheet_that_says_so(alike):
    assert pixels(alike.page.parent / "figures/augmented.png").shape[0] > 90


def test_curves_mark_the_epoch_that_is_kept_and_show_other_seeds(rare, tmp_path):
    epochs = [1.0, 2.0, 3.0]
    one = {"epoch": epochs, "learning_rate": [0.1, 0.1, 0.1]}
    for name in ("train_loss", "val_loss", "val_average_precision", "val_f1"):
        one[name] = [0.9, 0.5, 0.7]
    drawn = {}
    for best, seeds, before in ((2, 1, 0), (3, 1, 0), (2, 2, 0), (2, 1, 1)):
        path = tmp_path / "curves.png"
        trainings = [one, {**one, "val_f1": [0.1, 0.2, 0.3]}][:seeds]
        draw_curves(trainings, path, best=best, pretrained=before)
        drawn[best, seeds, before] = path.read_bytes()
    assert len(set(drawn.values())) == 4
    charts = [draw_learning(one, best=2, pretrained=before)["loss"] for before in (0, 1)]
    assert ["pretraining" in chart for chart in charts] == [False, True]
    assert pixels(rare.page.parent / "figures/training.png").shape[:2] == (384, 1080)


def counts(originals, copies=0):
    by_class = {"a": {"originals": originals, "copies": copies}}
    return dict.fromkeys(("train", "val", "test", "unused"), by_class)


def test_a_bar_is_as_long_as_its_logarithm(tmp_path, rare, alike):
    """Ten times as many images are one decade more, copies have bars of their own."""
    blue = (31, 111, 235)

    def longest(number):
        folder = tmp_path / str(number)
        originals = Dataset(alike.data / "generated")
        write.write_figures(
            folder,
            originals,
            originals,
            counts=counts(number, copies=9999),
            findings=(),
            made=None,
        )
        found = (pixels(folder / "splits.png")[..., :3] == blue).all(axis=-1)
        return found.sum(axis=1).max() / 3  # three panels, each with the same bar

    # The axis ends at ten times the longest bar, that of the copies, in all three pictures.
    ten, hundred, thousand = longest(10), longest(100), longest(1000)
    assert abs((hundred - ten) - (thousand - hundred)) <= 2
    assert hundred - ten > 20
