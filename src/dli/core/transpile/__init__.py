"""Kept import path; see `dli.core.transpile.models`."""
