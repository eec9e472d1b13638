"""A folder of images: what is found, in which order, and what it is called."""

import os
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from image_folders import folder, names, records, save
from pydantic import ValidationError

from raresight.generators.errors import BadImages
from raresight.generators.folder import FolderOptions
from raresight.pipeline.commands.digits import write_digits


def test_a_subfolder_is_a_class_and_files_come_in_natural_order(root):
    assert folder(root).classes == ("cat", "dog")
    assert names(root) == ["cat/2.png", "cat/10.png", "dog/2.png", "dog/10.png"]
    assert [record.label for record in records(root)] == ["cat", "cat", "dog", "dog"]


def test_a_sample_has_pixels_and_its_file_but_no_mask(root):
    generator = folder(root)
    sample = generator.sample(generator.streams("raw")[1][0], np.random.default_rng(0))
    assert sample.image.tolist() == [[[40, 2, 0]] * 6] * 6
    assert (sample.label, sample.mask) == ("dog", None)
    assert sample.factors == {"file": "dog/2.png"}
    assert set(generator.factors) == {"file"}


def test_ids_come_from_the_content(root):
    content = (root / "cat" / "2.png").read_bytes()
    assert records(root)[0].id == f"raw-{sha256(content).hexdigest()[:16]}"


def test_files_of_the_same_content_get_ids_of_their_own(root):
    content = (root / "cat" / "2.png").read_bytes()
    for path in (root / "cat" / "3.png", root / "dog" / "1.png"):
        path.write_bytes(content)
    ids = {str(record.path.relative_to(root)): record.id for record in records(root)}
    first = ids["cat/2.png"]
    assert ids["cat/3.png"] == f"{first}-2"
    assert ids["dog/1.png"] == f"{first}-3"
    assert len(set(ids.values())) == len(ids) == 6


def test_files_with_later_names_move_nothing(root):
    before = records(root)
    save(root / "cat" / "11.png", "red")
    save(root / "dog" / "100.png", "blue")
    after = records(root)
    assert [record for record in after if record in before] == before
    assert after[:2] == before[:2]
    assert after[3:5] == before[2:]


def test_hidden_files_and_files_beside_the_classes_are_left_out(root):
    for name in ("README.md", "cat/.DS_Store", ".git/config", "dog/.cache/a.png"):
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("no image")
    assert folder(root).classes == ("cat", "dog")
    assert len(names(root)) == 4


def test_what_other_programs_leave_behind_is_no_class(root):
    for name in ("__MACOSX/cat", "lost+found", "cat/@eaDir", "$RECYCLE.BIN"):
        save(root / name / "1.png", "red")
    assert folder(root).classes == ("cat", "dog")
    assert len(names(root)) == 4


def test_files_in_deeper_folders_belong_to_the_class(root):
    save(root / "dog" / "puppies" / "1.png", "red")
    assert names(root)[2:] == ["dog/2.png", "dog/10.png", "dog/puppies/1.png"]


def test_linked_files_are_read_and_linked_folders_are_not_followed(root, tmp_path):
    save(tmp_path / "elsewhere" / "a.png", "red")
    (root / "cat" / "linked.png").symlink_to(tmp_path / "elsewhere" / "a.png")
    (root / "cat" / "folder").symlink_to(tmp_path / "elsewhere")
    (root / "cat" / "loop").symlink_to(root)
    assert names(root)[:3] == ["cat/2.png", "cat/10.png", "cat/linked.png"]
    assert len(names(root)) == 5


@pytest.mark.parametrize(
    ("target", "said"),
    [("/", "holds folder"), (".", "holds folder"), ("cat", "those of 'cat'"), ("cat/in", "'cat'")],
)
def test_a_class_that_is_a_link_to_the_root_or_to_another_is_refused(root, target, said):
    (root / "cat/in").mkdir()
    (root / "ant").symlink_to(root / target)  # before the others by its name, too
    with pytest.raises(BadImages, match=rf"'ant' is a link to .*{said}.*Remove the link"):
        names(root)


def test_a_class_folder_that_is_a_link_elsewhere_is_read(root, tmp_path):
    save(tmp_path / "elsewhere/a.png", "red")
    (root / "zoo").symlink_to(tmp_path / "elsewhere")
    assert "zoo/a.png" in names(root)


def test_names_that_are_not_utf8_work(root):
    path = Path(os.fsdecode(os.fsencode(root) + b"/cat/caf\xe9.png"))
    save(path, (1, 2, 3))
    generator = folder(root)
    sample = generator.sample(generator.streams("raw")[0][-1], np.random.default_rng(0))
    assert sample.factors == {"file": r"cat/caf\xe9.png"}
    assert sample.image[0, 0].tolist() == [1, 2, 3]


def test_nothing_is_read_before_it_is_asked_for(tmp_path):
    folder(tmp_path / "missing")


@pytest.mark.parametrize("options", [{}, {"path": ""}, {"path": "x", "max_unreadable": -1}])
def test_bad_options_are_refused(options):
    with pytest.raises(ValidationError):
        FolderOptions(**options)


def test_the_digits_are_written_as_one_folder_a_class(tmp_path):
    assert write_digits(tmp_path) == 1797
    assert folder(tmp_path).classes == tuple("0123456789")
    streams = folder(tmp_path).streams("digits")
    assert [len(stream) for stream in streams] == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
