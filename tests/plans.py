"""Courses that the demo model is told to plan."""

import json
from typing import Any


def outline(chapters: int, **facts: Any) -> dict[str, Any]:
    return {
        "title": "Loops",
        "description": "Loops in Python.",
        "difficulty": "beginners",
        "level_detail": "flash",
        "exercises_per_chapter": 1,
        "evaluation_questions": 2,
        "evaluation_minutes": None,
        "chapters": [{"title": f"Chapter no. {n}", "description": f"It teaches {n}."} for n in range(1, chapters + 1)],
        **facts,
    }


def planned(chapters: int, **facts: Any) -> dict[str, Any]:
    """The rule by which the demo model plans exactly this."""
    return {"contains": "Plan the course.", "content": json.dumps(outline(chapters, **facts))}
