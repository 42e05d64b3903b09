"""The header: comes back as it was, whoever has edited it, or says which file cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from replay_agent.exceptions import CassetteUnreadable, CassetteVersionError
from replay_agent.recording.cassettes.parts.header import Header, read_header, render_header

PATH = Path("cassettes/geo.yaml")
HEADER = b"version: 1\nlibrary: pytest-replay-agent 0.1.0\nrecorded_at: '2026-11-22T10:00:00Z'\nkeying: bytes-1\n"
SAID = {"keying": "bytes-1", "recorded_at": "2026-11-22T10:00:00Z", "library": "pytest-replay-agent 0.1.0"}


@pytest.mark.parametrize(
    "header",
    [
        Header(**SAID),
        Header(**SAID, frozen={"clock": 1.5, "seeds": [1, "x"], "nested": {"one": 1.0, "two": 2}}),
        Header(**SAID, extra={"note": "mine"}),
        Header("bytes-1", library="pytest-replay-agent 0.1.0"),
    ],
)
def test_a_header_comes_back(header):
    said, mark, nothing = render_header(header).partition(b"interactions:\n")
    assert (mark, nothing) == (b"interactions:\n", b"")
    assert read_header(said, PATH) == header


def test_a_header_before_nothing_says_so():
    assert render_header(Header(**SAID), empty=True).endswith(b"interactions: []\n")


def test_an_edited_header_is_read():
    assert read_header(b"# hello\n" + HEADER.replace(b"1\n", b"1  # ours\n", 1), PATH) == Header(**SAID)


@pytest.mark.parametrize("damage", [b"- text\n" + HEADER, HEADER.replace(b"keying:", b"keying: ["), b"just a text\n"])
def test_a_damaged_header_names_the_file(damage):
    with pytest.raises(CassetteUnreadable, match=r"geo\.yaml"):
        read_header(damage, PATH)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [(b"version: 1\n", b"version: 999\n", "format version 999"), (b"version: 1\n", b"", "no format version")],
)
def test_other_version_is_refused(old, new, words):
    with pytest.raises(CassetteVersionError, match=words):
        read_header(HEADER.replace(old, new), PATH)
