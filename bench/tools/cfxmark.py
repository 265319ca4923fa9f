"""cfxmark: converts between Markdown and Confluence storage, publishes nothing."""

from collections.abc import Mapping

import cfxmark

from bench.worker import Convert, Tool, serve


class Cfxmark(Tool):
    """By its two functions."""

    def conversions(self) -> Mapping[str, Convert]:
        return {"to_storage": cfxmark.to_cfx, "from_storage": cfxmark.to_md}


if __name__ == "__main__":
    serve(Cfxmark())
