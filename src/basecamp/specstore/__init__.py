"""Specs of workflows as files: `code/` from Git, `manual/` by registration."""
