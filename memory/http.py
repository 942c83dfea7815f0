"""The requests our doors really have."""

from django.http import HttpRequest

from memory.models import User


class SignedInRequest(HttpRequest):
    """A request whose user is known: authentication stands before the view."""

    user: User
