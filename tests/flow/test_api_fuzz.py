"""The HTTP interface against its own description: whatever is asked, it answers as described, never with a fault of ours."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import booleans

from syncd.api import create_app
from syncd.assembly import Assembly
from syncd.settings_faces import WebSettings
from tests.flow.test_api import Client, built, clock

__all__ = ["built", "clock"]
EXAMPLES = 12  # of each operation
THERE = {
    "ref": "INC-1",
    "key": "FU-1",
    "section": "impact",
    "task": "export_post_mortem",
    "conflict_id": "none",
    "name": "drift",
    "template_id": "lightweight",
}


@pytest.fixture
def fuzzed(built: Assembly) -> Assembly:
    """An installation with a post-mortem, its page, and what else there is to be found."""
    client = Client(create_app(built.app))
    client.json("POST", "/api/v1/incidents/INC-1/postmortem", {"template": "standard", "destination": "folder"}, 201)
    built.app.once()
    return built


def operations(app: Any) -> Iterator[Any]:
    import schemathesis  # here, because it takes a second that no other test needs
    from schemathesis.core.result import Ok

    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        yield found.ok()


def test_the_answers_to_whatever_is_asked_are_as_described(fuzzed: Assembly) -> None:
    from schemathesis import checks

    wanted = [
        checks.not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
    ]
    count = 0
    for operation in operations(create_app(fuzzed.app, settings=WebSettings(public_url="http://testserver"))):

        @seed(1)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(), known=booleans())
        def answers(case: Any, known: bool) -> None:
            if known:  # most names that come to mind are nobody's
                case.path_parameters |= {name: there for name, there in THERE.items() if name in case.path_parameters}
            case.call_and_validate(checks=wanted)

        answers()
        count += 1
    assert count > 40
