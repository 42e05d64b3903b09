"""What fixtures ask that several tests share: recorded once, replayed whichever test comes first."""

from __future__ import annotations

import textwrap

import pytest

from replay_agent.provider.server import serve
from replay_agent.wire.codec import EncodedAnswer

HEAD = """
import os, unittest
import httpx, pytest

def ask(text):
    return httpx.post("{base}/echo", content=text.encode(), headers={{"content-type": "text/plain"}}).text

async def ask_async(text):
    async with httpx.AsyncClient() as client:
        answer = await client.post("{base}/echo", content=text.encode(), headers={{"content-type": "text/plain"}})
    return answer.text
"""
TESTS = """
@pytest.mark.replay
def test_one(prepared, replay):
    assert ask("one") == "ONE"
    assert [request.body for request in replay.requests] == [b"one"]

@pytest.mark.replay
def test_two(prepared, replay):
    assert ask("two") == "TWO"
    assert [request.body for request in replay.requests] == [b"two"]
"""
METHODS = """
    @pytest.mark.replay
    def test_one(self): assert ask("one") == "ONE"

    @pytest.mark.replay
    def test_two(self): assert ask("two") == "TWO"
"""


class Provider:
    def __init__(self):
        self.asked = []
        self.base = ""

    def answer(self, request):
        self.asked.append(request.body.decode())
        return EncodedAnswer(200, (("content-type", "text/plain"),), (request.body.upper(),))


@pytest.fixture
def provider():
    made = Provider()
    with serve(made.answer) as made.base:
        yield made


@pytest.fixture
def write(project, provider):
    """Writes modules that can ask the provider."""

    def write(**modules):
        for name, source in modules.items():
            path = project.path / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_suffix(".py").write_text(HEAD.format(base=provider.base) + textwrap.dedent(source), "utf-8")

    return write


def cassettes(project):
    folder = project.path / "cassettes"
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def passes(project, provider, *arguments, tests=2):
    """Run and find everything replayed: the provider hears nothing."""
    before = len(provider.asked)
    result = project.runpytest(*arguments)
    result.assert_outcomes(passed=tests)
    assert provider.asked[before:] == []
    return result


def fixture(scope, body='return ask("prepare")', more=""):
    return f"@pytest.fixture(scope={scope!r}{more})\ndef prepared(request):\n{textwrap.indent(body, '    ')}\n"


KINDS = {
    "module": (fixture("module") + TESTS, "test_it/fixture-prepared.yaml"),
    "session": (fixture("session") + TESTS, "test_it/fixture-prepared.yaml"),
    "package": (fixture("package") + TESTS, "test_it/fixture-prepared.yaml"),
    "yield": (fixture("module", 'yield ask("prepare")\nassert ask("goodbye") == "GOODBYE"') + TESTS, "test_it/fixture-prepared.yaml"),
    "finalizer": (fixture("module", 'request.addfinalizer(lambda: ask("goodbye"))\nreturn ask("prepare")') + TESTS, "test_it/fixture-prepared.yaml"),
    "class": (
        "class TestIt:\n    @pytest.fixture(scope='class', autouse=True)\n    def prepared(self):\n        ask('prepare')\n"
        + METHODS,
        "test_it/TestIt.fixture-prepared.yaml",
    ),
    "setup_module": ("def setup_module(): ask('prepare')\n@pytest.fixture\ndef prepared(): pass\n" + TESTS, "test_it/fixture-setup_module.yaml"),
    "setup_class": ("class TestIt:\n    @classmethod\n    def setup_class(cls): ask('prepare')\n" + METHODS, "test_it/TestIt.fixture-setup_class.yaml"),
    "setUpClass": (
        "class TestIt(unittest.TestCase):\n    @classmethod\n    def setUpClass(cls): ask('prepare')\n" + METHODS,
        "test_it/TestIt.fixture-setUpClass.yaml",
    ),
    "anyio": (
        """
@pytest.fixture(scope="module", params=["asyncio", "trio"])
def anyio_backend(request): return request.param

@pytest.fixture(scope="module")
async def prepared(anyio_backend):
    await ask_async("prepare")

@pytest.mark.anyio
@pytest.mark.replay
async def test_one(prepared): assert await ask_async("one") == "ONE"

@pytest.mark.anyio
@pytest.mark.replay
async def test_two(prepared): assert await ask_async("two") == "TWO"
""",
        "test_it/fixture-prepared.yaml",
    ),
    "async generator": (
        """
@pytest.fixture(scope="session")
def anyio_backend(): return "asyncio"

@pytest.fixture(scope="session")
async def prepared(anyio_backend):
    yield await ask_async("prepare")
    await ask_async("goodbye")

@pytest.mark.anyio
@pytest.mark.replay
async def test_one(prepared): assert await ask_async("one") == "ONE"

@pytest.mark.anyio
@pytest.mark.replay
async def test_two(prepared): assert await ask_async("two") == "TWO"
""",
        "test_it/fixture-prepared.yaml",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_any_part_of_a_module_replays_in_any_order(project, provider, write, kind):
    source, path = KINDS[kind]
    write(test_it=source)
    tests = 4 if kind == "anyio" else 2
    project.runpytest("--record-mode=once").assert_outcomes(passed=tests)
    assert provider.asked.count("prepare") == 1
    assert path in cassettes(project)
    prefix = "test_it.py::TestIt" if "TestIt." in path else "test_it.py:"
    one, two = f"{prefix}:test_one".replace("TestIt:", "TestIt::"), f"{prefix}:test_two".replace("TestIt:", "TestIt::")
    passes(project, provider, tests=tests)
    passes(project, provider, two, tests=tests // 2)
    if kind != "anyio":  # whose parameter orders the tests
        passes(project, provider, two, one)


def test_tests_on_several_workers_record_and_replay_it(project, provider, write):
    project.makeini("[pytest]\naddopts = -p no:cacheprovider -p no:hypothesispytest\n")
    write(test_it=KINDS["yield"][0])
    project.runpytest_subprocess("-n2", "--dist=each", "--tx=2*popen", "--record-mode=once").assert_outcomes(passed=4)
    assert cassettes(project) == [
        "test_it/fixture-prepared.yaml",
        "test_it/test_one.yaml",
        "test_it/test_two.yaml",
    ]
    provider.asked.clear()
    project.runpytest_subprocess("-n2", "--dist=load").assert_outcomes(passed=2)
    assert provider.asked == []


def test_a_fixture_of_the_session_is_recorded_beside_where_it_is_defined(project, provider, write):
    write(
        tests__conftest=fixture("session"),
        tests__sub__conftest="@pytest.fixture(scope='session')\ndef deeper(): return ask('deeper')\n",
        tests__sub__test_a=TESTS.replace("prepared,", "prepared, deeper,"),
        tests__test_b=TESTS,
    )
    project.runpytest("--record-mode=once").assert_outcomes(passed=4)
    assert provider.asked.count("prepare") == 1
    assert {"fixture-prepared.yaml", "sub/fixture-deeper.yaml"} < set(cassettes(project))
    passes(project, provider, tests=4)
    passes(project, provider, "tests/test_b.py::test_two", tests=1)


def test_a_fixture_of_each_module_is_recorded_in_each_module(project, provider, write):
    write(
        tests__conftest=fixture("module", "return ask(request.module.__name__)"),
        tests__test_a=TESTS,
        tests__test_b=TESTS,
    )
    project.runpytest("--record-mode=once").assert_outcomes(passed=4)
    assert {"test_a/fixture-prepared.yaml", "test_b/fixture-prepared.yaml"} < set(cassettes(project))
    passes(project, provider, "tests/test_b.py")


def test_every_parameter_has_a_cassette_of_its_own(project, provider, write):
    write(
        test_it="""
@pytest.fixture(scope="module", params=["fr", 2, pytest.param(ask, id="function")])
def language(request): return request.param

@pytest.fixture(scope="module", params=[{"a": 1}, {"b": 2}])
def settings(request): return request.param

@pytest.fixture(scope="module")
def prepared(language, settings): return ask(f"{language} {settings}"[:12])

@pytest.mark.replay
def test_one(prepared): ask("one")
"""
    )
    project.runpytest("--record-mode=once").assert_outcomes(passed=6)
    found = [name for name in cassettes(project) if "fixture" in name]
    assert found == [
        f"test_it/fixture-prepared[{one}-settings{two}].yaml" for one in ("2", "ask", "fr") for two in (0, 1)
    ]
    passes(project, provider, tests=6)
    passes(project, provider, "-k", "fr and settings1", tests=1)


NESTED = """
@pytest.fixture(scope="class")
def prepared(): return ask("prepare")

@pytest.mark.replay
class TestOuter:
    @classmethod
    def setup_class(cls): ask("outer")

    def test_one(self, prepared): ask("one")

    class TestInner:
        @classmethod
        def setup_class(cls): ask("inner")

        def test_one(self, prepared): ask("two")

        class TestDeep:
            @pytest.fixture(scope="class")
            def prepared(self): return ask("prepare deep")

            def test_one(self, prepared): ask("three")
"""


@pytest.mark.parametrize(
    ("arguments", "tests"),
    [((), 3), (("-k", "Inner"), 2), (("-k", "Deep"), 1), (("test_it.py::TestOuter::TestInner::test_one",), 1)],
    ids=["all", "inner", "deepest", "one"],
)
def test_what_a_class_hands_on_to_the_classes_within_replays_in_each(project, provider, write, arguments, tests):
    write(test_it=NESTED)
    project.runpytest("--record-mode=once").assert_outcomes(passed=3)
    assert [name for name in cassettes(project) if "fixture" in name] == [
        "test_it/TestOuter.TestInner.TestDeep.fixture-prepared.yaml",
        "test_it/TestOuter.TestInner.fixture-setup_class.yaml",
        "test_it/TestOuter.fixture-prepared.yaml",
        "test_it/TestOuter.fixture-setup_class.yaml",
    ]
    passes(project, provider, *arguments, tests=tests)


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "1")], ids=["alone", "worker"])
def test_what_only_a_fixture_recorded_is_told_at_the_end(project, provider, write, workers):
    write(
        test_it="""
@pytest.fixture(scope="session")
def first(): return ask("first")

@pytest.fixture(scope="module")
def prepared(first):
    yield ask("prepare")
    ask("bye")

@pytest.mark.replay
def test_one(prepared): ...
"""
    )
    result = project.runpytest_subprocess("--record-mode=once", *workers)
    result.stdout.fnmatch_lines("3 answers recorded, 2 cassettes written")
    assert "cassettes written" not in project.runpytest_subprocess(*workers).stdout.str()


def test_parameters_whose_names_meet_have_cassettes_of_their_own(project, provider, write):
    write(
        test_it="""
@pytest.fixture(scope="session", params=["a/b", "a:b", "A-b"])
def prepared(request): return ask("prepare " + request.param)

@pytest.mark.replay
def test_one(prepared): assert ask("one") == "ONE"
"""
    )
    project.runpytest("--record-mode=once").assert_outcomes(passed=3)
    assert len([name for name in cassettes(project) if "fixture" in name]) == 3
    passes(project, provider, tests=3)
    project.runpytest("--record-mode=rewrite", "-k", "A-b").assert_outcomes(passed=1)
    passes(project, provider, tests=3)


def test_a_fixture_that_overrides_another_asks_for_itself(project, provider, write):
    write(
        conftest=fixture("module", 'return ask("outer")'),
        test_it="@pytest.fixture(scope='module')\ndef prepared(prepared): return ask('inner' + prepared)\n" + TESTS,
    )
    project.runpytest("--record-mode=once").assert_outcomes(passed=2)
    assert provider.asked.count("outer") == provider.asked.count("innerOUTER") == 1
    passes(project, provider)
    passes(project, provider, "test_it.py::test_two", tests=1)


def test_a_test_that_is_not_replayed_may_need_it_first(project, provider, write):
    write(test_it=fixture("module") + "def test_plain(prepared): assert prepared == 'PREPARE'\n" + TESTS)
    project.runpytest("--record-mode=once").assert_outcomes(passed=3)
    passes(project, provider, tests=3)
    project.runpytest("test_it.py::test_plain").assert_outcomes(passed=1)  # which nothing makes a replay: live
    assert provider.asked[-1] == "prepare"


def test_fixtures_that_no_replayed_test_needs_are_left_alone(project, provider, write):
    write(
        conftest=fixture("session"),
        test_a="def test_plain(prepared): assert prepared == 'PREPARE'\n",
        test_b=fixture("session", "return ask('other')") + TESTS,
    )
    project.runpytest("--record-mode=once").assert_outcomes(passed=3)
    assert "fixture-prepared.yaml" not in cassettes(project)
    project.runpytest().assert_outcomes(passed=3)
    assert provider.asked.count("prepare") == 2


def test_what_older_cassettes_hold_of_a_fixture_is_replayed(project, provider, write):
    write(test_it="@pytest.fixture\ndef prepared(): return ask('prepare')\n" + TESTS.replace('[b"', '[b"prepare", b"'))
    project.runpytest("--record-mode=once", "test_it.py::test_one").assert_outcomes(passed=1)
    before = cassettes(project)
    write(test_it=fixture("module") + TESTS.replace('[b"one', '[b"prepare", b"one'))
    passes(project, provider, "test_it.py::test_one", tests=1)
    for mode in ("once", "refresh", "new_episodes"):
        passes(project, provider, f"--record-mode={mode}", "test_it.py::test_one", tests=1)
    assert cassettes(project) == before


def test_what_a_fixture_no_longer_asks_is_said_of_the_fixture(project, provider, write):
    write(test_it=fixture("module", 'ask("more")\nreturn ask("prepare")') + TESTS)
    project.runpytest("--record-mode=once").assert_outcomes(passed=2)
    write(test_it=fixture("module") + TESTS)
    result = project.runpytest()
    result.assert_outcomes(passed=2, errors=1)
    assert "1 of 2 recorded interactions was never asked for" in result.stdout.str()
    assert "fixture-prepared.yaml" in result.stdout.str()
    project.runpytest("--replay-unused=ignore").assert_outcomes(passed=2)
    passes(project, provider, "--record-mode=refresh")
    passes(project, provider)


@pytest.mark.parametrize("mode", ["refresh", "new_episodes", "all", "rewrite"])
def test_a_changed_fixture_is_accepted(project, provider, write, mode):
    write(test_it=fixture("module", 'ask("same")\nreturn ask("prepare")') + TESTS)
    project.runpytest("--record-mode=once").assert_outcomes(passed=2)
    write(test_it=fixture("module", 'ask("same")\nreturn ask("changed")') + TESTS)
    result = project.runpytest("test_it.py::test_two")
    result.assert_outcomes(errors=1)
    assert "fixture-prepared.yaml" in result.stdout.str()
    before = len(provider.asked)
    project.runpytest(f"--record-mode={mode}").assert_outcomes(passed=2)
    again = ["same", "changed", "one", "two"] if mode in ("all", "rewrite") else ["changed"]
    assert provider.asked[before:] == again
    passes(project, provider, "--replay-unused=ignore")


def test_a_fixture_that_fails_leaves_what_was_paid_for(project, provider, write):
    write(test_it=fixture("module", 'ask("prepare")\nassert "READY" in os.environ') + TESTS)
    project.runpytest("--record-mode=once").assert_outcomes(errors=2)
    assert not any(name.endswith(".yaml") for name in cassettes(project))
    write(test_it=fixture("module", 'ask("prepare")\nreturn ask("and more")') + TESTS)
    project.runpytest("--record-mode=once").assert_outcomes(passed=2)
    assert provider.asked.count("prepare") == 1
    passes(project, provider)


def test_a_cassette_of_a_fixture_that_is_damaged_is_named(project, provider, write):
    write(test_it=fixture("module") + TESTS)
    project.runpytest("--record-mode=once").assert_outcomes(passed=2)
    (project.path / "cassettes" / "test_it" / "fixture-prepared.yaml").write_text("<html>", "utf-8")
    result = project.runpytest()
    result.assert_outcomes(errors=2)
    assert "is a page of HTML" in result.stdout.str()


def test_time_stands_still_for_a_fixture_as_it_was_recorded(project, provider, write):
    write(
        test_it=fixture("module", "import random, uuid\nreturn ask(f'{uuid.uuid4()} {random.random()}')")
        + TESTS.replace("replay\n", "replay(freeze=['uuid', 'random'])\n")
    )
    project.runpytest("--record-mode=once").assert_outcomes(passed=2)
    passes(project, provider, "test_it.py::test_two", tests=1)
    passes(project, provider, "test_it.py::test_two", "test_it.py::test_one")


def test_what_a_fixture_draws_and_does_not_ask_for_is_the_same_in_any_order(project, provider, write):
    tests = """
@pytest.mark.replay(freeze=["uuid", "random"])
def test_one(prepared): ask(f"one {prepared}")

@pytest.mark.replay(freeze=["uuid", "random"])
def test_two(prepared): ask(f"two {prepared}")
"""
    write(test_it=fixture("module", "import random, uuid\nreturn f'{uuid.uuid4()} {random.random()}'") + tests)
    project.runpytest("--record-mode=once").assert_outcomes(passed=2)
    assert sorted(cassettes(project)) == ["test_it/test_one.yaml", "test_it/test_two.yaml"]
    passes(project, provider, "test_it.py::test_two", tests=1)
    passes(project, provider, "test_it.py::test_two", "test_it.py::test_one")
