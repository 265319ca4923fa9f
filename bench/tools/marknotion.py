"""marknotion: Markdown to Notion blocks; a page is brought up to date by erasing it and appending all."""

from collections.abc import Mapping
from pathlib import Path

import notion_client
from marknotion import NotionClient, markdown_to_blocks

from bench.worker import Convert, Tool, serve


class Marknotion(Tool):
    """It has no setting for the service's address, so its client is exchanged for the same one with another address."""

    def conversions(self) -> Mapping[str, Convert]:
        return {"to_blocks": markdown_to_blocks}

    def open(self, place: Mapping[str, str], folder: Path) -> None:
        self.client = NotionClient(token=place["token"])
        self.client.client = notion_client.Client(auth=place["token"], base_url=place["url"])
        self.parent, self.pages = place["page"], dict[str, str]()

    def put(self, texts: Mapping[str, str]) -> None:
        for title, text in texts.items():
            if title in self.pages:
                self.client.update_page_content_from_markdown(self.pages[title], text)
            else:
                self.pages[title] = self.client.create_child_page_from_markdown(self.parent, title, text)["id"]


if __name__ == "__main__":
    serve(Marknotion())
