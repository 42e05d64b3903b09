from __future__ import annotations

import pytest

from replay_agent.recording.cassettes.json_spelling import LAYOUTS, Spelling, read_json, spell
from replay_agent.recording.cassettes.usual.json_lines import JSONLines
from replay_agent.recording.cassettes.yaml_blocks import write_block

TEXTS = [
    '{"a":[1,2],"b":[],"c":{}}',
    '["x",["y",null],{"k":true}]',
    '{"a":{"b":["one\\ntwo",[3]]}}',
    '{"\\u00e9":"\\t"}',
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("layout", [*LAYOUTS, "  ", "\t"])
def test_lines_become_the_text_that_they_came_from(text, layout):
    value, _ = read_json(text)
    spelling = Spelling(layout, ascii=True)
    lines = write_block({"json": value}).removeprefix("json:\n")
    assert JSONLines(lines, spelling).below(0) == spell(value, spelling)


@pytest.mark.parametrize("lines", ["", "  a: b\nc: d\n", "  a\n", "  a: b\n  - c\n", "- a\n  b: c\n"])
def test_other_lines_are_refused(lines):
    with pytest.raises((ValueError, IndexError)):
        JSONLines(lines, Spelling()).below(0)
