"""`manage.py token USER`: keys for programs. The secret is printed once and kept nowhere."""

from argparse import ArgumentParser
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from memory import tokens
from memory.models import Token, User


class Command(BaseCommand):
    help = "Make a token for a user's program; list or revoke tokens."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", nargs="?")
        parser.add_argument("--name", default="command line", help="what the token is for")
        parser.add_argument("--scope", action="append", choices=tokens.SCOPES, help="again for each; all by default")
        parser.add_argument("--days", type=int, help="how long it is valid; for ever by default")
        parser.add_argument("--list", action="store_true", help="all tokens, or those of the user")
        parser.add_argument("--revoke", type=UUID, metavar="ID")

    def handle(self, **options: Any) -> None:
        if options["revoke"]:
            self.revoke(options["revoke"])
        elif options["list"]:
            self.list(options["username"])
        elif options["username"]:
            self.issue(options["username"], options["name"], options["scope"], options["days"])
        else:
            raise CommandError("Name the user, or use --list or --revoke ID.")

    def issue(self, username: str, name: str, scopes: Iterable[str] | None, days: int | None) -> None:
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user {username}.")
        expires_at = timezone.now() + timedelta(days=days) if days else None
        token, secret = tokens.issue(user, name, scopes or tokens.SCOPES, expires_at)
        self.stderr.write(f"{token.id}: kept nowhere, so copy it now.")
        self.stdout.write(secret)

    def list(self, username: str | None) -> None:
        found = Token.objects.select_related("user").order_by("id")
        for token in found.filter(user__username=username) if username else found:
            self.stdout.write(
                f"{token.id}  {token.user}  {token.name}  {' '.join(token.scopes)}  {tokens.state(token)}"
            )

    def revoke(self, token_id: UUID) -> None:
        token = Token.objects.filter(id=token_id).first()
        if token is None:
            raise CommandError(f"There is no token {token_id}.")
        tokens.revoke(token)
        self.stdout.write(f"{token.name} of {token.user} opens nothing any more.")
