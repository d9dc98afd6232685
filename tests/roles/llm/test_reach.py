"""Whether a server is there is asked before a run begins, and costs nothing."""

from __future__ import annotations

import pytest

from roles.brains.llm.reach import reach
from roles.brains.llm.settings import ModelSettings
from tests.model_server import Wire, serving


@pytest.mark.parametrize("wire", ["openai", "anthropic", "ollama"])
def test_a_server_that_answers_is_reached_and_no_model_is_asked(wire: Wire) -> None:
    with serving() as server:
        assert reach(ModelSettings(wire, "small", server.url(wire)), "key") == ""
        assert server.asked == []
        server.list_status = 404  # servers without a list of models
        assert reach(ModelSettings(wire, "small", server.url(wire)), "key") == ""
        server.list_status = 502
        assert "answers HTTP 502" in reach(ModelSettings(wire, "small", server.url(wire)), "key")


def test_nobody_there_is_said_with_the_address() -> None:
    with serving() as server:
        url = server.url()
    assert (
        reach(ModelSettings("openai", "small", url), "")
        == f"no model server answers at {url} (Connection refused): start it"
    )


def test_a_model_that_ollama_does_not_have_is_said_with_what_to_type() -> None:
    with serving() as server:
        settings = ModelSettings("ollama", "medium", server.url("ollama"))
        assert reach(settings, "") == "Ollama does not have medium: ollama pull medium"


def test_an_address_that_is_none_is_no_crash() -> None:
    assert "no model server answers" in reach(ModelSettings("openai", "m", "http://[::1"), "")
