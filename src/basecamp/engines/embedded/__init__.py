"""The engine that needs nothing else: one scheduling loop and one warm worker process."""

from basecamp.engines.embedded.engine import EmbeddedEngine

__all__ = ["EmbeddedEngine"]
