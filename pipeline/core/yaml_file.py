"""Reading a YAML file that somebody wrote: refused with a reason, whatever is in it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from raresight.pipeline.runtime.errors import InputMissing, ParamsError

# In a params file, each alias being as much as what it stands for.
_MOST_VALUES, _DEEPEST = 100_000, 50
_NAMES = (str, int, float, type(None))  # what YAML makes of the keys that JSON can have


def read_yaml(path: Path) -> dict[str, Any]:
    """The top-level mapping of a params file."""
    try:
        value = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputMissing(
            f"{path} does not exist. Run inside a Raresight project, or name it with --params."
        ) from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path} is not valid YAML: {error}") from None
    except RecursionError:
        raise ParamsError(f"{path}: its parts are nested too deeply to be read.") from None
    except TypeError:  # ruamel's own loader puts every key into a dict
        raise ParamsError(f"{path} has a key that is no name, but a list or a mapping.") from None
    except ValueError as error:  # a number of thousands of digits
        raise ParamsError(f"{path} has a value that cannot be read: {error}.") from None
    except OSError as error:
        raise InputMissing(f"{path} cannot be read: {error.strerror}.") from None
    _refuse_strange(path, value)
    if not isinstance(value, dict):
        raise ParamsError(f"{path} must be a mapping of sections, not {type(value).__name__}.")
    return value


def _refuse_strange(path: Path, value: Any) -> None:
    """Keys that are no names, which neither JSON nor a section has; and too much: an alias is a
    line, and nine lines of them stand for a thousand million values."""
    waiting, count = [(value, 0)], 0
    while waiting:
        one, depth = waiting.pop()
        if isinstance(one, Mapping) and not all(isinstance(key, _NAMES) for key in one):
            raise ParamsError(f"{path} has a key that is no name, but a list, a mapping or a date.")
        inner = one.values() if isinstance(one, Mapping) else one if isinstance(one, list) else ()
        waiting += ((part, depth + 1) for part in inner)
        count += 1
        if depth > _DEEPEST or count + len(waiting) > _MOST_VALUES:
            raise ParamsError(
                f"{path} holds more than {_MOST_VALUES:,} values, or some more than {_DEEPEST} "
                "levels deep. An alias (*name) counts as what it stands for: write that out."
            )
