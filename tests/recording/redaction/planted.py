"""Credentials of every known shape, and bodies of every format to plant them in."""

from __future__ import annotations

import base64
import bz2
import gzip
import html
import io
import json
import lzma
import quopri
import re
import string
import tarfile
import unicodedata
import zipfile
import zlib
from typing import NamedTuple
from urllib.parse import quote, quote_plus, unquote, unquote_plus

import brotli
import zstandard

from replay_agent.framing.raw_frames import Frame, join_frames, split_frames

WORD = string.ascii_letters + string.digits
DASHED = WORD + "-_"
HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + string.digits

# Marks are written in two parts, so that no scanner takes this file for a leak.
SHAPES = {
    "anthropic": ("sk-" + "ant-api03-", DASHED, 95),
    "openrouter": ("sk-" + "or-v1-", HEX, 64),
    "openai project": ("sk-" + "proj-", DASHED, 120),
    "openai service": ("sk-" + "svcacct-", DASHED, 60),
    "openai": ("sk-", WORD, 48),
    "deepseek": ("sk-", HEX, 32),
    "google": ("AI" + "za", DASHED, 35),
    "google token": ("ya29" + ".", DASHED, 120),
    "google secret": ("GOC" + "SPX-", DASHED, 28),
    "aws": ("AK" + "IA", UPPER, 16),
    "aws session": ("AS" + "IA", UPPER, 16),
    "hugging face": ("h" + "f_", string.ascii_letters, 34),
    "groq": ("gs" + "k_", WORD, 52),
    "xai": ("xa" + "i-", WORD, 80),
    "cerebras": ("cs" + "k-", string.ascii_lowercase + string.digits, 48),
    "perplexity": ("ppl" + "x-", WORD, 48),
    "fireworks": ("f" + "w_", WORD, 24),
    "nvidia": ("nva" + "pi-", DASHED, 64),
    "replicate": ("r" + "8_", WORD, 37),
    "tavily": ("tvl" + "y-dev-", WORD, 32),
    "voyage": ("p" + "a-", DASHED, 43),
    "langsmith": ("lsv" + "2_pt_", HEX, 32),
    "logfire": ("pyl" + "f_v1_us_", WORD, 43),
    "github": ("gh" + "p_", WORD, 36),
    "github fine": ("github" + "_pat_", WORD, 82),
    "gitlab": ("glp" + "at-", WORD, 20),
    "slack": ("xox" + "b-1234567890-", WORD, 24),
    "slack app": ("xap" + "p-1-A012-", WORD, 40),
    "stripe": ("sk_" + "live_", WORD, 24),
    "stripe restricted": ("rk_" + "live_", WORD, 24),
    "webhook": ("whs" + "ec_", WORD, 32),
    "npm": ("np" + "m_", WORD, 36),
    "pypi": ("pyp" + "i-AgEIcHlwaS5vcmc", DASHED, 80),
    "digitalocean": ("dop" + "_v1_", HEX, 64),
    "shopify": ("shp" + "at_", HEX, 32),
    "notion": ("nt" + "n_", WORD, 46),
    "linear": ("lin_" + "api_", WORD, 40),
    "databricks": ("da" + "pi", HEX, 32),
    "planetscale": ("pscale" + "_tkn_", DASHED, 43),
    "grafana": ("gl" + "sa_", WORD, 41),
    "anthropic oauth": ("sk-" + "ant-oat01-", DASHED, 80),
    "openai admin": ("sk-" + "admin-", DASHED, 60),
    "elevenlabs": ("s" + "k_", HEX, 48),
    "google express": ("AQ" + ".Ab", DASHED, 50),
    "google refresh": ("1/" + "/0g", DASHED, 60),
    "bedrock": ("bedrock-" + "api-key-", WORD, 120),
    "together": ("tg" + "p_v1_", DASHED, 43),
    "pinecone": ("pcs" + "k_", WORD + "_", 70),
    "modal": ("a" + "k-", WORD, 22),
    "jina": ("jin" + "a_", WORD, 60),
    "wandb": ("wandb" + "_v1_", WORD, 70),
    "e2b": ("e2" + "b_", HEX, 40),
    "firecrawl": ("f" + "c-", HEX, 32),
    "daytona": ("dt" + "n_", HEX, 64),
    "browserbase": ("bb_" + "live_", WORD, 27),
    "apify": ("apify" + "_api_", WORD, 36),
    "supabase": ("sb_" + "secret_", DASHED, 31),
    "supabase user": ("sb" + "p_", HEX, 40),
    "vercel": ("vc" + "p_", WORD, 56),
    "cloudflare": ("cfu" + "t_", WORD, 40),
    "fly": ("fm" + "2_", WORD + "+/", 120),
    "heroku": ("HRK" + "U-", DASHED, 60),
    "neon": ("nap" + "i_", WORD, 64),
    "posthog": ("ph" + "x_", WORD, 43),
    "sentry": ("sntr" + "yu_", HEX, 64),
    "newrelic": ("NRA" + "K-", UPPER, 27),
    "vault": ("hv" + "s.", DASHED, 90),
    "pulumi": ("pu" + "l-", HEX, 40),
    "docker": ("dckr" + "_pat_", DASHED, 27),
    "jfrog": ("AK" + "Cp", WORD, 69),
    "rubygems": ("ruby" + "gems_", HEX, 48),
    "gitlab runner": ("glr" + "t-", WORD, 20),
    "bitbucket": ("AT" + "BB", WORD, 32),
    "atlassian": ("ATATT" + "3xFfGF0", WORD, 150),
    "figma": ("fig" + "d_", DASHED, 40),
    "brevo": ("xkey" + "sib-", WORD, 81),
    "notion old": ("secr" + "et_", WORD, 43),
    "tailscale": ("tskey" + "-auth-", WORD, 49),
    "doppler": ("dp" + ".pt.", WORD, 43),
    "prefect": ("pn" + "u_", WORD, 36),
    "easypost": ("EZ" + "AK", WORD, 54),
    "duffel": ("duffel" + "_live_", WORD, 43),
    "stripe organisation": ("sk_" + "org_live_", WORD, 60),
    "slack cookie": ("xox" + "d-", WORD, 100),
    "square": ("sq0" + "csp-", DASHED, 43),
    "llamaindex": ("ll" + "x-", WORD, 48),
    "chroma": ("c" + "k-", WORD, 44),
    "turbopuffer": ("tpu" + "f_", WORD, 32),
    "cartesia": ("sk_" + "car_", WORD, 22),
    "runway": ("ke" + "y_", HEX, 128),
    "retell": ("ke" + "y_", HEX, 28),
    "openai realtime": ("e" + "k_", HEX, 32),
    "openai session": ("ses" + "s-", WORD, 40),
    "coze": ("pa" + "t_", WORD, 64),
    "dify": ("ap" + "p-", WORD, 24),
    "yandex": ("AQ" + "VN", DASHED, 36),
    "upstage": ("u" + "p_", WORD, 29),
    "netlify": ("nf" + "p_", WORD, 36),
    "mailersend": ("mls" + "n.", HEX, 64),
    "trello": ("AT" + "TA", HEX, 72),
    "contentful": ("CFP" + "AT-", DASHED, 43),
    "honeycomb": ("hcai" + "k_", WORD, 58),
    "sonar": ("sq" + "u_", HEX, 40),
    "buildkite": ("bku" + "a_", HEX, 40),
    "clojars": ("CLOJ" + "ARS_", HEX, 60),
    "mollie": ("liv" + "e_", WORD, 30),
    "mongodb": ("mdb_" + "sa_sk_", DASHED, 40),
    "browser use": ("b" + "u_", DASHED, 43),
    "agentmail": ("a" + "m_", HEX, 64),
    "paseto": ("v4." + "local.", DASHED, 120),
    "deno": ("dd" + "p_", WORD, 36),
    "crates": ("ci" + "o", WORD, 32),
    "nuget": ("oy" + "2", string.ascii_lowercase + string.digits, 43),
    "octopus": ("AP" + "I-", UPPER, 27),
}


def credential(name, random):
    """A credential of a shape, such as its maker gives out: with digits and letters, its last character one of these."""
    mark, characters, length = SHAPES[name]
    run = [random.choice(characters) for _ in range(length)]
    for place in range(2, length - 1, 6):
        run[place] = random.choice([each for each in characters if each.isdigit()] or characters)
    run[-1] = random.choice([each for each in characters if each.isalnum()])
    return mark + "".join(run)


class Format(NamedTuple):
    """How a text is written as a body, and read from one. ``headers`` tell of the body."""

    write: object
    read: object
    headers: tuple[tuple[str, str], ...] = ()


def _json(value, **options):
    return json.dumps(value, **options).encode()


def _chat(text):
    return {"model": "m", "messages": [{"role": "user", "content": text}]}


def _of_chat(value):
    return value["messages"][0]["content"]


def _escaped(text, *, upper=False):
    form = "\\u{:04X}" if upper else "\\u{:04x}"
    return "".join(each if each.isalnum() else form.format(ord(each)) for each in text)


def _part(body):
    return b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\n%b\r\n--b--\r\n' % body


def _of_part(body):
    return body.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n--b--\r\n")


def _unannounced(pack, unpack):
    return Format(lambda text: pack(_json(_chat(text))), lambda body: _of_chat(json.loads(unpack(body))))


def _packed(pack, unpack, encoding):
    return Format(
        lambda text: pack(_json(_chat(text))),
        lambda body: _of_chat(json.loads(body)),
        (("content-type", "application/json"), ("content-encoding", encoding)),
    )


def _spelled(form):
    """Every character but letters of other scripts as an escape of programs."""
    return lambda text: "".join(form.format(ord(each)) if each.isascii() else each for each in text).encode()


def _unspelled(pattern, base):
    return lambda body: re.sub(pattern, lambda found: chr(int(found[1], base)), body.decode())


def _program(form, pattern, base):
    return Format(_spelled(form), _unspelled(pattern, base), PLAIN)


def _spelled_for_mail(text):
    """Every byte but letters, digits and blanks spelled."""
    plain = (WORD + " ").encode()
    return [chr(byte) if byte in plain else f"={byte:02X}" for byte in text.encode()]


def _between(mark):
    """A mark that nobody sees behind every character, within JSON that spells it out or not."""
    return Format(
        lambda text: _json(_chat("".join(each + mark for each in text)), ensure_ascii=len(mark) == 1),
        lambda body: _of_chat(json.loads(body)).replace(mark, ""),
    )


def _zip(text):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("first.txt", "first")
        archive.writestr("a/second.txt", text)
    return made.getvalue()


def _unzip(body):
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.read("first.txt") == b"first"
        return archive.read("a/second.txt").decode()


def _tar(text):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        info = tarfile.TarInfo("a.txt")
        info.size = len(text.encode())
        archive.addfile(info, io.BytesIO(text.encode()))
    return made.getvalue()


def _untar(body):
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        return archive.extractfile("a.txt").read().decode()


def _in_base64(pack, unpack):
    return Format(
        lambda text: _json({"data": base64.b64encode(pack(text)).decode()}),
        lambda body: unpack(base64.b64decode(json.loads(body)["data"])),
    )


def _long(text):
    """What is too short seems to be an id in base64."""
    return ("so " * 12 + text).encode()


def _short(data):
    return data.decode()[36:]


PLAIN = (("content-type", "text/plain"),)
FORMATS = {
    "octal": _program("\\{:03o}", r"\\([0-7]{3})", 8),
    "hexadecimal escapes": _program("\\x{:02x}", r"\\x(..)", 16),
    "escapes in braces": _program("\\u{{{:x}}}", r"\\u\{([0-9a-f]+)\}", 16),
    "long escapes": _program("\\U{:08X}", r"\\U(.{8})", 16),
    "css": _program("\\{:06x}", r"\\([0-9a-f]{6})", 16),
    "percent u": _program("%u{:04X}", r"%u(....)", 16),
    "html without semicolons": _program("&#x{:x};", r"&#x([0-9a-f]+);", 16),
    "octal in json": Format(
        lambda text: _json(_chat(_spelled("\\{:03o}")(text).decode())),
        lambda body: _unspelled(r"\\([0-7]{3})", 8)(_of_chat(json.loads(body)).encode()),
    ),
    "no width": _between("\u200b"),
    "soft hyphens": _between("\u00ad"),
    "joiners": _between("\u2060"),
    "selectors": _between("\ufe0f"),
    "colours": _between("\x1b[1m"),
    "full width": Format(
        lambda text: _json(_chat("".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text))),
        lambda body: unicodedata.normalize("NFKC", _of_chat(json.loads(body))),
    ),
    "quoted-printable": Format(
        lambda text: _json({"raw": "=3D" + "".join(_spelled_for_mail(text))}),
        lambda body: quopri.decodestring(json.loads(body)["raw"]).decode()[1:],
    ),
    "hexadecimal": Format(
        lambda text: _json(_chat(("so " * 12 + text).encode().hex())),
        lambda body: bytes.fromhex(_of_chat(json.loads(body))).decode()[36:],
    ),
    "bytes": Format(
        lambda text: _json({"data": list(("so " * 12 + text).encode())}),
        lambda body: bytes(json.loads(body)["data"]).decode()[36:],
    ),
    "base32": Format(
        lambda text: _json(_chat(base64.b32encode(("so " * 12 + text).encode()).decode())),
        lambda body: base64.b32decode(_of_chat(json.loads(body))).decode()[36:],
    ),
    "zip": Format(_zip, _unzip, (("content-type", "application/zip"),)),
    "zip in multipart": Format(
        lambda text: _part(_zip(text)),
        lambda body: _unzip(_of_part(body)),
        (("content-type", "multipart/form-data; boundary=b"),),
    ),
    "zip in base64": _in_base64(_zip, _unzip),
    "tar": Format(_tar, _untar, (("content-type", "application/x-tar"),)),
    "tar and gzip in base64": _in_base64(
        lambda text: gzip.compress(_tar(text)), lambda body: _untar(gzip.decompress(body))
    ),
    "bzip2 in base64": _in_base64(lambda text: bz2.compress(text.encode()), lambda body: bz2.decompress(body).decode()),
    "xz": Format(lambda text: lzma.compress(text.encode()), lambda body: lzma.decompress(body).decode(), PLAIN),
    "utf-16 without a mark": Format(
        lambda text: _json(_chat(text)).decode().encode("utf-16-le"),
        lambda body: _of_chat(json.loads(body.decode("utf-16-le"))),
    ),
    "utf-16 in base64": Format(
        lambda text: _json({"data": base64.b64encode(("so " * 12 + text).encode("utf-16-le")).decode()}),
        lambda body: base64.b64decode(json.loads(body)["data"]).decode("utf-16-le")[36:],
    ),
    "text": Format(str.encode, bytes.decode, (("content-type", "text/plain"),)),
    "json": Format(lambda text: _json(_chat(text)), lambda body: _of_chat(json.loads(body))),
    "json in unicode": Format(
        lambda text: _json(_chat(text), ensure_ascii=False, indent=2), lambda body: _of_chat(json.loads(body))
    ),
    "json in json": Format(
        lambda text: _json(_chat(json.dumps({"stdout": text}))),
        lambda body: json.loads(_of_chat(json.loads(body)))["stdout"],
    ),
    "json in json in json": Format(
        lambda text: _json(_chat(json.dumps({"x": json.dumps([text])}))),
        lambda body: json.loads(json.loads(_of_chat(json.loads(body)))["x"])[0],
    ),
    "json escaped": Format(lambda text: b'{"a":"%b"}' % _escaped(text).encode(), lambda body: json.loads(body)["a"]),
    "json escaped in capitals": Format(
        lambda text: b'{"a":"%b"}' % _escaped(text, upper=True).encode(), lambda body: json.loads(body)["a"]
    ),
    "form": Format(
        lambda text: f"a=1&note={quote_plus(text)}&b=2".encode(),
        lambda body: unquote_plus(body.decode().split("&")[1].partition("=")[2]),
        (("content-type", "application/x-www-form-urlencoded"),),
    ),
    "percent": Format(
        lambda text: f"https://a.example/?q={quote(text, safe='')}".encode(),
        lambda body: unquote_plus(body.decode().partition("q=")[2].replace("+", "%2B")),
        (("content-type", "text/plain"),),
    ),
    "html": Format(
        lambda text: f"<p>{html.escape(text)}</p>".encode(),
        lambda body: html.unescape(body.decode()[3:-4]),
        (("content-type", "text/html"),),
    ),
    "html in numbers": Format(
        lambda text: "".join(each if each.isalnum() else f"&#{ord(each)};" for each in text).encode(),
        lambda body: html.unescape(body.decode()),
        (("content-type", "text/html"),),
    ),
    "multipart": Format(
        lambda text: _part(text.encode()),
        lambda body: _of_part(body).decode(),
        (("content-type", "multipart/form-data; boundary=b"),),
    ),
    "base64": Format(
        lambda text: _json({"data": base64.b64encode(text.encode()).decode()}),
        lambda body: base64.b64decode(json.loads(body)["data"]).decode(),
    ),
    "base64 for addresses": Format(
        lambda text: _json({"data": base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")}),
        lambda body: base64.urlsafe_b64decode(json.loads(body)["data"] + "==").decode(),
    ),
    "base64 of mail": Format(
        lambda text: _json({"data": base64.encodebytes(text.encode()).decode()}),
        lambda body: base64.b64decode(json.loads(body)["data"]).decode(),
    ),
    "base64 of gzip": Format(
        lambda text: _json({"data": base64.b64encode(gzip.compress(text.encode())).decode()}),
        lambda body: gzip.decompress(base64.b64decode(json.loads(body)["data"])).decode(),
    ),
    "gzip": _packed(gzip.compress, gzip.decompress, "gzip"),
    "deflate": _packed(zlib.compress, zlib.decompress, "deflate"),
    "br": _packed(brotli.compress, brotli.decompress, "br"),
    "zstd": _packed(zstandard.compress, zstandard.decompress, "zstd"),
    "gzip unannounced": _unannounced(gzip.compress, gzip.decompress),
    "deflate unannounced": _unannounced(zlib.compress, zlib.decompress),
    "zstd unannounced": _unannounced(
        zstandard.compress, lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body)
    ),
    "gzip in gzip": _unannounced(
        lambda body: gzip.compress(gzip.compress(body)), lambda body: gzip.decompress(gzip.decompress(body))
    ),
    "gzip in multipart": Format(
        lambda text: _part(gzip.compress(text.encode())),
        lambda body: gzip.decompress(_of_part(body)).decode(),
        (("content-type", "multipart/form-data; boundary=b"),),
    ),
    "utf-16": Format(
        lambda text: _json(_chat(text)).decode().encode("utf-16"), lambda body: _of_chat(json.loads(body))
    ),
    "utf-32": Format(
        lambda text: _json(_chat(text)).decode().encode("utf-32"), lambda body: _of_chat(json.loads(body))
    ),
    "percent twice": Format(
        lambda text: f"https://a.example/?q={quote(quote(text, safe=''), safe='')}".encode(),
        lambda body: unquote(unquote(body.decode().partition("q=")[2])),
        PLAIN,
    ),
    "json in json in a form": Format(
        lambda text: f"note={quote_plus(json.dumps({'text': json.dumps([text])}))}".encode(),
        lambda body: json.loads(json.loads(unquote_plus(body.decode().partition("note=")[2]))["text"])[0],
        (("content-type", "application/x-www-form-urlencoded"),),
    ),
    "html in json": Format(
        lambda text: _json(_chat(f"<p>{html.escape(text)}</p>")),
        lambda body: html.unescape(_of_chat(json.loads(body))[3:-4]),
    ),
    "base64 twice": _in_base64(lambda text: base64.b64encode(_long(text)), lambda data: _short(base64.b64decode(data))),
    "json in gzip in base64": _in_base64(
        lambda text: gzip.compress(_json(_chat(text))), lambda data: _of_chat(json.loads(gzip.decompress(data)))
    ),
    "utf-16 in gzip": Format(
        lambda text: gzip.compress(_json(_chat(text)).decode().encode("utf-16")),
        lambda body: _of_chat(json.loads(gzip.decompress(body))),
    ),
    "json in a form": Format(
        lambda text: f"a=1&note={quote_plus(json.dumps({'text': text}))}".encode(),
        lambda body: json.loads(unquote_plus(body.decode().partition("note=")[2]))["text"],
        (("content-type", "application/x-www-form-urlencoded"),),
    ),
}


PACKS = {
    "": lambda body: body,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}
"""Content encodings of streams; of what is redacted they are undone."""


class Streamed(NamedTuple):
    """How pieces of two texts, of which one is another choice's, are written as a stream, and read from one."""

    write: object
    read: object
    headers: tuple[tuple[str, str], ...] = (("content-type", "text/event-stream"),)


def _events(documents):
    return b"".join(b"data: " + _json(each) + b"\n\n" for each in documents) + b"data: [DONE]\n\n"


def _documents(body):
    return [json.loads(line[6:]) for line in body.decode().split("\n") if line.startswith("data: {")]


def _joined(found):
    texts = {0: "", 1: ""}
    for index, text in found:
        texts[index] += text
    return texts


def _frames(body):
    return [json.loads(frame.payload) for frame in split_frames(body)[0]]


def _framed(documents):
    return join_frames([Frame(b"", _json(each)) for each in documents])


AWS = (("content-type", "application/vnd.amazon.eventstream"),)
STREAMS = {
    "chat": Streamed(
        lambda pieces: _events({"choices": [{"index": n, "delta": {"content": text}}]} for n, text in pieces),
        lambda body: _joined(
            (each["choices"][0]["index"], each["choices"][0]["delta"]["content"]) for each in _documents(body)
        ),
    ),
    "index behind": Streamed(
        lambda pieces: _events({"delta": {"text": text}, "index": n} for n, text in pieces),
        lambda body: _joined((each["index"], each["delta"]["text"]) for each in _documents(body)),
    ),
    "responses": Streamed(
        lambda pieces: _events({"type": "t", "output_index": n, "delta": text} for n, text in pieces),
        lambda body: _joined((each["output_index"], each["delta"]) for each in _documents(body)),
    ),
    "lines": Streamed(
        lambda pieces: b"".join(_json({"index": n, "text": text}) + b"\n" for n, text in pieces),
        lambda body: _joined((each["index"], each["text"]) for each in map(json.loads, body.splitlines())),
    ),
    "list": Streamed(
        lambda pieces: _json([{"index": n, "text": text} for n, text in pieces], indent=1),
        lambda body: _joined((each["index"], each["text"]) for each in json.loads(body)),
        (("content-type", "application/json"),),
    ),
    "ends of old": Streamed(
        lambda pieces: _events({"choices": [{"index": n, "delta": {"content": text}}]} for n, text in pieces).replace(
            b"\n", b"\r"
        ),
        lambda body: _joined(
            (each["choices"][0]["index"], each["choices"][0]["delta"]["content"])
            for each in _documents(body.replace(b"\r", b"\n"))
        ),
    ),
    "arguments": Streamed(
        lambda pieces: _events({"index": n, "delta": {"partial_json": json.dumps(text)[1:-1]}} for n, text in pieces),
        lambda body: {
            n: json.loads(f'"{text}"')
            for n, text in _joined((each["index"], each["delta"]["partial_json"]) for each in _documents(body)).items()
        },
    ),
    "aws": Streamed(
        lambda pieces: _framed({"contentBlockIndex": n, "delta": {"text": text}} for n, text in pieces),
        lambda body: _joined((each["contentBlockIndex"], each["delta"]["text"]) for each in _frames(body)),
        AWS,
    ),
    "bedrock": Streamed(
        lambda pieces: _framed(
            {"bytes": base64.b64encode(_json({"index": n, "delta": {"text": text}})).decode(), "p": "abc"}
            for n, text in pieces
        ),
        lambda body: _joined(
            (each["index"], each["delta"]["text"])
            for each in (json.loads(base64.b64decode(frame["bytes"])) for frame in _frames(body))
        ),
        AWS,
    ),
}


NAMES = (
    *("api_key", "client_secret", "secret_access_key", "AuthToken", "db_password", "x-api-key", "refreshToken"),
    *("signing_secret", "accountKey", "private_key", "webhook-secret", "session_token", "passwd", "bearer_token"),
)
"""How credentials are called whose values have no shape."""


def _csv(mark):
    return lambda name, value: f"id{mark}{name}{mark}note\n7{mark}{value}{mark}old\n8{mark}{mark}new\n"


PLACES = {
    "json": lambda name, value: json.dumps({"a": [{name: value, "b": 1}]}),
    "json behind a comment": lambda name, value: f'{{"{name}": /* of the shop */ "{value}", "b": 1}}',
    "json below a comment": lambda name, value: f'{{"a": 1, // the next one\n "{name}" : // live\n "{value}"}}',
    "comment": lambda name, value: f'{{"a": 1 // {name}: {value}\n}}',
    "json5": lambda name, value: f"{{'{name}': '{value}', b: 1}}",
    "csv": _csv(","),
    "csv with semicolons": _csv(";"),
    "tabs": _csv("\t"),
    "quoted csv": lambda name, value: f'"id","{name}","a, b"\r\n"7","{value}","x, ""y"""\r\n',
    "csv in a fence": lambda name, value: f"The file:\n```csv\n{_csv(',')(name, value)}```\n",
    "table": lambda name, value: f"| id | {name} |\n|---|:---|\n| 7 | {value} |\n| 8 | `{value}` |\n",
    "printed table": lambda name, value: f" id | {name} \n----+------\n  7 | {value}\n(1 row)\n",
    "table of html": lambda name, value: (
        f"<table><tr><th>id</th><th>{name}</th></tr><tr><td>7</td><td>{value}</td></tr></table>"
    ),
    "rows of json": lambda name, value: json.dumps({"columns": ["id", name], "data": [[1, value], [2, None]]}),
    "sheet": lambda name, value: json.dumps({"values": [["id", name, "x"], ["1", value, "y"]]}),
    "pair": lambda name, value: json.dumps([{"name": name, "type": "text", "secure": True, "value": value}]),
    "pair turned": lambda name, value: json.dumps([{"value": value, "key": name}]),
    "pairs of a list": lambda name, value: json.dumps([["Host", "a.example"], [name, value]]),
    "pairs of python": lambda name, value: f"[(b'host', b'a'), (b'{name}', b'{value}')]",
    "variable": lambda name, value: f"A=1\nexport {name}={value}\nB=2\n",
    "quoted variable": lambda name, value: f'A=1\n{name}="{value}"\n',
    "yaml": lambda name, value: f"a:\n  {name}: {value}\n  b: 1\n",
    "yaml below": lambda name, value: f"a:\n  {name}: |\n    {value}\n  b: 1\n",
    "yaml list": lambda name, value: f"{name}:\n  - {value}\n  - {value}\nb: 1\n",
    "element": lambda name, value: f'<a><{name} kind="x">{value}</{name}></a>',
    "cdata": lambda name, value: f"<{name}><![CDATA[{value}]]></{name}>",
    "attributes": lambda name, value: f'<add key="{name}" value="{value}"/>',
    "property list": lambda name, value: f"<dict><key>{name}</key>\n<string>{value}</string></dict>",
    "address": lambda name, value: f"https://a.example/x?b=1&{name}={value}",
    "address in an address": lambda name, value: f"https://a.example/x?to=https://b.example/?{name}={value}&c=2",
    "fragment": lambda name, value: f"https://a.example/x#{name}={value}&type=y",
    "option": lambda name, value: f"run --{name} {value} --fast",
    "program": lambda name, value: f'connect(host="a", {name}="{value}")',
    "assigned": lambda name, value: f"client.{name} = '{value}';",
}
"""How a name and its value are written."""
