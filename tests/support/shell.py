"""A terminal with a project as its working directory, for tests that use real processes."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import canary

__all__ = ["Shell"]


@dataclass(frozen=True)
class Shell:
    directory: Path
    home: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    patience_s: float = 100

    @property
    def environment(self) -> dict[str, str]:
        """What the machine has set for itself must not decide a test."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DLI_", "BASECAMP_"))}
        path = os.pathsep.join((str(Path(sys.executable).parent), kept.get("PATH", "")))
        kept |= {"PATH": path, "HOME": str(self.home), "NO_COLOR": "1"}
        return {**kept, **canary.ENVIRONMENT, **self.variables}

    @property
    def state(self) -> dict[str, Any]:
        """What the running Basecamp wrote about itself."""
        state: dict[str, Any] = json.loads((self.directory / ".dli" / "basecamp.json").read_text())
        return state

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            words,
            cwd=self.directory,
            env=self.environment | variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=self.patience_s,
        )
        assert canary.found_in(done.stdout + done.stderr) == set(), words
        return done

    def dli(self, *words: str, status: int = 0) -> str:
        """Its stdout, after checking its exit code."""
        done = self.run("dli", *words)
        assert done.returncode == status, f"dli {' '.join(words)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.dli(*words, "--format", "json"))
