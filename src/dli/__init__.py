"""Public names of the `dli` library, loaded on first use."""

__version__ = "0.4.0"
