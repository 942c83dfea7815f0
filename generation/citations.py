"""What a text may cite and where it may lead: what a tool has found, and what was given. What a model invents
besides is taken out, and said.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel

from generation.issues import Finding
from generation.sources import Sources, fenced, quoted
from memory.base.markdown import leading, normalized

CITATION = re.compile(r"(?<!\\)\[(\d{1,3})\](?![(:])")
ADDRESS = re.compile(r"https?://[^\s<>\"'`\[\]]+", re.IGNORECASE)
LINK = r"!?\[(?P<words>(?:[^\[\]\\]|\\.)*)\]\(<?(?P<url>[^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)>?(?:\s[^()]*)?\)"
DEFINITION = r"^ {0,3}\[[^\]\n]+\]:[^\S\n]*(?P<defined>\S+).*$"
LEADS = re.compile(rf"{LINK}|{DEFINITION}|(?P<bare>{ADDRESS.pattern})", re.IGNORECASE | re.MULTILINE)
AUTOLINK = re.compile(r"<([a-z][a-z0-9+.-]*:[^\s<>]+)>", re.IGNORECASE)
CODE = re.compile(r"(^ {0,3}```.*?^ {0,3}```|`+[^`]+`+)", re.DOTALL | re.MULTILINE)
ENDS = ".,;:!?)}*_~|"  # what follows an address, and may belong to one
SIGNS = re.compile(r"\]\(|\]:|\]\[|<(?=\S)")  # what makes a link of words
TYPES = ("link_invented", "citation_unknown")  # of what is found in a text
MOST_REFERENCES = 100
EXCERPT = 400  # characters


class Citable(BaseModel):
    """One thing that may be cited, as a model is shown it: `text` is what it says."""

    number: int
    title: str = ""
    url: str = ""
    text: str = ""

    def as_item(self) -> dict[str, str]:
        """As a document keeps it."""
        facts = {"title": self.title[:300], "url": self.url, "excerpt": " ".join(self.text.split())[:EXCERPT]}
        return {"id": str(self.number), **{name: value for name, value in facts.items() if value}}


def kept(items: Iterable[Mapping[str, Any]]) -> list[Citable]:
    """The references of a document that can be cited."""
    return [
        Citable(
            number=int(item["id"]), title=item.get("title", ""), url=item.get("url", ""), text=item.get("excerpt", "")
        )
        for item in items
        if str(item["id"]).isdecimal() and len(item["id"]) < 4
    ]


def of_files(sources: Sources, after: int) -> list[Citable]:
    """The files that were given, numbered from the next on."""
    read = [file for file in sources.files if file.text]
    return [Citable(number=n, title=file.name, text=file.text) for n, file in enumerate(read, after + 1)]


def numbered(kept: Sequence[Citable], *found: Sequence[Citable]) -> list[Citable]:
    """All of them, numbered through: what is kept has its numbers, what is found besides comes after it."""
    every, known = list(kept), {each.url for each in kept if each.url}
    last = max((each.number for each in kept), default=0)
    for each in (one for several in found for one in several):
        if each.url not in known:
            last += 1
            every.append(each.model_copy(update={"number": last}))
            known |= {each.url} if each.url else set()
    return every


def shown(citable: Sequence[Citable]) -> list[str]:
    """As a prompt lists them: none can close the marks it stands in."""
    return [f"[{each.number}] {quoted(each.title)} {each.url}\n{fenced(each.text)}" for each in citable]


def cited(texts: Iterable[str]) -> set[int]:
    """The numbers that these texts cite."""
    return {int(found) for text in texts for found in CITATION.findall(text)}


def new(citable: Sequence[Citable], cited: Collection[int], there: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """As a document keeps them: those that are cited and do not stand there yet."""
    known = {str(item["id"]) for item in there}
    found = [each.as_item() for each in citable if each.number in cited and str(each.number) not in known]
    return found[: max(0, MOST_REFERENCES - len(known))]


def addresses(texts: Iterable[str]) -> set[str]:
    """The addresses that stand in what was given, with and without what follows them: a text may lead there."""
    return {url for text in texts for found in ADDRESS.findall(text) for url in endings(found)}


def endings(address: str) -> list[str]:
    """The address, without one more of the marks at its end each time."""
    shorter = [address]
    while shorter[-1][-1:] in ENDS:
        shorter.append(shorter[-1][:-1])
    return shorter


def checked(text: str, path: str, numbers: Collection[int], known: Collection[str]) -> tuple[str, list[Finding]]:
    """Markdown that cites only these numbers and leads only to these addresses, and what was taken out of it.

    Of a link its words stay, of an address its host.
    """
    check = Check(path, numbers, known)
    text = check.defused(LEADS.sub(check.lead, text))
    return CITATION.sub(check.citation, text), check.findings


class Check:
    """One text being checked: what stays of each match, and what was found."""

    def __init__(self, path: str, numbers: Collection[int], known: Collection[str]) -> None:
        self.path = path
        self.numbers = numbers
        self.known = known
        self.findings: list[Finding] = []

    def defused(self, text: str) -> str:
        """However it is written: what would still be a link to elsewhere, once it is drawn, is none any more."""
        allowed = {normalized(url) for url in self.known}
        for url in leading(text):
            if url not in allowed:
                self.host(url)
        is_clean = all(url in allowed for url in leading(text))
        return text if is_clean else SIGNS.sub(lambda sign: f"{sign[0][0]}\u200b{sign[0][1:]}", text)

    def citation(self, found: re.Match[str]) -> str:
        number = int(found[1])
        if number in self.numbers:
            return found[0]
        self.findings.append(Finding("citation_unknown", {"number": number}, self.path))
        return ""

    def lead(self, found: re.Match[str]) -> str:
        if found["defined"]:  # what a number stands for is not for the text to say
            self.host(found["defined"])
            return ""
        return self.address(found["bare"]) if found["bare"] else self.link(found)

    def address(self, bare: str) -> str:
        ways = endings(bare)
        if any(url in self.known for url in ways):
            return bare
        return self.host(ways[-1]) + bare[len(ways[-1]) :]

    def link(self, found: re.Match[str]) -> str:
        words = LEADS.sub(self.lead, found["words"])
        if found["url"] in self.known:
            return found[0].replace(found["words"], words, 1)
        host = self.host(found["url"])
        return words or host

    def host(self, url: str) -> str:
        """What stays of an address that nobody gave."""
        self.findings.append(Finding("link_invented", {"url": url[:500]}, self.path))
        try:
            return urlsplit(url).hostname or ""
        except ValueError:
            return ""


def unlinked(text: str, known: Collection[str]) -> tuple[str, int]:
    """Markdown in which only these pages of the web, and places of this house, are links; and how many others stand in
    it to be read, not followed."""
    allowed = {normalized(url) for url in known}

    def leads(url: str) -> bool:
        is_here = url.startswith("/") and not url.startswith("//")
        return url in allowed or is_here or url.startswith(("#", "mailto:"))

    def read(found: re.Match[str]) -> str:
        if found["defined"]:
            return found[0] if leads(normalized(found["defined"])) else f"`{found[0].strip()}`"
        if found["bare"]:
            return found[0]
        inside = found[0][found.end("words") - found.start() + 2 : -1]  # its address, and its title if it has one
        return found[0] if leads(normalized(found["url"])) else f"{found['words']} (`{inside}`)"

    strange = {url for url in leading(text) if not leads(url)}
    if strange:
        pieces = CODE.split(text)  # every other one is code, in which nothing leads anywhere
        for n in range(0, len(pieces), 2):
            alone = AUTOLINK.sub(lambda found: found[0] if leads(normalized(found[1])) else f"`{found[1]}`", pieces[n])
            pieces[n] = LEADS.sub(read, alone)
        text = "".join(pieces)
    if any(not leads(url) for url in leading(text)):
        text = SIGNS.sub(lambda sign: f"{sign[0][0]}\u200b{sign[0][1:]}", text)
    return text, len(strange)
