"""The palettes as Textual themes."""

from __future__ import annotations

from textual.theme import BUILTIN_THEMES, Theme

from tui.palette import PALETTES, Palette


def themes() -> list[Theme]:
    """A theme for every palette."""
    return [_theme(palette) for palette in PALETTES.values()]


def _theme(palette: Palette) -> Theme:
    colours = {word: _css(colour) for word, colour in palette.colours.items()}
    variables = {f"lw-{word}": colour for word, colour in colours.items()}
    return Theme(
        palette.name,
        primary=colours["accent"], secondary=colours["engineer"], accent=colours["accent"], warning=colours["warn"],
        error=colours["bad"], success=colours["good"], foreground=colours["text"], background=palette.background,
        surface=palette.surface, panel=palette.panel, dark=palette.dark, ansi=palette.ansi,
        variables={
            **(BUILTIN_THEMES["ansi-dark"].variables if palette.ansi else {}),
            **variables,
            "footer-key-foreground": colours["accent"], "footer-description-foreground": colours["muted"],
            "footer-background": palette.surface, "border-blurred": colours["line"], "border": colours["accent"],
            "scrollbar": colours["line"], "scrollbar-background": palette.background,
            "scrollbar-corner-color": palette.background, "scrollbar-hover": colours["muted"],
            "scrollbar-background-hover": palette.background, "scrollbar-background-active": palette.background,
            "block-cursor-background": colours["select"], "block-cursor-foreground": colours["strong"],
        },
    )  # fmt: skip


def _css(colour: str) -> str:
    """A palette's colour as Textual's CSS names it; `reverse` is no colour, blue stands for it."""
    if colour.startswith("#"):
        return colour
    return f"ansi_{ {'reverse': 'blue'}.get(colour, colour) }"
