"""One-time sign-in links: valid for PASSWORD_RESET_TIMEOUT seconds, and only until the user's next sign-in."""

from uuid import UUID

from django.contrib.auth.tokens import PasswordResetTokenGenerator

from memory.base.errors import SignInNeeded
from memory.models import User


class LinkTokens(PasswordResetTokenGenerator):
    """Django's generator hashes `last_login` into the token, so that the sign-in itself makes the link worthless."""

    key_salt = "memory.sign_in.LinkTokens"


links = LinkTokens()


def path_for(user: User) -> str:
    return f"/sign-in/{user.pk}/{links.make_token(user)}/"


def user_of(user_id: UUID, token: str) -> User:
    """The active user whose unused link this is; `authentication.link` otherwise."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or not links.check_token(user, token):
        raise SignInNeeded("link")
    return user
