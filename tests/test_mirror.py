"""Tests mirror the modules: ``replay_agent/room/noun.py`` is tested by ``tests/room/test_noun.py``."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import replay_agent

PACKAGE = Path(replay_agent.__file__).parent
TESTS = Path(__file__).parent

CLIENTS = "integration/test_clients_streams.py"
EVERYDAY = "integration/test_everyday.py"
MARKED = "integration/test_replay_mark.py"
VCR_MARKED = "integration/test_vcr_mark.py"
PYTEST_VCR = "integration/test_pytest_vcr.py"

ELSEWHERE = {
    # What the package shows of itself.
    "__init__": "test_public_names.py",
    "__main__": "test_cli.py",
    "models": "models/test_models.py",
    "providers": "providers/test_reached.py",
    "result": "test_seed.py",
    "tools": "test_seed.py",
    # The state of a run and its history, which only a run brings about.
    "agent.history": "agent/test_run.py",
    "agent.options": "agent/test_agent.py",
    "agent.state": "agent/test_graph.py",
    "agent.streamed_run": "agent/test_stream.py",
    # Nothing in them to run: types, a tree of errors, a table of names.
    "exceptions": "test_public_names.py",
    "surroundings.documentation": "integration/test_ending.py",
    "surroundings.version": "test_cli.py",
    "models.names": "models/test_models.py",
    "settings": "models/test_openai.py",
    # Where a provider's key, region or token comes from, tested with the requests that carry it.
    "models.aws": "models/test_bedrock.py",
    "models.google": "models/test_gemini.py",
    "models.groq": "models/test_openai.py",
    "models.refusals": "models/test_http.py",
    "models.vertexai": "models/test_gemini.py",
    # Constructors over one class, tested as a table.
    "providers.anthropic": "providers/test_reached.py",
    "providers.azure": "providers/test_reached.py",
    "providers.bedrock": "providers/test_reached.py",
    "providers.cohere": "providers/test_reached.py",
    "providers.deepseek": "providers/test_reached.py",
    "providers.google_gla": "providers/test_reached.py",
    "providers.google_vertex": "providers/test_reached.py",
    "providers.groq": "providers/test_reached.py",
    "providers.mistral": "providers/test_reached.py",
    "providers.openai": "providers/test_reached.py",
    # Hooks into pytest: whole sessions.
    "pytest_plugin": MARKED,
    "pytest_plugin.around.accepted_snapshots": EVERYDAY,
    "pytest_plugin.around.compared": EVERYDAY,
    "pytest_plugin.around.open_changes": "integration/test_review.py",
    "pytest_plugin.around.own_servers": EVERYDAY,
    "pytest_plugin.around.snapshot_differences": "integration/test_run_snapshot.py",
    "pytest_plugin.around.siblings": "integration/test_prune.py",
    "pytest_plugin.around.uncollected": EVERYDAY,
    "pytest_plugin.around.planned": "integration/test_review.py",
    "pytest_plugin.around.snapshot_keeper": EVERYDAY,
    "pytest_plugin.collecting": "integration/test_prune.py",
    "pytest_plugin.hookspecs": MARKED,
    "pytest_plugin.keys": "integration/test_placeholder_keys.py",
    "pytest_plugin.kept_random": MARKED,
    "pytest_plugin.marks": MARKED,
    "pytest_plugin.options": MARKED,
    "pytest_plugin.places": MARKED,
    "pytest_plugin.scripting.cell": "integration/test_sweep.py",
    "pytest_plugin.scripting.scripted": "integration/test_provider_fixture.py",
    "pytest_plugin.settings": MARKED,
    "pytest_plugin.shared_fixture": "integration/test_shared_fixtures.py",
    "pytest_plugin.trials.hooks": "integration/test_verify.py",
    "pytest_plugin.trials.noting": "integration/test_verify.py",
    "pytest_plugin.trials.testimony": "integration/test_stale.py",
    "pytest_plugin.trials.trial": "integration/test_audit.py",
    "pytest_plugin.watched": MARKED,
    "pytest_plugin.watched_fixtures": "integration/test_shared_fixtures.py",
    "pytest_plugin.summary.report_file": "integration/test_report.py",
    "pytest_plugin.summary.ending": "integration/test_ending.py",
    "pytest_plugin.summary.pending": "integration/test_review.py",
    "recording.succession.bounds": "report/review/test_plan.py",
    "report.recorded.project": "cli/upkeep/test_move.py",
    "pytest_plugin.vcr.fixtures": VCR_MARKED,
    "pytest_plugin.vcr.said.vcr_object": PYTEST_VCR,
    "pytest_plugin.vcr.watched": VCR_MARKED,
    # Hooks into HTTP clients: real clients and a provider on loopback.
    "recording.clients.aiohttp": CLIENTS,
    "recording.clients.http_client": CLIENTS,
    "recording.clients.httpx": CLIENTS,
    "recording.clients.lm15": "integration/test_clients_optional.py",
    "recording.clients.tornado": "integration/test_clients_optional.py",
    # Commands that run tests once more: whole sessions.
    "cli.runs.audit": "integration/test_audit.py",
    "cli.runs.recorded": "integration/test_verify.py",
    "cli.runs.stale": "integration/test_stale.py",
    "cli.runs.verify": "integration/test_verify.py",
    # What is typed, and what the command answers.
    "cli.program": "test_cli.py",
    "cli.reading.arguments": "test_cli.py",
    "cli.review.arguments": "integration/test_review.py",
    "cli.runs.arguments": "test_cli.py",
    "cli.setup.arguments": "test_cli.py",
    "cli.upkeep.arguments": "test_cli.py",
    # Steps of one thing, tested through the whole of it.
    "report.comparison.causes": "report/comparison/test_corpus.py",
    "report.comparison.result.change": "report/comparison/test_changes.py",
    "report.comparison.result.comparison": "report/comparison/test_comparison.py",
    "report.comparison.result.spent": "report/comparison/test_spending.py",
    "report.comparison.result.difference": "report/comparison/test_corpus.py",
    "report.comparison.effects": "report/comparison/test_corpus.py",
    "report.comparison.forms.wording": "report/comparison/forms/test_terminal.py",
    "report.comparison.result.grouping": "report/comparison/test_comparison.py",
    "report.comparison.histories": "report/comparison/test_corpus.py",
    "report.comparison.sources.runs": "report/comparison/sources/test_pairing.py",
    "report.comparison.turns": "report/comparison/test_corpus.py",
    "recording": "test_house.py",
    "recording.answers": "recording/test_recorder.py",
    "recording.stand_ins": "recording/test_dispatch.py",
    "recording.succession.tally": "recording/test_recorder.py",
    "faults.connection": "faults/test_faults.py",
    "faults.content": "faults/test_faults.py",
    "faults.fault": "faults/test_faults.py",
    "faults.pieces": "faults/test_faults.py",
    "faults.refusals": "faults/test_faults.py",
    "faults.streams": "faults/test_faults.py",
    "provider.loopback": "integration/test_fault_parity.py",
    "pytest_plugin.scripting.sweeping": "integration/test_sweep.py",
    "recording.clients.processes": "integration/test_processes.py",
    "recording.redaction.layers.in_base64": "recording/redaction/test_search.py",
    "recording.cassettes.usual.streams": "recording/cassettes/usual/test_items.py",
    "recording.process.spool": "recording/test_kinship.py",
    "recording.matching.keys": "recording/matching/test_index.py",
    "report.recorded.orphans": "cli/upkeep/test_prune.py",
    "report.decoded_request": "report/test_compare.py",
    "report.remote_calls": "report/test_drift.py",
    "wire.codec": "wire/test_registry.py",
}
"""The modules that are tested by another file than their mirror, and by which one."""

FORMATS = TESTS / "wire"
"""A room of a wire format may be tested as a whole, through its codec: ``tests/wire/test_FORMAT.py``."""


def has_code(path):
    """Tell whether a file defines something itself."""
    definitions = ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef
    return any(isinstance(node, definitions) for node in ast.parse(path.read_text("utf-8")).body)


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts[-1] != "__init__" or has_code(path):
            yield ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


def mirrors(module):
    """Return the files in which a module's tests may stand."""
    *rooms, name = module.split(".")
    yield TESTS.joinpath(*rooms, f"test_{name}.py")
    if rooms[:1] == ["wire"] and len(rooms) == 2:
        yield FORMATS / f"test_{rooms[1]}.py"
    if module in ELSEWHERE:
        yield TESTS / ELSEWHERE[module]


@pytest.mark.parametrize("module", list(modules()))
def test_a_module_has_its_tests(module):
    files = list(mirrors(module))
    wanted = f"tests/{files[0].relative_to(TESTS).as_posix()}"
    assert any(file.is_file() for file in files), f"write {wanted}, or say in ELSEWHERE what tests {module}, and why"


def test_no_exception_is_made_for_a_module_that_is_gone():
    assert ELSEWHERE.keys() - set(modules()) == set()


def test_the_tests_named_instead_are_there():
    assert [name for name in ELSEWHERE.values() if not (TESTS / name).is_file()] == []
