"""A provider on loopback that misbehaves on demand, byte for byte."""

from __future__ import annotations

import gzip
import json
import re
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import brotli
import zstandard

RESET = struct.pack("ii", 1, 0)
TEXT = "Grüße, 世界! 🦜 " * 8
EVENTS = [f"data: {json.dumps({'n': n, 'text': 'é🦜'}, ensure_ascii=False)}\n\n".encode() for n in range(5)]


class Peer:
    """One request, and the ways to answer it."""

    def __init__(self, sock: socket.socket, head: bytes, body: bytes, count: int, stopped: threading.Event) -> None:
        self.sock = sock
        self.body = body
        self.count = count
        self.stopped = stopped
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = first.split(" ")
        self.path = self.target.partition("?")[0]
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.sock.sendall(piece)

    def answer(self, body: bytes, *headers: str, status: str = "200 OK") -> None:
        lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
        self.send("\r\n".join(lines).encode("latin-1") + (b"" if self.method == "HEAD" else body))

    def begin_stream(self, *headers: str) -> None:
        self.send("\r\n".join(["HTTP/1.1 200 OK", *headers, "Transfer-Encoding: chunked", "", ""]).encode())

    def chunk(self, data: bytes) -> None:
        self.send(b"%x\r\n%s\r\n" % (len(data), data))
        self.pause()

    def pause(self) -> None:
        """Let the client read what was sent as a piece of its own."""
        time.sleep(0.01)

    def stall(self) -> None:
        self.stopped.wait(30)

    def reset(self) -> None:
        self.pause()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.close()

    def close(self) -> None:
        self.sock.close()
        raise ConnectionAbortedError


def stream(peer: Peer) -> None:
    peer.begin_stream("Content-Type: text/event-stream")
    for event in EVENTS:
        peer.chunk(event)
    peer.send(b"0\r\n\r\n")


def split_utf8(peer: Peer) -> None:
    peer.begin_stream("Content-Type: text/event-stream")
    data = b"".join(EVENTS)
    for at in range(0, len(data), 7):
        peer.chunk(data[at : at + 7])
    peer.send(b"0\r\n\r\n")


def crlf_stream(peer: Peer) -> None:
    peer.begin_stream("Content-Type: text/event-stream")
    peer.chunk(b": keep-alive\r\n\r\nevent: ping\r\ndata: 1\r\ndata: 2\r\nid: 7\r\n\r\n\xef\xbb\xbfdata")
    peer.chunk(b": \xe4\xbd")
    peer.chunk(b"\xa0\r\n\r\n")
    peer.send(b"0\r\n\r\n")


def with_trailers(peer: Peer) -> None:
    peer.begin_stream("Content-Type: text/plain", "Trailer: X-Checksum")
    peer.chunk(b"body")
    peer.send(b"0\r\nX-Checksum: 4711\r\n\r\n")


def gzip_stream(peer: Peer) -> None:
    packer = zlib.compressobj(wbits=31)
    peer.begin_stream("Content-Type: text/event-stream", "Content-Encoding: gzip")
    for event in EVENTS:
        peer.chunk(packer.compress(event) + packer.flush(zlib.Z_SYNC_FLUSH))
    peer.chunk(packer.flush())
    peer.send(b"0\r\n\r\n")


def endless(peer: Peer) -> None:
    peer.begin_stream("Content-Type: text/event-stream")
    for n in range(1000):
        peer.chunk(b"data: %d\n\n" % n)


def stalled_stream(peer: Peer) -> None:
    peer.begin_stream("Content-Type: text/event-stream")
    peer.chunk(EVENTS[0])
    peer.stall()


def reset_stream(peer: Peer) -> None:
    peer.begin_stream("Content-Type: text/event-stream")
    peer.chunk(EVENTS[0])
    peer.reset()


def short_body(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nabc")
    peer.pause()
    peer.close()


def until_close(peer: Peer) -> None:
    peer.send(b"HTTP/1.0 200 OK\r\n\r\nabc")
    peer.pause()
    peer.send(b"def")
    peer.close()


def limited(peer: Peer) -> None:
    if peer.count == 1:
        peer.answer(b'{"error": "slow down"}', "Retry-After: 7", status="429 Too Many Requests")
    else:
        peer.answer(b'{"ok": true}')


def early_hints(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
    peer.answer(b"late")


SHAPES: dict[str, Callable[[Peer], None]] = {
    "/json": lambda peer: peer.answer(b'{"a": 1}\n', "Content-Type: application/json"),
    "/counted": lambda peer: peer.answer(f"answer {peer.count}".encode()),
    "/echo": lambda peer: peer.answer(b"you said " + peer.body),
    "/text": lambda peer: peer.answer(TEXT.encode(), "Content-Type: text/plain; charset=utf-8"),
    "/latin-1": lambda peer: peer.answer("café".encode("latin-1"), "Content-Type: text/plain; charset=latin-1"),
    "/controls": lambda peer: peer.answer(
        b"a\x00\x07\x1b[31m\x85\r\nb\rc\n\xe2\x80\xa8d \t\n", "Content-Type: text/plain"
    ),
    "/surrogates": lambda peer: peer.answer(
        b'{"a": "\\ud83d", "b": 1e999, "a": 1.0}', "Content-Type: application/json"
    ),
    "/crlf-stream": crlf_stream,
    "/trailers": with_trailers,
    "/every-byte": lambda peer: peer.answer(bytes(range(256)), "Content-Type: application/octet-stream"),
    "/big": lambda peer: peer.answer(bytes(range(256)) * 2000, "Content-Type: application/octet-stream"),
    "/empty": lambda peer: peer.answer(b""),
    "/gzip": lambda peer: peer.answer(gzip.compress(TEXT.encode(), mtime=1), "Content-Encoding: gzip"),
    "/deflate": lambda peer: peer.answer(zlib.compress(TEXT.encode()), "Content-Encoding: deflate"),
    "/br": lambda peer: peer.answer(brotli.compress(TEXT.encode()), "Content-Encoding: br"),
    "/zstd": lambda peer: peer.answer(zstandard.compress(TEXT.encode()), "Content-Encoding: zstd"),
    "/broken-gzip": lambda peer: peer.answer(gzip.compress(b"x" * 99, mtime=1)[:-9], "Content-Encoding: gzip"),
    "/headers": lambda peer: peer.answer(b"x", "X-Twice: one", "x-twice: two", "X-Name: caf\xe9", "X-Empty:"),
    "/204": lambda peer: peer.send(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "/304": lambda peer: peer.send(b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n"),
    "/400": lambda peer: peer.answer(b'{"error": "no"}', status="400 Bad Request"),
    "/500": lambda peer: peer.answer(b"oops", status="500 Internal Server Error"),
    "/529": lambda peer: peer.answer(b"busy", status="529 Site is Overloaded"),
    "/redirect": lambda peer: peer.answer(b"", "Location: /json", status="307 Temporary Redirect"),
    "/early-hints": early_hints,
    "/until-close": until_close,
    "/limited": limited,
    "/stream": stream,
    "/split-utf8": split_utf8,
    "/gzip-stream": gzip_stream,
    "/endless": endless,
    "/stalled-stream": stalled_stream,
    "/reset-stream": reset_stream,
    "/short-body": short_body,
    "/no-answer": lambda peer: peer.close(),
    "/reset": lambda peer: peer.reset(),
    "/stall": lambda peer: peer.stall(),
}
FAULTS = ("/stalled-stream", "/reset-stream", "/short-body", "/no-answer", "/reset", "/stall", "refused")
SOUND = tuple(shape for shape in SHAPES if shape not in (*FAULTS, "/limited", "/endless", "/echo", "/broken-gzip"))


def by_path(peer: Peer) -> None:
    """Answer in the shape that the path names."""
    SHAPES[peer.path](peer)


class RoughProvider:
    """Serves whatever ``answer`` makes of a request, each connection in a thread of its own."""

    def __init__(self, answer: Callable[[Peer], None] = by_path) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._counts: dict[str, int] = {}
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.hits = 0
        """Connections that were made."""
        self._thread = threading.Thread(target=self._accept)
        self._threads = [self._thread]
        self._thread.start()

    def stop(self) -> None:
        """Close every connection and the door; whoever connects then is refused."""
        self._stopped.set()
        # shutdown() wakes the accepting thread, which close() alone does not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for sock in self._open:
                _hang_up(sock)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.hits += 1
                self._open.add(sock)
            thread = threading.Thread(target=self._serve, args=(sock,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        try:
            while request := _read_request(sock):
                head, body = request
                with self._lock:
                    target = head.split(b" ")[1].decode()
                    count = self._counts[target] = self._counts.get(target, 0) + 1
                peer = Peer(sock, head, body, count, self._stopped)
                self._answer(peer)
                if b"HTTP/1.0" in head:
                    return
        except OSError:
            return
        finally:
            with self._lock:
                self._open.discard(sock)
            sock.close()


def _hang_up(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def _read_request(sock: socket.socket) -> tuple[bytes, bytes] | None:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    chunked = b"transfer-encoding: chunked" in head.lower()
    while len(body) < int(length[1]) if length else chunked and not body.endswith(b"0\r\n\r\n"):
        body += sock.recv(65536)
    return head, body


@contextmanager
def rough_provider(answer: Callable[[Peer], None] = by_path) -> Iterator[RoughProvider]:
    """Serve until the end of the block, or until stopped."""
    provider = RoughProvider(answer)
    try:
        yield provider
    finally:
        if not provider._stopped.is_set():
            provider.stop()


def refused_url() -> str:
    """Return the address of a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"
