"""OpenAI's two wire formats: Chat Completions, for every endpoint that speaks them (OpenAI, Mistral, DeepSeek, Gemini,
Ollama, vLLM, the demo), and Responses, by which its reasoning models show how they reason."""

from contextlib import AbstractAsyncContextManager
from typing import Any

from openai import AsyncOpenAI, DefaultAioHttpClient, OpenAIError

from generation.llm import chat_request, responses_request
from generation.llm.chat_stream import ChatReader
from generation.llm.chunks import Json
from generation.llm.responses_stream import ResponsesReader
from generation.llm.streaming import StreamingAdapter
from generation.llm.values import ModelRequest


class OpenAIAdapter(StreamingAdapter[AsyncOpenAI]):
    error = OpenAIError

    def connect(self) -> AsyncOpenAI:
        return AsyncOpenAI(
            # The SDK insists on a key; endpoints without keys ignore it.
            api_key=self.spec.api_key or "-",
            base_url=self.spec.base_url,
            max_retries=0,
            http_client=DefaultAioHttpClient(follow_redirects=False),
        )


class OpenAIChat(OpenAIAdapter):
    reader = ChatReader

    def body(self, model: str, request: ModelRequest) -> Json:
        return chat_request.body(model, request, self.spec)

    def send(self, client: AsyncOpenAI, wire: Json, **options: Any) -> AbstractAsyncContextManager[Any]:
        completions = client.chat.completions.with_streaming_response
        return completions.create(model=wire["model"], messages=[], stream=True, **options)


class OpenAIResponses(OpenAIAdapter):
    reader = ResponsesReader

    def body(self, model: str, request: ModelRequest) -> Json:
        return responses_request.body(model, request, self.spec)

    def send(self, client: AsyncOpenAI, wire: Json, **options: Any) -> AbstractAsyncContextManager[Any]:
        return client.responses.with_streaming_response.create(model=wire["model"], stream=True, **options)
