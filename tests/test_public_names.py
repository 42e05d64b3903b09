"""Public names exist, are listed, and are seen by type checkers."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

import replay_agent

SEED = {
    "agent": "Agent AgentRun AgentRunResult CallToolsNode End EndStrategy InstrumentationSettings ModelRequestNode "
    "UserPromptNode capture_run_messages AgentStream FinalResult StreamedRunResult AgentDepsT DocstringFormat "
    "ObjectJsonSchema RunContext SystemPromptFunc Tool ToolDefinition ToolFuncContext ToolFuncEither ToolFuncPlain "
    "ToolParams ToolPrepareFunc",
    "exceptions": "AgentRunError FallbackExceptionGroup ModelHTTPError ModelRetry UnexpectedModelBehavior "
    "UsageLimitExceeded UserError",
    "settings": "ModelSettings merge_model_settings",
    "usage": "Usage UsageLimits",
}
"""The seed's names, by the module that carries them here."""


def type_checking_names():
    tree = ast.parse(Path(replay_agent.__file__).read_text("utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    return {(statement.module, alias.name) for statement in block.body for alias in statement.names}


def test_type_checkers_see_each_root_name_where_it_lives():
    seen = type_checking_names()
    assert {name for _, name in seen} | {"__version__"} == set(replay_agent.__all__)
    assert len(set(replay_agent.__all__)) == len(replay_agent.__all__)
    for module, name in seen:
        assert getattr(import_module(module), name) is getattr(replay_agent, name)


@pytest.mark.parametrize("module", SEED)
def test_the_seeds_names_are_exported(module):
    assert set(SEED[module].split()) <= set(import_module(f"replay_agent.{module}").__all__)


@pytest.mark.parametrize("module", ["agent", "calls", "exceptions", "messages", "models", "settings", "usage"])
def test_every_listed_name_exists(module):
    loaded = import_module(f"replay_agent.{module}")
    assert [name for name in loaded.__all__ if not hasattr(loaded, name)] == []
