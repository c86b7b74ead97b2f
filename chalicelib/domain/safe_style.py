"""Inline CSS that can colour and space text, and nothing else: no loading, no covering, no leaving the box."""

import re

MAX_STYLE_CHARS = 4_000
MAX_NUMBER = 2_000
"""Pixels and the like: nothing in a mail is wider."""

SIDES = ("", "-top", "-right", "-bottom", "-left")
PROPERTIES = frozenset(
    ["background", "background-color", "border-collapse", "border-color", "border-radius", "border-spacing"]
    + ["border-style", "border-width", "clear", "color", "direction", "display", "float", "font", "font-family"]
    + ["font-size", "font-style", "font-variant", "font-weight", "height", "letter-spacing", "line-height"]
    + ["list-style-type", "max-height", "max-width", "min-height", "min-width", "opacity", "overflow", "overflow-wrap"]
    + ["table-layout", "text-align", "text-decoration", "text-indent", "text-transform", "unicode-bidi"]
    + ["vertical-align", "white-space", "width", "word-break", "word-spacing", "word-wrap"]
    + [f"{box}{side}" for box in ("border", "margin", "padding") for side in SIDES]
    + [f"border{side}-{what}" for side in SIDES[1:] for what in ("color", "style", "width")]
)
DISPLAYS = frozenset(
    ["block", "inline", "inline-block", "none", "list-item", "table", "table-cell", "table-row", "table-row-group"]
)
VALUE = re.compile(r"(?:[\w\s#%.,()+'\"-]|/(?![*/]))*(?:!\s*important)?", re.ASCII)
FUNCTIONS = frozenset({"rgb", "rgba", "hsl", "hsla"})
FUNCTION = re.compile(r"([\w-]*)\s*\(")
NUMBER = re.compile(r"(?<![\w#.])([+-]?)(\d*\.?\d+)([a-z%]*)", re.IGNORECASE)
OF_THE_WINDOW = frozenset(
    ["vh", "vw", "vmin", "vmax", "dvh", "dvw", "svh", "svw", "lvh", "lvw", "vb", "vi", "cqw", "cqh"]
)


def safe_style(style: str) -> str:
    """The declarations that stay, in order; "" when none does."""
    if len(style) > MAX_STYLE_CHARS:
        return ""
    kept = (_safe_declaration(declaration) for declaration in style.split(";"))
    return ";".join(declaration for declaration in kept if declaration)


def _safe_declaration(declaration: str) -> str:
    name, colon, value = declaration.partition(":")
    name, value = name.strip().lower(), " ".join(value.split())
    if not colon or name not in PROPERTIES or not VALUE.fullmatch(value) or not value:
        return ""
    if not _is_tame(value) or (name == "display" and value.split("!")[0].strip().lower() not in DISPLAYS):
        return ""
    return f"{name}:{value}"


def _is_tame(value: str) -> bool:
    """Only colour functions, closed quotes, no negative and no giant length, none that depends on the window."""
    if value.count('"') % 2 or value.count("'") % 2 or value.count("(") != value.count(")"):
        return False
    if any(name.lower() not in FUNCTIONS for name in FUNCTION.findall(value)):
        return False
    return all(
        sign != "-" and float(number) <= MAX_NUMBER and unit.lower() not in OF_THE_WINDOW
        for sign, number, unit in NUMBER.findall(value)
    )
