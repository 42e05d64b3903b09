from __future__ import annotations

import pytest

from replay_agent.exceptions import CassetteMiss, FallbackExceptionGroup, ModelHTTPError, UserError
from replay_agent.messages import ModelResponse, TextPart
from replay_agent.models.base import ModelRequestParameters
from replay_agent.models.fallback import FallbackModel
from replay_agent.models.function import FunctionModel
from replay_agent.models.test import TestModel
from replay_agent.models.wrapper import WrapperModel
from replay_agent.traffic import Request

pytestmark = pytest.mark.anyio

TEXT = ModelRequestParameters()


def answer(messages, info):
    return ModelResponse([TextPart("yes")])


async def stream(messages, info):
    yield "yes"


def failing(error):
    async def refuse(messages, info):
        raise error

    async def refuse_stream(messages, info):
        raise error
        yield

    return FunctionModel(refuse, stream_function=refuse_stream, model_name="failing")


REFUSED = ModelHTTPError(500, "failing", {"error": "busy"})
WORKING = FunctionModel(answer, stream_function=stream, model_name="working")


async def ask(model):
    response, _ = await model.request([], None, TEXT)
    return response


async def ask_stream(model):
    async with model.request_stream([], None, TEXT) as response:
        async for _ in response:
            pass
        return response.get()


@pytest.fixture(params=[ask, ask_stream], ids=["whole", "stream"])
def asking(request):
    return request.param


async def test_first_model_answers(asking):
    response = await asking(FallbackModel(WORKING, failing(REFUSED)))
    assert (response.parts, response.model_name) == ([TextPart("yes")], "working")


async def test_next_model_answers_for_a_refused_one(asking):
    response = await asking(FallbackModel(failing(REFUSED), failing(REFUSED), WORKING))
    assert response.model_name == "working"


async def test_all_failures_are_told(asking):
    other = ModelHTTPError(429, "other")
    with pytest.raises(FallbackExceptionGroup, match="All models") as caught:
        await asking(FallbackModel(failing(REFUSED), failing(other)))
    assert caught.value.exceptions == (REFUSED, other)


async def test_other_errors_are_raised_at_once(asking):
    with pytest.raises(LookupError, match="mine"):
        await asking(FallbackModel(failing(LookupError("mine")), WORKING))


async def test_classes_choose_the_errors(asking):
    model = FallbackModel(failing(LookupError()), WORKING, fallback_on=(LookupError, ValueError))
    assert (await asking(model)).model_name == "working"
    with pytest.raises(ModelHTTPError):
        await asking(FallbackModel(failing(REFUSED), WORKING, fallback_on=(LookupError,)))


async def test_a_function_chooses_the_errors(asking):
    model = FallbackModel(failing(REFUSED), WORKING, fallback_on=lambda exc: "busy" in str(exc))
    assert (await asking(model)).model_name == "working"


async def test_a_miss_is_never_a_reason_to_fall_back(asking):
    with pytest.raises(CassetteMiss):
        await asking(FallbackModel(failing(CassetteMiss("changed", Request("POST", "http://x"))), WORKING))


async def test_a_begun_stream_does_not_fall_back():
    async def break_off(messages, info):
        yield "half"
        raise REFUSED

    model = FallbackModel(FunctionModel(stream_function=break_off), WORKING)
    with pytest.raises(ModelHTTPError):
        await ask_stream(model)


async def test_errors_of_the_reader_do_not_fall_back():
    with pytest.raises(ModelHTTPError):
        async with FallbackModel(WORKING, WORKING).request_stream([], None, TEXT):
            raise REFUSED


def test_names_tell_all_models():
    model = FallbackModel(WORKING, "test", failing(REFUSED))
    assert model.model_name == "fallback:working,test,failing"
    assert model.system == "fallback:function,test,function"
    assert model.base_url is None
    assert isinstance(model.models[1], TestModel)


class Somewhere(WrapperModel):
    base_url = "https://somewhere"


def test_base_url_is_that_of_the_first():
    assert FallbackModel(Somewhere("test"), WORKING).base_url == "https://somewhere"


def test_unknown_names_are_refused():
    with pytest.raises(UserError, match="Unknown model: nonsense"):
        FallbackModel(WORKING, "nonsense")
