"""Experiments: designed, started, watched and decided."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from generation.admin.deciding import ReasonForm, ask, told
from generation.decisions import EXPERIMENT, PROMOTE
from generation.experiments import critics, lifecycle, watching, wording
from generation.experiments.lifecycle import FEWEST_ARMS, MOST_ARMS, ArmIn
from generation.experiments.metrics import METRICS
from generation.models import Arm, Decision, Experiment, ExperimentState, PromptVersion
from memory import sentences
from memory.http import SignedInRequest

VERBS = {"start": lifecycle.start, "pause": lifecycle.pause, "stop": lifecycle.stop}
BEGUN = (
    "title", "prompt", "agent", "unit", "decides", "guarded_by", "minimum", "state", "created_by", "started_at",
    "stopped_at",
)  # fmt: skip


def metrics() -> list[tuple[str, str]]:
    return [(metric.name, wording.title(metric)) for metric in METRICS.values()]


class ExperimentForm(forms.ModelForm):
    metric = forms.ChoiceField(
        label=_("Metric"), choices=metrics, help_text=_("what decides"), widget=UnfoldAdminSelectWidget
    )
    guards = forms.MultipleChoiceField(
        label=_("Guards"),
        choices=metrics,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("what must not get worse"),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if bool(cleaned.get("prompt")) == bool(cleaned.get("agent")):
            self.add_error("prompt", sentences.say("validation.experiment_target", {}))
        cleaned["guards"] = [name for name in cleaned.get("guards", ()) if name != cleaned.get("metric")]
        return cleaned


class ArmForm(forms.ModelForm):
    """A chain is written as a line of models."""

    chain = forms.CharField(
        label=_("Chain"),
        required=False,
        help_text=_("provider:model, separated by commas"),
        widget=UnfoldAdminTextInputWidget,
    )

    def __init__(self, *args: Any, **facts: Any) -> None:
        super().__init__(*args, **facts)
        self.initial["chain"] = ", ".join(self.instance.chain)

    def clean_chain(self) -> list[str]:
        return models_in(self.cleaned_data["chain"])


def models_in(line: str) -> list[str]:
    return [name.strip() for name in line.split(",") if name.strip()]


class ArmInline(TabularInline):
    model = Arm
    form = ArmForm
    fields = ("name", "version", "chain", "share", "is_control")
    autocomplete_fields = ("version",)
    extra = FEWEST_ARMS
    max_num = MOST_ARMS
    verbose_name_plural = _("arms: versions of the prompt, or chains of the agent")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(EXPERIMENT)

    has_change_permission = has_delete_permission = has_view_permission = has_add_permission


class NewArmForm(ReasonForm):
    """For an experiment that has begun."""

    name = forms.SlugField(label=_("Name"), max_length=30)
    share = forms.IntegerField(label=_("Share"), min_value=1, max_value=1_000, initial=1)
    version = forms.ModelChoiceField(PromptVersion.objects.none(), label=_("Version"), required=False)
    chain = forms.CharField(label=_("Chain"), required=False, help_text=_("provider:model, separated by commas"))
    field_order = ("name", "share", "version", "chain", "reason")

    def __init__(self, experiment: Experiment, *args: Any) -> None:
        super().__init__(*args)
        if experiment.prompt_id:
            self.fields["version"].queryset = PromptVersion.objects.filter(prompt=experiment.prompt_id)  # type: ignore[attr-defined]
            del self.fields["chain"]
        else:
            del self.fields["version"]

    def arm(self) -> ArmIn:
        given = self.cleaned_data
        version = given.get("version")
        number = version.number if version else None
        return ArmIn(given["name"], given["share"], number, models_in(given.get("chain", "")))


class ScoreForm(forms.Form):
    answers = forms.IntegerField(
        label=_("Answers of each arm"), min_value=1, max_value=critics.MOST_ANSWERS, initial=20
    )


@admin.register(Experiment)
class ExperimentAdmin(ModelAdmin):
    """A draft is edited; what has begun is watched, and decided with a reason."""

    form = ExperimentForm
    fields = ("title", "prompt", "agent", "unit", "metric", "guards", "minimum")
    list_display = ("title", "target", "state", "unit", "metric", "units", "minimum", "started_at")
    list_filter = ("state",)
    search_fields = ("title", "prompt__slot", "agent__name")
    ordering = ("-id",)
    inlines = (ArmInline,)
    change_form_before_template = "generation/admin/_experiment.html"

    # --- who may

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or bool(request.user.has_perm(EXPERIMENT))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(EXPERIMENT))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_draft = obj is None or obj.state == ExperimentState.DRAFT
        return is_draft and bool(request.user.has_perm(EXPERIMENT))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is not None and not obj.plans and bool(request.user.has_perm(EXPERIMENT))

    # --- what is shown

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.fields if self.has_change_permission(request, obj) else BEGUN

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if self.has_change_permission(request, obj) else BEGUN

    def get_inlines(self, request: HttpRequest, obj: Any) -> tuple[type[TabularInline], ...]:
        return self.inlines if self.has_change_permission(request, obj) else ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Experiment]:
        return super().get_queryset(request).annotate(units=Count("assignments"))

    @admin.display(description=_("units"), ordering="units")
    def units(self, experiment: Any) -> int:
        return int(experiment.units)

    @admin.display(description=_("metric"))
    def decides(self, experiment: Experiment) -> str:
        metric = METRICS.get(experiment.metric)
        return wording.title(metric) if metric else experiment.metric

    @admin.display(description=_("guards"))
    def guarded_by(self, experiment: Experiment) -> str:
        return ", ".join(wording.title(METRICS[name]) for name in experiment.guards if name in METRICS)

    @admin.display(description=_("on"))
    def target(self, experiment: Experiment) -> str:
        return experiment.target

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """For a form that was sent it is locked: who starts it meanwhile waits, or was first, and it is no draft."""
        if request.method == "POST" and (known := as_uuid(object_id)):
            Experiment.objects.select_for_update().filter(pk=known).first()
        return super().get_object(request, object_id, from_field)

    def save_model(self, request: SignedInRequest, experiment: Experiment, form: forms.ModelForm, change: bool) -> None:
        lifecycle.keep(experiment, request.user, [name for name in form.changed_data if name in self.fields])

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # Called by the template only, so that who may not see the experiment has nothing read for them.
        shown = {"watch": lambda: watching.watch(UUID(object_id)), "may_promote": request.user.has_perm(PROMOTE)}
        shown["decisions"] = lambda: told(Decision.objects.filter(experiment=UUID(object_id)), request.user)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    # --- what is decided

    def get_urls(self) -> list[URLPattern]:
        views = (self.decide, self.add_arm, self.decide_arm, self.score)
        decide, add, arm, score = (self.admin_site.admin_view(view) for view in views)
        return [
            path("<uuid:experiment>/arms/add/", add, name="generation_experiment_arm_add"),
            path("<uuid:experiment>/arms/<uuid:arm>/<slug:deed>/", arm, name="generation_experiment_arm"),
            path("<uuid:experiment>/critique/", score, name="generation_experiment_critique"),
            path("<uuid:experiment>/<slug:deed>/now/", decide, name="generation_experiment_decide"),
            *super().get_urls(),
        ]

    def decide(self, request: SignedInRequest, experiment: UUID, deed: str) -> HttpResponse:
        found = get_object_or_404(Experiment, id=experiment)
        verb = get_verb(deed)
        titles = {
            "start": gettext("Start the experiment"),
            "pause": gettext("Pause the experiment"),
            "stop": gettext("Stop the experiment"),
        }
        return ask(
            self,
            request,
            [EXPERIMENT],
            titles[deed],
            lambda reason: verb(found, request.user, reason),
            page_of(found),
            does=found.title,
            warnings=watching.cautions(found, deed),
        )

    def decide_arm(self, request: SignedInRequest, experiment: UUID, arm: UUID, deed: str) -> HttpResponse:
        found = get_object_or_404(Arm.objects.select_related("experiment", "version"), id=arm, experiment=experiment)
        if deed == "close":
            title = gettext("Close the arm {arm}").format(arm=found.name)
            does = gettext("Nobody is given it any more. Who has it gets what is in production, and counts no more.")
            return ask(
                self,
                request,
                [EXPERIMENT],
                title,
                lambda reason: lifecycle.close_arm(found, request.user, reason),
                page_of(found.experiment),
                does=does,
            )
        if deed != "promote":
            raise Http404
        title = gettext("Put {arm} in production and stop the experiment").format(arm=found.name)
        return ask(
            self,
            request,
            [EXPERIMENT, PROMOTE],
            title,
            lambda reason: lifecycle.promote(found, request.user, reason),
            page_of(found.experiment),
            does=given(found),
            warnings=watching.cautions(found.experiment, deed),
        )

    def add_arm(self, request: SignedInRequest, experiment: UUID) -> HttpResponse:
        found = get_object_or_404(Experiment, id=experiment)
        form = NewArmForm(found, request.POST or None)
        return ask(
            self,
            request,
            [EXPERIMENT],
            gettext("Add an arm"),
            lambda reason: lifecycle.add_arm(found, form.arm(), request.user, reason),
            page_of(found),
            form=form,
            does=gettext("It is given to those who come from now on. Who has an arm keeps it."),
        )

    def score(self, request: SignedInRequest, experiment: UUID) -> HttpResponse:
        found = get_object_or_404(Experiment, id=experiment)
        form = ScoreForm(request.POST or None)
        return ask(
            self,
            request,
            critics.RIGHTS,
            gettext("Have answers scored"),
            lambda _: critics.score(found, request.user, form.cleaned_data["answers"]),
            page_of(found),
            form=form,
            does=gettext(
                "A critic reads answers of each arm, drawn at random, without being told which arm gave them. Each is"
                " one call to a model, on your own account. Conversations of others are left out."
            ),
        )


def get_verb(deed: str) -> Any:
    if deed not in VERBS:
        raise Http404
    return VERBS[deed]


def as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def page_of(experiment: Experiment) -> str:
    return reverse("admin:generation_experiment_change", args=[experiment.pk])


def given(arm: Arm) -> str:
    """What an arm gives, in words."""
    return str(arm.version) if arm.version else ", ".join(arm.chain)
