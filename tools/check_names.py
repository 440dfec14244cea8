#!/usr/bin/env python3
"""Every public module says in `__all__`, sorted, just what it offers.

A public module is one of the package's own folder whose name has no underscore before it; server/
and cli/ offer what their `__init__` does. Programs (with a `__main__` part) offer nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from repo import run

PACKAGE = "python/azora_orchestrator"


def check(root: Path) -> list[str]:
    """All public modules and the `__init__` of each folder."""
    package = root / PACKAGE
    files = [file for file in package.glob("*.py") if not file.name.startswith("_")]
    files += [package / "__init__.py", *package.glob("*/__init__.py")]
    return [fault for file in sorted(files) for fault in _module(root, file)]


def _module(root: Path, file: Path) -> Iterator[str]:
    where = file.relative_to(root).as_posix()
    tree = ast.parse(file.read_text(), where)
    if any(isinstance(node, ast.If) and "__main__" in ast.unparse(node.test) for node in tree.body):
        return
    offered = _all(tree)
    if offered is None:
        yield f"{where}: has no __all__; list what it offers"
        return
    if offered != sorted(offered, key=_order):
        yield f"{where}: __all__ is not sorted: constants, classes, then the rest"
    own, others = set(_defined(tree)), set(_imported(tree))
    known = own | others
    top = file == root / PACKAGE / "__init__.py"  # what it imports, it offers
    public = {name for name in (known if top else own) if not name.startswith("_")}
    if "__version__" in own:
        public.add("__version__")
    for name in offered:
        if name not in known:
            yield f"{where}: __all__ names {name}, which is not there"
    for name in sorted(public - set(offered)):
        yield f"{where}: __all__ lacks {name}; add it, or give it an underscore"


def _order(name: str) -> tuple[int, str]:
    """As ruff sorts: SCREAMING_CASE, CamelCase, the rest."""
    if name.isupper():
        return 0, name
    return (1, name) if name[:1].isupper() else (2, name)


def _all(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names: list[str] = ast.literal_eval(node.value)
            return names
    return None


def _defined(tree: ast.Module) -> Iterator[str]:
    """Functions, classes and typed or plain names that the module makes."""
    for node in tree.body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Assign(targets=targets, value=value) if not _is_type_variable(value):
                yield from (target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def _is_type_variable(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and ast.unparse(value.func) in ("ParamSpec", "TypeVar")


def _imported(tree: ast.Module) -> Iterator[str]:
    nodes = list(tree.body)
    for node in tree.body:  # a lazy package imports for the type checker alone
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            nodes += node.body
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module != "__future__":
            yield from (alias.asname or alias.name for alias in node.names)


if __name__ == "__main__":
    run(check, __doc__ or "")
