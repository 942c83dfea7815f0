"""The pages of staff, as django-unfold has them: our name, mark and style, and what lies where."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


def mark(request: HttpRequest) -> str:
    return static("look/mark.svg")


def own_style(request: HttpRequest) -> str:
    return static("generation/admin.css")


def colours(request: HttpRequest) -> dict[str, object]:
    """They stand in our stylesheet: unfold would write them into a style element of each page."""
    return {"colors": None}


def is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_superuser)


def rows(title: Promise | str, icon: str, model: str, page: str = "changelist", right: str = "") -> dict[str, Any]:
    """An entry of the menu for those who may see the rows, or have the `right`: their list, or a page about them."""
    app, name = model.split(".")

    def may_see(request: HttpRequest) -> bool:
        rights = (f"{app}.view_{name}", f"{app}.change_{name}", right)
        return any(request.user.has_perm(each) for each in rights if each)

    link = reverse_lazy(f"admin:{app}_{name}_{page}")
    return {"title": title, "icon": icon, "link": link, "permission": may_see}


AGENTS = rows(_("Agents"), "support_agent", "generation.agent")
HEALTH = rows(_("Health of models"), "monitor_heart", "generation.agent", "health")


def is_among_agents(request: HttpRequest) -> bool:
    """The health of models lies below the agents, and is an entry of its own."""
    return request.path.startswith(str(AGENTS["link"])) and request.path != str(HEALTH["link"])


MENU = [
    {
        "title": _("Work"),
        "items": [
            rows(_("Runs"), "play_arrow", "generation.run"),
            rows(_("Documents"), "article", "generation.document"),
            rows(_("Changes"), "history", "memory.change"),
            rows(_("Proposals"), "rate_review", "memory.proposal"),
        ],
    },
    {
        "title": _("Models"),
        "items": [
            HEALTH,
            {**AGENTS, "active": is_among_agents},
            rows(_("Prompts"), "edit_note", "generation.prompt"),
            rows(_("Prompt versions"), "difference", "generation.promptversion"),
            rows(_("Experiments"), "science", "generation.experiment", right="generation.run_experiment"),
            rows(_("Decisions"), "gavel", "generation.decision"),
            rows(_("Calls"), "call_made", "generation.call"),
        ],
    },
    {
        "title": _("People"),
        "items": [
            rows(_("Users"), "person", "memory.user"),
            rows(_("Groups"), "group", "auth.group"),
            rows(_("Workspaces"), "workspaces", "memory.workspace"),
            rows(_("Invitations"), "mail", "memory.invitation"),
            rows(_("Tokens"), "key", "memory.token"),
            rows(_("Files"), "description", "memory.file"),
        ],
    },
    {
        "title": _("House"),
        "items": [
            {
                "title": _("Queues of jobs"),
                "icon": "lists",
                "link": reverse_lazy("django_rq:home"),
                "permission": is_superuser,
            }
        ],
    },
]

UNFOLD = {
    "SITE_TITLE": "Scriptorium",
    "SITE_HEADER": "Scriptorium",
    "SITE_ICON": mark,
    "SITE_FAVICONS": [{"rel": "icon", "href": mark}],
    "STYLES": [own_style],
    "GLOBAL_CALLBACK": "config.staff.colours",
    "SIDEBAR": {"navigation": MENU},
}
