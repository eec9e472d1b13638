"""A working copy of a project, with Git and DVC to be called in it."""

import os
import subprocess
import sys
from pathlib import Path


class Clone:
    """A working copy, with Git and DVC to be called in it."""

    def __init__(self, folder: Path):
        self.folder = folder
        names = {"name": "T", "email": "t@example.org"}
        git = {
            f"GIT_{who}_{k.upper()}": v for who in ("AUTHOR", "COMMITTER") for k, v in names.items()
        }
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DVC_", "GIT_"))}
        self.environment = {**kept, **git, "PATH": path, "DVC_NO_ANALYTICS": "1", "COLUMNS": "200"}

    def call(self, *command: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, *command: str) -> str:
        """What the command prints on stdout; its stderr is the message where it fails."""
        done = self.call(*command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def dvc(self, *arguments: str) -> str:
        return self.run(sys.executable, "-m", "dvc", *arguments)

    def commit(self) -> None:
        self.run("git", "add", "-A")
        self.run("git", "commit", "-qm", "x", "--allow-empty")
