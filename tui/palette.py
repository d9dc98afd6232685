"""Colours by what they mean, for every theme. No Textual here: `tui.themes` hands them on to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from rich.style import Style

ATTRIBUTES = {"b": "bold", "i": "italic", "u": "underline", "r": "reverse", "d": "dim"}


@dataclass(frozen=True, slots=True)
class Palette:
    """A theme: `colours` by meaning; background, surface and panel from back to front."""

    name: str
    says: str
    dark: bool
    background: str
    surface: str
    panel: str
    colours: Mapping[str, str]
    ansi: bool = False


DARK = Palette(
    "loopworks-dark", "dark", True, "#10131a", "#161a23", "#1f2531",
    {
        "text": "#d6dbe6", "strong": "#f2f5fb", "muted": "#8b95a7", "faint": "#566074", "line": "#3a4457",
        "accent": "#7aa2f7", "select": "#28344e", "mark": "#3a3120",
        "manager": "#bb9af7", "researcher": "#8fd694", "engineer": "#6fcbe0", "reviewer": "#e6c46c",
        "good": "#8fd694", "bad": "#f37f7f", "warn": "#f2b266", "busy": "#7aa2f7",
    },
)  # fmt: skip
LIGHT = Palette(
    "loopworks-light", "light", False, "#fbfaf7", "#f3f2ed", "#e6e5de",
    {
        "text": "#2a2f38", "strong": "#0d1117", "muted": "#626b78", "faint": "#98a0ab", "line": "#bfc4cc",
        "accent": "#2457c5", "select": "#d5e0f7", "mark": "#f7e8c4",
        "manager": "#7a3fd0", "researcher": "#14753a", "engineer": "#0b6f8a", "reviewer": "#946200",
        "good": "#14753a", "bad": "#c02f2f", "warn": "#b2560d", "busy": "#2457c5",
    },
)  # fmt: skip
# Okabe and Ito's colours (2008), lightened for a dark ground: told apart with every common colour vision.
SAFE = Palette(
    "loopworks-safe", "colour-blind safe", True, "#0f1216", "#161a20", "#20252d",
    {
        "text": "#dde1e7", "strong": "#ffffff", "muted": "#949ca8", "faint": "#5c6470", "line": "#3d4550",
        "accent": "#56b4e9", "select": "#20394b", "mark": "#3b3413",
        "manager": "#d79bbf", "researcher": "#56b4e9", "engineer": "#3fbf9b", "reviewer": "#f0e442",
        "good": "#56b4e9", "bad": "#ef8a3c", "warn": "#f0e442", "busy": "#8fb8de",
    },
)  # fmt: skip
ANSI = Palette(
    "loopworks-ansi", "your terminal's own colours", True, "ansi_default", "ansi_default", "ansi_default",
    {
        "text": "default", "strong": "default", "muted": "bright_black", "faint": "bright_black",
        "line": "bright_black", "accent": "blue", "select": "reverse", "mark": "reverse",
        "manager": "magenta", "researcher": "green", "engineer": "cyan", "reviewer": "yellow",
        "good": "green", "bad": "red", "warn": "yellow", "busy": "blue",
    },
    ansi=True,
)  # fmt: skip

PALETTES: dict[str, Palette] = {palette.name: palette for palette in (DARK, LIGHT, SAFE, ANSI)}


@lru_cache(maxsize=2048)
def style(palette: str, words: str) -> Style:
    """The rich style that a span's words mean in a palette. Raises KeyError for a word that means nothing."""
    colours = PALETTES[palette].colours
    colour, ground, attributes = colours["text"], None, {}
    for word in words.split():
        if word in ATTRIBUTES:
            attributes[ATTRIBUTES[word]] = True
        elif word in ("select", "mark"):
            if colours[word] == "reverse":
                attributes["reverse"] = True
            else:
                ground = colours[word]
        else:
            colour = colours[word]
    return Style(color=None if colour == "default" else colour, bgcolor=ground, **attributes)
