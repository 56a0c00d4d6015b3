"""Kept import paths of earlier users; nothing inside the project uses them."""
