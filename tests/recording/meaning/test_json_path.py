"""JSON paths that name what to leave out."""

from __future__ import annotations

import copy

import pytest

from replay_agent.exceptions import UserError
from replay_agent.recording.meaning.json_path import JSONPath

BODY = {
    "model": "m",
    "metadata": {"trace_id": "t", "run": 1},
    "messages": [{"name": "a", "content": "x"}, {"name": "b", "content": "y"}, {"content": {"seed": 3, "name": "c"}}],
    "seed": 1,
    "odd name": {"it's": 1, 'a"b': 2},
}

CASES = [
    ("$.seed", lambda body: body.pop("seed")),
    ("$.metadata.trace_id", lambda body: body["metadata"].pop("trace_id")),
    ("$['metadata']['run']", lambda body: body["metadata"].pop("run")),
    ("$.messages[*].name", lambda body: [message.pop("name", None) for message in body["messages"]]),
    ("$.messages[0]", lambda body: body["messages"].pop(0)),
    ("$.messages[-1]", lambda body: body["messages"].pop()),
    ("$.messages[ 1 ].content", lambda body: body["messages"][1].pop("content")),
    ("$.messages[7].content", lambda body: None),
    ("$.messages[-4]", lambda body: None),
    ("$.messages.content", lambda body: None),
    ("$.model[0]", lambda body: None),
    ("$..seed", lambda body: (body.pop("seed"), body["messages"][2]["content"].pop("seed"))),
    (
        "$.messages..name",
        lambda body: [m.pop("name", None) for m in (*body["messages"], body["messages"][2]["content"])],
    ),
    ("$..[0]", lambda body: body["messages"].pop(0)),
    ("$.metadata.*", lambda body: body["metadata"].clear()),
    ("$.messages[*]", lambda body: body["messages"].clear()),
    ("$..*", lambda body: body.clear()),
    (r"$['odd name']['it\'s']", lambda body: body["odd name"].pop("it's")),
    (r'$["odd name"]["a\"b"]', lambda body: body["odd name"].pop('a"b')),
]


@pytest.mark.parametrize(("path", "edit"), CASES, ids=[case[0] for case in CASES])
def test_paths_remove_what_they_name(path, edit):
    body, wanted = copy.deepcopy(BODY), copy.deepcopy(BODY)
    edit(wanted)
    assert JSONPath.parse(path).remove_from(body) == wanted


def test_the_root_removes_everything():
    assert JSONPath.parse("$").remove_from(copy.deepcopy(BODY)) is None


@pytest.mark.parametrize("value", [None, 1, "text", True, [], [[]], {}])
def test_paths_that_lead_nowhere_change_nothing(value):
    assert JSONPath.parse("$.a[0]..b").remove_from(copy.deepcopy(value)) == value


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("metadata", "must start with '$'"),
        ("", "must start with '$'"),
        ("$metadata", "character 2"),
        ("$.", "character 2"),
        ("$..", "character 2"),
        ("$.a.", "character 4"),
        ("$.messages[]", "character 11"),
        ("$.messages[0:2]", "character 11"),
        ("$.messages[?(@.x)]", "character 11"),
        ("$.messages['x]", "character 11"),
        ("$.a b", "character 4"),
        ("$.0", "character 2"),
    ],
)
def test_a_bad_path_says_where(path, where):
    with pytest.raises(UserError) as caught:
        JSONPath.parse(path)
    assert where in str(caught.value)
    assert repr(path) in str(caught.value)


def test_a_deep_body_is_walked():
    body = value = {}
    for _ in range(5000):
        value["x"] = value = {"seed": 1}
    JSONPath.parse("$..seed").remove_from(body)
    assert body["x"]["x"].keys() == {"x"}
