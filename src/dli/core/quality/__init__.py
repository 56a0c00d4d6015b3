"""Kept import path; see `dli.core.quality.models`."""
