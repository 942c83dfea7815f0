"""EPUB and DOCX are ZIP files: parts put in or replaced, everything else as it was."""

from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

LONG_AGO = (1980, 1, 1, 0, 0, 0)


def parts(content: bytes) -> dict[str, bytes]:
    with ZipFile(BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(parts: dict[str, bytes], stored: str = "") -> bytes:
    """The same parts give the same bytes; one of them may have to stay uncompressed."""
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(ZipInfo(name, LONG_AGO), content, None if name == stored else ZIP_DEFLATED)
    return packed.getvalue()
