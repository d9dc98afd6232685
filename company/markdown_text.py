"""Other people's text in Markdown: a backslash before what could mean something where it stands, and nowhere else.

Covered: CommonMark, tables, strikethrough and links that GitHub makes by itself; mathematics between dollars.
Not covered: a mail address or @name, which GitHub looks for after all backslashes are gone; both only name somebody.
"""

from __future__ import annotations

import re

from company.wording import plain

LONGEST = 1000
_ANYWHERE = re.compile(
    r"[\\`*\[\]|~$]"
    r"|!(?=\[)"
    r"|(?<!\w)_+|_+(?!\w)"  # within a word, as in byte_lm, it is a letter like others
    r"|(?<=\w):(?=//)|(?<=\bwww)\.",  # or an address becomes a link
    re.IGNORECASE,
)
_AT_START = re.compile(r"^(?:[#+-](?![^\W_])|\d{1,9}(?=([.)])(?:\s|$)))")
_AT_END = re.compile(r"(?:^|(?<=\s))#+$")  # a heading would lose it


def part(text: object) -> str:
    """Text for a part of a line, such as a table's cell: without line breaks, shown as it is."""
    words = plain(text, LONGEST).replace("&", "&amp;")
    return _ANYWHERE.sub(_escaped, words).replace("<", "&lt;").replace(">", "&gt;")


def line(text: object) -> str:
    """Text that a line begins with, such as a paragraph or a heading: no list and no heading comes of it either."""
    found = _AT_END.sub(_escaped, part(text))
    start = _AT_START.match(found)
    if start is None:
        return found
    at = start.end() if start[1] else 0  # before the dot of "1."
    return f"{found[:at]}\\{found[at:]}"


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"\\{c}" for c in found[0])
