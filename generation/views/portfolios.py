"""In which order the cases of a portfolio stand, and by which thresholds its summary recommends."""

from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from generation import documents, portfolio_order
from generation.views import going_on
from memory.history import By
from memory.pages import PageRequest, signed_in

THRESHOLDS = ("value_threshold", "complexity_threshold")


@require_POST
@signed_in
def move_case(request: PageRequest, document_id: UUID, case_id: UUID) -> HttpResponse:
    """`to=up`, `to=down`."""
    portfolio = documents.visible(request.user, document_id)
    portfolio_order.move(portfolio, case_id, request.POST.get("to", ""), request.user)
    return going_on.done(request, f"{reverse('document', args=[document_id])}#case-{case_id}")


@require_POST
@signed_in
def thresholds(request: PageRequest, document_id: UUID) -> HttpResponse:
    """Of a summary: what is left empty is the median of its portfolio."""
    document = documents.visible(request.user, document_id)
    given = {name: request.POST.get(name, "").strip().replace(",", ".") for name in THRESHOLDS}
    documents.edit(document, {name: text or None for name, text in given.items()}, By.person(request.user))
    return going_on.done(request, reverse("document", args=[document.id]))
