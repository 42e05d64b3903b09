"""Archives: zip, tar, and what bzip2 and xz packed. They are looked into within bounds, and written anew without secrets."""

from __future__ import annotations

import bz2
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import TypeAlias

__all__ = "Clean", "cleaned_archive", "is_archive", "zips"

Clean: TypeAlias = Callable[[bytes], tuple[bytes, str] | None]
"""Returns bytes without their secrets, and the rule of the first of these; None if they hold none."""

_MOST_MEMBERS, _MOST_BYTES = 2000, 1 << 25
"""Of an archive's members: what goes beyond is not looked into."""
_ZIP, _ZIP_END, _BZIP2, _XZ = b"PK\x03\x04", b"PK\x05\x06", b"BZh", b"\xfd7zXZ\0"
_ZIP_END_SIZE = 22
_TAR_MAGIC, _TAR_PLACE = b"ustar", 257
_MOST_ZIPS = 64
_BROKEN = (
    *(zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error, struct.error),
    *(
        EOFError,
        OSError,
        ValueError,
        NotImplementedError,
        RuntimeError,
        OverflowError,
    ),  # RuntimeError: it has a password
)


def is_archive(data: bytes) -> bool:
    """Tell whether data begins as an archive does."""
    return data.startswith((_ZIP, _BZIP2, _XZ)) or data.startswith(_TAR_MAGIC, _TAR_PLACE)


def zips(body: bytes) -> Iterator[tuple[int, int]]:
    """Yield where zip archives stand in a body: an attached file of a multipart body, say."""
    if _ZIP[-1:] not in body:  # one byte is looked for faster than four
        return
    start = body.find(_ZIP)
    for _ in range(_MOST_ZIPS):
        last = body.find(_ZIP_END, start) if start >= 0 else -1
        if last < 0:
            return
        end = last + _ZIP_END_SIZE + int.from_bytes(body[last + 20 : last + 22], "little")
        yield start, min(end, len(body))
        start = body.find(_ZIP, end)


def cleaned_archive(data: bytes, clean: Clean) -> tuple[bytes, str] | None:
    """Return an archive whose members hold no secrets, and the rule of the first; None if none does, or it is broken."""
    try:
        if data.startswith(_ZIP):
            return _cleaned_zip(data, clean)
        if data.startswith(_BZIP2):
            return _cleaned_stream(bz2.BZ2Decompressor().decompress(data, _MOST_BYTES), clean, bz2.compress)
        if data.startswith(_XZ):
            return _cleaned_stream(lzma.LZMADecompressor().decompress(data, _MOST_BYTES), clean, lzma.compress)
        return _cleaned_tar(data, clean)
    except _BROKEN:
        return None


def _cleaned_stream(plain: bytes, clean: Clean, pack: Callable[[bytes], bytes]) -> tuple[bytes, str] | None:
    found = clean(plain)
    return None if found is None else (pack(found[0]), found[1])


def _cleaned_zip(data: bytes, clean: Clean) -> tuple[bytes, str] | None:
    left, rule = _MOST_BYTES, ""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(made, "w") as copy:
        copy.comment = archive.comment
        for info in archive.infolist()[:_MOST_MEMBERS]:
            with archive.open(info) as member:
                content = member.read(left + 1)
            left -= len(content)
            if left < 0:
                break
            found = clean(content)
            rule = rule or (found[1] if found is not None else "")
            copy.writestr(_like(info), content if found is None else found[0], info.compress_type)
    return (made.getvalue(), rule) if rule else None


def _like(info: zipfile.ZipInfo) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(info.filename, info.date_time)
    made.external_attr, made.create_system, made.comment = info.external_attr, info.create_system, info.comment
    return made


def _cleaned_tar(data: bytes, clean: Clean) -> tuple[bytes, str] | None:
    rule = ""
    made = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive, tarfile.open(fileobj=made, mode="w") as copy:
        for number, info in enumerate(archive):
            is_read = info.isreg() and not info.issparse() and info.size <= len(data) and number < _MOST_MEMBERS
            member = archive.extractfile(info) if is_read else None
            content = b"" if member is None else member.read()
            found = clean(content) if content else None
            if found is not None:
                content, rule = found[0], rule or found[1]
                info.size = len(content)
            copy.addfile(info, io.BytesIO(content))
    return (made.getvalue(), rule) if rule else None
