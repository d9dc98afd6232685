"""HTML and SVG made from nested calls. Whatever is not made here is escaped, so other people's text stays text."""

from __future__ import annotations

from html import escape

from company.wording import plain

_VOID = frozenset(("meta", "br", "hr", "circle", "line", "path", "rect", "polyline"))


class Html(str):
    """Text that is markup already; only this module makes it from text."""

    __slots__ = ()


Child = str | Html | float | None


def text(value: object) -> Html:
    """A stranger's text as HTML: control characters gone, specials escaped."""
    return value if isinstance(value, Html) else Html(escape(plain(value, 4000)))


def el(name: str, /, *children: Child, **attributes: str | float | None) -> Html:
    """An element. `class_` is class, `_` in a name is `-`; an attribute or a child that is None is left out."""
    pairs = (
        f' {key.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items() if value is not None
    )  # fmt: skip
    opening = f"<{name}{''.join(pairs)}"
    if name in _VOID and not children:
        return Html(f"{opening}/>")
    return Html(f"{opening}>{join(*children)}</{name}>")


def join(*children: Child) -> Html:
    """Children one after another."""
    return Html("".join(text(child) for child in children if child is not None))


def _attribute(value: str | float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else text(value)
