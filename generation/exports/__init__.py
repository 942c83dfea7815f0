"""placeholder until the exports land"""

from dataclasses import dataclass

from generation.manuscripts import Heading, Manuscript, Notice, Prose


@dataclass(frozen=True)
class Export:
    name: str
    content_type: str
    content: bytes


def export(manuscript: Manuscript, format: str, *, answers: bool) -> Export:
    parts = [f"# {manuscript.title}"]
    for block in manuscript.blocks:
        if isinstance(block, Heading):
            parts.append(f"{'#' * (block.level + 1)} {block.text}")
        elif isinstance(block, Prose):
            parts.append(block.markdown)
        elif isinstance(block, Notice):
            parts.append(f"> *{block.text}*")
    return Export("a.md", "text/markdown", ("\n\n".join(parts) + "\n").encode())
