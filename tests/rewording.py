"""Puts other words into the sentences of a copy of the code; what it computes stays as it is."""

import ast
import re
from pathlib import Path

_SENTENCE = re.compile(r"[A-Za-z]{2,},? [A-Za-z]{2,}")  # two words: no name, key, option or format


class _Reworded(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        if isinstance(node.value, str) and _SENTENCE.search(node.value):
            self.count += 1
            return ast.copy_location(ast.Constant(f"{node.value.swapcase()}!"), node)
        return node

    count = 0


def reword(path: Path) -> int:
    """Change every sentence of a module: docstrings, messages, help; returns how many."""
    change = _Reworded()
    tree = change.visit(ast.parse(path.read_text()))
    path.write_text(ast.unparse(ast.fix_missing_locations(tree)) + "\n")
    return change.count
