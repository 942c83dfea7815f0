"""Workspaces: who belongs to one and as what, always with an owner; which one a person is in."""

import re

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from memory import workspaces
from memory.base.errors import Conflict
from memory.models import Membership, Role, User, Workspace
from tests.people import People
from tests.races import overtaken

pytestmark = pytest.mark.django_db


def text_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def place(people: People, rest: str = "") -> str:
    return f"/workspaces/{people.workspace.id}/{rest}"


def role_of(people: People, user: User) -> str | None:
    held = Membership.objects.filter(workspace=people.workspace, user=user).first()
    return held.role if held else None


def masthead(page: str) -> str:
    return page.partition("</header>")[0]


def test_they_are_listed_with_the_role_held_in_each(people: People) -> None:
    workspaces.create("Reading room", people.viewer)
    page = text_of(people.client(people.viewer), "/workspaces/")
    assert "You are viewer here." in page
    assert "You are owner here." in page
    assert "Elsewhere" not in page


def test_a_new_one_belongs_to_who_made_it_and_is_where_they_are(people: People) -> None:
    client = people.client(people.viewer)
    answer = client.post("/workspaces/", {"name": "<i>Reading</i> room"})
    made = Workspace.objects.get(name="<i>Reading</i> room")
    assert answer.headers["Location"] == f"/workspaces/{made.id}/"
    assert Membership.objects.get(workspace=made).role == Role.OWNER
    page = text_of(client, "/")
    assert f'data-workspace="{made.id}"' in page
    assert "<i>Reading" not in page


def test_one_without_a_name_is_not_made(people: People) -> None:
    before = Workspace.objects.count()
    assert people.client(people.owner).post("/workspaces/", {"name": "  "}).status_code == 400
    assert Workspace.objects.count() == before


def test_going_to_another_one_changes_what_pages_show(people: People) -> None:
    other = workspaces.create("Reading room", people.owner)
    client = people.client(people.owner)
    assert f'data-workspace="{people.workspace.id}"' in text_of(client, "/")
    assert client.post(f"/workspaces/{other.id}/switch/").headers["Location"] == "/"
    page = text_of(client, "/")
    assert f'data-workspace="{other.id}"' in page
    assert f"/workspaces/{people.workspace.id}/switch/" in masthead(page)


def test_who_has_one_is_offered_no_other(people: People) -> None:
    page = text_of(people.client(people.viewer), "/")
    assert "/switch/" not in page
    assert "Scriptorium</span></a>" in masthead(page)


def test_nobody_goes_to_a_workspace_of_strangers(people: People) -> None:
    client = people.client(people.stranger)
    assert client.post(place(people, "switch/")).status_code == 404
    assert str(people.workspace.id) not in text_of(client, "/")


def test_who_is_removed_is_where_they_still_belong(people: People) -> None:
    workspaces.create("Reading room", people.viewer)
    client = people.client(people.viewer)
    client.post(place(people, "switch/"))
    workspaces.remove_member(people.workspace, people.viewer.pk, by=people.owner)
    assert "Reading room" in masthead(text_of(client, "/"))
    assert client.get(place(people)).status_code == 404


# --- members


def test_every_member_sees_who_belongs_and_only_an_owner_changes_it(people: People) -> None:
    for user in (people.viewer, people.teammate):
        page = text_of(people.client(user), place(people))
        assert "owner@example.org" in page
        assert "/role/" not in page
        assert "/invitations/" not in page
    assert text_of(people.client(people.owner), place(people)).count("/role/") == 3


def test_a_stranger_sees_no_workspace(people: People) -> None:
    client = people.client(people.stranger)
    assert client.get(place(people)).status_code == 404
    for path in ("rename/", "leave/", "invitations/", f"members/{people.viewer.pk}/role/"):
        assert client.post(place(people, path), {"role": "owner", "name": "Mine"}).status_code == 404


def test_an_owner_changes_a_role_and_is_told_beside_it(people: People) -> None:
    client = people.client(people.owner)
    answer = client.post(place(people, f"members/{people.viewer.pk}/role/"), {"role": "editor"})
    assert answer.headers["Location"] == place(people, f"#member-{people.viewer.pk}")
    assert role_of(people, people.viewer) == "editor"
    assert text_of(client, place(people)).count("Saved.") == 1


@pytest.mark.parametrize("who", ["viewer", "teammate"])
def test_nobody_else_changes_a_role_not_even_their_own(people: People, who: str) -> None:
    user = getattr(people, who)
    client = people.client(user)
    for path in (f"members/{user.pk}/role/", f"members/{people.owner.pk}/remove/", "rename/"):
        assert client.post(place(people, path), {"role": "owner", "name": "Mine"}).status_code == 403
    assert role_of(people, user) != "owner"


def test_a_role_that_is_none_is_refused(people: People) -> None:
    path = place(people, f"members/{people.viewer.pk}/role/")
    assert people.client(people.owner).post(path, {"role": "king"}).status_code == 400
    assert role_of(people, people.viewer) == "viewer"


def test_an_owner_removes_a_member(people: People) -> None:
    client = people.client(people.owner)
    client.post(place(people, f"members/{people.viewer.pk}/remove/"))
    assert role_of(people, people.viewer) is None
    assert "What they wrote stays." in text_of(client, place(people))
    assert client.post(place(people, f"members/{people.viewer.pk}/remove/")).status_code == 404


def test_a_member_leaves(people: People) -> None:
    client = people.client(people.viewer)
    assert client.post(place(people, "leave/")).headers["Location"] == "/workspaces/"
    assert role_of(people, people.viewer) is None


@pytest.mark.parametrize(
    ("path", "form"),
    [("leave/", {}), ("members/{owner}/remove/", {}), ("members/{owner}/role/", {"role": "editor"})],
)
def test_the_last_owner_stays_one(people: People, path: str, form: dict[str, str]) -> None:
    answer = people.client(people.owner).post(place(people, path.format(owner=people.owner.pk)), form)
    assert answer.status_code == 409
    assert "conflict.last_owner" in answer.content.decode()
    assert role_of(people, people.owner) == "owner"


def test_no_door_takes_the_last_owners_role(people: People) -> None:
    with pytest.raises(Conflict, match="last_owner"):
        workspaces.add_member(people.workspace, people.owner, Role.EDITOR, by=people.owner)


def test_an_owner_leaves_when_another_one_stays(people: People) -> None:
    workspaces.change_role(people.workspace, people.teammate.pk, Role.OWNER, by=people.owner)
    assert people.client(people.owner).post(place(people, "leave/")).status_code == 302
    assert role_of(people, people.owner) is None


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_leave_at_once_one_stays(people_committed: People) -> None:
    people = people_committed
    workspaces.change_role(people.workspace, people.teammate.pk, Role.OWNER, by=people.owner)
    refused = overtaken(
        lambda: workspaces.leave(people.workspace, people.owner),
        lambda: workspaces.leave(people.workspace, people.teammate),
    )
    assert refused == ["conflict.last_owner"]
    assert Membership.objects.get(workspace=people.workspace, role=Role.OWNER).user == people.teammate


def test_an_owner_renames_it(people: People) -> None:
    client = people.client(people.owner)
    assert client.post(place(people, "rename/"), {"name": "Atelier"}).headers["Location"] == place(people, "#rename")
    page = text_of(client, place(people))
    assert "<h1>Atelier</h1>" in page
    assert "Saved." in page
    assert client.post(place(people, "rename/"), {"name": ""}).status_code == 400


def test_a_workspace_of_many_asks_little(people: People, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for n in range(30):
        workspaces.add_member(
            people.workspace, User.objects.create_user(f"u{n}", f"u{n}@x.org"), Role.EDITOR, people.owner
        )
    client = people.client(people.owner)
    with django_assert_max_num_queries(9):
        assert text_of(client, place(people)).count("/remove/") == 33


def test_a_long_list_of_members_is_read_page_by_page(people: People) -> None:
    many = User.objects.bulk_create(User(username=f"u{n}", email=f"u{n}@x.org") for n in range(60))
    Membership.objects.bulk_create(Membership(workspace=people.workspace, user=user) for user in many)
    client = people.client(people.owner)
    first = text_of(client, place(people))
    more = re.search(r'href="(\?after=\d+)#members"', first)
    assert more
    second = text_of(client, place(people, more[1]))
    seen = re.findall(r'id="member-([^"]+)"', first + second)
    assert len(seen) == len(set(seen)) == 63
    assert "#members" not in second
    assert ">63<" in second
    form = {"role": "viewer", "after": more[1].partition("=")[2]}
    answer = client.post(place(people, f"members/{seen[-1]}/role/"), form)
    assert text_of(client, answer.headers["Location"].partition("#")[0]).count("Saved.") == 1
    for nonsense in ("?after=x", "?after=" + "9" * 30, "?after=²"):
        assert text_of(client, place(people, nonsense)).count('id="member-') == 50


def test_the_page_speaks_french(people: People) -> None:
    User.objects.update(language="fr")
    page = text_of(people.client(people.owner), place(people))
    assert "Membres" in page
    assert "propriétaire" in page
