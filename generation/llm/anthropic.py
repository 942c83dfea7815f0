"""Anthropic's Messages, its own wire format."""

from contextlib import AbstractAsyncContextManager
from typing import Any

from anthropic import AnthropicError, AsyncAnthropic, DefaultAioHttpClient

from generation.llm import messages_request
from generation.llm.chunks import Json
from generation.llm.messages_stream import MessagesReader
from generation.llm.streaming import StreamingAdapter
from generation.llm.values import ModelRequest


class AnthropicMessages(StreamingAdapter[AsyncAnthropic]):
    reader = MessagesReader
    error = AnthropicError

    def connect(self) -> AsyncAnthropic:
        return AsyncAnthropic(
            # Without one, the SDK would look for other credentials in the environment and in files.
            api_key=self.spec.api_key or "-",
            base_url=self.spec.base_url,
            max_retries=0,
            http_client=DefaultAioHttpClient(follow_redirects=False),
            # Spans of its own, which its environment variables can fill with prompts, are none of ours.
            open_telemetry={"traces": False, "propagation": False},
        )

    def body(self, model: str, request: ModelRequest) -> Json:
        return messages_request.body(model, request, self.spec)

    def send(self, client: AsyncAnthropic, wire: Json, **options: Any) -> AbstractAsyncContextManager[Any]:
        messages = client.messages.with_streaming_response
        return messages.create(model=wire["model"], max_tokens=wire["max_tokens"], messages=[], stream=True, **options)
