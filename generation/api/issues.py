"""REST of what was found in documents, and of what people make of it."""

from typing import Any
from uuid import UUID

from ninja import Router

from generation import documents, issues
from generation.issue_schemas import DecisionOnIssueIn, IssueOut
from generation.models import Issue
from memory.http import SignedInRequest

router = Router(tags=["documents"])

MOST_SHOWN = 500


def draw(issue: Issue) -> dict[str, Any]:
    names = (
        "id", "path", "severity", "type", "params", "quotes", "fix", "state", "reason", "run", "step", "created_at",
        "decided_at",
    )  # fmt: skip
    facts = {name: getattr(issue, name) for name in names}
    return {**facts, "document": issue.document_id, "section": issue.section_id, "text": issues.said(issue)}


@router.get("/documents/{uuid:document_id}/issues", response=list[IssueOut], summary="What was found in a document")
def index(request: SignedInRequest, document_id: UUID, state: str = "open") -> list[dict[str, Any]]:
    """The open ones, or those of another `state`; the newest 500."""
    found = issues.of(documents.visible(request.user, document_id)).filter(state__in=state.split(","))
    return [draw(issue) for issue in found.order_by("-id")[:MOST_SHOWN]]


@router.patch("/issues/{uuid:issue_id}", response=IssueOut, summary="Decide on a finding")
def decide(request: SignedInRequest, issue_id: UUID, body: DecisionOnIssueIn) -> dict[str, Any]:
    issue = issues.visible(request.user, issue_id)
    return draw(issues.decide(issue, request.user, body.state, body.reason))
