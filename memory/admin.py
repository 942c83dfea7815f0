"""Staff's view of people, workspaces, tokens and files."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import AnonymousUser, Group
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from memory import invitations, sentences, tokens
from memory.models import Change, File, Invitation, Membership, Proposal, Role, Token, User, Workspace


class ReadOnly(ModelAdmin):
    """To look at. Who has the right to change may run the actions, which are verbs; a form would save whole rows."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_change_permission(request)


class ReadOnlyInline(TabularInline):
    extra = 0
    can_delete = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "language", "is_active", "is_staff", "last_login")
    fieldsets = (*(DjangoUserAdmin.fieldsets or ()), (_("Reading"), {"fields": ("language", "study_level")}))
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "email", "usable_password", "password1", "password2")}),
    )

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Staff who may edit users could otherwise give a superuser a new password, and be one."""
        return not is_above(obj, request.user) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return not is_above(obj, request.user) and super().has_delete_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        return () if request.user.is_superuser else ("is_staff", "is_superuser", "groups", "user_permissions")


def is_above(other: User | None, user: User | AnonymousUser) -> bool:
    return other is not None and other.is_superuser and not user.is_superuser


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Django's own, in our look."""


class OneOwner(BaseInlineFormSet):
    """A workspace keeps an owner, whoever changes its members."""

    def clean(self) -> None:
        super().clean()
        rows = Membership.objects.filter(workspace=self.instance, role=Role.OWNER)
        owners = set(rows.values_list("user_id", flat=True))
        for form in self.forms:
            facts = getattr(form, "cleaned_data", {})
            if "user" not in facts:
                continue
            owners -= {form.instance.user_id, form.initial.get("user")}
            if facts["role"] == Role.OWNER and not facts.get("DELETE"):
                owners.add(facts["user"].pk)
        if not owners and not any(self.errors):
            raise ValidationError(sentences.say("conflict.last_owner", {}))


class MembershipInline(TabularInline):
    model = Membership
    formset = OneOwner
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Workspace)
class WorkspaceAdmin(ModelAdmin):
    list_display = ("name", "created_at")
    search_fields = ("name",)
    inlines = (MembershipInline,)


@admin.register(Token)
class TokenAdmin(ReadOnly):
    """Never shows a digest. Tokens are made by `manage.py token`, where the secret is shown to who needs it alone."""

    fields = ("user", "name", "scopes", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_display = ("name", "user", "scopes", "state", "last_used_at", "expires_at")
    list_select_related = ("user",)
    search_fields = ("name", "user__username")
    actions = ("revoke",)

    @admin.display(description=_("state"))
    def state(self, token: Token) -> str:
        return tokens.state(token)

    @admin.action(description=_("Revoke"), permissions=["change"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[Token]) -> None:
        for token in chosen:
            tokens.revoke(token)
            self.log_change(request, token, "revoked")


@admin.register(Invitation)
class InvitationAdmin(ReadOnly):
    """Never shows a digest. Owners invite on the page of their workspace, where the link is shown to them alone."""

    fields = ("workspace", "role", "email", "invited_by", "state", "created_at", "expires_at", "accepted_by")
    list_display = ("workspace", "role", "email", "invited_by", "state", "created_at")
    list_select_related = ("workspace", "invited_by", "accepted_by")
    search_fields = ("workspace__name", "email", "invited_by__username")

    @admin.display(description=_("state"))
    def state(self, invitation: Invitation) -> str:
        return gettext(invitations.state(invitation))


class Record(ReadOnly):
    """What is written once. The values are their people's, and stay out of here."""

    ordering = ("-id",)
    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Change)
class ChangeAdmin(Record):
    fields = (
        "workspace", "root_id", "object_type", "object_id", "version", "path", "author", "user", "run_id", "step",
        "group", "reason", "undoes", "created_at",
    )  # fmt: skip
    list_display = ("created_at", "author", "user", "object_type", "path", "version", "reason", "workspace")
    list_select_related = ("workspace", "user")
    list_filter = ("author", "object_type")
    search_fields = ("=root_id", "=object_id", "=group", "=run_id")
    search_help_text = _("the id of a document, a section, a group or a run")


@admin.register(Proposal)
class ProposalAdmin(Record):
    fields = (
        "workspace", "root_id", "object_type", "object_id", "state", "run_id", "step", "decided_by", "decided_at",
        "created_at",
    )  # fmt: skip
    list_display = ("created_at", "object_type", "step", "state", "decided_by", "workspace")
    list_select_related = ("workspace", "decided_by")
    list_filter = ("state", "object_type")
    search_fields = ("=root_id", "=object_id", "=run_id")
    search_help_text = _("the id of a document, a section or a run")


@admin.register(File)
class FileAdmin(ReadOnly):
    list_display = ("name", "kind", "size", "workspace", "user", "created_at")
    list_select_related = ("workspace", "user")
    list_filter = ("kind",)
    search_fields = ("name", "sha256")
