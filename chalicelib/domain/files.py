"""File names and types: what may be shown, sent, and what deserves a warning."""

import unicodedata

MAX_NAME_CHARS = 180
MAX_MAILED_BYTES = 10_000_000
"""All files of a mail together, before base64: many servers refuse mails of more than 20 MB."""
DANGEROUS = frozenset({
    "ade", "adp", "apk", "app", "appx", "bas", "bat", "cab", "chm", "cmd", "com", "cpl", "dll", "dmg", "exe", "hta",
    "inf", "ins", "iso", "isp", "jar", "js", "jse", "lib", "lnk", "mde", "msc", "msi", "msix", "msp", "mst", "nsh",
    "pif", "ps1", "psc1", "reg", "scr", "sct", "shb", "sys", "vb", "vbe", "vbs", "vhd", "vxd", "wsc", "wsf", "wsh",
    "xll",
})  # fmt: skip
"""Types that run when opened; SES refuses to send most of them, mail services to receive them."""
ACTIVE = frozenset(["htm", "html", "svg", "xhtml", "shtml", "mht", "mhtml", "xml"])
"""Types that run scripts in a browser: downloads only, with a warning."""
MACROS = frozenset(["docm", "dotm", "xlsm", "xltm", "xlam", "pptm", "potm", "ppam", "ppsm", "sldm"])


def checked_name(name: str) -> str:
    """A file name without paths, control or direction characters, of at most MAX_NAME_CHARS."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    clean = "".join(c for c in last if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp")).strip(" .")
    if not clean:
        return "file"
    if len(clean) <= MAX_NAME_CHARS:
        return clean
    stem, dot, ending = clean.rpartition(".")
    return f"{stem[: MAX_NAME_CHARS - len(ending) - 1]}{dot}{ending}" if dot else clean[:MAX_NAME_CHARS]


def warning_for(name: str, content_type: str) -> str | None:
    """A sentence for the agent when opening the file may do harm, else None."""
    ending = name.lower().rsplit(".", 1)[-1] if "." in name else ""
    if ending in DANGEROUS or content_type in ("application/x-msdownload", "application/x-msdos-program"):
        return "Files of this type can run programs."
    if ending in MACROS:
        return "This document can run macros."
    if ending in ACTIVE or content_type in ("text/html", "image/svg+xml"):
        return "Files of this type can run scripts in a browser."
    return None
