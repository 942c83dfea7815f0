"""What people write about themselves and their workspaces, checked before a verb takes it."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from memory import users
from memory.models import Role, Theme, User

TAKEN_NAME = _("Somebody has this name already. Choose another one.")
TAKEN_ADDRESS = _("Somebody has signed up with this address already. Sign in instead.")
MANUAL = {"autocapitalize": "none", "spellcheck": "false"}


class Form(forms.Form):
    """`name` tells several forms of one page apart."""

    def __init__(self, *args: Any, name: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.auto_id = f"{name}-%s" if name else "id-%s"


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": _("Name and password do not fit together. Check both; capital letters count."),
        "inactive": _("This account is closed. Ask who keeps this house."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["username"].label = _("User name or email")
        self.fields["username"].widget.attrs |= MANUAL

    def clean_username(self) -> str:
        given = str(self.cleaned_data["username"])
        user = users.with_name(given)
        return user.get_username() if user else given


class SignUpForm(Form):
    username = forms.CharField(label=_("User name"), max_length=150)
    email = forms.EmailField(label=_("Email"), widget=forms.EmailInput({"autocomplete": "email"}))
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        help_text=_("At least 8 characters."),
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].widget.attrs |= {"autocomplete": "username", **MANUAL}

    def clean_username(self) -> str:
        """Without an @: nobody can take the address of somebody else as a name, and stand where they sign in."""
        username = User.normalize_username(str(self.cleaned_data["username"]))
        for check in User._meta.get_field("username").validators:
            check(username)
        if "@" in username:
            raise ValidationError(_("A user name has no @. Choose another one."))
        if User.objects.filter(username__iexact=username).exists():
            raise ValidationError(TAKEN_NAME)
        return username

    def clean_email(self) -> str:
        email = User.objects.normalize_email(str(self.cleaned_data["email"]))
        if User.objects.filter(email__iexact=email).exists():
            raise ValidationError(TAKEN_ADDRESS)
        return email

    def clean(self) -> dict[str, Any]:
        found = self.cleaned_data
        guest = User(username=found.get("username", ""), email=found.get("email", ""))
        try:
            validate_password(found.get("password", ""), guest)
        except ValidationError as error:
            if "password" in found:
                self.add_error("password", error)
        return found


class AboutForm(Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=150,
        required=False,
        help_text=_("As others see it. Without one they see your user name."),
    )
    study_level = forms.CharField(
        label=_("Study level"),
        max_length=100,
        required=False,
        help_text=_("For whom courses are written unless you say otherwise, such as: adult beginner."),
    )


class ReadingForm(Form):
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES, widget=forms.RadioSelect)
    theme = forms.ChoiceField(
        label=_("Theme"),
        choices=[("", _("as your machine has it")), *Theme.choices],
        required=False,
        widget=forms.RadioSelect,
    )


class PasswordForm(Form):
    """The old one is asked for where there is one."""

    old = forms.CharField(
        label=_("Password until now"),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label=_("New password"),
        strip=False,
        help_text=_("At least 8 characters."),
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        if not user.has_usable_password():
            del self.fields["old"]

    def clean_old(self) -> str:
        if not self.user.check_password(self.cleaned_data["old"]):
            raise ValidationError(_("This is not your password."))
        return str(self.cleaned_data["old"])

    def clean_new(self) -> str:
        validate_password(self.cleaned_data["new"], self.user)
        return str(self.cleaned_data["new"])


class TokenForm(Form):
    name = forms.CharField(label=_("What it is for"), max_length=100)
    scopes = forms.ChoiceField(
        label=_("It may"),
        choices=[("read", _("read")), ("read write", _("read and write"))],
        initial="read write",
        widget=forms.RadioSelect,
    )

    def clean_scopes(self) -> list[str]:
        return str(self.cleaned_data["scopes"]).split()


class NameForm(Form):
    name = forms.CharField(label=_("Name"), max_length=200)


class RoleForm(Form):
    role = forms.ChoiceField(label=_("Role"), choices=Role)

    def clean_role(self) -> Role:
        return Role(self.cleaned_data["role"])


class InvitationForm(RoleForm):
    email = forms.EmailField(label=_("Email"), required=False, help_text=_("Only so that you know whom it is for."))

    field_order = ("email", "role")
