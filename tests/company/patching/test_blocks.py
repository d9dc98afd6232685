"""Patches as text: what is applied, where, and what is said when a patch does not fit."""

from __future__ import annotations

import pytest

from company.patching.blocks import MAX_EDITS, MAX_PATCH, PatchError, apply, difference

FILE = "train.py"
TEXT = """import math

def f(x):
    y = x + 1
    return y

def g(x):
    y = x + 2
    return y
"""


def block(search: str, replace: str, before: str = "") -> str:
    return f"{before}<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n"


def changed(patch: str) -> str:
    return apply(patch, {FILE: TEXT})[FILE]


def test_a_block_replaces_the_lines_that_it_quotes() -> None:
    assert changed(block("    y = x + 1", "    y = x + 3\n    y *= 2")) == TEXT.replace("x + 1", "x + 3\n    y *= 2")


def test_several_blocks_are_applied_in_turn_with_talk_around_them() -> None:
    patch = "I think:\n\n```python\n" + block("    y = x + 1", "    y = x") + "```\nand\n`train.py`\n"
    assert changed(patch + block("    y = x\n    return y", "    return x")) == TEXT.replace(
        "    y = x + 1\n    return y", "    return x"
    )


def test_a_block_may_delete_lines() -> None:
    patch = "<<<<<<< SEARCH\nimport math\n\n=======\n>>>>>>> REPLACE"
    assert changed(patch) == TEXT.removeprefix("import math\n\n")


def test_spaces_at_the_ends_of_lines_and_carriage_returns_do_not_matter() -> None:
    assert changed(block("    y = x + 1   ", "    y = x").replace("\n", "\r\n")) == TEXT.replace("x + 1", "x")


DIFF = """--- a/train.py
+++ b/train.py
@@ -7,3 +7,3 @@ def f(x):
 def g(x):
-    y = x + 2
+    y = x + 5
     return y
"""


def test_a_diff_is_applied() -> None:
    assert changed(DIFF) == TEXT.replace("x + 2", "x + 5")


@pytest.mark.parametrize("header", ["@@ -100,9 +3,1 @@", "@@", "@@ ... @@"])
def test_wrong_line_numbers_of_a_diff_do_not_matter_where_one_place_fits(header: str) -> None:
    assert changed(DIFF.replace("@@ -7,3 +7,3 @@ def f(x):", header)) == TEXT.replace("x + 2", "x + 5")


def test_the_line_numbers_of_a_diff_choose_between_like_places() -> None:
    patch = "@@ -9,1 +9,1 @@\n-    return y\n+    return -y\n"
    assert changed(patch) == TEXT.removesuffix("    return y\n") + "    return -y\n"


def test_a_diff_whose_blank_context_lost_its_space_still_fits() -> None:
    assert changed("@@ -1,3 +1,3 @@\n import math\n\n-def f(x):\n+def f(z, x=1):\n\n").startswith(
        "import math\n\ndef f(z, x=1):"
    )


def test_what_a_patch_did_can_be_written_as_a_diff_that_does_it_again() -> None:
    after = apply(block("    y = x + 1", "    y = x + 3"), {FILE: TEXT})
    assert apply(difference({FILE: TEXT}, after), {FILE: TEXT}) == after


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ("just talk", "no '<<<<<<< SEARCH' block"),
        ("", "no '<<<<<<< SEARCH' block"),
        (block("    y = x + 7", "    y = x"), "block 1: its lines are not in train.py; nearest is line "),
        (block("def f(x):\n    y = x + 7", "pass"), "line 4 is '    y = x + 1', not '    y = x + 7'"),
        (block("  y = x + 1", "    y = x"), "line 4 is '    y = x + 1', not '  y = x + 1'"),
        (block("zzzz", "    y = x"), "nothing like them is there"),
        (block("    return y", "    return x"), "2 times (lines 5, 9): quote more"),
        (block("", "    return x"), "quotes no lines"),
        (block("    y = x + 1", "    y = x + 1"), "changes nothing"),
        (block("import math", "import os", before="evaluate.py\n"), "'evaluate.py', which is not editable: train.py"),
        (DIFF.replace("train.py", "../../evaluate.py"), "'../../evaluate.py', which is not editable"),
        ("<<<<<<< SEARCH\nimport math\n", "block 1 has no ======= line"),
        ("<<<<<<< SEARCH\nimport math\n=======\nimport os\n", "block 1 has no >>>>>>> REPLACE line"),
        ("@@ -1 +1 @@\n*import math\n", "starts with none of"),
        (block("import math", "x" * MAX_PATCH), "characters, at most"),
        (block("import math", "import os") * (MAX_EDITS + 1), "parts, at most"),
    ],
    ids=lambda value: value.strip()[:40],
)
def test_a_patch_that_does_not_fit_says_which_part_and_what_is_there_in_one_line(patch: str, said: str) -> None:
    with pytest.raises(PatchError) as raised:
        changed(patch)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_with_several_editable_files_a_block_must_name_its_own() -> None:
    files = {FILE: TEXT, "model.py": TEXT}
    patch = block("import math", "import cmath", before="model.py\n")
    assert apply(patch, files) == {FILE: TEXT, "model.py": TEXT.replace("import math", "import cmath")}
    with pytest.raises(PatchError, match=r"names no file: write one of train.py, model.py"):
        apply(block("import math", "import cmath"), files)
