"""Credentials whose names are values themselves."""

from __future__ import annotations

import pytest

from replay_agent.recording.redaction.finders.paired import find_paired


def values(find, text):
    data = text.encode()
    return [data[span.start : span.end].decode() for span in find(data)]


S = "s3cretPW99abc"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f'{{"env":[{{"name":"API_KEY","value":"{S}"}}]}}', [S]),
        (f'{{"key": "client_secret",\n  "value": "{S}"}}', [S]),
        (f"{{'name': 'DB_PASSWORD', 'value': '{S}'}}", [S]),
        (f'<add key="ApiKey" value="{S}"/>', [S]),
        (f'<param name="secret" value="{S}"/>', [S]),
        ('{"name":"token_count","value":"150000000000"},{"name":"secret","value":"the butler"}', []),
        (f'{{"name":"SORT_KEY","value":"{S}"}}', []),
        (f'{{"name":"API_KEY","title":"{S}"}}', []),
    ],
)
def test_names_that_are_values(text, found):
    assert values(find_paired, text) == found
