"""A module that is imported when it is asked for something."""

from __future__ import annotations

import subprocess
import sys

import pytest

from replay_agent.surroundings.later import Later


def test_it_has_what_the_module_has():
    from fractions import Fraction

    assert Later("fractions").Fraction is Fraction


def test_it_lacks_what_the_module_lacks():
    with pytest.raises(AttributeError, match="nothing_of_that_name"):
        _ = Later("fractions").nothing_of_that_name


def test_a_module_that_is_not_there_is_said_when_it_is_used():
    module = Later("no_such_module_anywhere")
    with pytest.raises(ModuleNotFoundError, match="no_such_module_anywhere"):
        _ = module.anything


READ = """
import sys
from replay_agent import messages
from replay_agent.report.conversation.plain import plain

plain(messages.ModelResponse([messages.TextPart("x")]))
before = "pydantic" in sys.modules
messages.ModelMessagesTypeAdapter.dump_json([])
print(before, "pydantic" in sys.modules)
"""


def test_messages_are_read_without_pydantic():
    done = subprocess.run([sys.executable, "-c", READ], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
