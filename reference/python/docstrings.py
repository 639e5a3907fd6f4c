"""Tells, as JSON, what the public names of a package say of themselves: their signatures and docstrings. Imports none of it."""

from __future__ import annotations

import ast
import copy
import inspect
import json
import pathlib
import sys
from typing import Any, Dict, List, Union

Definition = Union[ast.FunctionDef, ast.ClassDef]


def told(node: ast.AST, name: str, file: str) -> Dict[str, Any]:
    """A definition as it is shown."""
    kind = "class" if isinstance(node, ast.ClassDef) else "function"
    decorators = [ast.unparse(each) for each in getattr(node, "decorator_list", [])]
    if "property" in decorators:
        kind = "property"
    signature = f"{name}{signature_of(node)}" if isinstance(node, ast.FunctionDef) else name
    if kind == "property":
        signature = signature.replace("() ->", ":")
    return {"name": name, "kind": kind, "signature": signature, "doc": ast.get_docstring(node) or "", "file": file}


def signature_of(node: ast.FunctionDef) -> str:
    """Parameters and result, without `self`."""
    arguments = copy.deepcopy(node.args)
    if arguments.args and arguments.args[0].arg in ("self", "cls"):
        arguments.args = arguments.args[1:]
    result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"({ast.unparse(arguments)}){result}"


def members_of(node: ast.ClassDef, file: str) -> List[Dict[str, Any]]:
    """Its public methods and properties; what makes it, when that takes something."""
    shown = []
    for each in node.body:
        if not isinstance(each, ast.FunctionDef):
            continue
        if each.name == "__init__":
            node.made = signature_of(each).split(" -> ")[0]  # type: ignore[attr-defined]
        elif not each.name.startswith("_"):
            shown.append(told(each, each.name, file))
    return shown


def definitions_in(path: pathlib.Path) -> Dict[str, Definition]:
    """What stands at the top of a module, by name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {each.name: each for each in tree.body if isinstance(each, (ast.FunctionDef, ast.ClassDef))}


def constants_in(path: pathlib.Path, file: str) -> List[Dict[str, Any]]:
    """What a module names at its top; a string right behind it says what it is, as Sphinx has it."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    shown = []
    for each, behind in zip(body, [*body[1:], ast.Pass()]):
        if not isinstance(each, (ast.Assign, ast.AnnAssign)):
            continue
        target = each.targets[0] if isinstance(each, ast.Assign) else each.target
        name = getattr(target, "id", "")
        of = f": {ast.unparse(each.annotation)}" if isinstance(each, ast.AnnAssign) else ""
        said = isinstance(behind, ast.Expr) and isinstance(behind.value, ast.Constant) and isinstance(behind.value.value, str)
        doc = inspect.cleandoc(behind.value.value) if said else ""  # type: ignore[attr-defined]
        shown.append({"name": name, "kind": "constant", "signature": name + of, "doc": doc, "file": file})
    return shown


def public_names(tree: ast.Module) -> List[str]:
    """What `__all__` has."""
    for each in tree.body:
        if isinstance(each, ast.Assign) and getattr(each.targets[0], "id", "") == "__all__":
            return list(ast.literal_eval(each.value))
    raise SystemExit("a module without __all__ has nothing public")


def module(path: pathlib.Path, root: pathlib.Path) -> Dict[str, Any]:
    """A public module: its own words, and its public names wherever they are defined."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    places = sorted(path.parent.glob("_*.py")) if path.name == "__init__.py" else [path]
    found: List[Dict[str, Any]] = []
    for place in places:
        file = str(place.relative_to(root))
        found += [each for each in constants_in(place, file) if each["name"] in public_names(tree)]
        for name, node in definitions_in(place).items():
            if name not in public_names(tree):
                continue
            entry = told(node, name, file)
            if isinstance(node, ast.ClassDef):
                entry["members"] = members_of(node, file)
                entry["signature"] += getattr(node, "made", "")
            found.append(entry)
    found.sort(key=lambda entry: entry["name"].lower())
    missing = set(public_names(tree)) - {entry["name"] for entry in found}
    if missing:
        raise SystemExit(f"{path.relative_to(root)} gives out what is defined nowhere: {sorted(missing)}")
    name = path.parent.name if path.name == "__init__.py" else path.stem
    return {"name": name, "file": str(path.relative_to(root)), "doc": (ast.get_docstring(tree, clean=False) or "").strip(), "names": found}


if __name__ == "__main__":
    here = pathlib.Path(sys.argv[1]).resolve()
    json.dump([module(here / name, here) for name in sys.argv[2:]], sys.stdout)
