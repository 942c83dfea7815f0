"""File names that every system takes, and the header that carries one (RFC 6266)."""

import re
import unicodedata
from urllib.parse import quote

MAX_CHARACTERS, MAX_BYTES = 100, 180  # 255 bytes is the limit of most file systems; copies get " (1)" and more
RESERVED = re.compile(r'[<>:"/\\|?*]')
DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # Windows takes none of them as a file
NAMELESS = "document"


def file_name(title: str, suffix: str) -> str:
    """From a title of a stranger: no path, no control or invisible character, no device, never too long."""
    letters = unicodedata.normalize("NFC", title)
    visible = "".join(" " if is_invisible(letter) else letter for letter in letters)
    words = " ".join(RESERVED.sub(" ", visible).split())
    stem = words[:MAX_CHARACTERS].encode()[:MAX_BYTES].decode(errors="ignore").strip(" .-")
    if not stem or DEVICES.fullmatch(stem):
        stem = f"{NAMELESS} {stem}".strip()
    return f"{stem}.{suffix}"


def is_invisible(letter: str) -> bool:
    return unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def disposition(name: str) -> str:
    """`Content-Disposition` for a download: the name in UTF-8, and in ASCII for programs that know only that."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^\w .()-]", "_", plain)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
