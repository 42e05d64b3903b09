from __future__ import annotations

import pytest

from replay_agent.pytest_plugin.sources import Source

KEY = "OPENAI_API_KEY"


@pytest.fixture
def source(tmp_path):
    def write(text):
        path = tmp_path / "test_it.py"
        path.write_text(text, "utf-8")
        return Source(path)

    return write


@pytest.mark.parametrize(
    "text",
    [
        "@pytest.mark.replay\ndef test_x(): ...",
        "@mark.replay('named')\ndef test_x(): ...",
        "pytestmark = [pytest.mark.slow, pytest.mark.replay(freeze=['uuid'])]",
        "def test_x(replay): ...",
        "class TestX:\n    async def test_x(self, replay): ...",
        "@pytest.fixture\ndef agent(request, replay): ...",
        "pytestmark = pytest.mark.usefixtures('replay')",
        "def pytest_collection_modifyitems(items):\n    for item in items: item.add_marker('replay')",
        "@pytest.fixture\ndef agent(request):\n    request.applymarker(pytest.mark.replay)",
    ],
)
def test_what_uses_the_mark_or_its_fixture(source, text):
    assert source(text).uses(["replay"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# see replay-agent",
        '"""Tests of pytest.mark.replay."""',
        "from replay_agent import Agent",
        "game.replay()",
        "MODE = 'replay'",
        "@pytest.mark.vcr\ndef test_x(): ...",
        "@pytest.mark.replay\ndef test_x(:",
        "replay\x00",
    ],
)
def test_what_does_not(source, text):
    assert not source(text).uses(["replay"])


def test_a_file_that_is_not_there_says_nothing(tmp_path):
    source = Source(tmp_path / "nowhere.py")
    assert not source.uses(["replay"])
    assert source.asked([KEY]) == frozenset()


@pytest.mark.parametrize(
    "text",
    [
        "@pytest.mark.skipif(not os.getenv('OPENAI_API_KEY'), reason='live')\ndef test_x(): ...",
        "live = pytest.mark.skipif('OPENAI_API_KEY' not in os.environ, reason='live')",
        "live = pytest.mark.skipif(os.environ.get('OPENAI_API_KEY') is None, reason='live')",
        "KEY = os.environ.get('OPENAI_API_KEY')\nlive = pytest.mark.skipif(not KEY, reason='live')",
        "KEY: str | None = os.getenv('OPENAI_API_KEY')\nif KEY is None: pytest.skip(allow_module_level=True)",
        "def live(): return os.getenv('OPENAI_API_KEY')\nneeds = pytest.mark.skipif(not live(), reason='live')",
        "NEEDED = ['OPENAI_API_KEY']\nHAVE = all(name in os.environ for name in NEEDED)",
        "HAVE = bool(os.getenv('OPENAI_API_KEY'))",
        "def live(): return os.getenv('OPENAI_API_KEY')\nLIVE = live()\nneeds = pytest.mark.skipif(not LIVE, reason='live')",
        "class TestLive:\n    pytestmark = pytest.mark.skipif(not os.getenv('OPENAI_API_KEY'), reason='live')",
        "def pytest_generate_tests(metafunc):\n    if os.getenv('OPENAI_API_KEY'): ...",
        "KEY = os.getenv('OPENAI_API_KEY') or 'none'",
        "try:\n    KEY = os.environ['OPENAI_API_KEY']\nexcept KeyError:\n    KEY = None",
        "pytestmark = pytest.mark.skipif(\"'OPENAI_API_KEY' not in os.environ\" or not os.getenv('OPENAI_API_KEY'))",
    ],
)
def test_a_key_whose_presence_is_asked_for(source, text):
    assert source(text).asked([KEY, "GROQ_API_KEY"]) == {KEY}


@pytest.mark.parametrize(
    "text",
    [
        "client = OpenAI()",
        "client = OpenAI(api_key=os.environ['OPENAI_API_KEY'])",
        "client = OpenAI(api_key=os.getenv('OPENAI_API_KEY'))",
        "KEY = os.environ['OPENAI_API_KEY']\nif sys.platform == 'win32': ...",
        "def test_x():\n    assert os.environ['OPENAI_API_KEY'] == 'x'",
        "def test_x():\n    if not os.getenv('OPENAI_API_KEY'): pytest.skip()",
    ],
)
def test_a_key_that_is_needed_is_not_asked_for(source, text):
    assert source(text).asked([KEY]) == frozenset()


@pytest.mark.parametrize(
    "text",
    [
        "def test_x(provider):\n    provider.reply('a')",
        "class TestX:\n    async def test_x(self, provider):\n        provider.auto()",
        "import pytest\n@pytest.fixture\ndef rain(provider):\n    provider.refuse(429)",
        "def test_x(*, provider):\n    with x(provider.url): ...",
        "import pytest\n@pytest.fixture\ndef provider(provider):\n    provider.reply('a')\n    return provider",
    ],
)
def test_what_scripts_answers(source, text):
    assert source(text).scripts_answers
    assert not source(text).has_a_provider


@pytest.mark.parametrize(
    "text",
    [
        "def test_x(provider):\n    assert provider == 'openai'",
        "def reply(provider):\n    return provider.name",
        "provider = 1\nprovider.reply",
        "def test_x(providers):\n    providers.reply('a')",
        "def test_x(provider:",
    ],
)
def test_what_only_has_something_of_that_name(source, text):
    assert not source(text).scripts_answers


@pytest.mark.parametrize(
    "text",
    [
        "import pytest\n@pytest.fixture\ndef provider():\n    return Mine()",
        "import pytest\n@pytest.fixture(name='provider')\ndef mine():\n    return Mine()",
        "import pytest\n@pytest.mark.parametrize('provider, model', [])\ndef test_x(provider, model): ...",
        "import pytest\n@pytest.mark.parametrize(['model', 'provider'], [])\ndef test_x(provider, model): ...",
        "def pytest_generate_tests(metafunc):\n    metafunc.parametrize('provider', [])",
    ],
)
def test_what_is_a_provider_of_its_own(source, text):
    assert source(text).has_a_provider
