"""The project's own source as a graph of imports, for the tests of the code's shape."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {
    _name(path): path
    for package in ("generators", "pipeline")
    for path in sorted((ROOT / package).rglob("*.py"))
}


def imports(tree: ast.AST, *, lazy: bool = True) -> Iterator[str]:
    """Dotted names a module imports: ``a.b`` and ``a.b.c`` for ``from a.b import c``.

    ``lazy`` takes in what functions import. What only a type checker reads is left out.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute here"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        elif lazy or not isinstance(node, ast.FunctionDef):
            yield from imports(node, lazy=lazy)


def parse(module: str) -> ast.Module:
    return ast.parse(FILES[module].read_text())


def own_imports(module: str, *, lazy: bool = True) -> set[str]:
    """The project's modules that ``module`` imports, and the packages they lie in."""
    found = set()
    for name in imports(parse(module), lazy=lazy):
        parts = name.split(".")
        found |= {".".join(parts[:end]) for end in range(1, len(parts) + 1)} & FILES.keys()
    return found


def closure(module: str, *, lazy: bool = True) -> set[str]:
    """``module`` and everything of the project that importing and running it can load."""
    seen, todo = set(), {module, *_packages(module)}
    while todo:
        name = todo.pop()
        seen.add(name)
        todo |= own_imports(name, lazy=lazy) - seen
    return seen


def _packages(module: str) -> set[str]:
    parts = module.split(".")
    return {".".join(parts[:end]) for end in range(1, len(parts))}
