"""What a module of this project imports, read from the source: nothing is run."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("raresight", "pipeline", "generators")  # together they are the package raresight
# No byte of an output depends on these, so that dvc.yaml leaves them out.
FREE = {"cli", "terminal", "runtime"}
_REFERENCE = re.compile(r"raresight(\.\w+)+:\w+")
SPOKEN = "wording"  # of all outputs the page alone holds sentences


@cache
def modules() -> dict[str, Path]:
    """Every module of the project by its dotted name."""
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    return {_dotted(path): path for path in files}


def _dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts if parts[0] == "raresight" else ("raresight", *parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def direct(name: str) -> set[str]:
    """The project's modules that ``name`` imports, anywhere in its source, and their packages.

    Imports that only a type checker sees are left out; a text ``module:name`` is one.
    """
    known, found = modules(), set()
    tree = ast.parse(known[name].read_text())
    hidden = {id(node) for block in ast.walk(tree) if _for_types(block) for node in ast.walk(block)}
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Constant) and _REFERENCE.fullmatch(str(node.value)):
            found.add(node.value.partition(":")[0])
    found |= {parent for target in found for parent in _parents(target)}
    return (found & set(known)) - {name}


def _for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:k]) for k in range(1, len(parts))]


@cache
def closure(name: str) -> set[Path]:
    """The files of code, relative to the root, that importing ``name`` and running it can read.

    A package's docstring alone is no code; what lies in FREE changes no byte.
    """
    free = FREE if name.endswith("stages.report") else {*FREE, SPOKEN}
    known, seen, waiting = modules(), set(), [name, *_parents(name)]
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting += direct(module)
    files = {known[module].relative_to(ROOT) for module in seen if _has_code(known[module])}
    return {path for path in files if path.parts[0] != "raresight" and path.parts[1] not in free}


@cache
def _has_code(path: Path) -> bool:
    return any(not isinstance(node, ast.Expr) for node in ast.parse(path.read_text()).body)
