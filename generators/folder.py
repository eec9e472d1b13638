"""Real images, one subfolder a class; :mod:`raresight.generators.image_file` reads each."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from raresight.generators.base import BadImages
from raresight.generators.image_file import files_below, natural, readable_name
from raresight.generators.real.contents import File
from raresight.generators.real.grouping import groups_of, is_rule, looks_grouped
from raresight.generators.real.images import ImageOptions, RealImages
from raresight.generators.real.layout import ClassFolder, class_folders
from raresight.generators.real.masks import fixed_folder, is_template, mask_file
from raresight.generators.real.row import Listing, Row

logger = logging.getLogger(__name__)


class FolderOptions(ImageOptions):
    """Where the images are, what belongs together, and how they become pixels.

    ``path`` holds one subfolder a class, or, with ``split_folders: true``, the folders train, val
    and test with the classes in each; ``{fold_0: train, fold_1: test}`` says what they are called.
    Null refuses what looks like splits, false takes it as classes. ``group`` says which images stay
    together: ``parent``, those of a folder below that of the class, or a regular expression on the
    path below ``path`` with a group named ``group``. ``masks`` says where below ``path`` the mask
    of an image lies, such as ``{folder}/{name}_mask.png`` beside it or
    ``../masks/{folder}/{name}.png``: an image that is not black where the label is.
    """

    path: Annotated[str, Field(min_length=1)]
    split_folders: (
        bool | Annotated[dict[str, Literal["train", "val", "test"]], Field(min_length=1)] | None
    ) = None
    group: Annotated[str, AfterValidator(is_rule)] | None = None
    masks: Annotated[str, AfterValidator(is_template)] | None = None

    @property
    def reads(self) -> tuple[str, ...]:
        return self.path, *((str(Path(self.path, fixed_folder(self.masks))),) if self.masks else ())


class Folder(RealImages):
    """All images below ``path``: a class is a subfolder, with everything in it at any depth.

    Hidden files and folders are left out, as are files that lie beside the class folders; linked
    files are followed, linked folders inside a class are not. Records come in natural order of
    their file names (``2.png`` before ``10.png``).
    """

    summary = "real images from a folder, one subfolder a class"
    options = FolderOptions

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
    def place(self) -> str:
        return f"folder '{readable_name(self.config.path)}'"

    def _list(self) -> Listing:
        """Class by class, in natural order of the names."""
        files = {
            path: folder
            for folder in self._class_folders()
            for path in sorted(files_below(folder.path), key=natural)
        }
        masks = self._masks(files)
        taken = {path: folder for path, folder in files.items() if path not in masks.values()}
        there = {folder.label for folder in taken.values()}
        if empty := [label for label in self.classes if label not in there]:
            raise BadImages(f"{self.place} has classes without a file: {', '.join(empty)}.")
        rows = [
            Row(
                content=File(path=path),
                file=self._name(path),
                label=folder.label,
                given_split=folder.given_split,
                mask=File(path=masks[path]) if path in masks else None,
            )
            for path, folder in taken.items()
        ]
        return Listing(classes=self.classes, rows=rows, columns=self.kept_columns)

    def _name(self, path: Path) -> str:
        return readable_name(path.relative_to(self.config.path).as_posix())

    def _class_folders(self) -> list[ClassFolder]:
        return class_folders(Path(self.config.path), self.place, self.config.split_folders)

    def _masks(self, files: Mapping[Path, ClassFolder]) -> dict[Path, Path]:
        """The mask of each file that has one; BadImages where they were asked for and none has."""
        root, template = Path(self.config.path), self.config.masks
        if template is None:
            return {}
        found = {
            path: mask
            for path in files
            if (mask := mask_file(root, template, path.parent.relative_to(root), path)) is not None
        }
        if not found:
            raise BadImages(f"{self.place}: no image has a mask where `masks` says ({template}).")
        return found

    def _grouped(self, rows: Sequence[Row]) -> Sequence[Row]:
        """With the group of each image, by the rule; a warning where they only look grouped."""
        folders = _class_folder(rows, depth=2 if self.config.split_folders else 1)
        if self.config.group is not None:
            found = groups_of(folders, self.config.group, self.place)
            return [replace(row, group=found[row.file]) for row in rows]
        if how := looks_grouped(folders):
            logger.warning(
                "%s: images look as if several belonged together, as those of one patient do. If "
                "so, no two splits may share them. %s below `options` keeps them together.",
                self.place,
                how[0].upper() + how[1:],
            )
        return rows


def _class_folder(rows: Sequence[Row], *, depth: int) -> dict[str, str]:
    """The class folder of every file, both by their paths below the root."""
    return {row.file: "/".join(row.file.split("/")[:depth]) for row in rows}
