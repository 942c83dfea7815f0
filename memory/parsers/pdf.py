"""PDF: the text of its pages, as far as time and room allow."""

from io import BytesIO

from pypdf import PdfReader

from memory.parsers.values import Allowance, Parsed, Refused


def read(content: bytes) -> Parsed:
    """What cannot be read of single pages is left out, and the text called cut."""
    allowance = Allowance()
    reader = PdfReader(BytesIO(content))
    if reader.is_encrypted and not reader.decrypt(""):
        raise Refused("encrypted")
    pages: list[str] = []
    is_cut, characters = False, 0
    for page in reader.pages:
        if allowance.is_spent(characters):
            is_cut = True
            break
        try:
            pages.append(page.extract_text())
        except Exception:  # noqa: BLE001 a page that is broken costs that page
            is_cut = True
            continue
        characters += len(pages[-1])
    if not any(page.strip() for page in pages):
        raise Refused("broken" if is_cut else "scanned")
    return Parsed("\n\n".join(pages), is_cut=is_cut)
