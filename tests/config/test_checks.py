"""What `manage.py check` says of prompts, and of settings that only tests may have."""

import pytest
from django.core.checks import Tags, run_checks
from django.db import ProgrammingError
from pytest_django.fixtures import Settings

from generation import prompts
from generation.models import PromptVersion

pytestmark = pytest.mark.django_db


def warnings() -> list[str]:
    return [
        found.msg for found in run_checks(tags=[Tags.database], databases=["default"]) if found.id == "scriptorium.W001"
    ]


def test_files_and_rows_that_agree_are_no_matter() -> None:
    prompts.sync()
    assert warnings() == []


def test_a_file_that_is_not_in_the_database_is_named() -> None:
    prompts.sync()
    PromptVersion.objects.filter(prompt_id="note/outline").update(digest="other")
    assert warnings() == ["The file of the prompt note/outline is not in the database."]


def test_it_is_quiet_while_there_are_no_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_table() -> list[str]:
        raise ProgrammingError

    monkeypatch.setattr(prompts, "unsynced", no_table)
    assert warnings() == []


def test_it_asks_no_database_unless_told_to() -> None:
    assert [found for found in run_checks() if found.id == "scriptorium.W001"] == []


def errors() -> list[str]:
    return [str(found.id) for found in run_checks(include_deployment_checks=True) if found.id == "scriptorium.E001"]


def test_no_house_is_deployed_with_the_web_of_the_tests(settings: Settings) -> None:
    assert errors() == ["scriptorium.E001"]
    settings.WEB_NETWORK = "generation.web.network.Internet"
    assert errors() == []
