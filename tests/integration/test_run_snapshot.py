"""`run_snapshot` in whole sessions: sections, masks, several in a test, what a difference looks like, what is kept."""

from __future__ import annotations

import os
import re

import pytest

TESTS = """
    import pytest
    from replay_agent import Agent
    from replay_agent.models.test import TestModel

    def run(answer="It rains in Oslo.", system="Be kind.\\nAnswer in one sentence."):
        agent = Agent(TestModel(custom_result_text=answer), system_prompt=system)
        return agent.run_sync("Weather?")

    def test_whole(run_snapshot):
        assert run() == run_snapshot
"""


@pytest.fixture
def tests(project):
    project.makepyfile(test_it=TESTS)
    assert project.runpytest("--snapshot-update").ret == 0
    return project


def edit(project, before, after):
    path = project.path / "test_it.py"
    text = path.read_text("utf-8")
    assert before in text
    then = (
        path.stat().st_mtime + 2
    )  # what was compiled is known by its second and its size, both of which may be the same
    path.write_text(text.replace(before, after), "utf-8")
    os.utime(path, (then, then))


def files(project):
    return {path.name: path.read_text("utf-8") for path in project.path.glob("__snapshots__/**/*") if path.is_file()}


def test_a_difference_is_told_by_message(tests):
    edit(tests, "one sentence", "two sentences")
    result = tests.runpytest()
    result.stdout.fnmatch_lines(
        [
            "*assert run == snapshot test_whole.run.snap",
            "*the run is another than in its snapshot*",
            "__snapshots__/test_it/test_whole.run.snap",
            "turn 1, system:",
            "    Answer in [[]-one sentence-]{+two sentences+}.",
            "*a snapshot differs*",
            "    pytest test_it.py::test_whole --replay-accept",
        ]
    )
    lines = result.stdout.lines
    assert max(len(line) for line in lines if not line.startswith(("rootdir", "plugins", "E ", "FAILED"))) <= 80


@pytest.mark.parametrize(("option", "coloured"), [("yes", True), ("no", False)])
def test_it_is_in_colour_where_pytest_is(tests, option, coloured):
    edit(tests, "one sentence", "two sentences")
    assert ("\x1b[32m{+two sentences+}\x1b[0m" in tests.runpytest(f"--color={option}").stdout.str()) is coloured


def test_it_is_told_across_workers(tests):
    tests.makeini("[pytest]\naddopts = -p no:cacheprovider -p no:hypothesispytest\n")
    edit(tests, "one sentence", "two sentences")
    tests.runpytest("-n", "1").stdout.fnmatch_lines(["    Answer in [[]-one sentence-]{+two sentences+}."])


def test_what_is_printed_accepts_it_also_where_nothing_is_recorded(tests):
    edit(tests, "one sentence", "two sentences")
    before = files(tests)
    (command,) = {line.strip() for line in tests.runpytest().stdout.lines if line.strip().startswith("pytest ")}
    assert tests.runpytest(*command.split()[1:]).ret == 0
    assert files(tests) != before
    assert tests.runpytest().ret == 0


def test_a_snapshot_that_is_not_there_is_told(tests):
    edit(tests, "test_whole", "test_other")
    tests.runpytest().stdout.fnmatch_lines(["*Snapshot 'test_other' does not exist!*"])


@pytest.mark.parametrize("failing", ["1 / 0; ", "pytest.fail('no'); ", "pytest.skip('no'); "])
def test_a_test_that_ends_before_it_compares_keeps_its_snapshot(tests, failing):
    before = files(tests)
    edit(tests, "assert run()", f"{failing}assert run()")
    tests.runpytest("--snapshot-update")
    assert files(tests) == before


@pytest.mark.parametrize("raising", ["fixture", "import"])
def test_a_test_that_never_begins_keeps_its_snapshot(tests, raising):
    before = files(tests)
    if raising == "fixture":
        edit(
            tests,
            "def test_whole(",
            "@pytest.fixture\n    def broken(): 1 / 0\n\ndef test_whole(broken, ".replace("    def", "def"),
        )
    else:
        tests.makepyfile(test_other="def test_fine(): pass")
        edit(tests, "import pytest", "import pytest, nowhere")
    tests.runpytest("--snapshot-update", "--continue-on-collection-errors")
    assert files(tests) == before


SEVERAL = """
    def test_several(run_snapshot):
        assert run() == run_snapshot(usage=False, name="said")
        assert run("Other.") == run_snapshot(messages=False, result=False, name="spent")
        assert run("Third.") == run_snapshot(mask="$.messages[*].content")
        assert run("Fourth.") == run_snapshot
"""


def test_sections_and_masks_are_of_one_comparison(tests):
    tests.makepyfile(test_it=TESTS + SEVERAL)
    assert tests.runpytest("--snapshot-update").ret == 0
    made = files(tests)
    sections = {name: re.findall("== (.*) ==", text) for name, text in made.items()}
    assert sections == {
        "test_whole.run.snap": ["messages", "result", "usage"],
        "test_several.said.run.snap": ["messages", "result"],
        "test_several.spent.run.snap": ["usage"],
        "test_several.2.run.snap": ["messages", "result", "usage"],
        "test_several.3.run.snap": ["messages", "result", "usage"],
    }
    assert "<masked>" in made["test_several.2.run.snap"]
    assert "Fourth." in made["test_several.3.run.snap"]
    assert tests.runpytest().ret == 0


def test_the_ini_file_says_it_for_all(project):
    project.makepyfile(test_it=TESTS.replace("run_snapshot\n", "run_snapshot(usage=True)\n") + SEVERAL)
    ini = project.path / "tox.ini"
    ini.write_text(
        ini.read_text("utf-8").rstrip()
        + "\nreplay_snapshot_without = result usage\nreplay_snapshot_mask =\n    $.messages[0].content\n"
    )
    assert project.runpytest("--snapshot-update").ret != 0  # messages=False leaves nothing
    ini.write_text(ini.read_text("utf-8").replace("result usage", "result"))
    assert project.runpytest("--snapshot-update").ret == 0
    made = files(project)
    assert re.findall("== (.*) ==", made["test_whole.run.snap"]) == ["messages", "usage"]
    assert made["test_several.3.run.snap"].count("<masked>") == 1
    assert project.runpytest().ret == 0


@pytest.mark.parametrize("words", ["mask='content'", "mask=['$.a[?]']", "messages=False, result=False, usage=False"])
def test_words_that_make_no_sense_fail_the_test(tests, words):
    edit(tests, "== run_snapshot", f"== run_snapshot({words})")
    result = tests.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*UserError*"])


def test_plain_values_are_syrupys_and_stay_so(project):
    project.makepyfile(
        test_it=TESTS
        + """
    def test_values(snapshot):
        result = run()
        assert result.data == snapshot
        assert [part.content for message in result.all_messages() for part in message.parts] == snapshot
    """
    )
    assert project.runpytest("--snapshot-update").ret == 0
    assert project.runpytest().ret == 0
    edit(project, "It rains", "It snows")
    project.runpytest("-k", "values").stdout.fnmatch_lines(["*It rains*", "*It snows*"])


NEW = {
    "by a model of its own": ("", "assert run('Hello.') == run_snapshot"),
    "by a script": (
        "",
        "provider.reply('Hello.'); import httpx; httpx.post('{url}', json=BODY); assert run('Hello.') == run_snapshot",
    ),
    "by nobody, though it is marked": ("@pytest.mark.replay", "assert run('Hello.') == run_snapshot"),
    "as recorded": (
        "@pytest.mark.replay",
        "import httpx; httpx.post('{url}', json=BODY); assert run() == run_snapshot",
    ),
}
TWO_NEW = """
BODY = {{"model": "gpt-4o", "messages": [{{"role": "user", "content": "Hello?"}}]}}

{mark}
@pytest.mark.parametrize("number", range(2))
def test_new({fixtures}, number):
    {body}
"""


@pytest.mark.parametrize("answered", NEW)
def test_only_what_is_recorded_is_said_to_be(project, provide, answered):
    base, _, _ = provide("Hello.", "Hello.")
    mark, body = NEW[answered]
    fixtures = "run_snapshot, provider" if "script" in answered else "run_snapshot"
    url = f"{base}/v1/chat/completions"
    new = TWO_NEW.format(mark=mark, body=body.format(url=url), fixtures=fixtures)
    project.makepyfile(test_it=TESTS.replace("\n    ", "\n") + new)
    text = project.runpytest("--record-mode=once", "-k", "new").stdout.str()
    assert "2 tests, one cause" in text
    assert ("is recorded" in text) == (answered == "as recorded")


def test_one_of_several_snapshots_that_is_new_is_not_said_to_be_the_only_one(project):
    one = "assert run() == run_snapshot"
    two = f"{one}; assert run('No.') == run_snapshot(name='second')"

    def write(body):
        new = TWO_NEW.format(mark="", body=body, fixtures="run_snapshot")
        project.makepyfile(test_it=TESTS.replace("\n    ", "\n") + new)

    write(one)
    assert project.runpytest("--snapshot-update").ret == 0
    write(two)
    text = project.runpytest("-k", "new").stdout.str()
    assert "2 tests, one cause" in text
    assert "There are no snapshots" not in text
    assert "snapshots that are not there yet" in text
