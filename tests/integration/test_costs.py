"""What a replayed test may cost, in numbers that no clock and no neighbour changes: calls, imports, files opened."""

from __future__ import annotations

import json

import pytest

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

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(item, nextitem):
        global now
        now = {"opened": [], "imported": [], "ours": 0, "vcr": 0}
        sys.setprofile(called)
        try:
            return (yield)
        finally:
            sys.setprofile(None)
            counted.append(now)
            now = None

    def pytest_sessionfinish():
        Path("counted.json").write_text(json.dumps(counted[SKIPPED:]))
"""
TESTS = """
    import httpx
    import pytest

    client = httpx.Client()

    @pytest.mark.{mark}
    @pytest.mark.parametrize("number", range(6))
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
    "replay": ("replay", "", 0, 1150, 0),
    "vcr": ("vcr", "", 9, 1200, 650),
    "vcr, bodies matched": ("vcr", BODIES_TOO, 9, 1200, 650),
}
"""The mark, what else is in the module, the most imports (of what is not there, and not searched for), and the most calls
of our functions and of vcrpy's in a test of three calls."""


@pytest.fixture
def counted(project, provide, request):
    mark, more, *_ = request.param
    base, _, stop = provide(*["Paris"] * 18)
    project.makepyfile(TESTS.format(mark=mark, base=base, more=more))
    project.runpytest_subprocess("--record-mode=once").assert_outcomes(passed=6)
    stop()
    project.makeconftest(COUNTING)
    project.runpytest_subprocess("--record-mode=none").assert_outcomes(passed=6)
    return json.loads((project.path / "counted.json").read_text()), request.param


@pytest.mark.parametrize("counted", DOORS.values(), ids=DOORS, indirect=True)
def test_a_replayed_test_costs_what_it_did(counted):
    tests, (*_, imports, most_of_ours, most_of_vcrs) = counted
    assert len(tests) == 3
    for test in tests:
        assert test["opened"] == [".yaml"]  # its cassette, once
        assert len(test["imported"]) <= imports
    assert min(test["ours"] for test in tests) <= most_of_ours
    assert min(test["vcr"] for test in tests) <= most_of_vcrs
