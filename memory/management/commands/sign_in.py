"""`manage.py sign_in USER`: a way in for who has no password, or forgot it."""

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from memory import sign_in
from memory.models import User


class Command(BaseCommand):
    help = "Print a sign-in link that works once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *, username: str, **options: object) -> None:
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user {username}.")
        self.stdout.write(settings.PUBLIC_URL + sign_in.path_for(user))
