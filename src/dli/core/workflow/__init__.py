"""Kept import path; see `dli.core.workflow.models`."""
