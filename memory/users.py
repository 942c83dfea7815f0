"""Who can sign in, beyond what Django's own user manager does."""

from django.db import transaction
from django.db.models import Q

from memory import workspaces
from memory.base.text import clean_text
from memory.models import Theme, User


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


@transaction.atomic
def sign_up(username: str, email: str, password: str, language: str) -> User:
    """A user of their own making; a form has seen to it that the name and the address are free."""
    return User.objects.create_user(username, email, password, language=language)


def with_name(given: str) -> User | None:
    """Whom somebody means who gives a user name or an address. A name comes first: nobody else can take it."""
    found = User.objects.filter(Q(username=given) | Q(email__iexact=given)).order_by("id")
    return min(found, key=lambda user: user.username != given, default=None)


def introduce(user: User, name: str, study_level: str) -> None:
    """How others see them, and for whom texts are written. One name: not everybody has a first and a last one."""
    user.first_name, user.last_name = clean_text(name).strip(), ""
    user.study_level = clean_text(study_level).strip()
    user.save(update_fields=["first_name", "last_name", "study_level"])


def set_reading(user: User, language: str, theme: str) -> None:
    user.language, user.theme = language, theme
    user.save(update_fields=["language", "theme"])


def set_password(user: User, password: str) -> None:
    """Every session of theirs ends but the one that is told to go on."""
    user.set_password(password)
    user.save(update_fields=["password"])


def turn_theme(user: User, shown: str) -> None:
    """To the other theme than the one shown: their own choice, or what their machine has."""
    user.theme = Theme.LIGHT if (user.theme or shown) == Theme.DARK else Theme.DARK
    user.save(update_fields=["theme"])
