"""What each SDK raises for each fault, as a table of Markdown: the one in docs/bad-days.md is made by this module.

``python -m tests.integration.fault_table`` prints it.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version

from replay_agent import tool_call
from replay_agent.faults import FAULTS
from replay_agent.provider.script import Script
from replay_agent.recording.clients import intercept
from tests.provider.sdks import SDKS

OF_TOOLS = ("bad_tool_json", "unknown_tool", "invalid_arguments", "duplicate_call_id")
NAMES = [name for name in FAULTS if name != "http_status"]
EVERY = bool(os.environ.get("REPLAY_AGENT_EVERY_FAULT"))
"""Whether each client meets each fault in each of its ways: that takes minutes (``nox -s faults``)."""
PACKAGES = {name: name.split()[0] for name in SDKS}


def healthy_script(name):
    """Return a script of an answer that the fault can befall."""
    script = Script(["one two three four five"] if name not in OF_TOOLS else [tool_call("get_weather", city="Oslo")])
    script.allow("unoffered_tools")
    return script


def script_of(name, **when):
    script = healthy_script(name)
    script.fault(name, **when)
    return script


def in_turn(number, of):
    """Return the faults of one way of a client out of several: every day they share the faults out among them."""
    return NAMES if EVERY else NAMES[number % of :: of]


def name_of(error):
    return f"{type(error).__module__}.{type(error).__qualname__}"


def in_process(ask, name, **how):
    """Return the class that a client raises for a fault, or what it gives; None where the fault strikes nothing."""
    script = script_of(name)
    with intercept.responding(script):
        try:
            got = repr(ask(tools=name in OF_TOOLS, **how))
        except Exception as error:
            got = name_of(error)
    return None if script.unstruck_text() else got


def healthy(ask, name):
    with intercept.responding(healthy_script(name)):
        return repr(ask(tools=name in OF_TOOLS))


def cell(sdk, name):
    """Return what stands in the table: for a whole answer, and after a slash for a stream, if that is not the same."""
    words = [_word(getattr(sdk, way), name) for way in ("ask", "stream")]
    return words[0] if words[0] == words[1] else " / ".join(words)


def _word(ask, name):
    got = in_process(ask, name)
    if got is None:
        return "–"
    if got.startswith("Got("):
        return "the same" if got == healthy(ask, name) else "*no error*"
    return f"`{got.rpartition('.')[2]}`"


def versions():
    return {name: f"{name} {version(package)}" for name, package in PACKAGES.items()}


def table():
    head = f"| fault | {' | '.join(versions().values())} |"
    rows = [f"| `{name}` | {' | '.join(cell(sdk, name) for sdk in SDKS.values())} |" for name in NAMES]
    return "\n".join([head, f"|{'---|' * (len(SDKS) + 1)}", *rows])


if __name__ == "__main__":
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    sys.stdout.write(f"{table()}\n")
