"""What a replayed test may cost, in numbers that no clock and no neighbour changes: calls, imports, files opened."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.usefixtures("without_anyio")

COUNTING = """
    import json, sys
    from pathlib import Path
    import pytest

    OURS, VCR = "/replay_agent/", "/vcr/"
    SKIPPED = 3
    counted = []
    now = None

    def audited(event, args):
        if now is None:
            return
        if event == "open" and str(args[0]).endswith((".yaml", ".py", ".pyc")):
            now["opened"].append(Path(str(args[0])).suffix)
        elif event == "import":
            now["imported"].append(args[0])

    sys.addaudithook(audited)

    def called(frame, event, arg):
        if event == "call":
            place = frame.f_code.co_filename
            now["ours"] += OURS in place
            now["vcr"] += VCR in place and OURS not in place
            if OURS in place or VCR in place:
                name = frame.f_code.co_name
                now["functions"][name] = now["functions"].get(name, 0) + 1
        elif event == "c_call" and arg.__name__ in ("stat", "lstat"):
            now["looked"] += 1
        elif event == "c_call" and arg.__name__ in ("putenv", "unsetenv"):
            now["environ"] += 1

    # As many plugins have one. It might ask for a key between two tests, and does not.
    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol():
        return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call():
        global now
        sys.setprofile(None)
        if now is not None:
            counted.append(now)
        now = {"opened": [], "imported": [], "ours": 0, "vcr": 0, "looked": 0, "environ": 0, "functions": {}}
        sys.setprofile(called)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish():
        global now
        sys.setprofile(None)
        now = None
        Path("counted.json").write_text(json.dumps(counted[SKIPPED:]))
"""
TESTS = """
    import httpx
    import pytest

    client = httpx.Client()

    @pytest.mark.{mark}
    @pytest.mark.parametrize("number", range(7))
    def test_three_calls(number):
        for turn in range(3):
            body = {{"model": "gpt-4o", "messages": [{{"role": "user", "content": f"Question {{number}}, {{turn}}"}}]}}
            assert client.post("{base}/v1/chat/completions", json=body).json()["choices"]

    {more}
"""
BODIES_TOO = """
    @pytest.fixture(scope="module")
    def vcr_config():
        return {"match_on": ["method", "uri", "body"]}
"""

DOORS = {
    "replay": ("replay", "", 0, 450, 0),
    "vcr": ("vcr", "", 0, 750, 160),
    "vcr, bodies matched": ("vcr", BODIES_TOO, 0, 780, 160),
}
"""The mark, what else is in the module, the most imports (of what is not there, and not searched for), and the most calls
of our functions and of vcrpy's in a test of three calls."""
HOT = {
    "replay": {
        "serves": 1,  # who listens, at the first address on this machine
        "fingerprint": 3,  # one for each request
        "choice_of": 0,  # by headers, of a request that is spelled as it was recorded
        "mark_names": 2,  # of the test, and of the next
        "closest": 1,
        "_of_head": 0,  # what a digest begins with, for one client
        "is_loopback": 0,
        "_hook": 0,  # of a client, which is in its place
        "usual_response": 3,
        "transcribed": 0,  # the lines of an answer of another form than those before it
        "below": 0,  # an answer read line by line
        "_anew": 0,  # one that differs in some lines from one of its shape
        "is_free": 1,  # by one socket for IPv4 and IPv6
        "_asked_of_the_kernel": 0,  # who else listens
        "setting_up": 0,  # a value of parametrize, which is no fixture to surround
        "origin": 0,  # of an address that was asked before
        "host_of": 0,
        "gethostname": 0,
        "parse": 1,  # of the cassette
        "_read_from_the_tables": 0,  # of the system
        "_merged": 0,  # the options of one mark
        "former_folder": 0,  # of one module
        "read_block": 0,  # an answer read the long way
        "read_yaml": 0,
        "canonical_url": 0,  # a key computed by meaning
        "command_of": 0,  # said where something failed
        "learn": 0,  # secrets
        "label_among": 0,  # what a parameter is called, of which no shared fixture depends
        "_own": 0,  # whose interactions they are, where none is left
    },
    "vcr": {
        "read_dumped": 1,
        "read_yaml": 0,
        "requests_match": 0,
        "_body_diff": 0,
        "_get_transformers": 0,  # how to read a body, by headers that were seen before
        "_transform_json": 0,  # of bodies that are recorded as they are sent
        "_from_dict": 0,
        "_build_patcher": 0,  # what the test before left behind serves again
        "_transform": 0,
        "deepcopy": 0,
    },
}
"""By mark, how often a function of that name is called at most in a replayed test: of ours, and of vcrpy's."""
MOST_SET = 4
"""Variables of the environment that are set or removed: what pytest says of the phase it is in, and no keys."""
MOST_LOOKS = 4
"""Files that are asked for their state: the cassette, and the test's module, by pytest."""


@pytest.fixture
def counted(project, provide, request):
    mark, more, *_ = request.param
    base, _, stop = provide(*["Paris"] * 21)
    project.makepyfile(TESTS.format(mark=mark, base=base, more=more))
    project.runpytest_subprocess("--record-mode=once").assert_outcomes(passed=7)
    stop()
    project.makeconftest(COUNTING)
    project.runpytest_subprocess("--record-mode=none", "-p", "no:timeout").assert_outcomes(passed=7)
    return json.loads((project.path / "counted.json").read_text()), request.param


@pytest.mark.parametrize("counted", DOORS.values(), ids=DOORS, indirect=True)
def test_a_replayed_test_costs_what_it_did(counted):
    tests, (mark, _, imports, most_of_ours, most_of_vcrs) = counted
    assert len(tests) == 3
    for test in tests:
        assert test["opened"] == [".yaml"]  # its cassette, once
        assert len(test["imported"]) <= imports
    assert min(test["ours"] for test in tests) <= most_of_ours
    assert min(test["vcr"] for test in tests) <= most_of_vcrs
    for name, most in HOT[mark].items():
        assert max(test["functions"].get(name, 0) for test in tests) <= most, name
    assert min(test["looked"] for test in tests) <= MOST_LOOKS
    assert min(test["environ"] for test in tests) <= MOST_SET


RINGS = """
    import gc, weakref
    import httpx
    import pytest

    client = httpx.Client()
    seen = []

    @pytest.mark.parametrize("number", range(3))
    def test_call(replay, number):
        gc.disable()
        seen.append(weakref.ref(replay.recording))
        body = {{"model": "gpt-4o", "messages": [{{"role": "user", "content": f"Question {{number}}"}}]}}
        assert client.post("{base}/v1/chat/completions", json=body).json()["choices"]

    def test_nothing_of_them_is_left_for_the_collector():
        gc.enable()
        assert [recording() for recording in seen] == [None] * 3
"""


def test_a_replayed_test_leaves_no_ring_of_references(project, provide):
    base, _, stop = provide(*["Paris"] * 3)
    project.makepyfile(RINGS.format(base=base))
    project.runpytest_subprocess("--record-mode=once")
    stop()
    project.runpytest_subprocess("--record-mode=none", "-p", "no:randomly").assert_outcomes(passed=4)
