"""What fields, sections and choices are called, in the reader's language. One without a word here shows its name."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FIELDS: dict[str, Promise] = {
    "title": _("title"),
    "content": _("text"),
    "text": _("text"),
    "description": _("description"),
    "difficulty": _("difficulty"),
    "level_detail": _("level of detail"),
    "exercises_per_chapter": _("exercises in each chapter"),
    "evaluation_questions": _("questions in each evaluation"),
    "evaluation_minutes": _("minutes for each evaluation"),
    "schema_description": _("what the diagram shows"),
    "diagram_type": _("kind of diagram"),
    "diagram_code": _("code of the diagram"),
    "topic": _("topic"),
    "multi_answers": _("several answers may be right"),
    "questions": _("questions"),
    "answers": _("answers"),
    "is_correct": _("right"),
    "expected": _("what a right answer holds"),
    "explanation": _("explanation"),
    "time_limit": _("time limit in minutes"),
    "cases": _("order of the use cases"),
    "problem": _("problem"),
    "solution": _("solution"),
    "domain": _("domain"),
    "process": _("process"),
    "lead_time": _("lead time"),
    "contact": _("contact"),
    "prerequisites": _("prerequisites"),
    "benefits": _("benefits"),
    "constraints": _("constraints"),
    "metrics": _("measures of success"),
    "risks": _("risks"),
    "next_steps": _("next steps"),
    "data_sources": _("sources of data"),
    "data_objects": _("what the data are about"),
    "value_scores": _("value"),
    "complexity_scores": _("complexity"),
    "value_axes": _("axes of value"),
    "complexity_axes": _("axes of complexity"),
    "axis": _("axis"),
    "rating": _("rating"),
    "justification": _("justification"),
    "weight": _("weight"),
    "levels": _("levels, the lowest first"),
    "name": _("name"),
    "requested_count": _("how many were asked for"),
    "introduction": _("introduction"),
    "analysis": _("analysis"),
    "recommendation": _("recommendation"),
    "synthesis": _("synthesis"),
    "value_threshold": _("value from"),
    "complexity_threshold": _("complexity up to"),
    "industry": _("industry"),
    "size": _("size"),
    "products": _("products"),
    "processes": _("processes"),
    "kpis": _("key figures"),
    "challenges": _("challenges"),
    "objectives": _("objectives"),
    "technologies": _("technologies"),
    "references": _("references"),
    "url": _("address"),
    "excerpt": _("excerpt"),
    "language": _("language"),
    "folder": _("folder"),
    "status": _("status"),
}
SECTIONS: dict[str, Promise] = {
    "section": _("section"),
    "chapter": _("chapter"),
    "lesson": _("lesson"),
    "part": _("part"),
    "exercises": _("exercises"),
    "exercise_block": _("exercise"),
    "evaluation": _("evaluation"),
}
ITEMS: dict[str, Promise] = {
    "questions": _("question"),
    "answers": _("answer"),
    "references": _("reference"),
    "value_axes": _("axis"),
    "complexity_axes": _("axis"),
    "value_scores": _("score"),
    "complexity_scores": _("score"),
}
CHOICES: dict[str, Promise | str] = {
    "flash": _("flash"),
    "standard": _("standard"),
    "detailed": _("detailed"),
    "mermaid": "Mermaid",
    "plantuml": "PlantUML",
    "graphviz": "Graphviz",
    "vegalite": "Vega-Lite",
    "en": "English",
    "fr": "Français",
    "draft": _("draft"),
    "ready": _("ready"),
    "approved": _("approved"),
    "archived": _("archived"),
}


def of_field(name: str) -> str:
    return str(FIELDS.get(name) or name.replace("_", " "))


def of_section(type: str) -> str:
    return str(SECTIONS.get(type) or type.replace("_", " "))


def of_item(name: str) -> str:
    """One of the things that stand in this list."""
    return str(ITEMS.get(name) or of_field(name))


def of_choice(value: object) -> str:
    return str(CHOICES.get(str(value), value))
