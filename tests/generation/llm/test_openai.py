"""What the adapter sends and what it reads when all goes well."""

from generation.llm.specs import ProviderSpec
from generation.llm.values import (
    ContentDelta,
    Finish,
    Message,
    ModelRequest,
    ReasoningDelta,
    ToolCall,
    ToolCallDelta,
    ToolCallStart,
    ToolSpec,
    Usage,
    UsageReport,
)
from tests.generation.llm.conftest import REQUEST, Ask
from tests.generation.llm.upstream import DONE, HELLO, USAGE, Upstream, Wire, event, finish, part, whole


async def test_it_yields_text_finish_and_usage(upstream: Upstream, ask: Ask) -> None:
    upstream.streams(*HELLO)
    deltas = [delta async for delta in ask()]
    assert deltas == [ContentDelta("Hello "), ContentDelta("you"), Finish("stop"), UsageReport(Usage(7, 2))]
