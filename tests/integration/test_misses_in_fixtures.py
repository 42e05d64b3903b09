"""A miss wherever pytest runs code for a test: told as pytest's failure, and no hindrance to anybody's cleanup."""

from __future__ import annotations

import textwrap

import pytest

HEAD = """
import asyncio, contextlib, threading, unittest
import anyio, httpx, pytest

CLEANED = []

def ask():
    httpx.post("http://127.0.0.1:9/v1/x", json={})

async def group():
    async with asyncio.TaskGroup() as tasks:
        for _ in range(2):
            tasks.create_task(ask_async())

async def ask_async():
    async with httpx.AsyncClient() as client:
        await client.post("http://127.0.0.1:9/v1/x", json={})

@pytest.fixture
def house():
    yield
    CLEANED.append("house")

@pytest.fixture(scope="module")
def town():
    yield
    CLEANED.append("town")
"""
TESTS = """
@pytest.mark.replay
def test_one(town, house, prepared): pass

@pytest.mark.replay
def test_two(town, house, prepared): pass
"""
METHODS = """
    @pytest.mark.replay
    def test_one(self, town, house): pass

    @pytest.mark.replay
    def test_two(self, town, house): pass
"""
UNITTESTS = """
    @pytest.mark.replay
    def test_one(self): pass

    @pytest.mark.replay
    def test_two(self): pass
"""
NEXT = """
import sys

def test_what_was_cleaned():
    CLEANED = sys.modules["test_it"].CLEANED
    assert {cleaned}
"""


def fixture(scope, body):
    return f"@pytest.fixture(scope={scope!r})\ndef prepared(request):\n{textwrap.indent(body, '    ')}\n{TESTS}"


def run(project, source, cleaned="True"):
    project.makepyfile(test_it=HEAD + source, test_later=NEXT.format(cleaned=cleaned))
    return project.runpytest()


def says_so(result, times=1):
    text = result.stdout.str()
    assert "AssertionError" not in text
    assert "Traceback" not in text
    assert text.count("There is no cassette") >= times
    return text


SETUPS = {
    **{f"{scope} fixture": fixture(scope, "ask()") for scope in ("function", "class", "module", "package", "session")},
    "yield fixture": fixture("module", "ask()\nyield"),
    "group": fixture("module", "asyncio.run(group())"),
    "group, function": fixture("function", "asyncio.run(group())"),
    "swallowed": fixture("module", "with contextlib.suppress(BaseException): ask()"),
    "swallowed before the yield": fixture("session", "with contextlib.suppress(BaseException): ask()\nyield"),
    "wrapped": fixture("module", "try: ask()\nexcept BaseException as e: raise RuntimeError('other') from e"),
    "thread": fixture("module", "t = threading.Thread(target=ask)\nt.start()\nt.join()"),
    "setup_module": "def setup_module(): ask()\n@pytest.fixture\ndef prepared(): pass\n" + TESTS,
    "setup_function": "def setup_function(): ask()\n@pytest.fixture\ndef prepared(): pass\n" + TESTS,
    "setup_class": "class TestIt:\n    @classmethod\n    def setup_class(cls): ask()\n" + METHODS,
    "setup_method": "class TestIt:\n    def setup_method(self): ask()\n" + METHODS,
    "method": "class TestIt:\n    @pytest.fixture(scope='class', autouse=True)\n    def prepared(self): ask()\n"
    + METHODS,
    "setUpClass": "class TestIt(unittest.TestCase):\n    @classmethod\n    def setUpClass(cls): ask()\n" + UNITTESTS,
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("source", SETUPS.values(), ids=SETUPS)
def test_both_tests_are_told_what_the_setup_missed(project, source):
    result = run(project, source)
    result.assert_outcomes(passed=1, errors=2)
    text = result.stdout.str()
    assert "AssertionError" not in text
    assert text.count("There is no cassette") >= 2


@pytest.mark.parametrize("kind", ["", "yield"])
def test_both_tests_are_told_what_an_async_fixture_missed(project, kind):
    source = f"""
@pytest.fixture(scope="module")
def anyio_backend(): return "asyncio"

@pytest.fixture(scope="module")
async def prepared(anyio_backend):
    await ask_async()
    {kind}

@pytest.mark.anyio
@pytest.mark.replay
async def test_one(prepared): pass

@pytest.mark.anyio
@pytest.mark.replay
async def test_two(prepared): pass
"""
    result = run(project, source)
    result.assert_outcomes(passed=1, errors=2)
    says_so(result, times=2)


def test_other_setups_are_left_alone(project):
    source = fixture("module", "raise LookupError('none of ours')")
    result = run(project, source)
    result.assert_outcomes(passed=1, errors=2)
    assert "LookupError: none of ours" in result.stdout.str()


@pytest.mark.parametrize(
    "exception",
    ["pytest.skip('not today')", "pytest.importorskip('nowhere_to_be_found')"],
    ids=["skip", "importorskip"],
)
def test_a_fixture_may_skip(project, exception):
    run(project, fixture("module", exception)).assert_outcomes(passed=1, skipped=2)


CLEAN = "CLEANED.count('house') == 2"
TEARDOWNS = {
    "yield fixture": fixture("function", "yield\nask()"),
    "addfinalizer": fixture("function", "request.addfinalizer(ask)"),
    "two finalizers of one fixture": fixture("function", "request.addfinalizer(ask)\nrequest.addfinalizer(ask)"),
    "finalizer and yield": fixture("function", "request.addfinalizer(ask)\nyield\nask()"),
    "finalizer of the node": fixture("function", "request.node.addfinalizer(ask)"),
    "group": fixture("function", "yield\nasyncio.run(group())"),
    "group in a finalizer": fixture("function", "request.addfinalizer(lambda: asyncio.run(group()))"),
    "teardown_method": "class TestIt:\n    def teardown_method(self): ask()\n" + METHODS,
    "teardown_function": "def teardown_function(): ask()\n@pytest.fixture\ndef prepared(): pass\n" + TESTS,
}


@pytest.mark.parametrize("source", TEARDOWNS.values(), ids=TEARDOWNS)
def test_a_teardown_that_misses_hinders_no_other(project, source):
    result = run(project, source, cleaned=CLEAN)
    result.assert_outcomes(passed=3, errors=2)
    says_so(result, times=2)


def test_finalizers_are_added_by_what_a_fixture_kept_of_its_request(pytester):
    pytester.makepyfile("""
        import gc, pytest

        DONE = []

        @pytest.fixture
        def later(request):
            return request.addfinalizer

        @pytest.mark.replay
        def test_it(later):
            gc.collect()
            later(lambda: later(lambda: DONE.append("second")))
            later(lambda: DONE.append("first"))

        def test_all_were_called():
            assert DONE == ["first", "second"]
    """)
    pytester.runpytest("-p", "no:randomly").assert_outcomes(passed=2)


SHARED = {
    "module": fixture("module", "yield\nask()"),
    "class": "class TestIt:\n    @pytest.fixture(scope='class', autouse=True)\n    def prepared(self):\n        yield\n        ask()\n"
    + METHODS,
    "two finalizers": fixture("session", "request.addfinalizer(ask)\nrequest.addfinalizer(ask)"),
    "swallowed": fixture("module", "yield\nwith contextlib.suppress(BaseException): ask()"),
    "teardown_class": "class TestIt:\n    @classmethod\n    def teardown_class(cls): ask()\n" + METHODS,
    "tearDownClass": "class TestIt(unittest.TestCase):\n    @classmethod\n    def tearDownClass(cls): ask()\n"
    + UNITTESTS,
    "teardown_module": "def teardown_module(): ask()\n@pytest.fixture\ndef prepared(): pass\n" + TESTS,
}


@pytest.mark.parametrize("source", SHARED.values(), ids=SHARED)
def test_the_teardown_of_a_shared_fixture_that_misses_hinders_no_other(project, source):
    result = run(project, source, cleaned="not CLEANED or 'town' in CLEANED")
    result.assert_outcomes(passed=3, errors=1)
    says_so(result)


def test_setup_and_teardown_of_unittest_cases_are_told(project):
    source = """
class TestIt(unittest.TestCase):
    def setUp(self):
        self.addCleanup(CLEANED.append, "cleanup")

    def tearDown(self):
        CLEANED.append("down")
        ask()

    @pytest.mark.replay
    def test_one(self): pass
"""
    result = run(project, source, cleaned="CLEANED == ['down', 'cleanup']")
    result.assert_outcomes(passed=1, failed=1)
    says_so(result)


@pytest.mark.parametrize("expected", ["BaseException", "pytest.fail.Exception"])
def test_who_expects_any_failure_is_told_all_the_same(project, expected):
    source = f"""
@pytest.mark.replay
def test_one():
    with pytest.raises({expected}): ask()
"""
    result = run(project, source)
    result.assert_outcomes(passed=1, failed=1)
    says_so(result)


def test_a_block_that_misses_in_a_fixture_of_a_plain_test_hinders_no_cleanup(project):
    source = """
from replay_agent import use_cassette

@pytest.fixture
def prepared(house):
    with use_cassette("nowhere.yaml"):
        yield
        ask()

def test_one(prepared): pass
"""
    result = run(project, source, cleaned="CLEANED == ['house']")
    result.assert_outcomes(passed=2, errors=1)
    says_so(result)
