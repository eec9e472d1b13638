"""Real images, one subfolder a class; :mod:`raresight.generators.image_file` reads each."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import AfterValidator, Field

from raresight.generators.base import BadImages, Generator, Options, Record, Sample
from raresight.generators.image_file import files_below, natural, read_image, readable_name, reason
from raresight.generators.real.checking import Checked, check, content_ids, left_out, sift
from raresight.generators.real.grouping import groups_of, is_rule, looks_grouped
from raresight.generators.real.layout import ClassFolder, class_folders
from raresight.generators.real.masks import fixed_folder, is_template, mask_file, read_mask

logger = logging.getLogger(__name__)


class FolderOptions(Options):
    """Where the images are, what belongs together, and how many files may be unreadable.

    ``path`` holds one subfolder a class, or, with ``split_folders: true``, the folders train, val
    and test with the classes in each; ``{fold_0: train, fold_1: test}`` says what they are called.
    Null refuses what looks like splits, false takes it as classes. ``group`` says which images stay
    together: ``parent``, those of a folder below that of the class, or a regular expression on the
    path below ``path`` with a group named ``group``. ``masks`` says where below ``path`` the mask
    of an image lies, such as ``{folder}/{name}_mask.png`` beside it or
    ``../masks/{folder}/{name}.png``: an image that is not black where the label is. Up to
    ``max_unreadable`` damaged files are skipped with a warning; more stop the run. The default, 0,
    lets none pass.
    """

    path: Annotated[str, Field(min_length=1)]
    split_folders: (
        bool | Annotated[dict[str, Literal["train", "val", "test"]], Field(min_length=1)] | None
    ) = None
    group: Annotated[str, AfterValidator(is_rule)] | None = None
    masks: Annotated[str, AfterValidator(is_template)] | None = None
    max_unreadable: Annotated[int, Field(ge=0)] = 0

    @property
    def reads(self) -> tuple[str, ...]:
        return self.path, *((str(Path(self.path, fixed_folder(self.masks))),) if self.masks else ())


class Folder(Generator):
    """All images below ``path``: a class is a subfolder, with everything in it at any depth.

    Hidden files and folders are left out, as are files that lie beside the class folders; linked
    files are followed, linked folders inside a class are not. Records come in natural order of
    their file names (``2.png`` before ``10.png``). An id is made from the file's content; a second
    file of the same content gets ``-2``, and belongs to the first one's group.
    """

    summary = "real images from a folder, one subfolder a class"
    options = FolderOptions
    origin = "real"
    countable = False
    factors: ClassVar = {"file": ("string", "path of the image below the folder")}
    libraries = ("numpy", "pillow")

    config: FolderOptions

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the class folders; FileNotFoundError or BadImages where there are none."""
        return tuple(dict.fromkeys(folder.label for folder in self._class_folders()))

    @property
    def kept_columns(self) -> tuple[str, ...]:
        known = {"mask": self.config.masks, "given_split": self.config.split_folders}
        return tuple(name for name, asked in known.items() if asked)

    @property
    def prevalence(self) -> Mapping[str, float]:
        """The share of the files that lie in each class folder."""
        counts = Counter(dict.fromkeys(self.classes, 0))
        for folder in self._class_folders():
            counts[folder.label] += sum(1 for _ in files_below(folder.path))
        return {label: count / max(1, counts.total()) for label, count in counts.items()}

    def streams(self, name: str, **amount: Any) -> list[Sequence[Record]]:
        """Every readable image, one stream a class; each file is decoded once to find the others.

        Raises BadImages, naming every file that cannot be read or has no group.
        """
        good = sift(self._checked, self._place, max_unreadable=self.config.max_unreadable)
        groups = self._groups(good)
        ids = content_ids(name, good.values())
        records: dict[str, list[Record]] = {label: [] for label in self.classes}
        for (path, _), (id, same) in zip(good.items(), ids, strict=True):
            folder = self._files[path]
            records[folder.label].append(
                Record(
                    id=id,
                    label=folder.label,
                    path=path,
                    group=groups.get(path, same),
                    given_split=folder.given_split,
                )
            )
        for label, found in records.items():
            if not found:
                raise BadImages(f"{self._place} has no readable image of class '{label}'.")
        return list(records.values())

    def left_out(self) -> Mapping[str, Mapping[str, str]]:
        return left_out(self._checked)

    def sample(self, record: Record, rng: np.random.Generator) -> Sample:
        """Read the record's file; nothing is random."""
        try:
            image = read_image(record.file, self.image_size)
        except Exception as error:
            raise BadImages(f"{readable_name(str(record.path))}: {reason(error)}.") from None
        mask = self._mask_of(record.file)
        return Sample(
            image=image,
            label=record.label,
            mask=None if mask is None else read_mask(mask, record.file, self.image_size),
            factors={"file": self._name(record.file)},
            given_split=record.given_split,
        )

    @property
    def _place(self) -> str:
        return f"folder '{readable_name(self.config.path)}'"

    def _name(self, path: Path) -> str:
        return readable_name(path.relative_to(self.config.path).as_posix())

    def _class_folders(self) -> list[ClassFolder]:
        return class_folders(Path(self.config.path), self._place, self.config.split_folders)

    @cached_property
    def _files(self) -> dict[Path, ClassFolder]:
        """The folder of every file, class by class, in natural order of the names."""
        files = {
            path: folder
            for folder in self._class_folders()
            for path in sorted(files_below(folder.path), key=natural)
        }
        if self.config.masks is not None:
            files = self._without_masks(files)
        there = {folder.label for folder in files.values()}
        if empty := [label for label in self.classes if label not in there]:
            raise BadImages(f"{self._place} has classes without a file: {', '.join(empty)}.")
        return files

    def _mask_of(self, path: Path) -> Path | None:
        """The file of an image's mask, None where there is none."""
        if self.config.masks is None:
            return None
        folder = path.parent.relative_to(self.config.path)
        return mask_file(Path(self.config.path), self.config.masks, folder, path)

    def _without_masks(self, files: Mapping[Path, ClassFolder]) -> dict[Path, ClassFolder]:
        """The images alone; BadImages where none of them has a mask."""
        masks = {mask for path in files if (mask := self._mask_of(path)) is not None}
        if not masks:
            raise BadImages(
                f"{self._place}: no image has a mask where `masks` says ({self.config.masks})."
            )
        return {path: folder for path, folder in files.items() if path not in masks}

    @cached_property
    def _checked(self) -> list[Checked]:
        return check(list(self._files))

    def _groups(self, good: Mapping[Path, str]) -> dict[Path, str]:
        """The group of each image that is said to be of one; a warning where it only looks so."""
        names = {self._name(path): path for path in good}
        files = {name: self._name(self._files[path].path) for name, path in names.items()}
        if self.config.group is not None:
            found = groups_of(files, self.config.group, self._place)
            return {names[name]: group for name, group in found.items()}
        if how := looks_grouped(files):
            logger.warning(
                "%s: images look as if several belonged together, as those of one patient do. If "
                "so, no two splits may share them. %s below `options` keeps them together.",
                self._place,
                how[0].upper() + how[1:],
            )
        return {}
