"""What changed code may do, and when two pieces of code are the same."""

from __future__ import annotations

import pytest

from company.patching.code import code_hash, code_lines, problems
from projects.load import load_project
from projects.spec import Project

PLACE = "    smooth = known = 0.0"


@pytest.fixture(scope="module")
def project() -> Project:
    return load_project("byte_lm")


def with_lines(project: Project, lines: str) -> dict[str, str]:
    return {"train.py": project.code["train.py"].replace(PLACE, f"{PLACE}\n{lines}")}


def test_the_projects_own_code_may_run(project: Project) -> None:
    assert problems(project.code, project) == []


@pytest.mark.parametrize(
    "lines",
    [
        "    average = {name: w.detach().clone() for name, w in model.named_parameters()}",
        "    import copy\n    from torch.optim.swa_utils import AveragedModel\n    from collections import deque",
        "    print('a line', file=sys.stderr)",
        "    getattr(F, config['activation'], F.gelu)",
        "    (out / 'model.json').write_text('other text')",
        "    save_file({}, out / 'model.safetensors')",
    ],
)
def test_ordinary_changes_of_training_code_may_run(project: Project, lines: str) -> None:
    assert problems(with_lines(project, lines), project) == []


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("    import os", "'import os' is not allowed; allowed are"),
        ("    from os import system", "'import os' is not allowed"),
        ("    from . import evaluate", "is not allowed"),
        ("    import torch.utils.cpp_extension", "'import torch.utils.cpp_extension' is not allowed"),
        ("    from torch.utils import cpp_extension", "'import torch.utils.cpp_extension' is not allowed"),
        ("    import socket, ctypes, importlib", "'import socket' is not allowed"),
        ("    subprocess.run(['ls'])", "'subprocess.run(['ls'])' reaches outside"),
        ("    s = subprocess\n    s.run(['ls'])", "'subprocess' reaches outside"),
        ("    torch.os.system('ls')", "'torch.os' reaches outside"),
        ("    import random\n    random._os.system('ls')", "'random._os' reaches outside"),
        ("    np.fromregex('/etc/passwd', '(.)', [('x', 'S1')])", "opens a file"),
        ("    sys.modules['os'].system('ls')", "'sys.modules' reaches outside"),
        ("    open('/etc/passwd')", "'open('/etc/passwd')' opens a file"),
        ("    reader = open", "'open' opens a file"),
        ("    np.fromfile(out.parent / 'sealed' / 'validation.bin')", "opens a file"),
        ("    torch.load('other.pt')", "opens a file"),
        ("    Path('/').iterdir()", "opens a file"),
        ("    exec('import os')", "'exec' runs text as code"),
        ("    __import__('os')", "'__import__' runs text as code"),
        ("    ().__class__.__bases__[0].__subclasses__()", "looks behind an object"),
        ("    x = (", "line 218"),
        ("    x = " + "(" * 300 + ")" * 300, "train.py"),
        ("    x = " + "-" * 200_000 + "1", "train.py"),
        ("    x = " + "1+" * 5000 + "1", "nested too deeply"),
        ("    x = y" + "[0]" * 3000, "nested too deeply"),
        ("    x = '\0'", "train.py"),
        ("    x = '\x1b[31m'", "has a control character"),
        ("    x = 1  # \u202e nothing", "has a control character"),
        ("    x = '\ud800'", "train.py"),
        ("\n".join(["    smooth = 0.0"] * 1000), "lines of code, at most 1000 are allowed"),
        ("    x = '" + "y" * 300_000 + "'", "bytes of code, at most"),
    ],
    ids=lambda value: value.strip()[:40],
)
def test_what_reaches_out_of_the_training_is_refused_in_one_line(project: Project, lines: str, said: str) -> None:
    found = problems(with_lines(project, lines), project)
    assert any(said in problem for problem in found), found
    assert all("\n" not in problem and len(problem) < 600 for problem in found)


def test_without_what_the_evaluator_calls_code_is_refused(project: Project) -> None:
    files = {"train.py": project.code["train.py"].replace("def predict(", "def forecast(")}
    assert problems(files, project) == ["train.py: function predict is gone; the evaluator asks for it"]


ORIGINAL = '''
"""A module."""
def f(x, depth):
    """What it does."""
    total = 0  # so far
    for n in range(depth):
        total += g(n) * x
    return [total + n for n in (1, 2)]
'''


@pytest.mark.parametrize(
    "same",
    [
        ORIGINAL.replace('"""A module."""', "# nothing"),
        ORIGINAL.replace("  # so far", "").replace("    ", "  "),
        ORIGINAL.replace('    """What it does."""\n', ""),
        ORIGINAL.replace("total", "s").replace(" n ", " m ").replace("(n)", "(m)").replace("+ n", "+ m"),
        ORIGINAL.replace("(1, 2)", "(\n        1,\n        2,\n    )"),
    ],
)
def test_code_that_differs_in_looks_alone_is_the_same(same: str) -> None:
    assert same != ORIGINAL
    assert code_hash({"a.py": same}) == code_hash({"a.py": ORIGINAL})
    assert code_lines({"a.py": same}) == code_lines({"a.py": ORIGINAL})


@pytest.mark.parametrize(
    "other",
    [
        ORIGINAL.replace("g(n)", "h(n)"),
        ORIGINAL.replace("+=", "-="),
        ORIGINAL.replace("total = 0", "total = 1"),
        ORIGINAL.replace("x, depth", "depth, x"),
        ORIGINAL.replace("def f", "def e"),
        ORIGINAL.replace("total + n", "n + total"),
    ],
)
def test_code_that_does_something_else_is_not(other: str) -> None:
    assert code_hash({"a.py": other}) != code_hash({"a.py": ORIGINAL})


def test_a_name_that_a_nested_function_takes_from_outside_is_told_from_its_own() -> None:
    inner = "def f():\n    a = 1\n    def g(a):\n        return a\n    return g(2) + a\n"
    outer = "def f():\n    b = 1\n    def g(a):\n        return b\n    return g(2) + b\n"
    assert code_hash({"a.py": inner}) != code_hash({"a.py": outer})


def test_less_code_counts_as_less_however_it_is_laid_out() -> None:
    before = {"a.py": ORIGINAL}
    assert code_lines({"a.py": ORIGINAL.replace("    total = 0  # so far\n", "\n\n\n# longer\n")}) < code_lines(before)
    assert code_lines({"a.py": "x = 1; y = 2"}) == code_lines({"a.py": "x = 1\ny = 2"})
