"""What a learner must not see before answering, and a manuscript without it."""

from dataclasses import replace
from typing import Any

from generation.manuscripts import Block, Exercise, Manuscript, Question

KEYS = {"is_correct", "expected", "explanation"}  # in `Manuscript.data`, at any depth


def withhold(manuscript: Manuscript) -> Manuscript:
    blocks = tuple(withhold_block(block) for block in manuscript.blocks)
    return replace(manuscript, blocks=blocks, data=withhold_data(manuscript.data))


def withhold_block(block: Block) -> Block:
    if not isinstance(block, Exercise):
        return block
    return replace(block, questions=tuple(withhold_question(question) for question in block.questions))


def withhold_question(question: Question) -> Question:
    choices = tuple(replace(choice, is_correct=False) for choice in question.choices)
    return replace(question, choices=choices, expected="", explanation="")


def withhold_data(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: withhold_data(value) for key, value in data.items() if key not in KEYS}
    if isinstance(data, list | tuple):
        return [withhold_data(value) for value in data]
    return data


def has_answers(exercise: Exercise) -> bool:
    return withhold_block(exercise) != exercise
