"""What was found in a document: people decide on it."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from generation import issues
from memory.pages import PageRequest, signed_in


@require_POST
@signed_in
def decide(request: PageRequest, issue_id: UUID) -> HttpResponse:
    issue = issues.visible(request.user, issue_id)
    issues.decide(issue, request.user, request.POST.get("state", ""), request.POST.get("reason", ""))
    return HttpResponse(status=204) if request.htmx else redirect("document", issue.document_id)
