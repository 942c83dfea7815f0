"""Faults of the answer itself: the transport is in order, what it carries is not."""

import json
from dataclasses import replace

from generation.demo.answer import ARGUMENTS, CONTENT, Answer, Call, Piece, pieces

HUGE = 20_000_000


def empty(answer: Answer, schema: object) -> Answer:
    """A clean finish without a word."""
    return Answer(())


def length(answer: Answer, schema: object) -> Answer:
    """Out of tokens half way."""
    return Answer(_half(answer), "length", answer.calls)


def refusal(answer: Answer, schema: object) -> Answer:
    """The provider's filter steps in after a few words."""
    return Answer(answer.pieces[: len(answer.pieces) // 4], "content_filter", answer.calls)


def nul(answer: Answer, schema: object) -> Answer:
    """NUL characters in the deltas."""
    return _inserted(answer, "\x00", " \x00nul\x00 ")


def surrogate(answer: Answer, schema: object) -> Answer:
    """A lone half of a character, then an emoji whose halves come in two deltas."""
    return _inserted(answer, "\ud83d", " ", "\ud83d", "\ude00", " ")


def huge_event(answer: Answer, schema: object) -> Answer:
    """One token of 20 MB."""
    return _inserted(answer, "x" * HUGE)


def broken_schema(answer: Answer, schema: object) -> Answer:
    """JSON that stops in the middle and calls itself complete."""
    return Answer(_half(answer), "stop", answer.calls)


def bad_schema(answer: Answer, schema: object) -> Answer:
    """Well-formed JSON that the schema refuses: a required field is missing, or the whole has the wrong type."""
    if schema is None or answer.finish != "stop":
        return answer
    value = json.loads(answer.text(CONTENT))
    required = schema.get("required") if isinstance(schema, dict) else None
    if isinstance(value, dict) and required:
        wrong: object = {name: each for name, each in value.items() if name != required[0]}
    else:
        wrong = ["wrong"] if isinstance(value, dict) else {"wrong": value}
    kept = tuple(piece for piece in answer.pieces if piece.kind != CONTENT)
    return replace(answer, pieces=(*kept, *pieces(CONTENT, json.dumps(wrong, ensure_ascii=False))))


def tool_garbage(answer: Answer, schema: object) -> Answer:
    """Half of a tool call's JSON, with a finish reason that denies the call."""
    if answer.calls:
        return Answer(_half(answer), "stop", answer.calls)
    garbage = pieces(ARGUMENTS, '{"value": "half of a str')
    return Answer(tuple(garbage), "stop", (Call("call_garbage", "update_field"),))


def _half(answer: Answer) -> tuple[Piece, ...]:
    return answer.pieces[: max(1, len(answer.pieces) // 2)]


def _inserted(answer: Answer, *texts: str) -> Answer:
    middle = len(answer.pieces) // 2
    kind, _, call = answer.pieces[middle] if answer.pieces else Piece(CONTENT, "")
    foreign = (Piece(kind, text, call) for text in texts)
    return replace(answer, pieces=(*answer.pieces[:middle], *foreign, *answer.pieces[middle:]))
