"""Chat stands on generation: its tests use the same demo model, carrier and runs."""

from tests.generation.conftest import carrier, demo, demo_process, house, ringing, start

__all__ = ["carrier", "demo", "demo_process", "house", "ringing", "start"]
