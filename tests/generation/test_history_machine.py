"""Whatever people, tools and runs do to a document, in whatever order: the history is true, and can be undone.

`HISTORY_EXAMPLES` says how many documents are lived through (`make chaos`: 2 000). Without it every run lives the same
ones.
"""

import os

import pytest

from generation.kinds import KINDS
from generation.models import Document
from tests.generation.histories import BRANCHY, a_course, live, model_of
from tests.generation.scribes import Written
from tests.people import People

EXAMPLES = int(os.environ.get("HISTORY_EXAMPLES", "200"))
# A test of its own for each so many: pytest ends one that takes longer than it may.
AT_ONCE = 100 if "HISTORY_EXAMPLES" in os.environ else EXAMPLES


@pytest.mark.uncounted
@pytest.mark.parametrize("begun", range(0, EXAMPLES, AT_ONCE))
def test_the_history_is_true_whatever_is_done(begun: int, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "course", BRANCHY)
    document = Document.whole().get(id=a_course(people).id)
    live(Written, min(AT_ONCE, EXAMPLES - begun), people=people, document=document, born=model_of(document))
