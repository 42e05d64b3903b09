"""A project's everyday life: what changes in one, what the terminal says then, and that the command it prints helps.

Each test changes one thing, looks at what is said, pastes the command that is printed as it is, and expects the next plain
run to be green, with no more changed than what was meant.
"""

from __future__ import annotations

import io
import re
import shlex
import subprocess
import sys
import textwrap
from contextlib import redirect_stdout
from datetime import date
from pathlib import Path

import pytest

from replay_agent.cli import main
from tests.integration.everyday_provider import KEY, last_question, providing

pytestmark = pytest.mark.usefixtures("without_anyio")

APP = """
    import os
    import httpx

    SYSTEM = "You are a support agent.\\nAnswer in one sentence."
    MODEL = "gpt-4o"
    BASE = os.environ.get("MODEL_BASE", "{base}")

    def ask(*prompts, **more):
        messages = [{{"role": "system", "content": SYSTEM}}]
        for prompt in prompts:
            messages.append({{"role": "user", "content": prompt}})
            body = {{"model": MODEL, "messages": messages, **more}}
            key = os.environ.get("OPENAI_API_KEY", "")
            with httpx.Client() as client:
                answer = client.post(BASE + "/chat/completions", json=body, headers={{"authorization": "Bearer " + key}})
            if answer.status_code != 200:
                raise RuntimeError(answer.json()["error"]["message"])
            messages.append(answer.json()["choices"][0]["message"])
        return messages[-1]["content"]
"""

TESTS = """
    import pytest
    from app import ask

    @pytest.mark.replay
    def test_order(replay, run_snapshot):
        ask("Where is my order?")
        assert replay == run_snapshot

    @pytest.mark.replay
    def test_refund(replay, run_snapshot):
        ask("May I have a refund?", "Really?")
        assert replay == run_snapshot

    @pytest.mark.replay
    def test_plain():
        assert "hours" in ask("What are your hours?")
"""


class Day:
    """A small project, its provider, and somebody who runs pytest in it and does what it says."""

    def __init__(self, pytester, monkeypatch, provider):
        self.pytester, self.monkeypatch, self.provider = pytester, monkeypatch, provider
        self.path: Path = pytester.path

    def write(self, name, source):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source).lstrip("\n"), "utf-8")

    def edit(self, name, before, after):
        path = self.path / name
        text = path.read_text("utf-8")
        assert before in text
        path.write_text(text.replace(before, after), "utf-8")

    def run(self, *arguments, live=False, apart=False):
        """Run pytest with a key and the provider, or with neither; ``apart`` in a process of its own."""
        with self.monkeypatch.context() as environment:
            if live:
                environment.setenv("OPENAI_API_KEY", KEY)
            asked = len(self.provider.asked)
            environment.delenv(
                "PYTEST_XDIST_WORKER", raising=False
            )  # by which syrupy leaves its summary to the controller
            run = self.pytester.runpytest_subprocess if apart else self.pytester.runpytest
            result = run(*arguments)
            assert live or len(self.provider.asked) == asked
        return result

    def record(self, *arguments):
        self.run("--replay-accept", *arguments, live=True)
        self.green()

    def green(self):
        result = self.run()
        assert result.ret == 0, result.stdout.str()
        return result

    def accept(self, result, *, asks=None):
        """Paste the one command that is printed, and see that the next run is green."""
        (command,) = commands(result)
        before = len(self.provider.asked)
        program, *arguments = shlex.split(command)
        if program == "replay-agent":
            said = self.command(*arguments)
            assert asks == 0
            self.green()
            return said
        accepted = self.run(*arguments, live=True)
        assert accepted.ret == 0, accepted.stdout.str()
        assert asks is None or len(self.provider.asked) - before == asks
        self.green()
        return accepted

    def command(self, *arguments):
        """Run the command line without a finding, and return what it said."""
        with redirect_stdout(io.StringIO()) as said:
            assert main(arguments) == 0
        return said.getvalue()

    def files(self):
        found = [*self.path.glob("cassettes/**/*"), *self.path.glob("**/__snapshots__/**/*")]
        return {
            str(path.relative_to(self.path)): path.read_text("utf-8")
            for path in found
            if path.is_file() and ".replay-agent" not in path.parts
        }


def journals(day):
    return list(day.path.glob("cassettes/.replay-agent/journals/*"))


def commands(result):
    """Return the commands that are printed, each once."""
    lines = (line.strip() for line in result.stdout.lines)
    return list(dict.fromkeys(line for line in lines if re.match(r"(pytest|replay-agent) \S", line)))


def changed(before, after):
    """Return the lines that differ between two states of one file, those that are gone and those that are new."""
    old, new = before.splitlines(), after.splitlines()
    return [line for line in old if line not in new], [line for line in new if line not in old]


@pytest.fixture(scope="module")
def provider():
    with providing() as serving:
        yield serving


@pytest.fixture
def day(project, monkeypatch, provider):
    monkeypatch.syspath_prepend(project.path)
    provider.asked.clear()
    provider.brain = last_question
    made = Day(project, monkeypatch, provider)
    made.write("app.py", APP.format(base=provider.base))
    made.write("tests/test_support.py", TESTS)
    return made


@pytest.fixture(scope="module")
def recordings():
    """What projects have recorded of the provider: equal projects record once, and are found green once."""
    return {}


@pytest.fixture
def recorded(day, recordings):
    return record_once(day, recordings, "support")


def record_once(day, recordings, project):
    if project not in recordings:
        day.record()
        recordings[project] = day.files()
    for name, text in recordings[project].items():
        day.write(name, text)
    return day


def test_a_new_project_is_recorded_and_snapshots_made_in_one_run(day):
    result = day.run()
    result.assert_outcomes(failed=3)
    day.accept(result, asks=4)
    assert len(day.files()) == 5


def test_a_system_prompt(recorded):
    before = recorded.files()
    recorded.edit("app.py", "one sentence", "two sentences")
    result = recorded.run()
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(["*system prompt changed*"])
    accepted = recorded.accept(result, asks=4)
    accepted.stdout.fnmatch_lines(["4 answers recorded, 3 cassettes written*", "3 tests asked anew*means the same*"])
    after = recorded.files()
    assert after.keys() == before.keys()
    for name in before:
        gone, new = changed(before[name], after[name])
        lines = 2 if name.endswith(".yaml") and "refund" in name else 1
        assert len(gone) == len(new) == (2 * lines if name.endswith(".yaml") else 1), (name, gone, new)


def test_a_mistyped_key_is_not_remembered(day):
    with day.monkeypatch.context() as environment:
        environment.setenv("OPENAI_API_KEY", "sk-mistyped-0123456789")
        result = day.pytester.runpytest("--record-mode=once")
    result.assert_outcomes(failed=3)
    assert len(journals(day)) == 3
    assert day.files() == {}
    assert (day.path / "cassettes" / ".replay-agent" / ".gitignore").read_text().endswith("*\n")
    day.record()
    assert not (day.path / "cassettes" / ".replay-agent").exists()


def test_what_a_failed_recording_paid_for_is_taken_up_and_said(day):
    day.edit("tests/test_support.py", '"hours" in', '"minutes" in')
    day.edit(
        "tests/test_support.py",
        'ask("May I have a refund?", "Really?")',
        'ask("May I have a refund?", "Really?"); 1 / 0',
    )
    result = day.run("--record-mode=once", live=True)
    result.assert_outcomes(failed=3)
    assert day.path.joinpath("cassettes/test_support/test_order.yaml").exists()
    assert len(journals(day)) == 2
    day.edit("tests/test_support.py", '"minutes" in', '"hours" in')
    day.edit("tests/test_support.py", "; 1 / 0", "")
    asked = len(day.provider.asked)
    result = day.run("--replay-accept", live=True)
    result.assert_outcomes(passed=3)
    assert len(day.provider.asked) == asked
    result.stdout.fnmatch_lines(["3 answers taken up from an unfinished recording of ??:??*"])
    day.green()
    assert journals(day) == []


def test_a_recording_is_kept_when_only_the_snapshot_differs(recorded):
    recorded.edit("app.py", "one sentence", "two sentences")
    result = recorded.run("--record-mode=refresh", live=True)
    result.assert_outcomes(failed=2, passed=1)
    result.stdout.fnmatch_lines(["*a snapshot differs*"])
    asked = len(recorded.provider.asked)
    named = commands(result)
    assert named == [f"pytest tests/test_support.py::{name} --replay-accept" for name in ("test_order", "test_refund")]
    for command in named:
        assert recorded.run(*shlex.split(command)[1:]).ret == 0
    assert len(recorded.provider.asked) == asked
    recorded.green()


@pytest.mark.parametrize("before", ["ask(", "replay.asked(", "unknown("])
def test_a_test_that_fails_before_it_compares_keeps_its_snapshot(recorded, before):
    files = recorded.files()
    recorded.edit("tests/test_support.py", 'ask("Where is my order?")', f'{before}"Where?")')
    result = recorded.run("--snapshot-update")
    assert result.ret == 1
    assert "unused" not in result.stdout.str()
    assert "deleted" not in result.stdout.str()
    assert recorded.files() == files


def test_a_snapshot_is_not_accepted_of_a_test_that_fails_after_it(recorded):
    recorded.edit("app.py", "one sentence", "two sentences")
    recorded.edit("tests/test_support.py", "assert replay == run_snapshot", "assert replay == run_snapshot; 1 / 0")
    files = recorded.files()
    recorded.run("--replay-accept", "-k", "order or refund", live=True).assert_outcomes(failed=2, deselected=1)
    assert recorded.files() == files


def test_a_new_snapshot(recorded):
    recorded.edit("tests/test_support.py", "def test_plain():", "def test_plain(replay, run_snapshot):")
    recorded.edit(
        "tests/test_support.py", 'What are your hours?")', 'What are your hours?"); assert replay == run_snapshot'
    )
    result = recorded.run()
    result.assert_outcomes(passed=2, failed=1)
    recorded.accept(result, asks=0)


def test_new_snapshots_of_many_tests_are_one_message(eighteen):
    eighteen.pytester.makeini(PLUGINS)
    for name in ("orders", "refunds"):
        for path in eighteen.path.glob(f"tests/__snapshots__/test_{name}/*"):
            path.unlink()
    eighteen.edit("tests/test_refunds.py", "assert replay == run_snapshot", "assert replay == run_snapshot(name='all')")
    result = eighteen.run()
    result.assert_outcomes(passed=6, failed=12)
    assert len(result.stdout.lines) < 40
    assert commands(result) == ["pytest tests/test_orders.py tests/test_refunds.py --replay-accept"]
    assert eighteen.run(*shlex.split(commands(result)[0])[1:]).ret == 0  # without a key, and without a call
    eighteen.green()


def test_a_snapshot_that_differs_is_not_one_that_is_new(recorded):
    order, refund = (
        recorded.path / f"tests/__snapshots__/test_support/test_{name}.run.snap" for name in ("order", "refund")
    )
    order.unlink()
    refund.write_text(refund.read_text("utf-8").replace("Really?", "Surely?"), "utf-8")
    result = recorded.run()
    result.stdout.fnmatch_lines(["*a snapshot differs*"])
    assert "no snapshots" not in result.stdout.str()
    named = [f"pytest tests/test_support.py::test_{name} --replay-accept" for name in ("order", "refund")]
    assert commands(result) == named


def test_an_answer_that_changed_is_shown(recorded):
    recorded.provider.brain = lambda body: "It is on its way."
    recorded.edit("tests/test_support.py", "Where is my order?", "Where is it?")
    result = recorded.run()
    result.assert_outcomes(passed=2, failed=1)
    accepted = recorded.accept(result, asks=1)
    accepted.stdout.fnmatch_lines(["*test_order gets another answer:", "*It is on its way.*"])


MANY = """
    import pytest
    from app import ask

    @pytest.mark.replay
    @pytest.mark.parametrize("number", range({count}))
    def test_many(number, replay, run_snapshot):
        ask(f"Question {{number}}?")
        assert replay == run_snapshot
"""
PLUGINS = "[pytest]\naddopts = -p no:hypothesispytest\npythonpath = .\nfilterwarnings = default\n"


@pytest.fixture
def eighteen(day, recordings):
    """Eighteen tests in three modules."""
    return record_once(three_modules(day, 6), recordings, "eighteen")


@pytest.fixture
def six(day, recordings):
    """Six tests in three modules."""
    return record_once(three_modules(day, 2), recordings, "six")


def three_modules(day, tests):
    day.path.joinpath("tests/test_support.py").unlink()
    for name in ("billing", "orders", "refunds"):
        day.write(f"tests/test_{name}.py", MANY.format(count=tests))
    return day


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_a_shared_prompt_line_is_one_message_for_eighteen_tests(eighteen, workers):
    eighteen.pytester.makeini(PLUGINS)
    eighteen.edit("app.py", "one sentence", "two sentences")
    result = eighteen.run(*workers)
    result.assert_outcomes(failed=18)
    assert len(result.stdout.lines) < 40
    assert result.stdout.str().count("system prompt changed") == 1
    lines = [line for line in result.stdout.lines if not line.startswith(("plugins:", "rootdir:", "    pytest "))]
    assert max(map(len, lines)) <= 80
    assert commands(result) == [
        "pytest tests/test_billing.py tests/test_orders.py tests/test_refunds.py --replay-accept"
    ]
    (command,) = commands(result)
    accepted = eighteen.run(*shlex.split(command)[1:], *workers, live=True)
    accepted.assert_outcomes(passed=18)
    accepted.stdout.fnmatch_lines(["18 answers recorded, 18 cassettes written*", "18 tests asked anew*"])
    eighteen.green()


def test_two_causes_are_two_messages(eighteen):
    eighteen.edit("app.py", "one sentence", "two sentences")
    eighteen.edit("tests/test_orders.py", 'ask(f"Question {number}?")', 'ask(f"Question {number}?", temperature=0.2)')
    result = eighteen.run()
    named = commands(result)
    assert named == [
        "pytest tests/test_billing.py tests/test_refunds.py --replay-accept",
        "pytest tests/test_orders.py --replay-accept",
    ]
    for command in named:
        assert eighteen.run(*shlex.split(command)[1:], live=True).ret == 0
    eighteen.green()


MANY_CAUSES = """
    import pytest
    from app import ask

    @pytest.mark.replay
    @pytest.mark.parametrize("number", range({count}))
    def test_many(number):
        ask(f"Question {{number}}?"{more})
"""


def test_many_tests_that_drift_for_three_causes_are_three_short_messages(day):
    day.pytester.makeini(PLUGINS)
    day.path.joinpath("tests/test_support.py").unlink()
    causes = {"one": (9, ", temperature=0.5"), "two": (8, ", max_tokens=10"), "three": (8, ", top_p=0.5")}
    for name, (count, _) in causes.items():
        day.write(f"tests/test_{name}.py", MANY_CAUSES.format(count=count, more=""))
    day.run("--replay-accept", live=True).assert_outcomes(passed=25)
    for name, (count, more) in causes.items():
        day.write(f"tests/test_{name}.py", MANY_CAUSES.format(count=count, more=more))
    result = day.run()
    result.assert_outcomes(failed=25)
    text = result.stdout.str()
    for setting in ("temperature", "max_tokens", "top_p"):
        assert text.count(f"{setting} was added") == 1
    lines = result.stdout.lines
    first = next(number for number, line in enumerate(lines) if "tests, one cause" in line)
    assert len(lines[first:]) < 30
    assert "to accept all: replay-agent accept --all" in next(line for line in reversed(lines) if "agent" in line)
    assert max(map(len, (line for line in lines[first:] if not line.startswith("    pytest ")))) <= 80
    assert len(commands(result)) == 3


OTHERWISE = {
    "in another module": ("tests/test_zoo.py", "def test_zoo():\n    assert not 1\n", "tests/test_orders.py"),
    "in the module": ("tests/test_orders.py", "def test_zoo():\n    assert not 1\n", "tests/test_orders.py::test_many"),
    "in the module, for another cause": (
        "tests/test_orders.py",
        "@pytest.mark.replay\ndef test_zoo():\n    ask('Question 1?', seed=1)\n",
        "tests/test_orders.py::test_many",
    ),
    "at setup": (
        "tests/test_orders.py",
        "def test_zoo(nowhere): ...\n",
        "tests/test_orders.py::test_many",
    ),
}


@pytest.mark.parametrize("otherwise", OTHERWISE)
def test_the_command_stays_short_beside_tests_that_fail_otherwise(six, otherwise):
    name, source, orders = OTHERWISE[otherwise]
    path = six.path / name
    path.write_text((path.read_text("utf-8") if path.exists() else "") + "\n" + source, "utf-8")
    six.edit("app.py", "one sentence", "two sentences")
    command = f"pytest tests/test_billing.py {orders} tests/test_refunds.py --replay-accept"
    assert command in commands(six.run())
    assert six.run(*shlex.split(command)[1:], live=True).ret == 0


def test_one_parameter_that_fails_otherwise_is_not_named(eighteen):
    eighteen.edit("app.py", "one sentence", "two sentences")
    eighteen.edit("tests/test_orders.py", 'ask(f"Question', 'assert number != 3; ask(f"Question')
    (command,) = commands(eighteen.run())
    names = (f"tests/test_orders.py::test_many[{number}]" for number in (0, 1, 2, 4, 5))
    assert shlex.split(command)[1:-1] == ["tests/test_billing.py", *names, "tests/test_refunds.py"]


def test_a_part_of_the_tests_is_accepted_by_name(eighteen):
    eighteen.edit("app.py", "one sentence", "two sentences")
    result = eighteen.run("-k", "1 or 2 or 3", "tests/test_orders.py")
    (command,) = commands(result)
    assert shlex.split(command) == [
        "pytest",
        *(f"tests/test_orders.py::test_many[{n}]" for n in (1, 2, 3)),
        "--replay-accept",
    ]


def test_the_message_is_in_colour_where_pytest_is(recorded):
    recorded.edit("app.py", "one sentence", "two sentences")
    for arguments in [], ["tests/test_support.py::test_order"]:
        text = recorded.run("--color=yes", *arguments).stdout.str()
        assert "\x1b[32m{+two sentences+}\x1b[0m" in text
        assert "\x1b[31m" not in recorded.run("--color=no", *arguments).stdout.str()


LIVE = """
    import json
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    import httpx
    import pytest
    from app import ask

    class App(BaseHTTPRequestHandler):
        broken = False

        def log_message(self, *args): ...

        def do_POST(self):
            question = json.loads(self.rfile.read(int(self.headers["content-length"])))["question"]
            said = json.dumps({{"answer": ask(question)}}).encode()
            self.send_response(500 if App.broken else 200)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

    @pytest.fixture(scope="{scope}")
    def live():
        class Server(HTTPServer):
            allow_reuse_address = True
            def handle_error(self, request, address): ...
        server = Server(("127.0.0.1", {port}), App)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{{server.server_address[1]}}"
        server.shutdown()
        server.server_close()

    @pytest.mark.replay
    def test_live(live):
        answer = httpx.post(live + "/chat", json={{"question": "Is it open?"}})
        assert answer.status_code == 200
        assert "open" in answer.json()["answer"]

    @pytest.mark.replay
    def test_live_again(live):
        assert httpx.post(live + "/chat", json={{"question": "Is it shut?"}}).status_code == 200
"""


@pytest.mark.parametrize("port", ["free", "fixed"])
def test_an_app_under_test_runs_and_only_the_model_is_recorded(day, free_port, port):
    day.path.joinpath("tests/test_support.py").unlink()
    modules = [f"tests/test_live_{scope}.py" for scope in ("function", "module", "session")]
    for module, scope in zip(modules, ("function", "module", "session"), strict=True):
        day.write(module, LIVE.format(scope=scope, port=free_port if port == "fixed" else 0))

    def edit(before, after):
        for module in modules:
            day.edit(module, before, after)

    day.accept(day.run(), asks=6)
    assert all("/chat/completions" in text and text.count("uri:") == 1 for text in day.files().values())
    edit("broken = False", "broken = True")
    day.run().assert_outcomes(failed=6)
    edit("broken = True", "broken = False")
    edit("ask(question)", "ask(question, seed=1)")
    result = day.run()
    result.assert_outcomes(failed=6)
    result.stdout.fnmatch_lines(["*seed*added*"])
    day.accept(result, asks=6)


@pytest.fixture
def free_port():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_a_base_url_that_is_set_no_more_is_said_as_that(recorded):
    with recorded.monkeypatch.context() as environment:
        environment.setenv("MODEL_BASE", "https://api.openai.com/v1")
        result = recorded.run()
    result.assert_outcomes(failed=3)
    (line,) = {line.strip() for line in result.stdout.lines if "replay_same_hosts =" in line}
    assert line.split(" = ")[1].split() == [recorded.provider.base.removesuffix("/v1"), "https://api.openai.com"]
    recorded.pytester.makeini(f"[pytest]\naddopts = -p no:cacheprovider -p no:xdist\n{line}\n")
    with recorded.monkeypatch.context() as environment:
        environment.setenv("MODEL_BASE", "https://api.openai.com/v1")
        recorded.green()
        recorded.edit("app.py", "one sentence", "two sentences")
        result = recorded.run()
    assert "system prompt changed" in result.stdout.str()
    assert "host" not in result.stdout.str()
    recorded.edit("app.py", "two sentences", "one sentence")
    recorded.green()


def test_a_test_that_was_renamed(recorded):
    recorded.edit("tests/test_support.py", "def test_refund(", "def test_money_back(")
    result = recorded.run()
    result.assert_outcomes(passed=2, failed=1)
    assert commands(result) == [
        "replay-agent mv tests/test_support.py::test_refund tests/test_support.py::test_money_back"
    ]
    before = recorded.files()
    recorded.accept(result, asks=0)
    after = recorded.files()
    assert {name.replace("money_back", "refund") for name in after} == set(before)
    for name, text in after.items():
        gone, new = changed(before[name.replace("money_back", "refund")], text)
        assert len(gone) == len(new) == (4 if "money_back.yaml" in name else 0), (gone, new)


def test_a_module_that_was_moved(six):
    six.path.joinpath("tests/shop").mkdir()
    six.path.joinpath("tests/test_orders.py").rename(six.path / "tests/shop/test_orders.py")
    result = six.run()
    result.assert_outcomes(passed=4, failed=2)
    assert commands(result) == ["replay-agent mv tests/test_orders.py tests/shop/test_orders.py"]
    count = len(six.files())
    six.accept(result, asks=0)
    assert len(six.files()) == count
    assert not six.path.joinpath("tests/__snapshots__/test_orders").exists()


def test_tests_that_were_put_into_a_class(recorded):
    path = recorded.path / "tests/test_support.py"
    head, _, tests = path.read_text("utf-8").partition("@pytest")
    path.write_text(
        head
        + "class TestSupport:\n"
        + textwrap.indent(
            f"@pytest{tests}".replace("(replay", "(self, replay").replace("plain()", "plain(self)"), "    "
        ),
        "utf-8",
    )
    result = recorded.run()
    result.assert_outcomes(failed=3)
    assert commands(result) == ["replay-agent mv tests/test_support.py tests/test_support.py::TestSupport"]
    recorded.accept(result, asks=0)


def test_a_test_that_was_deleted(recorded):
    path = recorded.path / "tests/test_support.py"
    before, _, rest = path.read_text("utf-8").partition("@pytest.mark.replay\ndef test_order")
    path.write_text(before + rest[rest.index("@pytest.mark.replay") :], "utf-8")
    recorded.write("tests/test_broken.py", "import nowhere")
    recorded.write("tests/test_doc.txt", ">>> 1 + 1\n2\n")
    recorded.pytester.makeini("[pytest]\naddopts = --doctest-modules -p no:cacheprovider\n")
    done = subprocess.run(
        [sys.executable, "-m", "replay_agent", "prune", "--delete"], capture_output=True, text=True, check=False
    )
    assert done.stderr == "tests/test_broken.py could not be collected: what it recorded is left alone\n"
    assert "test_order.yaml" in done.stdout
    assert recorded.files().keys() == {
        "cassettes/test_support/test_refund.yaml",
        "cassettes/test_support/test_plain.yaml",
        "tests/__snapshots__/test_support/test_refund.run.snap",
    }
    recorded.path.joinpath("tests/test_broken.py").unlink()
    assert recorded.run(apart=True).ret == 0


@pytest.mark.parametrize(("moved", "workers"), [("renamed", []), ("moved", []), ("into a class", ["-n", "2"])])
def test_snapshots_of_a_test_that_was_renamed_are_not_taken_for_unused(recorded, moved, workers):
    recorded.pytester.makeini(PLUGINS)
    recorded.edit(
        "tests/test_support.py",
        "def test_order(replay, run_snapshot):",
        "def test_order(replay, run_snapshot, snapshot):\n    assert ask('Where is it?') == snapshot",
    )
    recorded.record()
    files = recorded.files()
    path = recorded.path / "tests/test_support.py"
    text = path.read_text("utf-8")
    if moved == "renamed":
        path.write_text(text.replace("def test_order(", "def test_where("), "utf-8")
    elif moved == "moved":
        path.rename(path.with_name("test_desk.py"))
    else:
        head, mark, tests = text.partition("@pytest.mark.replay")
        inner = textwrap.indent(f"{mark}{tests}", "    ").replace("(replay", "(self, replay").replace("()", "(self)", 1)
        path.write_text(f"{head}class TestDesk:\n{inner.replace('test_plain()', 'test_plain(self)')}", "utf-8")
    result = recorded.run("--snapshot-update", *workers, apart=True)
    assert "deleted" not in result.stdout.str()
    assert recorded.files() == files
    (command,) = commands(recorded.run())
    assert command.startswith("replay-agent mv ")
    recorded.command(*shlex.split(command)[1:])
    recorded.green()


@pytest.mark.parametrize(("options", "workers"), [([], []), (["--continue-on-collection-errors"], ["-n", "2"])])
def test_snapshots_of_a_module_that_cannot_be_imported_are_kept(six, workers, options):
    six.pytester.makeini(PLUGINS)
    six.edit("tests/test_orders.py", "import pytest", "import pytest, nowhere_to_be_found")
    files = six.files()
    result = six.run("--snapshot-update", *options, *workers, apart=True)
    assert result.ret != 0
    assert six.files() == files
    six.run("--replay-accept", *options, *workers, apart=True)
    assert six.files() == files


def test_use_cassette_in_a_fixture_follows_the_command_line(day):
    day.write(
        "tests/test_support.py",
        """
        import pytest
        from app import ask
        from replay_agent import use_cassette

        @pytest.fixture(scope="module")
        def greeting():
            with use_cassette("greeting.yaml"):
                yield ask("Hello?")

        def test_greeting(greeting):
            assert "Hello" in greeting
    """,
    )
    assert day.run().ret == 1
    assert day.run("--record-mode=once", live=True).ret == 0
    day.green()
    day.edit("tests/test_support.py", "Hello?", "Hello, who is there?")
    assert day.run().ret == 1
    assert day.run("--replay-accept", live=True).ret == 0
    day.green()


CHANGES = {
    "model": [("app.py", '"gpt-4o"', '"gpt-5"')],
    "temperature": [("tests/test_agent.py", "tools=TOOLS", "tools=TOOLS, temperature=0.2")],
    "tool renamed": [("tests/test_agent.py", '"look_up"', '"find"')],
    "parameter added": [("tests/test_agent.py", '"city": {', '"zip": {"type": "integer"}, "city": {')],
    "tool described": [("tests/test_agent.py", '"name": "look_up"', '"name": "look_up", "description": "Looks up."')],
    "tool added": [
        ("tests/test_agent.py", "TOOLS = [", 'TOOLS = [{"type": "function", "function": {"name": "now"}}, ')
    ],
    "tool removed": [("tests/test_agent.py", ", tools=TOOLS", "")],
    "one turn more": [("tests/test_agent.py", '"And in Oslo?"', '"And in Oslo?", "And in Rome?"')],
    "prompt of a later turn": [("tests/test_agent.py", "And in Oslo?", "And in Bergen?")],
}
NAMED = {
    "model": "*The model changed*",
    "temperature": "*temperature was added*",
    "tool renamed": "The tool look_up was renamed to find since*",
    "parameter added": "*tool look_up changed*",
    "tool described": "*tool look_up changed*",
    "tool added": "*tool now was added*",
    "tool removed": "*tool look_up was removed*",
    "one turn more": "The conversation goes on where the one in * ends: a call more.",
    "prompt of a later turn": "*user prompt*turn 2*changed*",
}
AGENT = """
    import pytest
    from app import ask

    TOOLS = [{"type": "function", "function": {"name": "look_up", "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}}}}]

    @pytest.mark.replay
    def test_weather(replay, run_snapshot):
        ask("How is the weather in Paris?", "And in Oslo?", tools=TOOLS)
        assert replay == run_snapshot
"""


@pytest.fixture
def agent(day, recordings):
    day.path.joinpath("tests/test_support.py").unlink()
    day.write("tests/test_agent.py", AGENT)
    return record_once(day, recordings, "agent")


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_named_and_accepted_by_the_command(agent, change):
    names = agent.files().keys()
    for name, before, after in CHANGES[change]:
        agent.edit(name, before, after)
    result = agent.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([NAMED[change]])
    agent.accept(result, asks=1 if "turn" in change else 2)
    assert agent.files().keys() == names


def test_a_user_id_that_is_made_up_anew_is_said_as_that(agent):
    agent.edit("tests/test_agent.py", "tools=TOOLS", "tools=TOOLS, user=uuid.uuid4().hex")
    agent.edit("tests/test_agent.py", "import pytest", "import pytest, uuid")
    result = agent.run()
    result.stdout.fnmatch_lines(["*is a uuid that was not there before*", "*freeze=('uuid',)*ignore_body=('$.user',)*"])
    agent.edit("tests/test_agent.py", "@pytest.mark.replay", "@pytest.mark.replay(freeze=('uuid',))")
    agent.record()
    agent.green()


def test_many_tests_that_say_the_same_of_themselves_say_it_once(eighteen):
    eighteen.edit("app.py", "one sentence", f"one sentence. Today is {date.today():%Y-%m-%d}")
    eighteen.provider.brain = lambda body: "Yes."
    lines = eighteen.run("--replay-accept", live=True).stdout.lines
    assert len([line for line in lines if "today's date" in line]) == 1
    assert len([line for line in lines if "another answer" in line]) == 6  # to six questions, in three modules each


def test_answers_of_a_test_that_failed_are_said_to_wait(recorded):
    recorded.edit("app.py", "one sentence", "two sentences")
    recorded.edit("tests/test_support.py", 'assert "hours" in', 'assert "minutes" in')
    result = recorded.run("--replay-accept", live=True)
    result.stdout.fnmatch_lines(["1 recording unfinished, for the test failed: *goes on from there*"])


def test_an_address_that_is_no_models_is_named_with_what_changed(day):
    day.write("app.py", LOOKUP.format(base=day.provider.base))
    day.write(
        "tests/test_support.py",
        """
        import pytest
        from app import look_up

        @pytest.mark.replay
        @pytest.mark.parametrize("city", ["Oslo", "Rome"])
        def test_city(city):
            look_up(city)
    """,
    )
    day.provider.brain = lambda body: "rain"
    day.record()
    before = day.files()
    day.edit("app.py", '"days": 1', '"days": 14')
    result = day.run()
    result.stdout.fnmatch_lines(["$.days changed since the cassettes were recorded.", "  POST http*/v1/weather*"])
    day.accept(result, asks=2)
    for name, text in day.files().items():
        gone, new = changed(before[name], text)
        assert not [line for line in (*gone, *new) if "request-id" in line or "ate: " in line], (gone, new)


LOOKUP = """
    import os
    import httpx

    def look_up(city):
        body = {{"city": city, "days": 1, "model": "m"}}
        key = os.environ.get("OPENAI_API_KEY", "")
        httpx.post("{base}/weather", json=body, headers={{"authorization": "Bearer " + key}}).raise_for_status()
"""


def test_one_turn_fewer(agent):
    agent.edit("tests/test_agent.py", ', "And in Oslo?"', "")
    result = agent.run()
    assert result.ret == 1
    agent.accept(result, asks=0)


def test_leftovers_need_no_key(agent):
    agent.edit("tests/test_agent.py", ', "And in Oslo?"', "")
    agent.edit("tests/test_agent.py", "assert replay == run_snapshot", "")
    agent.edit("tests/test_agent.py", "(replay, run_snapshot)", "()")
    next(agent.path.glob("**/*.run.snap")).unlink()
    result = agent.run()
    result.stdout.fnmatch_lines(["*1 of 2 recorded interactions was never asked for*"])
    (command,) = commands(result)
    assert agent.run(*shlex.split(command)[1:]).ret == 0  # without a key, and without a call


def test_a_prompt_that_holds_todays_date(agent):
    agent.edit("app.py", 'SYSTEM = "', 'SYSTEM = "Today is " + os.environ["TODAY"] + ". ')
    with agent.monkeypatch.context() as environment:
        environment.setenv("TODAY", f"{date.today():%Y-%m-%d}")
        result = agent.run("--replay-accept", live=True)
        result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines(["*test_weather sends today's date (????-??-??)*freeze=('clock',)*"])
        environment.setenv("TODAY", "2019-03-04")
        result = agent.run()
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["*was recorded, now it is 2019-03-04*", "*reeze*"])
        agent.accept(result)


def test_calls_at_once_in_another_order(day):
    day.write(
        "tests/test_support.py",
        """
        from concurrent.futures import ThreadPoolExecutor
        import pytest
        from app import ask

        QUESTIONS = [f"Question {n}?" for n in range(4)]

        @pytest.mark.replay
        def test_many():
            with ThreadPoolExecutor(4) as pool:
                assert sorted(pool.map(ask, QUESTIONS)) == [f"You asked: {question}" for question in QUESTIONS]
    """,
    )
    day.record()
    before = day.files()
    day.edit("tests/test_support.py", "pool.map(ask, QUESTIONS)", "pool.map(ask, QUESTIONS[::-1])")
    day.green()
    day.run("--record-mode=refresh")
    assert day.files() == before
    day.edit("app.py", "one sentence", "two sentences")
    result = day.run()
    result.assert_outcomes(failed=1)
    assert result.stdout.str().count("--record-mode=") == 1
    day.accept(result, asks=4)


def test_a_cassette_edited_by_hand(agent):
    path = next(agent.path.glob("cassettes/**/*.yaml"))
    text = path.read_text("utf-8")
    assert "You asked: How is the weather in Paris?" in text
    path.write_text(text.replace("You asked: How is the weather in Paris?", "It rains."), "utf-8")
    result = agent.run()
    result.assert_outcomes(failed=1)
    agent.accept(result)


def test_a_merge_conflict(agent):
    path = next(agent.path.glob("cassettes/**/*.yaml"))
    whole = path.read_text("utf-8")
    path.write_text(
        whole.replace("interactions:\n", "<<<<<<< HEAD\ninteractions:\n=======\ninteractions:\n>>>>>>> other\n"),
        "utf-8",
    )
    result = agent.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*test_weather.yaml:*marks of a merge conflict*"])
    path.write_text(whole, "utf-8")
    agent.green()
    snapshot = next(agent.path.glob("**/*.run.snap"))
    snapshot.write_text("<<<<<<< HEAD\n>>> import os\n" + snapshot.read_text("utf-8"), "utf-8")
    result = agent.run("--doctest-modules")
    result.assert_outcomes(failed=1)
    agent.accept(result, asks=0)


def test_merge_conflicts_in_many_cassettes_are_one_message_and_one_command(eighteen):
    for path in eighteen.path.glob("cassettes/**/*.yaml"):
        path.write_text(path.read_text("utf-8").replace("interactions:", "<<<<<<< HEAD\ninteractions:"), "utf-8")
    result = eighteen.run()
    result.assert_outcomes(errors=18)
    assert len(result.stdout.lines) < 40
    assert commands(result) == [
        "pytest tests/test_billing.py tests/test_orders.py tests/test_refunds.py --record-mode=rewrite --replay-accept"
    ]
    assert eighteen.run(*shlex.split(commands(result)[0])[1:], live=True).ret == 0
    eighteen.green()


def test_a_branch_where_the_prompt_is_another(agent):
    files = agent.files()
    agent.edit("app.py", "one sentence", "two sentences")
    agent.record()
    agent.edit("app.py", "two sentences", "one sentence")
    for name, text in files.items():
        agent.path.joinpath(name).write_text(text, "utf-8")
    agent.green()


def test_another_generation_of_the_client_changes_nothing(agent):
    agent.edit(
        "app.py",
        "httpx.Client()",
        'httpx.Client(http2=False, headers={"user-agent": "new/2", "x-stainless-lang": "x"})',
    )
    agent.green()
    before = agent.files()
    agent.run("--replay-accept").assert_outcomes(passed=1)
    assert agent.files() == before


def test_a_failing_test_changes_nothing(agent):
    before = agent.files()
    agent.edit("tests/test_agent.py", "assert replay", "assert not replay.messages; assert replay")
    agent.run("--replay-accept").assert_outcomes(failed=1)
    assert agent.files() == before


def test_a_fixture_of_a_module_that_asks(day):
    day.write(
        "tests/test_support.py",
        """
        import pytest
        from app import ask

        @pytest.fixture(scope="module")
        def summary():
            return ask("Summarise.")

        @pytest.mark.replay
        def test_length(summary):
            assert len(summary) > 3

        @pytest.mark.replay
        def test_tone(summary):
            assert "not" not in summary
    """,
    )
    day.accept(day.run(), asks=1)
    day.edit("app.py", "one sentence", "two sentences")
    result = day.run()
    assert result.stdout.str().count("system prompt changed since the cassettes were recorded") == 1
    day.accept(result, asks=1)


def test_snapshots_of_other_kinds_move_with_a_renamed_test(day):
    day.write(
        "tests/test_support.py",
        """
        import pytest
        from syrupy.extensions.json import JSONSnapshotExtension
        from app import ask

        @pytest.mark.replay
        def test_order(snapshot):
            answer = ask("Where is my order?")
            assert answer == snapshot
            assert answer == snapshot(name="named")
            assert {"said": answer} == snapshot.use_extension(JSONSnapshotExtension)
    """,
    )
    day.record()
    day.edit("tests/test_support.py", "test_order", "test_whereabouts")
    before = day.files()
    day.accept(day.run(), asks=0)
    after = day.files()
    assert {name.replace("whereabouts", "order") for name in after} == set(before)
    assert after["tests/__snapshots__/test_support.ambr"].count("test_whereabouts") == 2


def test_a_cassette_that_was_deleted(agent):
    files = agent.files()
    next(agent.path.glob("cassettes/**/*.yaml")).unlink()
    result = agent.run()
    result.stdout.fnmatch_lines(["*There is no cassette*"])
    agent.accept(result, asks=2)
    assert agent.files().keys() == files.keys()


def test_a_parameter_of_the_test_that_is_another(six):
    six.edit("tests/test_orders.py", "range(2)", "[0, 17]")
    result = six.run()
    result.assert_outcomes(passed=5, failed=1)
    (command,) = commands(result)
    assert six.run(*shlex.split(command)[1:], live=True).ret == 0
    # The snapshot of the test that is gone is syrupy's to tell: it says which option deletes it.
    # In a process of its own, since syrupy reports for one session in a process.
    result = six.run(apart=True)
    result.stdout.fnmatch_lines(["*1 snapshot unused*", "*--snapshot-update to delete*"])
    assert six.run("--snapshot-update", apart=True).ret == 0
    six.green()
