"""Ids and classes as names of files and folders."""

from urllib.parse import quote

from raresight.pipeline.runtime.errors import DataError

_KEPT = " !#$&'()+,;=@[]{}~^`"
_ASCII = 127


def file_name(id: str) -> str:
    """An id as the name of a file: what a file system may not bear is written as %XX."""
    return "".join(letter if ord(letter) > _ASCII else quote(letter, safe=_KEPT) for letter in id)


def folder_name(label: str) -> str:
    """A class as the name of its folder; DataError where it cannot be one.

    It is not changed, as whoever reads the folders takes their names for the classes.
    """
    if not label or label in (".", "..") or set(label) & set("/\\\0") or label != label.strip():
        raise DataError(
            f"the class {label!r} cannot be the name of a folder. Export as parquet or webdataset, "
            "where a class is written in the file, or name the class otherwise."
        )
    return label
