"""Files to upload, made on the spot: honest ones of each kind, and those that mean harm."""

import io
import zipfile
import zlib
from collections.abc import Callable, Sequence
from itertools import pairwise

from docx import Document
from docx.document import Document as Word
from pypdf import PdfReader, PdfWriter

FONT = b"/Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >> >>"
EXTERNAL = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
STEPS = "".join(f'<!ENTITY {more} "{f"&{less};" * 10}">' for less, more in pairwise("abcdefghx"))
LAUGHS = f'<!DOCTYPE d [<!ENTITY a "{"ha" * 10}">{STEPS}]>'


def line(text: str) -> bytes:
    """What draws one line of text on a page."""
    return b"BT /F1 12 Tf 72 720 Td (" + text.encode("cp1252") + b") Tj ET\n"


def pdf(*pages: bytes) -> bytes:
    """A PDF of these content streams, compressed."""
    kids = " ".join(f"{3 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(pages)} /Kids [{kids}] >>".encode(),
    ]
    for n, page in enumerate(pages):
        where = f"/Parent 2 0 R /MediaBox [0 0 595 842] /Contents {4 + 2 * n} 0 R /Resources ".encode()
        objects += [b"<< /Type /Page " + where + b"<< " + FONT + b" >> >>", stream(page)]
    return assembled(objects)


def stream(content: bytes, facts: bytes = b"") -> bytes:
    packed = zlib.compress(content, 9)
    return b"<< %s /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (facts, len(packed), packed)


def assembled(objects: Sequence[bytes]) -> bytes:
    out, places = b"%PDF-1.7\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    tail = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out))
    return out + head + table + tail


def locked_pdf(password: str, reads_without: bool = False) -> bytes:
    """Encrypted; with `reads_without` anybody may read it and only changing it asks for the password."""
    writer, packed = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(line("secret"))))), io.BytesIO()
    writer.encrypt("" if reads_without else password, password, algorithm="AES-256")
    writer.write(packed)
    return packed.getvalue()


def slow_pdf() -> bytes:
    """3 kB that pypdf reads for many minutes, within all its limits: one form of 20 000 lines, drawn 1 000 times."""
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << " + FONT + b" >>"
    page = b"/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /XObject << /X 5 0 R >> >>"
    return assembled(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            b"<< " + page + b" >>",
            stream(b"/X Do\n" * 1_000),
            stream(line("ha") * 20_000, form),
        ]
    )


def heavy_pdf(*others: bytes, megabytes: int = 200) -> bytes:
    """195 kB whose first page unpacks to 200 MB."""
    return pdf(b"BT /F1 12 Tf (" + b"a" * megabytes * 1_000_000 + b") Tj ET", *others)


def docx(write: Callable[[Word], object]) -> bytes:
    document, packed = Document(), io.BytesIO()
    write(document)
    document.save(packed)
    return packed.getvalue()


def one_paragraph(text: str) -> bytes:
    return docx(lambda word: word.add_paragraph(text))


def with_doctype(content: bytes, doctype: str) -> bytes:
    """The Word file with a document type before its text, and its entity `x` behind the text."""

    def change(xml: bytes) -> bytes:
        text = xml.decode().replace("?>", f"?>{doctype}", 1)
        return text.replace("</w:t>", " &x;</w:t>", 1).encode()

    return repacked(content, change)


def repacked(
    content: bytes, change: Callable[[bytes], bytes], more: Sequence[tuple[zipfile.ZipInfo, bytes]] = ()
) -> bytes:
    """The Word file with its text changed, and with more members in its archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            body = old.read(member)
            new.writestr(member.filename, change(body) if member.filename == "word/document.xml" else body)
        for member, body in more:
            new.writestr(member, body)
    return out.getvalue()


def with_traps(content: bytes, target: str) -> bytes:
    """The Word file with a member that would lie outside, and with a symbolic link."""
    link = zipfile.ZipInfo("word/link")
    link.external_attr = 0o120777 << 16
    return repacked(content, lambda xml: xml, [(zipfile.ZipInfo(f"../..{target}"), b"x"), (link, target.encode())])


def lying_docx() -> bytes:
    """Its text unpacks to 200 MB and is declared, in both places, as 1 000 bytes."""
    huge = repacked(one_paragraph("x"), lambda xml: xml.replace(b"</w:t>", b"x" * 200_000_000 + b"</w:t>"))
    with zipfile.ZipFile(io.BytesIO(huge)) as archive:
        size = archive.getinfo("word/document.xml").file_size
    return huge.replace(size.to_bytes(4, "little"), (1_000).to_bytes(4, "little"))


def bomb_docx() -> bytes:
    """Honest about unpacking to a thousand times its size."""
    return repacked(one_paragraph("x"), lambda xml: xml.replace(b"</w:t>", b"x" * 50_000_000 + b"</w:t>"))


def nested_docx() -> bytes:
    """Bombs within: they stay packed, for nobody opens them."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(10_000_000))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for n in range(100):
            archive.writestr(f"{n}.zip", inner.getvalue())
    return repacked(
        one_paragraph("calm"), lambda xml: xml, [(zipfile.ZipInfo("word/embeddings/42.zip"), packed.getvalue())]
    )
