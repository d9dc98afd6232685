"""Strangers' text in Markdown is shown as it is by a real renderer, and carries no backslash that it does not need."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from report_kit import HOSTILE

from company.markdown_text import line, part
from company.wording import plain

GITHUB = MarkdownIt("gfm-like")
GITHUB.options["linkify"] = True
PIECES = st.sampled_from(
    [*"\\`*_{}[]()#+-.!|~<>&$:/'\"=^@0123456789 \n\tabé中😀", "  ", "www.", "http://", "://", "~~~", "```", "---",
     "1. ", "1) ", "# ", "- ", "[x](y)", "![x](y)", "[^1]: ", "[ ] ", "&amp;", "&#42;", "<b>", "<!--", "snake_case",
     "__init__"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=25).map("".join).filter(lambda text: "@" not in text)

TRIES = settings(max_examples=300, deadline=None, database=None, derandomize=True)


def shown(tokens: list[Token]) -> str:
    """What a reader sees of inline content that must be nothing but text."""
    children = [child for token in tokens if token.type == "inline" for child in token.children or []]
    assert {child.type for child in children} <= {"text"}, [child.type for child in children]
    return "".join(child.content for child in children)


def blocks(tokens: list[Token]) -> list[str]:
    return [token.type for token in tokens]


@TRIES
@given(TEXTS)
@example(HOSTILE)
@example("x|\\")
@example("a_ b_c _d")
@example("HTTPS://x.y and WWW.x.y")
def test_a_cell_is_one_cell_of_plain_text(text: str) -> None:
    tokens = GITHUB.parse(f"| head | more |\n| --- | --- |\n| {part(text)} | x |")
    cells = [tokens[i + 1] for i, token in enumerate(tokens) if token.type == "td_open"]
    assert len(cells) == 2 and shown(cells[1:]) == "x"
    assert shown(cells[:1]) == plain(text, 1000)


@TRIES
@given(TEXTS.filter(lambda text: plain(text)))
@example(HOSTILE)
@example("1. one")
@example("## two ##")
@example("- - -")
@example("+")
def test_a_line_is_one_paragraph_or_heading_of_plain_text(text: str) -> None:
    paragraph = GITHUB.parse(f"before\n\n{line(text)}\n\nafter")
    assert blocks(paragraph) == ["paragraph_open", "inline", "paragraph_close"] * 3
    assert shown(paragraph[3:6]) == plain(text, 1000)
    heading = GITHUB.parse(f"# {line(text)}\n\nafter")
    assert blocks(heading)[:3] == ["heading_open", "inline", "heading_close"] and heading[0].tag == "h1"
    assert shown(heading[:3]) == plain(text, 1000)


@TRIES
@given(TEXTS.filter(lambda text: plain(text)))
def test_bold_text_is_bold_text(text: str) -> None:
    tokens = GITHUB.parse(f"- **{part(text)}** role")
    (content,) = [token for token in tokens if token.type == "inline"]
    kinds = [child.type for child in content.children or [] if child.type != "text" or child.content]
    assert kinds == ["strong_open", "text", "strong_close", "text"]


@pytest.mark.parametrize(
    "text",
    ["12:30", "+0.42 (−0.1 to 1.2)", "-0.5", "kim_2: byte_lm + digits!", "{lr: 0.003}", "e0001 - e0004", "#3",
     "50 % @ 2 slots", "3.5 sigma", "replace.rule=never", "a: b; c: d", "digits__1"],
)  # fmt: skip
def test_what_means_nothing_is_left_as_it_is(text: str) -> None:
    assert part(text) == line(text) == text
