"""Code without what does not change what it does: docstrings, and the names that functions give their own variables."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def normalised(tree: ast.Module) -> ast.Module:
    """A copy in which local variables are numbered in the order in which they first appear, and docstrings are gone.

    Parameters, attributes, classes, functions and what lies at the top of the file keep their names: others use them.
    """
    tree = copy.deepcopy(tree)
    _Renamer().visit(tree)
    return ast.fix_missing_locations(tree)


class _Renamer(ast.NodeTransformer):
    """Keeps a stack of the scopes around a node: of each the names that it binds, and what they are called now."""

    def __init__(self) -> None:
        self._scopes: list[dict[str, str]] = []

    def visit_Module(self, node: ast.Module) -> ast.AST:
        _drop_docstring(node)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        _drop_docstring(node)
        return self._within(node, {name: name for name in _bound(node.body)})

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        _drop_docstring(node)
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        _drop_docstring(node)
        return self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self._within(node, {name: name for name in _parameters(node.args)})

    def visit_Name(self, node: ast.Name) -> ast.AST:
        for scope in reversed(self._scopes):
            if node.id in scope:
                node.id = scope[node.id]
                break
        return node

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        kept = {*_parameters(node.args), *_declared(node.body)}
        depth = len(self._scopes)
        names = {name: name for name in kept}
        for name in _bound(node.body):
            names.setdefault(name, f"local_{depth}_{len(names) - len(kept)}")
        return self._within(node, names)

    def _within(self, node: ast.AST, names: dict[str, str]) -> ast.AST:
        self._scopes.append(names)
        self.generic_visit(node)
        self._scopes.pop()
        return node


def _drop_docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    first = node.body[0] if node.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        node.body = node.body[1:] or [ast.Pass()]


def _parameters(arguments: ast.arguments) -> Iterator[str]:
    listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    yield from (argument.arg for argument in listed if argument is not None)


def _own(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """Every node of a body but those inside of functions and classes, in the order of the text."""
    for node in body:
        yield node
        if not isinstance(node, _SCOPES):
            yield from _below(node)


def _below(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, _SCOPES):
            yield from _below(child)


def _bound(body: list[ast.stmt]) -> Iterator[str]:
    """Names of variables that a body binds by assignment, once each."""
    names = (node.id for node in _own(body) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load))
    yield from dict.fromkeys(names)


def _declared(body: list[ast.stmt]) -> Iterator[str]:
    """Names that belong to an outer scope, and those that are bound otherwise than by a plain variable."""
    for node in _own(body):
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            yield from node.names
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler)):
            yield node.name or ""
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from ((alias.asname or alias.name).split(".")[0] for alias in node.names)
