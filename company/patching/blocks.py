"""Patches as text: search-and-replace blocks or a unified diff, read and applied to the lines that they quote. Pure.

    train.py                                  --- a/train.py
    <<<<<<< SEARCH                            +++ b/train.py
        return F.gelu(x)                      @@ -61,3 +61,3 @@
    =======                                        x = self.up(x)
        return F.relu(x).square()             -    return F.gelu(x)
    >>>>>>> REPLACE                           +    return F.relu(x).square()

The file's name may be left out where only one file is editable. Whole lines are compared, but for spaces at their ends.
The line numbers of a diff are a hint: they choose between places that are alike, and may be wrong.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MAX_PATCH = 60_000  # characters
MAX_EDITS = 100
SHOWN = 80  # characters of a line that a problem quotes

_SEARCH = re.compile(r"<{5,} ?SEARCH\b.*")
_MIDDLE = re.compile(r"={5,}\s*")
_REPLACE = re.compile(r">{5,} ?REPLACE\b.*")
_HUNK = re.compile(r"@@(?: -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@.*)?.*")
_NAME = re.compile(r"[\w./-]+\.\w+")


class PatchError(ValueError):
    """A patch that cannot be used; the message is one line that says which part of it, and what to do."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Lines to find and lines to put in their place; `line` (from 1) is where a diff says they are, 0 unknown."""

    what: str
    file: str
    search: tuple[str, ...]
    replace: tuple[str, ...]
    line: int = 0


def apply(text: str, files: Mapping[str, str]) -> dict[str, str]:
    """The editable `files` (name -> text) with a patch carried out; raises PatchError, and then nothing was."""
    changed = dict(files)
    for edit in read(text, tuple(files)):
        changed[edit.file] = _carry_out(edit, changed[edit.file])
    if changed == dict(files):
        raise PatchError("the patch changes nothing: what it puts in is what was there")
    return changed


def read(text: str, files: Sequence[str]) -> list[Edit]:
    """The edits of a patch to files of these names. Raises PatchError."""
    if len(text) > MAX_PATCH:
        raise PatchError(f"the patch has {len(text)} characters, at most {MAX_PATCH} are read: change less at a time")
    lines = [line.rstrip("\r") for line in text.split("\n")]
    if any(_SEARCH.fullmatch(line) for line in lines):
        edits = _read_blocks(lines, files)
    elif any(_HUNK.fullmatch(line) for line in lines):
        edits = _read_diff(lines, files)
    else:
        raise PatchError("no '<<<<<<< SEARCH' block and no '@@' hunk in the patch: give one or the other")
    if len(edits) > MAX_EDITS:
        raise PatchError(f"the patch has {len(edits)} parts, at most {MAX_EDITS} are read: change less at a time")
    return edits


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """A unified diff of all files that differ."""
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for name in after
        for line in difflib.unified_diff(
            before.get(name, "").splitlines(keepends=True), after[name].splitlines(keepends=True),
            f"a/{name}", f"b/{name}",
        )
    )  # fmt: skip


def _read_blocks(lines: Sequence[str], files: Sequence[str]) -> list[Edit]:
    edits: list[Edit] = []
    parts: tuple[list[str], list[str]] = ([], [])
    within, name = 0, ""  # 0 outside of a block, 1 in what is searched, 2 in what replaces it
    for line in lines:
        what = f"block {len(edits) + 1}"
        if within == 0:
            if _SEARCH.fullmatch(line):
                within, parts = 1, ([], [])
            else:
                name = _named(line, files) or name
        elif within == 1 and _MIDDLE.fullmatch(line):
            within = 2
        elif within == 2 and _REPLACE.fullmatch(line):
            edits.append(Edit(what, _file(what, name, files), tuple(parts[0]), tuple(parts[1])))
            within = 0
        elif _SEARCH.fullmatch(line):
            raise PatchError(f"{what} has no {'=======' if within == 1 else '>>>>>>> REPLACE'} line")
        else:
            parts[within - 1].append(line)
    if within:
        raise PatchError(f"block {len(edits) + 1} has no {'=======' if within == 1 else '>>>>>>> REPLACE'} line")
    return edits


def _named(line: str, files: Sequence[str]) -> str:
    """The file that a line between blocks names, empty where it is talk."""
    bare = line.strip().strip("`#*:<> ").removeprefix("./")
    if bare in files:
        return bare
    return bare if _NAME.fullmatch(bare) and bare.endswith(".py") else ""


def _file(what: str, name: str, files: Sequence[str]) -> str:
    if name in files:
        return name
    if not name and len(files) == 1:
        return files[0]
    editable = ", ".join(files)
    raise PatchError(f"{what} is for '{name}', which is not editable: {editable}" if name else
                     f"{what} names no file: write one of {editable} on the line before it")  # fmt: skip


def _read_diff(lines: Sequence[str], files: Sequence[str]) -> list[Edit]:
    edits: list[Edit] = []
    name, at = "", 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if _is_header(lines, at - 1):
            name = re.sub(r"\t.*", "", lines[at][4:]).strip().removeprefix("b/").removeprefix("./")
            at += 1
        elif match := _HUNK.fullmatch(line):
            end = next((n for n in range(at, len(lines)) if _ends_hunk(lines, n)), len(lines))
            what = f"hunk {len(edits) + 1}"
            edits.append(_hunk(what, _file(what, name, files), lines[at:end], int(match[1] or 0)))
            at = end
    return edits


def _is_header(lines: Sequence[str], at: int) -> bool:
    return lines[at].startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ ")


def _ends_hunk(lines: Sequence[str], at: int) -> bool:
    return lines[at].startswith(("@@", "diff --git ", "```")) or _is_header(lines, at)


def _hunk(what: str, file: str, body: Sequence[str], line: int) -> Edit:
    body = list(body)
    while body and not body[-1]:
        body.pop()  # the patch's own last lines, not the file's
    search = tuple(text[1:] for text in body if not text.startswith(("+", "\\")))
    replace = tuple(text[1:] for text in body if not text.startswith(("-", "\\")))
    for text in body:
        if text and text[0] not in " +-\\":
            raise PatchError(f"{what}: '{text[:SHOWN]}' starts with none of ' ', '+' and '-'")
    return Edit(what, file, search, replace, line)


def _carry_out(edit: Edit, text: str) -> str:
    lines = text.split("\n")
    wanted = [line.rstrip() for line in edit.search]
    if not any(wanted):
        raise PatchError(f"{edit.what} quotes no lines of {edit.file}: quote what stands where the change goes")
    bare = [line.rstrip() for line in lines]
    found = [n for n in range(len(bare) - len(wanted) + 1) if bare[n : n + len(wanted)] == wanted]
    if not found:
        raise PatchError(f"{edit.what}: its lines are not in {edit.file}; {_nearest(wanted, bare)}")
    if len(found) > 1 and edit.line - 1 in found:
        found = [edit.line - 1]
    if len(found) > 1:
        where = ", ".join(str(n + 1) for n in found[:5])
        raise PatchError(
            f"{edit.what}: its lines are in {edit.file} {len(found)} times (lines {where}): quote more around them"
        )
    return "\n".join([*lines[: found[0]], *edit.replace, *lines[found[0] + len(wanted) :]])


def _nearest(wanted: Sequence[str], lines: Sequence[str]) -> str:
    """Where a block that does not fit comes nearest, and the first line that is different there."""
    bare, there = [line.strip() for line in wanted], [line.strip() for line in lines]
    starts = range(max(1, len(there) - len(bare) + 1))
    best = max(starts, key=lambda n: sum(bool(a) and a == b for a, b in zip(bare, there[n:], strict=False)))
    if not any(a and a == b for a, b in zip(bare, there[best:], strict=False)):
        first = next(line for line in bare if line)
        like = difflib.get_close_matches(first, there, n=1, cutoff=0.5)
        if not like:
            return "nothing like them is there"
        best = there.index(like[0])
        return f"nearest is line {best + 1}: '{lines[best][:SHOWN]}'"
    for n, line in enumerate(wanted):
        have = lines[best + n] if best + n < len(lines) else ""
        if have != line:
            return f"line {best + n + 1} is '{have[:SHOWN]}', not '{line[:SHOWN]}'"
    return "nothing like them is there"
