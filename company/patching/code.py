"""Is changed training code worth a slot: does it parse, keep to what the project allows, and what is it the same as?

Covered: mistakes, and the plain ways to cheat (a file read that the project's own code does not read, a module that
starts processes, `eval`). Not covered: whoever means to get around it can. The boundary is the sandbox that the code
runs in, and the sealed evaluator; this check only saves the slot and says why.
"""

from __future__ import annotations

import ast
import hashlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from company.patching.normal import normalised
from projects.spec import Project

IMPORTS = (
    "__future__", "abc", "argparse", "bisect", "cmath", "collections", "contextlib", "copy", "dataclasses", "decimal",
    "enum", "fractions", "functools", "heapq", "itertools", "json", "math", "numbers", "operator", "pathlib", "random",
    "re", "safetensors", "statistics", "string", "struct", "time", "typing", "warnings", "numpy", "torch",
)  # fmt: skip
REFUSED = (
    "torch.distributed", "torch.hub", "torch.multiprocessing", "torch.package", "torch.utils.cpp_extension",
    "numpy.ctypeslib", "numpy.f2py", "numpy.distutils",
)  # fmt: skip
OUTSIDE = frozenset((
    "builtins", "ctypes", "gc", "importlib", "inspect", "io", "multiprocessing", "os", "pickle", "resource", "shutil",
    "signal", "site", "socket", "subprocess", "sys", "tempfile", "threading", "urllib",
))  # fmt: skip
HARMLESS = frozenset((
    "sys.stderr", "sys.stdout", "sys.float_info", "sys.maxsize", "sys.version_info", "torch.signal",
))  # fmt: skip
RUNS_TEXT = frozenset(("eval", "exec", "compile", "__import__", "breakpoint", "globals", "input"))
OPENS = frozenset(("open", "load_file", "save_file"))
FILE_METHODS = frozenset((
    "chmod", "DataSource", "fromfile", "fromregex", "from_file", "genfromtxt", "glob", "hardlink_to", "iterdir",
    "loadtxt", "memmap", "mkdir", "open", "open_memmap", "read_bytes", "read_text", "rename", "rglob", "rmdir",
    "savetxt", "symlink_to", "tofile", "touch", "unlink", "write_bytes", "write_text",
))  # fmt: skip
LIBRARIES = frozenset(("np", "numpy", "torch"))
LIBRARY_FILES = frozenset(("load", "save", "savez", "savez_compressed"))
HIDDEN = frozenset((
    "__base__", "__bases__", "__builtins__", "__closure__", "__code__", "__dict__", "__getattribute__",
    "__globals__", "__loader__", "__mro__", "__spec__", "__subclasses__",
))  # fmt: skip
MAX_BYTES = 256 * 1024
MOST_PROBLEMS = 5
_DEEP = "an expression in it is nested too deeply"


def problems(files: Mapping[str, str], project: Project) -> list[str]:
    """Everything that keeps code from being run, one line each, at most five; empty when it may."""
    sizes = _too_large(files, project)
    if sizes:
        return sizes
    found: list[str] = []
    for name, text in files.items():
        try:
            found += [f"{name}{problem}" for problem in _of_file(name, text, project)]
        except (SyntaxError, ValueError) as error:
            found.append(f"{name}, line {getattr(error, 'lineno', '?')}: {getattr(error, 'msg', error)}")
        except (RecursionError, MemoryError):
            found.append(f"{name}: {_DEEP}")
    return found[:MOST_PROBLEMS] or _unreadable(files)


def _unreadable(files: Mapping[str, str]) -> list[str]:
    """Code that parses may still be too deep to be compared with other code."""
    try:
        code_hash(files)
        code_lines(files)
    except (RecursionError, MemoryError, ValueError):
        return [f"{', '.join(files)}: {_DEEP}"]
    return []


def code_hash(files: Mapping[str, str]) -> str:
    """12 hex digits that code shares with all code that differs from it in comments, docstrings, layout and names of
    local variables alone. Raises SyntaxError where it does not parse."""
    return _hash(tuple(sorted(files.items())))


def code_lines(files: Mapping[str, str]) -> int:
    """How much code it is: lines without comments, docstrings and blank ones, laid out alike whoever wrote it."""
    return _lines(tuple(sorted(files.items())))


@lru_cache(maxsize=64)
def _hash(files: tuple[tuple[str, str], ...]) -> str:
    digest = hashlib.sha256()
    for name, text in files:
        digest.update(f"{name}\n{ast.dump(normalised(_parse(text)))}\n".encode())
    return digest.hexdigest()[:12]


@lru_cache(maxsize=64)
def _lines(files: tuple[tuple[str, str], ...]) -> int:
    return sum(ast.unparse(normalised(_parse(text))).count("\n") + 1 for _, text in files)


def _parse(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an odd escape in a string is the author's matter
        return ast.parse(text)


def _too_large(files: Mapping[str, str], project: Project) -> list[str]:
    lines = sum(text.count("\n") for text in files.values())
    size = sum(len(text.encode(errors="replace")) for text in files.values())
    if lines > project.max_lines:
        return [f"{lines} lines of code, at most {project.max_lines} are allowed: remove some"]
    return [f"{size} bytes of code, at most {MAX_BYTES} are allowed: remove some"] if size > MAX_BYTES else []


def _of_file(name: str, text: str, project: Project) -> Iterator[str]:
    yield from _unprintable(text, project.code.get(name, ""))
    tree, own = _parse(text), _parse(project.code.get(name, ""))
    defined = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    for node in own.body:
        if isinstance(node, ast.FunctionDef) and node.name in ("load", "predict") and node.name not in defined:
            yield f": function {node.name} is gone; the evaluator asks for it"
    allowed = (*IMPORTS, *project.imports, *(path.removesuffix(".py").replace("/", ".") for path in project.editable))
    known = {module for module, _ in _imports(own)}
    for module, line in _imports(tree):
        if module not in known and not _is_allowed(module, allowed):
            yield f", line {line}: 'import {module}' is not allowed; allowed are {', '.join(allowed)}"
    kept = {shown for shown, _, _ in _reaches(own)}
    for shown, line, why in _reaches(tree):
        if shown not in kept:
            yield f", line {line}: '{shown[:80]}' {why}, which the project's own code does not do"


def _unprintable(text: str, own: str) -> Iterator[str]:
    """Characters that a screen would act on, or that show a reader other code than what runs."""
    kept = set(own.split("\n"))
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.replace("\t", "").isprintable() and line not in kept:
            yield f", line {number}: has a control character; write it as an escape such as '\\x1b'"


def _is_allowed(module: str, allowed: Sequence[str]) -> bool:
    def under(names: Sequence[str]) -> bool:
        return any(module == name or module.startswith(f"{name}.") for name in names)

    return under(allowed) and not under(REFUSED)


def _imports(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Dotted names of everything that is imported, with their lines; relative imports start with a dot."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield module, node.lineno
            for alias in node.names:
                if f"{module}.{alias.name}" in REFUSED:
                    yield f"{module}.{alias.name}", node.lineno


def _reaches(tree: ast.Module) -> Iterator[tuple[str, int, str]]:
    """Every expression that reaches out of the training code: as text, its line, and what it does.

    Of a call that opens a file the text is the function and the path, so that what is written there may change.
    """
    inner: set[ast.AST] = set()
    modules = {*LIBRARIES, *(name.split(".")[0] for name, _ in _imports(tree))}
    for node in ast.walk(tree):  # parents come before their children
        if isinstance(node, ast.Call):
            if shown := _opens(node):
                inner.add(node.func)
                yield shown, node.lineno, "opens a file"
            elif _root(node.func) in OUTSIDE:
                inner.update(ast.walk(node.func))
                yield ast.unparse(node), node.lineno, "reaches outside of the training"
        elif isinstance(node, (ast.Name, ast.Attribute)) and node not in inner:
            shown, word = ast.unparse(node), node.id if isinstance(node, ast.Name) else node.attr
            root = _root(node)
            if isinstance(node, ast.Attribute) and root in OUTSIDE:
                inner.update(ast.walk(node))
            if word in RUNS_TEXT and isinstance(node, ast.Name):
                yield shown, node.lineno, "runs text as code"
            elif word in HIDDEN:
                inner.update(ast.walk(node))
                yield shown, node.lineno, "looks behind an object"
            elif (root in OUTSIDE or (word.strip("_") in OUTSIDE and root in modules)) and shown not in HARMLESS:
                yield shown, node.lineno, "reaches outside of the training"
            elif word in OPENS and isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                yield shown, node.lineno, "opens a file"


def _root(node: ast.AST) -> str:
    """The name that a chain of attributes and calls starts from, empty where it starts from something else."""
    while isinstance(node, (ast.Attribute, ast.Call)):
        node = node.value if isinstance(node, ast.Attribute) else node.func
    return node.id if isinstance(node, ast.Name) else ""


def _opens(call: ast.Call) -> str:
    """A call that opens a file, as its function and the path; empty for other calls."""
    function, arguments = call.func, call.args
    if isinstance(function, ast.Name) and function.id in OPENS:
        at = -1 if function.id == "save_file" else 0
        return f"{function.id}({ast.unparse(arguments[at]) if arguments else '...'})"
    if not isinstance(function, ast.Attribute):
        return ""
    library = _root(function) in LIBRARIES
    if function.attr not in (FILE_METHODS | LIBRARY_FILES if library else FILE_METHODS):
        return ""
    path = f"({ast.unparse(arguments[0]) if arguments else '...'})" if library else "(...)"
    return ast.unparse(function) + path
