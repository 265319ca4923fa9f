"""The files attached to a page, in every edition's API: sent as forms, listed by name, never two of one name on a page."""

from email import message_from_bytes, policy
from mimetypes import guess_type

from providers.sandbox.confluence_call import Call, Json, answer, listing
from providers.sandbox.confluence_records import File, Page, RefusedError
from providers.sandbox.wire import Reply

_EXISTS = "Cannot add a new attachment with same file name as an existing attachment: {}"


def add(call: Call) -> Reply:
    """POST /rest/api/content/{id}/child/attachment: a new file."""
    page, files = _page(call), _files(call)
    for name, _ in files:
        if name in page.files:
            raise RefusedError(400, _EXISTS.format(name))
    return _saved(call, page, files)


def put(call: Call) -> Reply:
    """PUT of the same: a new file, or a new version of the one that is there."""
    return _saved(call, _page(call), _files(call))


def list_v1(call: Call) -> Reply:
    """GET /rest/api/content/{id}/child/attachment, in Data Center."""
    found = _named(call)
    return answer(200, _array(call, found))


def list_v2(call: Call) -> Reply:
    """GET /api/v2/pages/{id}/attachments."""
    page = call.page()
    return listing(call, _named(call), lambda file: file.id, lambda file: _bulk(page, file))


def _page(call: Call) -> Page:
    """The page, to be changed; the anti-forgery header comes first, as for every form."""
    if call.headers.get("x-atlassian-token", "").lower() not in ("no-check", "nocheck"):
        raise RefusedError(403, "XSRF check failed")
    return call.editable()


def _files(call: Call) -> list[tuple[str, bytes]]:
    head = f"Content-Type: {call.headers.get('content-type', '')}\r\n\r\n".encode()
    form = message_from_bytes(head + call.body, policy=policy.HTTP)
    parts = list(form.iter_parts()) if form.is_multipart() else []
    files = [(part.get_filename() or "", part.get_payload(decode=True)) for part in parts if part.get_filename()]
    if not files:
        raise RefusedError(400, "The form has no part with a file")
    return [(name, data if isinstance(data, bytes) else b"") for name, data in files]


def _saved(call: Call, page: Page, files: list[tuple[str, bytes]]) -> Reply:
    for name, data in files:
        known = page.files.get(name)
        number, file_id = (known.number + 1, known.id) if known else (1, f"att{call.site.next_id()}")
        page.files[name] = File(file_id, name, guess_type(name)[0] or "application/octet-stream", data, number)
    return answer(200, _array(call, [page.files[name] for name, _ in files]))


def _named(call: Call) -> list[File]:
    name = call.one("filename")
    return [file for file in call.page().files.values() if name in ("", file.name)]


def _array(call: Call, files: list[File]) -> Json:
    links = {"base": call.site.base_url, "context": "", "self": call.path}
    return {"results": [_content(file) for file in files], "start": 0, "limit": 50, "size": len(files), "_links": links}


def _content(file: File) -> Json:
    told = {"mediaType": file.media, "fileSize": len(file.data), "comment": ""}
    links = {"self": f"/rest/api/content/{file.id}"}
    return {
        "id": file.id,
        "type": "attachment",
        "status": "current",
        "title": file.name,
        "extensions": told,
        "_links": links,
    }


def _bulk(page: Page, file: File) -> Json:
    return {
        "id": file.id,
        "status": "current",
        "title": file.name,
        "pageId": page.id,
        "mediaType": file.media,
        "fileSize": len(file.data),
        "comment": "",
    }


_AT = "/rest/api/content/{}/child/attachment"
DATA_CENTER_ROUTES = (("GET", _AT, list_v1), ("POST", _AT, add))
CLOUD_V1_ROUTES = (("POST", _AT, add), ("PUT", _AT, put))
CLOUD_V2_ROUTES = (("GET", "/api/v2/pages/{}/attachments", list_v2),)
