"""The documentation held to the code: its examples run, and what it names exists."""

from __future__ import annotations

import ast
import gc
import importlib
import inspect
import json
import re
import tomllib
import warnings
from pathlib import Path

import pytest
from pydantic import BaseModel
from sybil.document import Document
from sybil.parsers.myst import PythonCodeBlockParser

import replay_agent.pytest_plugin.watched
import replay_agent.report.snapshots.extension  # noqa: F401
from replay_agent import Agent, cli, exceptions
from replay_agent.cli.reading.show import show
from replay_agent.harness import Run
from replay_agent.messages import ModelRequest, ToolCallPart, ToolReturnPart
from replay_agent.models.providers import PROVIDERS
from replay_agent.provider.script import Script
from replay_agent.provider.server import serve
from replay_agent.pytest_plugin.diagnosis.session import look
from replay_agent.wire.registry import CODECS

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = sorted((ROOT / "docs").glob("*.md"))
EVERYTHING = (README, *PAGES)
CASSETTE = ROOT / "cassettes" / "test_run_parameters" / "test_result_type.yaml"

AGENT_OF_THE_READER = """
def my_agent_on_any_sdk(prompt):
    from replay_agent import Agent

    agent = Agent("openai:gpt-4o")

    @agent.tool_plain
    def get_weather(city: str) -> str:
        return "rain"

    return agent.run_sync(prompt).data
"""
"""What the README leaves to its reader."""


def examples(page):
    return list(Document.parse(str(page), PythonCodeBlockParser()).examples())


def are_tests(page):
    return any("\ndef test_" in f"\n{example.parsed}".replace("async def", "def") for example in examples(page))


def text(page):
    return page.read_text("utf-8")


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text(page), re.DOTALL | re.MULTILINE)


def rows(page, title):
    """Return the cells of the table whose head begins with a title."""
    lines = text(page).split(f"\n| {title} |", 1)[1].splitlines()[2:]
    end = next((number for number, line in enumerate(lines) if not line.startswith("|")), len(lines))
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[:end]]


def code(cell):
    return re.findall(r"`([^`]+)`", cell)


COOKBOOK = ROOT / "docs" / "cookbook.md"
WITH_EXAMPLES = [page for page in EVERYTHING if examples(page) and page != COOKBOOK]
SCRIPTS = [page for page in WITH_EXAMPLES if not are_tests(page)]
OF_TESTS = [page for page in WITH_EXAMPLES if are_tests(page)]

# --- examples ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", SCRIPTS, ids=lambda page: page.stem)
def test_the_examples_of_a_page_run_one_after_the_other(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    for example in examples(page):
        example.evaluate()


class City(BaseModel):
    name: str
    country: str


def speak(call):
    """Say what the examples expect of a model, whichever of them asks."""
    tools = [tool.name for tool in call.tools]
    asked = call.messages[-1]
    if "final_result" in tools:
        return City(name="Paris", country="France")
    if isinstance(asked, ModelRequest) and any(isinstance(part, ToolReturnPart) for part in asked.parts):
        return "It will."
    return ToolCallPart("get_weather", {"city": "Oslo"}) if "get_weather" in tools else "Paris"


@pytest.fixture(scope="module")
def imported():
    """What inner sessions import, imported before: pytester forgets modules that come later, and yaml loads only once."""
    for name in ("yaml", "openai"):
        importlib.import_module(name)


@pytest.mark.usefixtures("imported")
@pytest.mark.parametrize("page", OF_TESTS, ids=lambda page: page.stem)
def test_the_tests_of_a_page_are_recorded_and_replayed(page, pytester, monkeypatch):
    pytester.makeini("[pytest]\naddopts = -p no:cacheprovider -p no:hypothesispytest -p no:xdist\n")
    sources = [example.parsed for example in examples(page)]
    pytester.makepyfile(
        **{
            f"test_example_{number}": "\n\n".join([AGENT_OF_THE_READER, *sources[: number + 1]])
            for number in range(len(sources))
        }
    )
    with serve(Script([speak] * 20).answer) as base:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{base}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
        recorded = pytester.runpytest("--record-mode=once", "--snapshot-update")
    assert recorded.ret == 0
    monkeypatch.delenv("OPENAI_API_KEY")
    replayed = pytester.runpytest()
    assert replayed.ret == 0
    assert replayed.parseoutcomes()["passed"] >= len(sources)


RECIPES = {
    re.search(r"(?s:.*)^## (.+)$", text(COOKBOOK)[: each.start], re.MULTILINE)[1]: each for each in examples(COOKBOOK)
}


def missing_in(source):
    """Return why something that a recipe imports is not to be had here: recipes are for libraries that nobody has all of."""
    imports = [ast.unparse(node) for node in ast.parse(source).body if isinstance(node, ast.Import | ast.ImportFrom)]
    try:
        with warnings.catch_warnings(action="ignore"):
            exec("\n".join(imports), {})
    except ImportError as exc:
        return f"{type(exc).__name__}: {exc}"
    return ""


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import os\nimport no_such_library", "no_such_library"),
        ("from no_such_library.within import Client", "no_such_library"),
        ("import json.no_such_module", "no_such_module"),
        ("from json import no_such_name", "no_such_name"),
        ("from json import loads\nimport pytest", ""),
        ("def test_it():\n    import no_such_library", ""),
    ],
)
def test_a_recipe_is_skipped_for_what_is_not_installed_or_too_old(source, reason):
    missing = missing_in(source)
    assert bool(missing) == bool(reason)
    assert reason in missing


@pytest.mark.usefixtures("imported")
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # recipes leave clients open, as people do
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_is_recorded_and_replayed(recipe, pytester, monkeypatch):
    source = RECIPES[recipe].parsed
    missing = missing_in(source)
    if missing:
        pytest.skip(missing)
    pytester.makeini(
        "[pytest]\naddopts = -p no:cacheprovider -p no:hypothesispytest -p no:xdist\nfilterwarnings = default\n"
    )
    pytester.makepyfile(test_recipe=source)
    with serve(Script([speak] * 20).answer) as base:
        for variable, value in {"OPENAI_BASE_URL": f"{base}/v1", "ANTHROPIC_BASE_URL": base}.items():
            monkeypatch.setenv(variable, value)
        for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
            monkeypatch.setenv(variable, "not-a-key")
        recorded = pytester.runpytest("--replay-accept")
    assert recorded.ret == 0, recorded.stdout.str()
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(variable)
    replayed = pytester.runpytest()
    assert replayed.ret == 0, replayed.stdout.str()
    assert list(pytester.path.glob("cassettes/test_recipe/*.yaml"))
    gc.collect()  # here, where what was left open may be told


RECIPES_WANTED = {
    *("pydantic-ai", "OpenAI", "Anthropic", "LangGraph", "litellm", "LlamaIndex", "MCP"),
    *("A FastAPI app", "unittest", "A monorepo", "pre-commit"),
}


def titles(page):
    return re.findall(r"^#{2,} (.+)$", text(page), re.MULTILINE)


def anchors(page):
    """Return what a title is linked by: ``A FastAPI app`` by ``a-fastapi-app``."""
    return {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in titles(page)}


def missed(page, link):
    """Tell whether a link leads nowhere: to a page that is not there, or to a title that the page has not."""
    file, _, anchor = link.partition("#")
    target = page.parent / file if file else page
    return not target.is_file() or (bool(anchor) and anchor not in anchors(target))


def test_the_cookbook_has_a_recipe_for_each():
    assert RECIPES_WANTED - set(titles(COOKBOOK)) == set()
    assert RECIPES.keys() <= RECIPES_WANTED


def test_every_row_of_the_cookbook_leads_somewhere():
    table = {cells[0]: re.findall(r"\]\(([^)]+)\)", cells[1]) for cells in rows(COOKBOOK, "I have")}
    assert {
        row: links for row, links in table.items() if not links or any(missed(COOKBOOK, each) for each in links)
    } == {}
    assert any("CI" in re.findall(r"\w+", row) for row in table)


@pytest.mark.parametrize("link", ["no-such-page.md", "#no-such-title", "everyday.md#no-such-title", "images"])
def test_a_link_that_leads_nowhere_is_noticed(link):
    assert missed(COOKBOOK, link)


def test_the_scripted_page_of_each_kind_is_there():
    assert {page.stem for page in SCRIPTS} >= {"agent", "wire", "record-modes"}
    assert {page.stem for page in OF_TESTS} >= {"README", "quickstart"}


def test_the_example_of_show_has_the_fields_that_show_prints():
    (shown,) = blocks(ROOT / "docs" / "command-line.md", "json")
    printed = json.loads(show(CASSETTE).json)
    assert json.loads(shown).keys() == printed.keys()
    assert json.loads(shown)["exchanges"][0].keys() == printed["exchanges"][0].keys()


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def pytest_help(pytester):
    return pytester.runpytest("--help").stdout.str()


def help_of_the_commands(capsys):
    texts = []
    names = [
        "init",
        "doctor",
        "completion",
        "schema",
        "show",
        "demo",
        "scan",
        "prune",
        "mv",
        "journals",
        "diff",
        "stats",
        "convert",
        "matrix",
        "review",
        "pending",
        "accept",
        "reject",
        "verify",
        "audit",
        "stale",
        "sweep",
        "report",
    ]
    for command in ([], *([name] for name in names)):
        with pytest.raises(SystemExit):
            cli.main([*command, "--help"])
        texts.append(capsys.readouterr().out)
    return "".join(texts)


OF_OTHER_PROGRAMS = {
    "--api-key",  # an example of a command line that holds a key
    "--quiet",  # pip's
    *("--edit-last", "--create-if-none", "--body-file"),  # gh's
    *("--fail", "--request", "--header", "--form"),  # curl's
}


def options_in(words):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", words))


def test_every_option_that_is_named_exists(pytest_help, capsys):
    known = options_in(pytest_help) | options_in(help_of_the_commands(capsys))
    known |= options_in(text(ROOT / "benchmarks" / "__main__.py")) | OF_OTHER_PROGRAMS
    named = {page.name: sorted(options_in(text(page)) - known) for page in EVERYTHING}
    assert {page: options for page, options in named.items() if options} == {}


def test_every_ini_option_that_is_named_exists_and_is_explained(pytest_help):
    known = set(re.findall(r"^ +(replay_\w+) \(", pytest_help, re.MULTILINE))
    named = {name for page in EVERYTHING for name in re.findall(r"\b(replay_\w+)", text(page))} - {"replay_agent"}
    assert named == known


OPTIONS_PAGE = ROOT / "docs" / "command-line.md"


@pytest.mark.parametrize(("language", "file"), [("ini", "pytest.ini"), ("toml", "pyproject.toml")])
def test_each_option_has_an_example_that_pytest_takes(language, file, pytester, pytest_help):
    (example,) = blocks(OPTIONS_PAGE, language)
    explained = {code(cells[0])[0] for cells in rows(OPTIONS_PAGE, "ini option")}
    assert set(re.findall(r"^(replay_\w+) =", example, re.MULTILINE)) == explained
    pytester.path.joinpath(file).write_text(example, "utf-8")
    pytester.makepyfile(
        """
        def test_it(pytestconfig):
            get = pytestconfig.getini
            assert get("replay_cassette_dir") == "tests/cassettes"
            assert get("replay_ignore_body") == ["$.metadata.trace_id", "$.user"]
            assert get("replay_same_hosts") == ["http://localhost:4000/v1 https://api.openai.com/v1"]
            assert get("replay_freeze") == ["clock", "uuid"]
            assert get("replay_redact") == ["customer_number", "ACME-[0-9]{6}"]
            assert get("replay_snapshot_without") == ["usage"]
            assert get("replay_snapshot_mask") == ["$.messages[*].args.date"]
            assert get("replay_placeholder_keys") is False
        """
    )
    assert pytester.runpytest("--strict-config", "-p", "no:cacheprovider").ret == 0
    assert look(pytester.path).troubles == []


def test_every_attribute_of_the_fixture_is_explained():
    page = ROOT / "docs" / "fixture-replay.md"
    told = [code(cells[0])[0] for title in ("attribute", "call") for cells in rows(page, title)]
    named = {re.search(r"replay\.(\w+)", cell)[1] for cell in told}
    public = {name for name in dir(Run) if not name.startswith("_")} | {"effects", "recording", "project"}
    for_the_plugin = {"open", "enter", "in_force", "close", "leftovers_text", "unstruck_text", "explained_again"}
    assert named == public - for_the_plugin


@pytest.mark.parametrize("page", EVERYTHING, ids=lambda page: page.stem)
def test_links_lead_to_pages(page):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", text(page))
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", EVERYTHING, ids=lambda page: page.stem)
def test_pictures_are_there_and_say_what_they_show(page):
    directives = re.findall(r"^```\{image\} (\S+)\n(?::class: .*\n)?:alt: (.+)$", text(page), re.MULTILINE)
    tags = re.findall(r'<img alt="([^"]+)" src="([^"]+)">', text(page))
    sources = re.findall(r'srcset="([^"]+)"', text(page))
    inline = re.findall(r"^!\[[^\]]+\]\((images/[^)]+)\)$", text(page), re.MULTILINE)
    shown = [*(file for file, _ in directives), *(file for _, file in tags), *sources, *inline]
    assert text(page).count("images/") == len(shown)
    assert [file for file in shown if not (page.parent / file).is_file()] == []


def test_every_picture_is_shown_on_a_page():
    images = {path.name for path in (ROOT / "docs" / "images").iterdir()}
    shown = {name for page in EVERYTHING for name in re.findall(r"images/([\w.-]+)", text(page))}
    assert images - shown == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_picture_of_a_terminal_is_there_for_light_and_dark_pages(page):
    drawn = re.findall(
        r"images/(terminal-[\w-]+)-(light|dark)\.svg\n:class: only-(light|dark)$", text(page), re.MULTILINE
    )
    assert all(colour == shown_on for _, colour, shown_on in drawn)
    assert len(drawn) == text(page).count("images/terminal-")
    assert [name for name, colour, _ in drawn if colour == "light"] == [
        name for name, colour, _ in drawn if colour == "dark"
    ]


def test_pictures_are_small():
    assert {path.name for path in (ROOT / "docs" / "images").iterdir() if path.stat().st_size > 100_000} == set()


def test_the_index_lists_every_page():
    (toctree,) = blocks(ROOT / "docs" / "index.md", "{toctree}")
    assert sorted(toctree.split()[2:]) == sorted(page.stem for page in PAGES if page.stem != "index")


def test_every_error_is_explained():
    explained = {name for cells in rows(ROOT / "docs" / "errors.md", "error") for name in code(cells[0])}
    bases = {"AgentRunError", "CassetteError"}
    assert explained == set(exceptions.__all__) - bases


def test_the_parameters_of_a_run_are_all_explained():
    explained = [code(cells[0])[0] for cells in rows(ROOT / "docs" / "agent.md", "parameter")]
    assert explained == list(inspect.signature(Agent.run).parameters)[1:]


def test_every_provider_is_named_with_its_variables():
    table = {code(cells[0])[0]: cells for cells in rows(ROOT / "docs" / "agent.md", "provider")}
    assert table.keys() == PROVIDERS.keys()
    for name, row in PROVIDERS.items():
        keys = row.credential_variables if row.authentication != "aws" else ("AWS_BEARER_TOKEN_BEDROCK",)
        assert set(code(table[name][1])) >= set(keys)
        assert set(code(table[name][2])) == set(row.base_url_variables)


def test_every_wire_format_is_named():
    named = [code(cells[0])[0] for cells in rows(ROOT / "docs" / "wire.md", "format")]
    assert sorted(named) == sorted(codec.name for codec in CODECS)


def test_every_dependency_and_extra_is_explained():
    project = tomllib.loads(text(ROOT / "pyproject.toml"))["project"]
    page = ROOT / "docs" / "dependencies.md"
    required = {re.match(r"[\w-]+", requirement)[0] for requirement in project["dependencies"]}
    assert {cells[0] for cells in rows(page, "dependency")} == required
    extras = {name for cells in rows(page, "extra") for name in code(cells[0])}
    assert extras == set(project["optional-dependencies"])


def test_what_is_promised_of_security_names_tests_that_are_there():
    page = ROOT / "docs" / "security.md"
    named = set(re.findall(r"`([\w/]+\.py)::(test_\w+)`", text(page)))
    missing = [
        f"{file}::{name}"
        for file, name in sorted(named)
        if not any(
            re.search(rf"^(?:async )?def {name}\(", (folder / file).read_text("utf-8"), re.MULTILINE)
            for folder in (ROOT / "tests", ROOT / "tests" / "recording" / "redaction")
            if (folder / file).is_file()
        )
    ]
    assert len(named) > 20
    assert not missing
