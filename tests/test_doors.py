"""Every door and who may pass it: the URLs are walked, everybody knocks, and a door without a class fails.

A new door: name it in DOORS with its class and, if it needs one, what is sent. Pages of the admin have their class by
their place. Who may do what to a run or a file in detail is asked where those are tested.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from chat import sessions as talk
from chat import turns
from chat.routing import urlpatterns as sockets
from chat.turns import Words
from config.api import api
from generation import comments, documents, folders, prompts, sections, threads
from generation.models import Drawing
from memory import files, invitations, sign_in, tokens, workspaces
from memory.models import Role, User, Workspace
from tests import instructions
from tests.people import People
from tests.things import a_call, an_experiment, begin_an_attempt, start_a_note, write_a_course

IN, SIGN_IN, FORBIDDEN, NOT_FOUND = "in", "sign in", "forbidden", "not found"
EVERYBODY = ("nobody", "stranger", "viewer", "teammate", "owner", "staff", "superuser")
STRANGERS = ("stranger", "staff", "superuser")  # who keeps the house has no part in its workspaces
MEMBERS = ("viewer", "teammate", "owner")


class Class(Enum):
    """Who is let in, and what the others are told. Staff here has no permission but to be staff."""

    NOWHERE = dict.fromkeys(EVERYBODY, NOT_FOUND)
    PUBLIC = dict.fromkeys(EVERYBODY, IN)
    SIGNED_IN = {**PUBLIC, "nobody": SIGN_IN}
    OF_OTHERS = {**NOWHERE, "nobody": SIGN_IN}  # of things of another kind than those that stand here
    READS = {**SIGNED_IN, **dict.fromkeys(STRANGERS, NOT_FOUND)}
    OWN = {**READS, **dict.fromkeys(("viewer", "teammate"), NOT_FOUND)}
    KEEPERS = {**READS, **dict.fromkeys(("viewer", "teammate", "owner"), FORBIDDEN)}  # members who are staff, too
    WRITES = {**READS, "viewer": FORBIDDEN}
    OWNS = {**WRITES, "teammate": FORBIDDEN}
    THEIRS = {**READS, "viewer": NOT_FOUND, "teammate": NOT_FOUND}  # the owner's own, no workspace's
    FIGURES = {**SIGNED_IN, **dict.fromkeys(("stranger", *MEMBERS), FORBIDDEN)}
    STAFF = {**dict.fromkeys(EVERYBODY, SIGN_IN), "staff": IN, "superuser": IN}
    PERMITTED = {**STAFF, "staff": FORBIDDEN}
    SUPERUSERS = {**dict.fromkeys(EVERYBODY, FORBIDDEN), "nobody": SIGN_IN, "superuser": IN}


@dataclass(frozen=True)
class Door:
    who: Class
    body: dict[str, Any] = field(default_factory=dict)  # "$workspace" and the like are filled in
    is_form: bool = False  # a page that is posted to


NAMES = {"prompts": "outline", "agents": "writer", "arms": "more"}
WHY = {"reason": "better"}
ORDER = {"kind": "note", "brief": "Three sections on loops.", "workspace": "$workspace"}
DOORS = {
    # Documents
    "": Door(Class.SIGNED_IN),
    "documents/<uuid:document_id>/": Door(Class.READS),
    "documents/<uuid:document_id>/pieces/": Door(Class.READS),
    "documents/<uuid:document_id>/actions/<slug:action>/": Door(Class.WRITES, is_form=True),
    "sections/<uuid:section_id>/": Door(Class.READS),
    "sections/<uuid:section_id>/retry/": Door(Class.WRITES, is_form=True),
    "runs/<uuid:run_id>/": Door(Class.READS),
    "runs/<uuid:run_id>/cancel/": Door(Class.WRITES, is_form=True),
    "runs/<uuid:run_id>/retry/": Door(Class.WRITES, is_form=True),
    "runs/<uuid:run_id>/answer/": Door(Class.WRITES, {"step": "outline"}, is_form=True),
    "documents/<uuid:document_id>/move/": Door(Class.WRITES, is_form=True),
    "documents/<uuid:document_id>/bin/": Door(Class.WRITES, is_form=True),
    "documents/<uuid:document_id>/unbin/": Door(Class.WRITES, is_form=True),
    "new/": Door(Class.SIGNED_IN),
    "new/files/": Door(Class.WRITES, {"file": "$file", "workspace": "$workspace"}, is_form=True),
    "new/<slug:kind>/": Door(Class.WRITES, {"brief": "Loops.", "workspace": "$workspace"}, is_form=True),
    "new/<slug:kind>/estimate/": Door(Class.SIGNED_IN),
    "folders/": Door(Class.WRITES, {"name": "Python", "workspace": "$workspace"}, is_form=True),
    "folders/<uuid:folder_id>/": Door(Class.READS),
    "folders/<uuid:folder_id>/rename/": Door(Class.WRITES, {"name": "Loops"}, is_form=True),
    "folders/<uuid:folder_id>/remove/": Door(Class.WRITES, is_form=True),
    "bin/": Door(Class.SIGNED_IN),
    "workspaces/<uuid:workspace_id>/bin/empty/": Door(Class.OWNS, is_form=True),
    # Learning
    "evaluations/<uuid:section_id>/": Door(Class.READS),
    "sections/<uuid:section_id>/begin/": Door(Class.READS, is_form=True),
    "sections/<uuid:section_id>/exercise/": Door(Class.READS, is_form=True),
    "sections/<uuid:section_id>/complete/": Door(Class.READS, {"complete": "1"}, is_form=True),
    "attempts/<uuid:attempt_id>/": Door(Class.OWN),
    "attempts/<uuid:attempt_id>/answers/": Door(Class.OWN, is_form=True),
    "attempts/<uuid:attempt_id>/finish/": Door(Class.OWN, is_form=True),
    "attempts/<uuid:attempt_id>/grade/": Door(Class.OWN, is_form=True),
    # Work
    "documents/<uuid:document_id>/edit/": Door(Class.WRITES),
    "documents/<uuid:document_id>/status/": Door(Class.WRITES, {"status": "ready"}, is_form=True),
    "documents/<uuid:document_id>/sections/": Door(Class.WRITES, {"type": "chapter"}, is_form=True),
    "sections/<uuid:section_id>/edit/": Door(Class.WRITES),
    "sections/<uuid:section_id>/tools/": Door(Class.WRITES),
    "sections/<uuid:section_id>/move/": Door(Class.WRITES, {"to": "up"}, is_form=True),
    "sections/<uuid:section_id>/trace/": Door(Class.KEEPERS),
    "sections/<uuid:section_id>/lock/": Door(Class.WRITES, is_form=True),
    "sections/<uuid:section_id>/unlock/": Door(Class.WRITES, is_form=True),
    "sections/<uuid:section_id>/approve/": Door(Class.WRITES, is_form=True),
    "preview/": Door(Class.SIGNED_IN, {"text": "# Loops"}, is_form=True),
    "documents/<uuid:document_id>/thresholds/": Door(Class.WRITES, is_form=True),
    "new/<slug:kind>/by-hand/": Door(Class.SIGNED_IN, is_form=True),
    "documents/<uuid:document_id>/cases/<uuid:case_id>/move/": Door(Class.WRITES, {"to": "up"}, is_form=True),
    "documents/<uuid:document_id>/history/": Door(Class.READS),
    "documents/<uuid:document_id>/last-change/": Door(Class.READS),
    "changes/<uuid:change_id>/": Door(Class.READS),
    "changes/<uuid:change_id>/undo/": Door(Class.WRITES, is_form=True),
    "groups/<uuid:group_id>/undo/": Door(Class.WRITES, is_form=True),
    "snapshots/<uuid:snapshot_id>/restore/": Door(Class.READS),
    "proposals/<uuid:proposal_id>/accept/": Door(Class.WRITES, is_form=True),
    "proposals/<uuid:proposal_id>/reject/": Door(Class.WRITES, is_form=True),
    "issues/<uuid:issue_id>/decide/": Door(Class.WRITES, {"state": "resolved"}, is_form=True),
    # Comments
    "comments/": Door(Class.SIGNED_IN),
    "comments/unread/": Door(Class.SIGNED_IN),
    "documents/<uuid:document_id>/comments/": Door(Class.READS),
    "documents/<uuid:document_id>/members/": Door(Class.READS),
    "threads/<uuid:thread_id>/": Door(Class.READS),
    "threads/<uuid:thread_id>/reply/": Door(Class.WRITES, {"text": "Because."}, is_form=True),
    "threads/<uuid:thread_id>/close/": Door(Class.WRITES, is_form=True),
    "threads/<uuid:thread_id>/reopen/": Door(Class.WRITES, is_form=True),
    "threads/<uuid:thread_id>/assign/": Door(Class.WRITES, is_form=True),
    "comments/<uuid:comment_id>/edit/": Door(Class.OWNS, {"text": "Why?"}, is_form=True),  # its author is the owner
    "comments/<uuid:comment_id>/delete/": Door(Class.OWNS, is_form=True),
    "queue/": Door(Class.SIGNED_IN),
    "queue/dock/": Door(Class.SIGNED_IN),
    # People
    "sign-in/": Door(Class.PUBLIC),
    "sign-in/<uuid:user_id>/<str:token>/": Door(Class.PUBLIC),
    "sign-out/": Door(Class.PUBLIC),
    "profile/": Door(Class.SIGNED_IN),
    "profile/theme/": Door(Class.SIGNED_IN, is_form=True),
    "profile/about/": Door(Class.SIGNED_IN, {"name": "Ann"}, is_form=True),
    "profile/reading/": Door(Class.SIGNED_IN, {"language": "en"}, is_form=True),
    "profile/password/": Door(Class.SIGNED_IN, is_form=True),
    "profile/tokens/": Door(Class.SIGNED_IN, {"name": "laptop", "scopes": "read"}, is_form=True),
    "profile/tokens/<uuid:token_id>/revoke/": Door(Class.THEIRS, is_form=True),
    # Workspaces
    "workspaces/": Door(Class.SIGNED_IN),
    "workspaces/<uuid:workspace_id>/": Door(Class.READS),
    "workspaces/<uuid:workspace_id>/switch/": Door(Class.READS, is_form=True),
    "workspaces/<uuid:workspace_id>/rename/": Door(Class.OWNS, {"name": "Scriptorium"}, is_form=True),
    "workspaces/<uuid:workspace_id>/leave/": Door(Class.READS, is_form=True),
    "workspaces/<uuid:workspace_id>/members/<uuid:user_id>/role/": Door(Class.OWNS, {"role": "owner"}, is_form=True),
    "workspaces/<uuid:workspace_id>/members/<uuid:user_id>/remove/": Door(Class.OWNS, is_form=True),
    "workspaces/<uuid:workspace_id>/invitations/": Door(Class.OWNS, {"role": "viewer"}, is_form=True),
    "workspaces/<uuid:workspace_id>/invitations/<uuid:invitation_id>/revoke/": Door(Class.OWNS, is_form=True),
    "invitations/<str:secret>/": Door(Class.PUBLIC),
    "invitations/<str:secret>/accept/": Door(Class.PUBLIC, is_form=True),
    "invitations/<str:secret>/sign-up/": Door(Class.PUBLIC, is_form=True),
    # Conversations
    "chat/": Door(Class.SIGNED_IN),
    "chat/dock/": Door(Class.SIGNED_IN),
    "chat/offered/": Door(Class.SIGNED_IN),
    "chat/send/": Door(Class.SIGNED_IN, {"text": "What is a loop?"}, is_form=True),
    "chat/shared/<uuid:secret>/": Door(Class.READS),
    "chat/<uuid:session_id>/": Door(Class.OWN),
    "chat/<uuid:session_id>/change/": Door(Class.OWN, {"title": "Loops"}, is_form=True),
    "chat/<uuid:session_id>/fork/": Door(Class.OWN, is_form=True),
    "chat/<uuid:session_id>/share/": Door(Class.OWN, is_form=True),
    "chat/<uuid:session_id>/context/": Door(Class.OWN, {"document": "$document"}, is_form=True),
    "chat/<uuid:session_id>/context/<uuid:document_id>/": Door(Class.OWN, is_form=True),
    "chat/messages/<uuid:message_id>/": Door(Class.OWN),
    "chat/messages/<uuid:message_id>/edit/": Door(Class.OWN, {"text": "Why?"}, is_form=True),
    "chat/messages/<uuid:message_id>/regenerate/": Door(Class.OWN, is_form=True),
    "chat/messages/<uuid:message_id>/synthesis/": Door(Class.OWN, is_form=True),
    "chat/messages/<uuid:message_id>/show/": Door(Class.OWN, is_form=True),
    "chat/messages/<uuid:message_id>/withdraw/": Door(Class.OWN, is_form=True),
    "chat/messages/<uuid:message_id>/stop/": Door(Class.OWN, is_form=True),
    "chat/messages/<uuid:message_id>/feedback/": Door(Class.OWN, is_form=True),
    "chat/messages/<uuid:message_id>/undo/": Door(Class.OWN, is_form=True),
    # Pictures
    "diagrams/<slug:digest>.svg": Door(Class.READS),
    # The API
    "api/": Door(Class.NOWHERE),
    "api/docs": Door(Class.PUBLIC),
    "api/v1/openapi.json": Door(Class.PUBLIC),
    "GET /api/v1/me": Door(Class.SIGNED_IN),
    "GET /api/v1/workspaces": Door(Class.SIGNED_IN),
    "POST /api/v1/files": Door(Class.WRITES, {"file": "$file", "workspace": "$workspace"}),
    "GET /api/v1/runs": Door(Class.SIGNED_IN),
    "POST /api/v1/runs": Door(Class.WRITES, ORDER),
    "GET /api/v1/runs/{run_id}": Door(Class.READS),
    "POST /api/v1/runs/{run_id}/cancel": Door(Class.WRITES),
    "POST /api/v1/runs/{run_id}/retry": Door(Class.WRITES),
    "POST /api/v1/runs/{run_id}/answers": Door(Class.WRITES, {"step": "outline", "value": {}}),
    "GET /api/v1/runs/{run_id}/events": Door(Class.READS),
    "GET /api/v1/documents": Door(Class.SIGNED_IN),
    "POST /api/v1/documents": Door(Class.WRITES, {"kind": "note", "workspace": "$workspace"}),
    "GET /api/v1/documents/{document_id}": Door(Class.READS),
    "PATCH /api/v1/documents/{document_id}": Door(Class.WRITES, {"fields": {"title": "Loops again"}}),
    "POST /api/v1/documents/{document_id}/actions/{action}": Door(Class.WRITES),
    "GET /api/v1/documents/{document_id}/export": Door(Class.READS),
    "POST /api/v1/documents/{document_id}/sections": Door(Class.WRITES, {"type": "chapter"}),
    "GET /api/v1/sections/{section_id}": Door(Class.READS),
    "PATCH /api/v1/sections/{section_id}": Door(Class.WRITES, {"fields": {"title": "Why"}}),
    "POST /api/v1/sections/{section_id}/lock": Door(Class.WRITES),
    "POST /api/v1/sections/{section_id}/unlock": Door(Class.WRITES),
    "POST /api/v1/sections/{section_id}/approve": Door(Class.WRITES),
    "POST /api/v1/sections/{section_id}/retry": Door(Class.WRITES),
    "DELETE /api/v1/sections/{section_id}": Door(Class.WRITES),
    "GET /api/v1/documents/{document_id}/changes": Door(Class.READS),
    "GET /api/v1/changes/{change_id}": Door(Class.READS),
    "POST /api/v1/changes/{change_id}/undo": Door(Class.WRITES),
    "POST /api/v1/groups/{group_id}/undo": Door(Class.WRITES),
    "POST /api/v1/documents/{document_id}/undo": Door(Class.WRITES),
    "GET /api/v1/documents/{document_id}/snapshots": Door(Class.READS),
    "POST /api/v1/snapshots/{snapshot_id}/restore": Door(Class.WRITES),
    "GET /api/v1/documents/{document_id}/proposals": Door(Class.READS),
    "POST /api/v1/proposals/{proposal_id}/accept": Door(Class.WRITES),
    "POST /api/v1/proposals/{proposal_id}/reject": Door(Class.WRITES),
    "GET /api/v1/documents/{document_id}/portfolio": Door(Class.OF_OTHERS),  # who may: `test_pages_portfolio`
    "GET /api/v1/documents/{document_id}/issues": Door(Class.READS),
    "PATCH /api/v1/issues/{issue_id}": Door(Class.WRITES, {"state": "resolved"}),
    "GET /api/v1/threads": Door(Class.SIGNED_IN),
    "GET /api/v1/documents/{document_id}/threads": Door(Class.READS),
    "POST /api/v1/documents/{document_id}/threads": Door(Class.WRITES, {"text": "Why?"}),
    "GET /api/v1/threads/{thread_id}": Door(Class.READS),
    "PATCH /api/v1/threads/{thread_id}": Door(Class.WRITES, {"state": "open"}),
    "POST /api/v1/threads/{thread_id}/comments": Door(Class.WRITES, {"text": "Because."}),
    "PATCH /api/v1/comments/{comment_id}": Door(Class.OWNS, {"text": "Why?"}),
    "DELETE /api/v1/comments/{comment_id}": Door(Class.OWNS),
    "GET /api/v1/folders": Door(Class.SIGNED_IN),
    "POST /api/v1/folders": Door(Class.WRITES, {"name": "Python", "workspace": "$workspace"}),
    "PATCH /api/v1/folders/{folder_id}": Door(Class.WRITES, {"name": "Loops"}),
    "DELETE /api/v1/folders/{folder_id}": Door(Class.WRITES),
    "DELETE /api/v1/documents/{document_id}": Door(Class.WRITES),
    "POST /api/v1/documents/{document_id}/unbin": Door(Class.WRITES),
    "POST /api/v1/workspaces/{workspace_id}/bin/empty": Door(Class.OWNS),
    # Conversations
    "POST /api/v1/chat/messages": Door(Class.SIGNED_IN, {"text": "What is a loop?"}),
    "POST /api/v1/panels": Door(Class.SIGNED_IN, {"text": "What is a loop?"}),
    "GET /api/v1/chat/sessions": Door(Class.SIGNED_IN),
    "GET /api/v1/chat/sessions/{session_id}": Door(Class.OWN),
    "PATCH /api/v1/chat/sessions/{session_id}": Door(Class.OWN, {"title": "Loops"}),
    "GET /api/v1/chat/sessions/{session_id}/messages": Door(Class.OWN),
    "POST /api/v1/chat/sessions/{session_id}/fork": Door(Class.OWN),
    "POST /api/v1/chat/sessions/{session_id}/share": Door(Class.OWN),
    "POST /api/v1/chat/sessions/{session_id}/context": Door(Class.OWN, {"kind": "document", "id": "$document"}),
    "DELETE /api/v1/chat/sessions/{session_id}/context/{document_id}": Door(Class.OWN),
    "GET /api/v1/chat/messages/{message_id}": Door(Class.OWN),
    "POST /api/v1/chat/messages/{message_id}/edit": Door(Class.OWN, {"text": "Why?"}),
    "POST /api/v1/chat/messages/{message_id}/regenerate": Door(Class.OWN),
    "POST /api/v1/chat/messages/{message_id}/synthesis": Door(Class.OWN),
    "POST /api/v1/chat/messages/{message_id}/withdraw": Door(Class.OWN),
    "POST /api/v1/chat/messages/{message_id}/show": Door(Class.OWN),
    "POST /api/v1/chat/messages/{message_id}/feedback": Door(Class.OWN, {"is_good": True}),
    "DELETE /api/v1/chat/sessions/{session_id}": Door(Class.OWN),
    "GET /api/v1/prompts": Door(Class.SUPERUSERS),
    "GET /api/v1/prompts/{kind}/{name}": Door(Class.SUPERUSERS),
    "POST /api/v1/prompts/{kind}/{name}/versions": Door(Class.SUPERUSERS, {"text": "[user]\n{{ brief }}"}),
    "GET /api/v1/prompts/{kind}/{name}/export": Door(Class.SUPERUSERS),
    "POST /api/v1/prompts/import": Door(Class.SUPERUSERS, {"format": 1, "slot": "note/outline", "versions": []}),
    "POST /api/v1/prompts/{kind}/{name}/production": Door(Class.SUPERUSERS, {"version": 1, "reason": "better"}),
    "POST /api/v1/prompts/{kind}/{name}/render": Door(Class.SUPERUSERS),
    "POST /api/v1/prompts/{kind}/{name}/try": Door(Class.SUPERUSERS, {"variables": {}}),  # refused before it is sent
    "GET /api/v1/agents": Door(Class.SUPERUSERS),
    "POST /api/v1/agents/{name}/chain": Door(Class.SUPERUSERS, {"chain": ["demo:other"], "reason": "better"}),
    "GET /api/v1/calls": Door(Class.SUPERUSERS),
    "GET /api/v1/calls/{call_id}": Door(Class.SUPERUSERS),
    "POST /api/v1/agents/{name}/check": Door(Class.SUPERUSERS),
    "GET /api/v1/models/health": Door(Class.SUPERUSERS),
    "GET /api/v1/decisions": Door(Class.SUPERUSERS),
    "POST /api/v1/decisions/{decision_id}/undo": Door(Class.SUPERUSERS, WHY),
    "GET /api/v1/experiments": Door(Class.SUPERUSERS),
    "POST /api/v1/experiments": Door(Class.SUPERUSERS, {"title": "Loops", "arms": [], "metric": "success"}),
    "GET /api/v1/experiments/{experiment_id}": Door(Class.SUPERUSERS),
    "POST /api/v1/experiments/{experiment_id}/start": Door(Class.SUPERUSERS, WHY),
    "POST /api/v1/experiments/{experiment_id}/pause": Door(Class.SUPERUSERS, WHY),
    "POST /api/v1/experiments/{experiment_id}/stop": Door(Class.SUPERUSERS, WHY),
    "POST /api/v1/experiments/{experiment_id}/critique": Door(Class.SUPERUSERS, {"answers": 5}),
    "POST /api/v1/experiments/{experiment_id}/arms": Door(Class.SUPERUSERS, {"arm": {"name": "third"}} | WHY),
    "POST /api/v1/experiments/{experiment_id}/arms/{name}/close": Door(Class.SUPERUSERS, WHY),
    "POST /api/v1/experiments/{experiment_id}/arms/{name}/promote": Door(Class.SUPERUSERS, WHY),
    # Last, as it hides what the others knock for
    "sections/<uuid:section_id>/remove/": Door(Class.WRITES, is_form=True),
    "chat/<uuid:session_id>/delete/": Door(Class.OWN, is_form=True),
    # Machines
    "health/live": Door(Class.PUBLIC),
    "health/ready": Door(Class.PUBLIC),
    "metrics": Door(Class.FIGURES),
}
# By their place: the first that fits.
PLACES = (
    (r"admin/rq/", Class.SUPERUSERS),
    (r"admin/(login|logout)/$", Class.PUBLIC),
    (r"admin/\w+/\w+/<(path:object_)?id>/(password/)?$", Class.STAFF),  # they only lead to pages below
    (r"admin/(auth|memory|generation)/\w+/", Class.PERMITTED),
    (r"admin/", Class.STAFF),
)


def walk(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns, route)
        else:
            yield route, pattern


def as_described(route: str) -> str:
    return "/" + re.sub(r"<(\w+:)?(\w+)>", r"{\2}", route)


ROUTES = dict(walk(get_resolver().url_patterns))
OPERATIONS = {
    f"{method.upper()} {path}"
    for path, operations in api.get_openapi_schema()["paths"].items()
    for method in operations
}
DESCRIBED = {door.split(" ")[1] for door in OPERATIONS}
PLAIN = {route for route in ROUTES if as_described(route) not in DESCRIBED}


def class_of(door: str) -> Class | None:
    if door in DOORS:
        return DOORS[door].who
    return next((who for place, who in PLACES if re.match(place, door)), None)


def test_every_door_has_a_class() -> None:
    assert [door for door in sorted(PLAIN | OPERATIONS) if class_of(door) is None] == []


def test_no_class_is_left_of_a_door_that_is_gone() -> None:
    assert set(DOORS) - PLAIN - OPERATIONS == set()


def test_no_operation_hides_from_the_description() -> None:
    below = {as_described(route) for route in ROUTES if route.startswith("api/v1/")}
    assert below - DESCRIBED == {"/api/v1/openapi.json"}


def test_there_is_one_socket() -> None:
    """It is asked in tests/chat; another one has to be, too."""
    assert [str(pattern.pattern) for pattern in sockets] == ["ws/"]


class House:
    """Somebody of each sort, and one thing of each kind to knock for."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.users: dict[str, User] = {
            name: getattr(people, name) for name in ("owner", "teammate", "viewer", "stranger")
        }
        self.users["staff"] = User.objects.create_user("staff", "staff@example.org", is_staff=True)
        self.users["superuser"] = User.objects.create_superuser("superuser", "superuser@example.org")
        instructions.give()
        self.version = prompts.current("note/outline").id
        self.staffs = an_experiment(self.users["superuser"])
        Group.objects.create(name="Readers")
        self.token, _ = tokens.issue(people.owner, "laptop")
        files.store(people.owner, people.workspace, "notes.txt", b"Loops repeat.")
        self.run = start_a_note(people.owner, people.workspace)
        self.staffs["call_id"] = a_call(self.run, None).id
        Drawing.objects.create(
            digest="d" * 64, workspace=people.workspace, type="mermaid", code="graph TD", svg="<svg/>"
        )
        self.things = write_a_course(people.owner, people.workspace, self.run)
        chapter = sections.visible(people.owner, self.things["section_id"])
        turn = turns.take(people.owner, Words("What is a loop?"), workspace=people.workspace)
        talk.share(turn.session)
        self.things |= {"session_id": turn.session.id, "message_id": turn.message.id}
        self.things["secret"] = turn.session.secret
        self.things["attempt_id"] = begin_an_attempt(people.owner, chapter).id
        self.clients = {name: self.client_of(name) for name in EVERYBODY}

    def client_of(self, name: str) -> Client:
        client = Client(raise_request_exception=False, REMOTE_ADDR="10.0.0.9")
        if name in self.users:
            client.force_login(self.users[name])
        return client

    def told(self, door: str) -> dict[str, str]:
        """What each is told when they knock."""
        return {name: self.verdict(client, door) for name, client in self.clients.items()}

    def verdict(self, client: Client, door: str) -> str:
        answer = self.knock(client, door)
        if answer.status_code == 401 or re.search("/login/|^/sign-in/", answer.headers.get("Location", "")):
            return SIGN_IN
        if answer.status_code >= 500:
            return f"broken ({answer.status_code})"
        return {403: FORBIDDEN, 404: NOT_FOUND}.get(answer.status_code, IN)

    def knock(self, client: Client, door: str) -> Any:
        method, _, path = door.rpartition(" ")
        address = self.address(path)
        if method == "GET" or not (method or (door in DOORS and DOORS[door].is_form)):
            return client.get(address)
        body = {name: self.filled(value) for name, value in DOORS[door].body.items()}
        if "file" in body or DOORS[door].is_form:
            return client.post(address, body)
        return client.generic(method, address, json.dumps(body), "application/json")

    def filled(self, value: Any) -> Any:
        if value == "$file":
            return SimpleUploadedFile("notes.txt", b"Loops repeat.")
        known = {"$workspace": self.people.workspace.id, "$document": self.things["document_id"]}
        return str(known[value]) if isinstance(value, str) and value in known else value

    def address(self, path: str) -> str:
        """The path with something that exists in each gap."""
        token = sign_in.path_for(self.people.owner).split("/")[-2]
        known = {**self.things, "folder_id": self.new_folder() if "folder_id" in path else 0}
        if "case_id" in path:
            known |= self.new_case()
        if "comment_id" in path:
            known["comment_id"] = self.new_comment()
        known |= {
            "run_id": self.run.id,
            "user_id": self.people.owner.pk,
            "token": token,
            "queue_index": 0,
            "kind": "company" if "by-hand" in path else "note",
            "digest": "d" * 64,
            "token_id": self.token.id,
        }
        if "delete/" in path:
            known["session_id"] = talk.begin(self.people.owner, self.people.workspace).id
        if "/leave/" in path:
            known["workspace_id"] = self.another_workspace().id
        if "invitation" in path:
            known |= self.new_invitation(self.another_workspace() if "secret" in path else self.people.workspace)
        known |= {"object_id": self.pk_of(path), "id": self.people.stranger.pk}
        known |= {"slot": "note/outline", "old": self.version, "new": self.version, "version": self.version}
        known |= self.staffs | ({"deed": "close" if "/arms/" in path else "start"})
        known["name"] = next((name for room, name in NAMES.items() if f"/{room}/" in path), 0)
        path = re.sub(r"\(\?P<(\w+)>[^)]*\)\??", lambda gap: "memory" if gap[1] == "app_label" else "0", path)
        path = re.sub(r"<(?:\w+:)?(\w+)>|{(\w+)}", lambda gap: str(known.get(gap[1] or gap[2], 0)), path)
        return "/" + re.sub(r"[\^$]|/\?", "", path).lstrip("/")

    def new_folder(self) -> Any:
        """One for each who knocks: the first to be let in may remove it."""
        return folders.make(self.people.workspace, "Python", self.people.owner).id

    def new_case(self) -> dict[str, Any]:
        home = {"user": self.people.owner, "workspace": self.people.workspace}
        portfolio = documents.create("use_case_list", "Loops", {}, **home)  # type: ignore[arg-type]
        case = documents.create("use_case", "Repeat", {}, parent=portfolio, **home)  # type: ignore[arg-type]
        return {"document_id": portfolio.id, "case_id": case.id}

    def new_comment(self) -> Any:
        thread = threads.visible(self.people.owner, self.things["thread_id"])
        return comments.reply(thread, "Why?", self.people.owner).id

    def another_workspace(self) -> Workspace:
        """With the same members: who knocks may leave it, or come in, and stays who they are elsewhere."""
        owner = self.people.owner
        made = workspaces.create("Reading room", owner)
        workspaces.add_member(made, self.people.teammate, Role.EDITOR, by=owner)
        workspaces.add_member(made, self.people.viewer, Role.VIEWER, by=owner)
        return made

    def new_invitation(self, workspace: Workspace) -> dict[str, Any]:
        made, secret = invitations.invite(workspace, Role.EDITOR, by=self.people.owner)
        return {"invitation_id": made.id, "secret": secret}

    def pk_of(self, path: str) -> Any:
        named = re.match(r"admin/(auth|memory|generation)/(\w+)/<", path)
        thing = apps.get_model(named[1], named[2])._default_manager.first() if named else None
        return thing.pk if thing else 0


@pytest.mark.uncounted
def test_everybody_knocks_at_the_doors_of_people_programs_and_machines(people_committed: People) -> None:
    house = House(people_committed)
    wrong = {}
    for door, known in DOORS.items():
        if (told := house.told(door)) != known.who.value:
            wrong[door] = told
    assert wrong == {}


@pytest.mark.uncounted
def test_everybody_knocks_at_the_admin(people: People) -> None:
    house = House(people)
    wrong = {}
    for door in sorted(PLAIN - set(DOORS)):
        told, expected = house.told(door), class_of(door)
        if {name for name in told if not is_as_expected(told[name], expected, name)}:
            wrong[door] = told
    assert wrong == {}


def is_as_expected(told: str, expected: Class | None, name: str) -> bool:
    """Who is let in may still find nothing there, or, as superuser, rows that nobody edits."""
    wanted = expected.value[name] if expected else ""
    if wanted != IN or name not in ("staff", "superuser"):
        return told == wanted
    # django-rq itself breaks on jobs that do not exist.
    return told in (IN, FORBIDDEN, NOT_FOUND) or expected is Class.SUPERUSERS
