"""md2conf: a folder of Markdown files as Confluence pages, through API v2."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from md2conf.api import ConfluenceAPI
from md2conf.collection import ConfluencePageCollection, ConfluenceUserCollection
from md2conf.converter import ConfluenceDocument
from md2conf.environment import ConnectionProperties
from md2conf.metadata import ConfluencePageMetadata, ConfluenceSiteMetadata
from md2conf.options import ConfluencePageID, ProcessorOptions
from md2conf.publisher import Publisher

from bench.worker import Convert, Tool, serve


class Md2conf(Tool):
    """As its command line does it: one session a run, the pages' ids in the files."""

    def conversions(self) -> Mapping[str, Convert]:
        kept = tempfile.TemporaryDirectory(prefix="md2conf-")
        folder = Path(kept.name)
        site = ConfluenceSiteMetadata(domain="example.atlassian.net", base_path="/wiki/", space_key="OPS")
        path = folder / "page.md"

        def convert(text: str) -> str:
            (Path(kept.name) / path.name).write_text(text, encoding="utf-8")
            pages = ConfluencePageCollection()
            pages.add(path, ConfluencePageMetadata(page_id="1", space_key="OPS", title="Page", synchronized=True))
            options, users = ProcessorOptions(), ConfluenceUserCollection()
            _, document = ConfluenceDocument.create(path, options, folder, site, pages, users)
            return str(document.xhtml())

        return {"to_storage": convert}

    def open(self, place: Mapping[str, str], folder: Path) -> None:
        host = place["url"].partition("://")[2].partition("/")[0]
        self.folder, self.options = folder, ProcessorOptions(root_page=ConfluencePageID(place["parent"]))
        self.properties = ConnectionProperties(
            api_url=place["url"] + "/",
            domain=host,
            base_path="/confluence/wiki/",
            user_name="bot@example.com",
            api_key=place["token"],
            space_key=place["space"],
        )
        self.files: dict[str, Path] = {}

    def put(self, texts: Mapping[str, str]) -> None:
        """Texts of one call are one folder and one run. What the tool wrote on top of a file, the page's id, is kept."""
        folder = self.folder / ("many" if len(texts) > 1 else "one")
        folder.mkdir(exist_ok=True)
        for title, text in texts.items():
            path = folder / f"{title}.md"
            known = path.read_text(encoding="utf-8") if path.exists() else ""
            head = known[: known.index("# ")] if "# " in known else ""
            path.write_text(head + text, encoding="utf-8")
        with ConfluenceAPI(self.properties) as api:
            Publisher(api, self.options).process(folder)


if __name__ == "__main__":
    serve(Md2conf())
