"""A worker of `worker.py` seen from outside: asked line by line, ended when it takes too long."""

import json
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from bench.environments import ROOT


class Process:
    """One tool's process; `python` is the interpreter that has the tool."""

    def __init__(self, name: str, python: Path, log: Path) -> None:
        self.name = name
        self._log = log.open("w", encoding="utf-8")
        command = [str(python), "-m", f"bench.tools.{name}"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, encoding="utf-8"
        )

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()
        self._log.close()

    def ask(self, patience: float, **asked: Any) -> dict[str, Any]:
        """The answer to one line, or an `error` after so many seconds or when the process is gone."""
        timer = threading.Timer(patience, self._process.kill)
        timer.start()
        try:
            assert self._process.stdin and self._process.stdout
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            timer.cancel()
        found: dict[str, Any] = (
            json.loads(line) if line else {"error": f"no answer within {patience:.0f} s, or the process ended"}
        )
        return found
