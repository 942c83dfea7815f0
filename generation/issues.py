"""The verbs on what was found in a document: raise it, decide on it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from generation import labels
from generation.models import Document, Issue, IssueState, Section, Severity
from memory import workspaces
from memory.base.errors import InvalidInput, NotFound
from memory.base.news import changed
from memory.base.text import clean_text
from memory.models import Role, User

MOST_REASON = 500
SENTENCES: dict[str, Promise] = {
    "link_invented": _("A link that was neither given nor found was taken out: {url}"),
    "case_not_written": _("The use case “{title}” could not be written."),
    "case_twice": _("A second use case called “{title}” was left out."),
    "axis_missing": _("Not rated: {axis}."),
    "axis_unknown": _("A rating of “{axis}”, which is no axis here, was left out."),
    "citation_unknown": _("[{number}] is no source of this text and was taken out."),
}


@dataclass(frozen=True)
class Finding:
    """What is wrong, in no language: its type and what fills its sentence. `path`: of the field it is found in."""

    type: str
    params: Mapping[str, Any] = field(default_factory=dict)
    path: str = ""
    severity: Severity = Severity.LOW
    section: Section | None = None

    @property
    def what(self) -> tuple[Any, ...]:
        return (self.type, self.path, self.section and self.section.pk, *sorted(self.params.items()))


def find(
    document: Document,
    findings: Sequence[Finding],
    types: Collection[str],
    paths: Collection[str] | None = None,
    *,
    run: UUID,
    step: str,
) -> list[Issue]:
    """What a step finds in what it has written, in its transaction.

    Whatever was found of these types before, in these fields (in any, without), and is not found any more, is resolved,
    whichever step had found it; what people said is intentional is not raised again.
    """
    own = Issue.objects.filter(document=document, type__in=types)
    own = own if paths is None else own.filter(path__in=paths)
    known = {finding_of(issue).what: issue for issue in own.exclude(state=IssueState.RESOLVED).order_by("id")}
    found = {finding.what: finding for finding in findings}
    gone = [issue.pk for what, issue in known.items() if what not in found and issue.state == IssueState.OPEN]
    Issue.objects.filter(pk__in=gone).update(state=IssueState.RESOLVED, decided_at=timezone.now())
    new = [
        Issue(
            document=document,
            section=finding.section,
            path=finding.path,
            severity=finding.severity,
            type=finding.type,
            params=dict(finding.params),
            run=run,
            step=step,
        )
        for what, finding in found.items()
        if what not in known
    ]
    made = Issue.objects.bulk_create(new)
    if made or gone:
        tell(document)
    return made


def finding_of(issue: Issue) -> Finding:
    return Finding(issue.type, issue.params, issue.path, Severity(issue.severity), issue.section)


def of(document: Document) -> QuerySet[Issue]:
    """All that was ever found in it, the oldest first."""
    return Issue.objects.filter(document=document).select_related("section", "decided_by").order_by("id")


def visible(user: User, issue_id: UUID) -> Issue:
    """Raises `not_found.issue`."""
    found = Issue.objects.visible(user).select_related("document__workspace").filter(id=issue_id).first()
    if found is None:
        raise NotFound("issue")
    return found


@transaction.atomic
def decide(issue: Issue, by: User, state: str, reason: str = "") -> Issue:
    """Say that it is resolved, or meant so (with a reason), or open again.

    Raises `permission.role`, `validation.choice`, `validation.reason_needed`, `validation.reason_too_long`.
    """
    workspaces.require(by, issue.document.workspace, Role.EDITOR)
    if state not in IssueState.values:
        raise InvalidInput("choice", field="state", allowed=IssueState.values)
    reason = clean_text(reason).strip()
    if len(reason) > MOST_REASON:
        raise InvalidInput("reason_too_long", limit=MOST_REASON)
    if state == IssueState.INTENTIONAL and not reason:
        raise InvalidInput("reason_needed")
    standing = Issue.objects.select_for_update(of=("self",)).select_related("document__workspace").get(pk=issue.pk)
    is_open = state == IssueState.OPEN
    standing.state, standing.reason = IssueState(state), "" if is_open else reason
    standing.decided_by, standing.decided_at = (None, None) if is_open else (by, timezone.now())
    standing.save(update_fields=["state", "reason", "decided_by", "decided_at"])
    tell(standing.document)
    return standing


def tell(document: Document) -> None:
    """Pages that show the document look again."""
    topics = [f"document.{document.pk}"]
    transaction.on_commit(lambda: changed("issue", document.pk, 0, topics), robust=True)


# --- what is said of them


def shown(document: Document) -> list[dict[str, Any]]:
    """The open ones, in the reader's words."""
    return [
        {"id": issue.pk, "said": said(issue), "place": labels.of_field(issue.path.split("/")[0]) if issue.path else ""}
        for issue in of(document).filter(state=IssueState.OPEN)
    ]


def said(issue: Issue) -> str:
    """What is wrong, in the reader's words; in the model's where a model found it."""
    words = SENTENCES.get(issue.type)
    return str(words).format(**issue.params) if words else issue.detail or issue.type
