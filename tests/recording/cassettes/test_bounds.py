"""Small files that ask for much memory or time: each is refused with our error, in a process that may take little.

The memory of a child is limited before it opens the file, so that a bound which comes too late is a MemoryError here.
"""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
import zlib

import brotli
import pytest
import zstandard

pytest.importorskip("resource")

MOST_MEMORY = 500
"""Megabytes, the interpreter and our modules included."""
MOST_TIME = 8.0
"""Seconds of CPU. A refusal takes below 2 on an idle machine; caches and cores are shared here."""

HEAD = "version: 1\nlibrary: pytest-replay-agent 0.1.0\nkeying: meaning-1\ninteractions:\n"
REQUEST = "- request:\n    method: POST\n    uri: http://h/x\n"
OK = "  response:\n    status: 200\n"
MB = 1_000_000

LOAD = """
import json, pathlib, resource, sys, time
from replay_agent.exceptions import CassetteUnreadable
from replay_agent.recording.cassettes import foreign, store
import yaml, brotli, zstandard
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))

def peak():
    # On Linux ru_maxrss begins with what the process had that started this one; VmHWM is of this program alone.
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

for path in map(pathlib.Path, sys.argv[1:]):
    started = time.process_time()
    try:
        cassette = store.load(path)
        cassette.check()
        for index in range(len(cassette)):
            cassette.outcome(index)
            cassette.interaction(index)
        said = "loaded"
    except CassetteUnreadable as exc:
        said = str(exc)
    print(json.dumps([said, time.process_time() - started, peak()]), flush=True)
"""
GROUPS = 4
"""Processes; each opens its share of the files, and what it took at most is what the worst of them took."""


def ours(body="", *, head="", response=OK, request=REQUEST):
    return HEAD + request + response + (f"    headers:\n{head}" if head else "") + body + "...\n"


def json_body(lines, spelling=""):
    return f"    body:\n      json:\n{lines}" + (f"      spelling: {spelling}\n" if spelling else "")


def encoded(name, data):
    text = base64.b64encode(data).decode()
    return ours(f"    body:\n      text: hello\n      encoded: {text}\n", head=f"    - content-encoding: {name}\n")


def bomb(compressor, size=1 << 28):
    """Compress 256 megabytes of one letter."""
    piece = b"a" * (1 << 24)
    feed = getattr(compressor, "compress", None) or compressor.process
    end = getattr(compressor, "finish", None) or compressor.flush
    return b"".join([*(feed(piece) for _ in range(size >> 24)), end()])


def deflated(wbits):
    return bomb(zlib.compressobj(1, wbits=wbits))


def vcr(response="status: {code: 200, message: OK}, headers: {}, body: {string: hi}", request="body: ''", head=""):
    return (
        f"{head}interactions:\n- request: {{method: POST, uri: 'http://h/x', headers: {{}}, {request}}}\n"
        f"  response: {{{response}}}\nversion: 1\n"
    )


def vcr_json(code="200", body='{"string": "hi"}', headers="{}"):
    return (
        '{"version": 1, "interactions": [{"request": {"method": "POST", "uri": "http://h/x", "body": "", "headers": {}}, '
        f'"response": {{"status": {{"code": {code}, "message": "OK"}}, "headers": {headers}, "body": {body}}}}}]}}'
    )


def toml(status="200", tail=""):
    return (
        f'version = 1\n[[interactions]]\n[interactions.request]\nmethod = "POST"\nuri = "http://h/x"\nbody_type = "none"\n'
        f'[interactions.response]\nstatus = {status}\nbody_type = "none"\n{tail}'
    )


def deep_and_wide(levels=150, width=40_000):
    return "        " + "[" * levels + "1, " * width + "1" + "]" * levels + "\n"


def doubling(levels=40):
    return "".join(f"x{n}: &x{n} [*x{n - 1}, *x{n - 1}]\n" for n in range(1, levels))


BOMBS = {
    "spelling: spaces": lambda: ours(json_body("        a:\n        - 1\n", "indent 2000000000")),
    "spelling: tabs": lambda: ours(json_body("        a:\n        - 1\n", "tabs 2000000000")),
    "spelling: more digits than a number has": lambda: ours(json_body("        a: 1\n", "indent " + "9" * 5000)),
    "spelling: no number": lambda: ours(json_body("        a: 1\n", "indent")),
    "spelling: of nobody": lambda: ours(json_body("        a: 1\n", "x" * MB)),
    "spelling: deep, wide and within bounds": lambda: ours(
        "    body:\n      json:\n" + deep_and_wide() + "      spelling: indent 60\n"
    ),
    "aliases of a text": lambda: ours(
        json_body("        a: &a '" + "x" * MB + "'\n        b:\n" + "        - *a\n" * 3000)
    ),
    "aliases of a key": lambda: ours(
        json_body("        a: &a {" + "k" * 1000 + ": 1}\n        b:\n" + "        - *a\n" * 200_000)
    ),
    "aliases of aliases": lambda: "x0: &x0 [1, 2]\n" + doubling() + vcr(),
    "aliases as bodies": lambda: (
        vcr(request="body: &a '" + "x" * MB + "'")
        + "".join(
            "- request: {method: POST, uri: 'http://h/x', headers: {}, body: *a}\n"
            "  response: {status: {code: 200, message: OK}, headers: {}, body: {string: *a}}\n"
            for _ in range(3000)
        ).join(("x:\n", ""))
    ),
    "merge keys": lambda: (
        "a0: &a0 {k: 1}\n"
        + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}], j: *a{n - 1}}}\n" for n in range(1, 40))
        + vcr()
    ),
    "brotli": lambda: encoded("br", bomb(brotli.Compressor(quality=5))),
    "zstd": lambda: encoded("zstd", bomb(zstandard.ZstdCompressor().compressobj())),
    "gzip": lambda: encoded("gzip", deflated(31)),
    "deflate": lambda: encoded("deflate", deflated(15)),
    "deflate without head": lambda: encoded("deflate", deflated(-15)),
    "gzip in brotli": lambda: encoded("gzip, br", brotli.compress(deflated(31))),
    "many gzip members": lambda: encoded("gzip", gzip.compress(b"") * 300_000),
    "many zstd frames": lambda: encoded("zstd", zstandard.compress(b"") * 300_000),
    "many encodings": lambda: encoded(", ".join(["gzip"] * 1000), b"x"),
    "status of hexadecimal digits": lambda: vcr(
        "status: {code: 0x" + "f" * 5 * MB + "}, headers: {}, body: {string: hi}"
    ),
    "status of binary digits": lambda: vcr("status: {code: 0b" + "1" * 5 * MB + "}, headers: {}, body: {string: hi}"),
    "status of octal digits": lambda: vcr("status: {code: 0" + "7" * 5 * MB + "}, headers: {}, body: {string: hi}"),
    "status of decimal digits": lambda: vcr("status: {code: " + "9" * 5 * MB + "}, headers: {}, body: {string: hi}"),
    "status of quoted digits": lambda: vcr("status: {code: '" + "9" * 5 * MB + "'}, headers: {}, body: {string: hi}"),
    "status of a huge power": lambda: ours(response="  response:\n    status: 1e999999999\n"),
    "status of digits, in ours": lambda: ours(response="  response:\n    status: " + "9" * 5 * MB + "\n"),
    "status of digits, as JSON": lambda: vcr_json(code="9" * 5 * MB),
    "status of digits, as TOML": lambda: toml(status="0x" + "f" * 5 * MB),
    "seed of digits": lambda: ours().replace("interactions:", "frozen:\n  random: " + "9" * MB + "\ninteractions:"),
    "waiting for ages": lambda: ours(response="  response:\n    status: 200\n    waited_ms: " + "9" * 300 + "\n"),
    "version of digits": lambda: ours().replace("version: 1", "version: " + "9" * 5 * MB),
    "version of digits, of others": lambda: vcr().replace("version: 1", "version: 0x" + "f" * 5 * MB),
    "values in a row": lambda: ours(json_body("        a: [" + "1, " * 5 * MB + "1]\n")),
    "values in lines": lambda: ours(json_body("        a:\n" + "        - 1\n" * 3 * MB)),
    "values of others": lambda: vcr(
        "status: {code: 200}, headers: {}, body: {string: hi}, x: [" + "[]," * 5 * MB + "]"
    ),
    "values as JSON": lambda: vcr_json(body='{"string": "hi", "x": [' + "[]," * 20 * MB + "1]}"),
    "values as TOML": lambda: toml(tail="x = [" + "{}," * 2 * MB + "]\n"),
    "a long TOML document": lambda: toml(tail='x = """' + "x" * 20 * MB + '"""\n'),
    "interactions": lambda: HEAD + "- \n" * 10 * MB + "...\n",
    "interactions of others": lambda: "version: 1\ninteractions:\n" + "- {}\n" * 3 * MB,
    "pieces of a body": lambda: ours("    body:\n      text: hi\n      chunks: " + "0 " * 5 * MB + "0\n"),
    "a piece that says nothing": lambda: ours("    body:\n      text: hi\n      chunks: " + "9" * 5 * MB + "\n"),
    "headers": lambda: ours(head="    - a: b\n" * 300_000),
    "a long header": lambda: ours(head="    - a: " + "b" * 20 * MB + "\n"),
    "headers of others": lambda: vcr("status: {code: 200}, headers: {a: [" + "b," * 300_000 + "]}, body: {string: hi}"),
    "headers as JSON": lambda: vcr_json(headers='{"a": "' + "b" * 20 * MB + '"}'),
    "depth": lambda: vcr("status: {code: 200}, headers: {}, body: {string: hi}, x: " + "[" * MB + "]" * MB),
    "depth in columns": lambda: "".join(" " * n + "a:\n" for n in range(3000)) + vcr(),
    "depth as JSON": lambda: vcr_json(body="[" * MB + "]" * MB),
    "depth as TOML": lambda: toml(tail="x = " + "[" * MB + "]" * MB + "\n"),
    "depth as TOML, by points": lambda: ".".join(["a"] * 100_000) + " = 1\n" + toml(),
    "depth as TOML, by points of a table": lambda: toml(tail="[" + " . ".join(['"a"'] * 100_000) + "]\n"),
    "depth as TOML, by points within a table": lambda: toml(tail="x = {" + ".".join(["a-b"] * 100_000) + " = 1}\n"),
    "tables as TOML": lambda: toml(tail="".join(f"[a{n}]\n" for n in range(300_000))),
    "a long tag": lambda: vcr(request="body: !<tag:" + "x" * MB + "> a"),
    "a long alias": lambda: vcr(request="body: *" + "x" * MB + " "),
    "a block far to the right": lambda: ours("    body:\n      text: |2000000000\n        a\n"),
}


@pytest.mark.parametrize("group", range(GROUPS))
def test_a_small_file_takes_little(tmp_path, group):
    names = list(BOMBS)[group::GROUPS]
    for place, name in enumerate(names):
        suffix = ".toml" if "TOML" in name else ".json" if "JSON" in name else ".yaml"
        (tmp_path / f"{place:02}{suffix}").write_text(BOMBS[name]())
    arguments = [sys.executable, "-c", LOAD, *map(str, sorted(tmp_path.iterdir()))]
    found = subprocess.run(arguments, capture_output=True, text=True, check=False)
    reports = dict(zip(names, map(json.loads, found.stdout.splitlines()), strict=False))
    assert list(reports) == names, found.stderr[-1000:]
    assert {name: said for name, (said, _, _) in reports.items() if said == "loaded" or len(said) > 1000} == {}
    assert {name: seconds for name, (_, seconds, _) in reports.items() if seconds > MOST_TIME} == {}
    assert {name: peak for name, (_, _, peak) in reports.items() if peak > MOST_MEMORY} == {}
