"""Uploads: what is stored is what its name says, checked by content, kept under its hash."""

import hashlib
import os
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path, PurePath

from django.conf import settings

from memory.base.encodings import decode
from memory.base.errors import InvalidInput, ServiceUnavailable
from memory.base.text import clean_text
from memory.models import File, User, Workspace

MAX_ZIP_MEMBERS = 2_000
MAX_ZIP_BYTES = 100 * 1024 * 1024
MAX_ZIP_RATIO = 200


def is_text(content: bytes) -> bool:
    try:
        text, _ = decode(content)
    except UnicodeDecodeError:
        return False
    return "\x00" not in text


def is_html(content: bytes) -> bool:
    head = content[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return is_text(content) and head.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<!--"))


def is_pdf(content: bytes) -> bool:
    return b"%PDF-" in content[:1024] and b"%%EOF" in content[-2048:]


def is_docx(content: bytes) -> bool:
    """A zip with a Word document inside, whose declared sizes cannot hide a bomb."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError):
        return False
    total = sum(member.file_size for member in members)
    if len(members) > MAX_ZIP_MEMBERS or total > min(MAX_ZIP_BYTES, MAX_ZIP_RATIO * len(content)):
        raise InvalidInput("file_bomb")
    names = {member.filename for member in members}
    return {"[Content_Types].xml", "word/document.xml"} <= names


CHECKS: dict[str, Callable[[bytes], bool]] = {
    "txt": is_text,
    "md": is_text,
    "html": is_html,
    "pdf": is_pdf,
    "docx": is_docx,
}
ALIASES = {"htm": "html", "markdown": "md", "text": "txt"}


def kind_of(name: str) -> str:
    ending = PurePath(name).suffix.lower().lstrip(".")
    return ALIASES.get(ending, ending)


def store(user: User, workspace: Workspace, name: str, content: bytes) -> File:
    """Check and keep an upload.

    Raises `validation.file_empty`, `.file_too_large`, `.file_kind` (ending not taken), `.file_content` (the bytes are
    not what the ending says) and `.file_bomb`; `service.storage` when the disk takes no more.
    """
    kind = kind_of(name)
    if not content:
        raise InvalidInput("file_empty", name=clean_text(name))
    if len(content) > settings.UPLOAD_MAX_BYTES:
        raise InvalidInput("file_too_large", name=clean_text(name), limit=settings.UPLOAD_MAX_BYTES)
    if kind not in CHECKS:
        raise InvalidInput("file_kind", name=clean_text(name), allowed=sorted(CHECKS))
    if not CHECKS[kind](content):
        raise InvalidInput("file_content", name=clean_text(name), kind=kind)
    sha256 = hashlib.sha256(content).hexdigest()
    write_once(path_of(sha256), content)
    name = clean_text(PurePath(name.replace("\\", "/")).name)[-255:]
    return File.objects.create(workspace=workspace, user=user, name=name, kind=kind, size=len(content), sha256=sha256)


def path_of(sha256: str) -> Path:
    return Path(settings.MEDIA_ROOT) / sha256[:2] / sha256


def write_once(path: Path, content: bytes) -> None:
    """The file appears whole or not at all, also when two uploads of the same bytes race."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.{id(content)}")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as failure:
        draft.unlink(missing_ok=True)
        raise ServiceUnavailable("storage") from failure
