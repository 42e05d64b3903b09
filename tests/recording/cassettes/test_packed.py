from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from replay_agent.exceptions import CassetteUnreadable
from replay_agent.recording.cassettes import packed
from replay_agent.recording.cassettes.packed import unpacked

PATH = Path("a.yaml.gz")


@pytest.mark.parametrize("data", [b"", b"version: 1", b"\x1f", gzip.compress(b"a", mtime=0)[2:]])
def test_what_is_no_gzip_stays(data):
    assert unpacked(data, PATH) == data


def test_all_members_are_unpacked():
    assert unpacked(gzip.compress(b"a: 1\n") + gzip.compress(b"b: 2\n"), PATH) == b"a: 1\nb: 2\n"


@pytest.mark.parametrize("cut", [2, 5, 12, 20, -1])
def test_a_cut_file_says_so(cut):
    with pytest.raises(CassetteUnreadable, match=r"a\.yaml\.gz is"):
        unpacked(gzip.compress(bytes(range(256)))[:cut], PATH)


@pytest.mark.parametrize("members", [1, 3])
def test_a_file_that_grows_is_refused(limit, members):
    limit(packed, MAX_UNPACKED=1000)
    with pytest.raises(CassetteUnreadable, match="more than 1000 bytes"):
        unpacked(gzip.compress(bytes(500)) * members + gzip.compress(bytes(5000)), PATH)
    assert len(unpacked(gzip.compress(bytes(1000)), PATH)) == 1000


def test_members_are_counted():
    with pytest.raises(CassetteUnreadable, match="members"):
        unpacked(gzip.compress(b"") * 1001, PATH)
