from __future__ import annotations

import re

import pytest

from replay_agent.pytest_plugin.diagnosis.session import _KNOWN, look


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)

    def written(ini="", conftest=""):
        (tmp_path / "pytest.ini").write_text(f"[pytest]\n{ini}\n", "utf-8")
        (tmp_path / "conftest.py").write_text(conftest, "utf-8")
        return look(tmp_path)

    return written


def test_a_plain_project(project, tmp_path):
    found = project()
    assert (found.root, found.ini_file, found.servers) == (tmp_path, tmp_path / "pytest.ini", ["replay-agent"])
    assert (found.record_mode, found.record_mode_from) == ("none", "default")
    assert set(found.options.values()) == {"replay-agent"}
    assert found.cassettes == tmp_path / "cassettes"
    assert found.troubles == []
    assert "syrupy" in found.plugins


@pytest.mark.parametrize(
    ("ini", "mode", "source"),
    [
        ("replay_record_mode = once", "once", "replay_record_mode in the ini file"),
        ("addopts = --record-mode=all", "all", "addopts or PYTEST_ADDOPTS"),
        ("addopts = --replay-accept", "refresh", "addopts or PYTEST_ADDOPTS"),
    ],
)
def test_where_the_record_mode_comes_from(project, ini, mode, source):
    found = project(ini)
    assert (found.record_mode, found.record_mode_from) == (mode, source)


@pytest.mark.parametrize(
    ("ini", "words"),
    [
        ("replay_record_mode = onec", "onec"),
        ("replay_unused = maybe", "maybe"),
        ("replay_freeze = clocks", "clocks"),
        ("replay_ignore_body = metadata", "metadata"),
        ("replay_budget = tokens=many", "many"),
        ("addopts = -p no:replay_agent", "is not loaded"),
        ("addopts = --no-such-option", "pytest does not start"),
    ],
)
def test_what_is_wrong_in_the_ini_file(project, ini, words):
    found = project(ini)
    assert [what for what, _ in found.troubles if words in what]
    assert all(advice for _, advice in found.troubles)


@pytest.mark.parametrize("way", ["addopts = -p replay_agent.pytest_plugin", "conftest", "environment"])
def test_a_plugin_that_is_named_is_loaded_without_autoload(project, monkeypatch, way):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    assert "this plugin is not loaded: tests marked replay go live" in [what for what, _ in project().troubles]
    if way == "environment":
        monkeypatch.setenv("PYTEST_PLUGINS", "replay_agent.pytest_plugin")
    named = 'pytest_plugins = "replay_agent.pytest_plugin"\n' if way == "conftest" else ""
    assert project(way if way.startswith("addopts") else "", named).troubles == []


@pytest.mark.parametrize(
    "conftest",
    ["1 / 0", "import nowhere", "raise SystemExit(3)"],
)
def test_a_conftest_that_fails_is_told(project, conftest):
    ((what, _),) = project(conftest=conftest).troubles
    assert what.startswith("pytest does not start: ")


def test_a_project_in_which_warnings_are_errors(project):
    assert project("filterwarnings = error").troubles == []


def test_an_option_that_a_conftest_has_is_its_own(project):
    found = project(conftest="def pytest_addoption(parser):\n    parser.addoption('--record-mode')\n")
    assert found.options["--record-mode"] == "another plugin or a conftest"
    assert found.options["--block-network"] == "replay-agent"


@pytest.mark.parametrize(
    ("plugins", "servers", "troubles"),
    [
        ({"recording"}, ["pytest-recording"], 0),
        ({"vcr"}, ["pytest-vcr"], 0),
        ({"cassetter"}, ["cassetter"], 0),
        ({"recording", "vcr"}, ["pytest-recording", "pytest-vcr"], 1),
    ],
)
def test_who_serves_the_mark_vcr(project, tmp_path, monkeypatch, plugins, servers, troubles):
    monkeypatch.syspath_prepend(tmp_path)
    metadata = tmp_path / "others-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: others\nVersion: 1.0\n", "utf-8")
    lines = "".join(f"{name} = other_{name}\n" for name in sorted(plugins))
    (metadata / "entry_points.txt").write_text(f"[pytest11]\n{lines}", "utf-8")
    for name in plugins:
        (tmp_path / f"other_{name}.py").write_text("vcr = vcr_config = None  # fixtures there", "utf-8")
    found = project()
    assert found.servers == servers
    assert len(found.troubles) == troubles


def test_all_options_are_known(pytester):
    there = set(re.findall(r"^ +(replay_\w+) \(", pytester.runpytest("--help").stdout.str(), re.MULTILINE))
    assert there == set(_KNOWN)
