"""The child's side of an export: it reads the manuscript and lets one format write it."""

import importlib

import orjson

from generation.exports import wire


def main(request: bytes, format: str) -> bytes:
    manuscript = wire.read(orjson.loads(request))
    content: bytes = importlib.import_module(f"generation.exports.{format}").write(manuscript)
    return content
