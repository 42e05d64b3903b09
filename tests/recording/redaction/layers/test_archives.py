"""Archives are looked into within bounds."""

from __future__ import annotations

import bz2
import io
import lzma
import tarfile
import time
import zipfile

import pytest

from replay_agent.recording.redaction.layers.archives import cleaned_archive, is_archive, zips


def cleaned(data):
    return (data.replace(b"SECRET", b"***"), "x") if b"SECRET" in data else None


def zipped(**files):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


def tarred(**files):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return made.getvalue()


def test_members_without_their_secrets():
    made, rule = cleaned_archive(zipped(a=b"one", b=b"SECRET"), cleaned)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert ([archive.read(name) for name in archive.namelist()], rule) == ([b"one", b"***"], "x")
    made, rule = cleaned_archive(tarred(a=b"one", b=b"SECRET"), cleaned)
    with tarfile.open(fileobj=io.BytesIO(made)) as archive:
        assert [archive.extractfile(info).read() for info in archive] == [b"one", b"***"]
    assert bz2.decompress(cleaned_archive(bz2.compress(b"SECRET"), cleaned)[0]) == b"***"
    assert lzma.decompress(cleaned_archive(lzma.compress(b"SECRET"), cleaned)[0]) == b"***"


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_an_archive_without_secrets_or_one_that_is_broken(pack):
    packed = pack(a=b"SECRET", b=b"one" * 999)
    assert is_archive(packed)
    assert cleaned_archive(pack(a=b"one"), cleaned) is None
    for broken in (packed[:40], packed[:-30][:700], packed[:30] + b"\xff" * 30 + packed[60:]):
        cleaned_archive(broken, cleaned)


def test_what_is_no_archive():
    assert not any(map(is_archive, (b"", b"PK", b"plain text", b"BZ", b"x" * 300)))


def test_archives_within_a_body():
    one, two = zipped(a=b"1"), zipped(b=b"2")
    body = b"--b\r\n\r\n" + one + b"\r\n--b\r\n\r\n" + two + b"\r\n--b--"
    assert [body[start:end] for start, end in zips(body)] == [one, two]


def test_an_archive_that_unpacks_to_too_much_is_left():
    start = time.process_time()
    assert cleaned_archive(zipped(a=b"a" * (1 << 26), b=b"SECRET"), cleaned) is None
    assert time.process_time() - start < 5
