"""Who can sign in, beyond what Django's own user manager does."""

from django.db import transaction

from memory import workspaces
from memory.models import User


@transaction.atomic
def first() -> User | None:
    """The house's owner: the oldest active superuser, made with a workspace when there is no user at all.

    The made one has no password: the way in is a sign-in link. None when there are users, but no superuser.
    """
    if User.objects.exists():
        return User.objects.filter(is_superuser=True, is_active=True).order_by("id").first()
    owner = User.objects.create_superuser("owner", "owner@localhost")
    workspaces.create("Scriptorium", owner)
    return owner
