from __future__ import annotations

from copy import copy

import pytest

from replay_agent.messages import ModelRequest, TextPart, UserPromptPart
from replay_agent.models.base import ModelRequestParameters
from replay_agent.models.test import TestModel
from replay_agent.models.wrapper import WrapperModel

pytestmark = pytest.mark.anyio

TEXT = ModelRequestParameters()


class Polite(WrapperModel):
    async def request(self, messages, model_settings, model_request_parameters):
        asked = [*messages, ModelRequest([UserPromptPart("please")])]
        return await super().request(asked, model_settings, model_request_parameters)


async def test_everything_is_handed_on():
    model = WrapperModel(TestModel(custom_result_text="hello"))
    response, usage = await model.request([], None, TEXT)
    assert response.parts == [TextPart("hello")]
    assert usage.response_tokens == 1
    async with model.request_stream([], None, TEXT) as stream:
        assert len([event async for event in stream]) == 3


def test_names_and_attributes_are_those_of_the_wrapped():
    model = WrapperModel(TestModel(seed=3))
    assert (model.model_name, model.system, model.base_url) == ("test", "test", None)
    assert model.seed == 3
    with pytest.raises(AttributeError, match="nonsense"):
        model.nonsense  # noqa: B018


def test_a_name_can_be_wrapped():
    assert isinstance(WrapperModel("test").wrapped, TestModel)


def test_a_wrapper_can_be_copied():
    model = WrapperModel(TestModel())
    assert copy(model).wrapped is model.wrapped


async def test_one_thing_can_be_changed():
    _, usage = await Polite("test").request([], None, TEXT)
    assert usage.request_tokens == 51
