"""md2cf: Markdown files as Confluence pages through API v1, which only Data Center has left."""

import sys
from collections.abc import Mapping
from pathlib import Path

import md2cf.__main__ as md2cf

from bench.worker import Tool, serve


class Md2cf(Tool):
    """By its command line, with `--only-changed`."""

    def open(self, place: Mapping[str, str], folder: Path) -> None:
        self.folder = folder
        self.arguments = ["--host", place["url"] + "/rest/api/", "--token", place["token"], "--space", place["space"]]
        self.arguments += ["--parent-id", place["parent"], "--only-changed", "--output", "minimal", "--max-retries", "0"]

    def put(self, texts: Mapping[str, str]) -> None:
        files = [self.folder / f"{title}.md" for title in texts]
        for path, text in zip(files, texts.values(), strict=True):
            path.write_text(text, encoding="utf-8")
        sys.argv = ["md2cf", *self.arguments, *map(str, files)]
        try:
            md2cf.main()
        except SystemExit as ended:
            if ended.code:
                raise


if __name__ == "__main__":
    serve(Md2cf())
