"""notionify: Markdown to Notion blocks, and pages brought up to date by a diff of blocks."""

from collections.abc import Mapping
from pathlib import Path

from notionify import NotionifyClient
from notionify.config import NotionifyConfig
from notionify.converter.md_to_notion import MarkdownToNotionConverter

from bench.worker import Convert, Tool, serve


class Notionify(Tool):
    """With its own limit of three requests a second lifted, as the double has none."""

    def conversions(self) -> Mapping[str, Convert]:
        converter = MarkdownToNotionConverter(NotionifyConfig(token="none"))
        return {"to_blocks": converter.convert}

    def open(self, place: Mapping[str, str], folder: Path) -> None:
        self.client = NotionifyClient(token=place["token"], base_url=place["url"] + "/v1", rate_limit_rps=1e6)
        self.parent, self.pages = place["page"], dict[str, str]()

    def put(self, texts: Mapping[str, str]) -> None:
        for title, text in texts.items():
            if title in self.pages:
                self.client.update_page_from_markdown(self.pages[title], text, strategy="diff")
            else:
                self.pages[title] = self.client.create_page_with_markdown(self.parent, title, text).page_id


if __name__ == "__main__":
    serve(Notionify())
