"""The two themes of IdleClaw; Textual's own are offered beside them."""

from collections.abc import Mapping
from typing import Final

from textual.theme import Theme

DARK_NAME: Final = "idleclaw-dark"
LIGHT_NAME: Final = "idleclaw-light"

_SHARED: Final = {
    "block-cursor-text-style": "none",
    "block-cursor-blurred-text-style": "none",
    "footer-key-background": "transparent",
    "footer-description-background": "transparent",
    "markdown-h1-text-style": "bold",
    "markdown-h2-text-style": "bold",
    "link-style": "underline",
    "link-background-hover": "transparent",
}

DARK: Final = Theme(
    name=DARK_NAME,
    dark=True,
    primary="#ff7a59",
    secondary="#5cc8c2",
    accent="#ff7a59",
    foreground="#d8dee9",
    background="#11141a",
    surface="#171b23",
    panel="#1e2430",
    success="#8fcf7f",
    warning="#e8b84b",
    error="#ef6a6a",
    variables={
        **_SHARED,
        "text-muted": "#7a8699",
        "text-disabled": "#4c5566",
        "border": "#ff7a59",
        "border-blurred": "#2b3342",
        "block-cursor-background": "#2b2f3d",
        "block-cursor-foreground": "#f2f4f8",
        "block-cursor-blurred-background": "#1e2430",
        "block-cursor-blurred-foreground": "#d8dee9",
        "block-hover-background": "#1e2430",
        "footer-background": "#171b23",
        "footer-foreground": "#7a8699",
        "footer-key-foreground": "#ff7a59",
        "footer-description-foreground": "#7a8699",
        "input-cursor-background": "#ff7a59",
        "input-cursor-foreground": "#11141a",
        "input-selection-background": "#ff7a59 30%",
        "scrollbar": "#2b3342",
        "scrollbar-hover": "#3a4456",
        "scrollbar-active": "#ff7a59",
        "scrollbar-background": "#11141a",
        "scrollbar-background-hover": "#11141a",
        "scrollbar-background-active": "#11141a",
        "scrollbar-corner-color": "#11141a",
        "link-color": "#5cc8c2",
        "link-color-hover": "#8fe0db",
        "markdown-h1-color": "#ff7a59",
        "markdown-h2-color": "#ff9b80",
        "markdown-h3-color": "#e6edf7",
    },
)

LIGHT: Final = Theme(
    name=LIGHT_NAME,
    dark=False,
    primary="#d9502e",
    secondary="#0f766e",
    accent="#d9502e",
    foreground="#22262e",
    background="#fbfaf7",
    surface="#f3f1ec",
    panel="#e9e6df",
    success="#2f7d32",
    warning="#a16207",
    error="#b91c1c",
    variables={
        **_SHARED,
        "text-muted": "#6b7280",
        "text-disabled": "#a3a7af",
        "border": "#d9502e",
        "border-blurred": "#d6d1c6",
        "block-cursor-background": "#f6ddd4",
        "block-cursor-foreground": "#22262e",
        "block-cursor-blurred-background": "#e9e6df",
        "block-cursor-blurred-foreground": "#22262e",
        "block-hover-background": "#e9e6df",
        "footer-background": "#f3f1ec",
        "footer-foreground": "#6b7280",
        "footer-key-foreground": "#d9502e",
        "footer-description-foreground": "#6b7280",
        "input-cursor-background": "#d9502e",
        "input-cursor-foreground": "#fbfaf7",
        "input-selection-background": "#d9502e 25%",
        "scrollbar": "#d6d1c6",
        "scrollbar-hover": "#bdb7a9",
        "scrollbar-active": "#d9502e",
        "scrollbar-background": "#fbfaf7",
        "scrollbar-background-hover": "#fbfaf7",
        "scrollbar-background-active": "#fbfaf7",
        "scrollbar-corner-color": "#fbfaf7",
        "link-color": "#0f766e",
        "link-color-hover": "#0b5a54",
        "markdown-h1-color": "#d9502e",
        "markdown-h2-color": "#b9431f",
        "markdown-h3-color": "#22262e",
    },
)


def theme_at_start(environ: Mapping[str, str], remembered: str | None = None) -> str:
    """Return the theme to open with: `TEXTUAL_THEME` if set, else the one used last."""
    return environ.get("TEXTUAL_THEME") or remembered or DARK_NAME
