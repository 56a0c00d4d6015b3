from abc import ABC
from contextlib import AbstractContextManager
from pathlib import Path

class BaseDagBundle(ABC):
    supports_versioning: bool
    name: str
    base_dir: Path
    refresh_interval: int
    is_initialized: bool
    def __init__(
        self,
        *,
        name: str,
        refresh_interval: int = ...,
        version: str | None = ...,
        view_url_template: str | None = ...,
    ) -> None: ...
    def initialize(self) -> None: ...
    @property
    def path(self) -> Path: ...
    def get_current_version(self) -> str | None: ...
    def refresh(self) -> None: ...
    def lock(self) -> AbstractContextManager[None]: ...
