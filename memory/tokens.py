"""Tokens of programs: shown once, stored as a hash, scoped, revocable."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from memory.base.errors import InvalidInput, NotFound, SignInNeeded
from memory.models import Token, User

PREFIX = "scr_"
SCOPES = ("read", "write")
USE_RECORDED_EVERY = timedelta(minutes=1)


def digest(secret: str) -> str:
    # 256 bits of entropy need no slow hash: there is nothing to guess.
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def issue(
    user: User, name: str, scopes: Iterable[str] = SCOPES, expires_at: datetime | None = None
) -> tuple[Token, str]:
    """A new token and its secret, which is not kept anywhere and cannot be shown again."""
    wanted = sorted(set(scopes))
    if not wanted or set(wanted) - set(SCOPES):
        raise InvalidInput("scopes", allowed=list(SCOPES))
    secret = PREFIX + secrets.token_urlsafe(32)
    token = Token.objects.create(
        user=user, name=name[:100], digest=digest(secret), scopes=wanted, expires_at=expires_at
    )
    return token, secret


def authenticate(secret: str) -> Token:
    """The live token behind the secret; `authentication.token` for all others."""
    now = timezone.now()
    token = standing().select_related("user").filter(digest=digest(secret)).first()
    if token is None:
        raise SignInNeeded("token")
    if token.last_used_at is None or now - token.last_used_at > USE_RECORDED_EVERY:
        Token.objects.filter(id=token.id).update(last_used_at=now)
    return token


def standing() -> QuerySet[Token]:
    """The tokens that open something now."""
    unexpired = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    return Token.objects.filter(unexpired, revoked_at=None, user__is_active=True)


def live(secrets: Iterable[str]) -> set[str]:
    """Those of the secrets that still open something; one query for all."""
    by_digest = {digest(secret): secret for secret in secrets}
    return {by_digest[found] for found in standing().filter(digest__in=by_digest).values_list("digest", flat=True)}


def of(user: User) -> QuerySet[Token]:
    """What still opens something in their name, newest first."""
    return standing().filter(user=user).order_by("-id")


def revoke_own(token_id: UUID, by: User) -> None:
    token = Token.objects.filter(id=token_id, user=by).first()
    if token is None:
        raise NotFound("token")
    revoke(token)


def revoke(token: Token) -> None:
    Token.objects.filter(id=token.id, revoked_at=None).update(revoked_at=timezone.now())


def state(token: Token) -> str:
    """`revoked`, `expired` or `live`."""
    if token.revoked_at:
        return "revoked"
    return "expired" if token.expires_at and token.expires_at <= timezone.now() else "live"
