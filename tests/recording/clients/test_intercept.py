from __future__ import annotations

import asyncio
import http.client
import subprocess
import sys
import textwrap
import types
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from unittest.mock import MagicMock

import aiohttp
import httpx
import httpx2
import pytest
import requests
import urllib3.connection
import vcr
from vcr.stubs.httpx_stubs import vcr_handle_request

from replay_agent.exceptions import CassetteMiss
from replay_agent.recording.clients import intercept
from replay_agent.traffic import Chunk, Request, Response
from tests.integration.recordings import make, recording, replaying
from tests.integration.rough_provider import rough_provider

MODULES = pytest.mark.parametrize("module", [httpx, httpx2])
HOOKED = [
    (httpx.HTTPTransport, "handle_request"),
    (httpx.AsyncHTTPTransport, "handle_async_request"),
    (httpx2.HTTPTransport, "__init__"),
    (httpx2.AsyncHTTPTransport, "handle_async_request"),
    (http.client.HTTPConnection, "connect"),
    (http.client.HTTPSConnection, "connect"),
    (urllib3.connection.HTTPConnection, "connect"),
    (urllib3.connection.HTTPSConnection, "connect"),
    (aiohttp.BaseConnector, "connect"),
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "c.yaml"


@pytest.fixture
def provider():
    with rough_provider() as provider:
        yield provider


def hooked():
    return [vars(owner)[name] for owner, name in HOOKED]


@pytest.fixture
def unheld():
    """Take back what the plugin itself holds for the session in which these tests run."""
    held = 0
    while intercept._holders:
        intercept.uninstall()
        held += 1
    yield
    for _ in range(held):
        intercept.install()


def test_hooks_come_and_go_exactly(unheld):
    before = hooked()
    intercept.install()
    assert all(now is not then for now, then in zip(hooked(), before, strict=True))
    intercept.uninstall()
    assert hooked() == before


def test_hooks_stay_until_the_last_holder_goes(unheld):
    before = hooked()
    intercept.install()
    intercept.install()
    intercept.uninstall()
    assert hooked() != before
    intercept.uninstall()
    assert hooked() == before


def test_hooks_without_a_recording_let_everything_pass(provider):
    intercept.install()
    try:
        assert httpx.get(f"{provider.url}/json").json() == {"a": 1}
        assert requests.get(f"{provider.url}/json", timeout=9).json() == {"a": 1}
        assert urllib.request.urlopen(f"{provider.url}/json").read() == b'{"a": 1}\n'
    finally:
        intercept.uninstall()


def test_recording_of_a_test_holds_the_hooks(path):
    before = hooked()
    opened = make(path).open()
    intercept.open_for_test(opened)
    with pytest.raises(CassetteMiss):
        httpx.get("https://api.example.org/")
    intercept.close_for_test(opened)
    assert hooked() == before


@MODULES
def test_mock_transport_is_left_alone(path, module):
    client = module.Client(transport=module.MockTransport(lambda request: module.Response(200, text="mine")))
    with replaying(path), client:
        assert client.get("https://api.example.org/").text == "mine"


@MODULES
def test_asgi_and_wsgi_applications_are_left_alone(path, module):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"mine"})

    def wsgi(environ, start_response):
        start_response("200 OK", [])
        return [b"mine"]

    async def main():
        async with module.AsyncClient(transport=module.ASGITransport(app=app), base_url="http://app") as client:
            return (await client.get("/")).text

    with replaying(path):
        assert asyncio.run(main()) == "mine"
        with module.Client(transport=module.WSGITransport(app=wsgi), base_url="http://app") as client:
            assert client.get("/").text == "mine"


@MODULES
def test_wrapped_mounted_and_derived_transports_are_recorded(path, provider, module):
    class Wrapping(module.BaseTransport):
        def __init__(self):
            self.inner = module.HTTPTransport()

        def handle_request(self, request):
            return self.inner.handle_request(request)

        def close(self):
            self.inner.close()

    class Derived(module.HTTPTransport):
        def handle_request(self, request):
            request.headers["x-derived"] = "1"
            return super().handle_request(request)

    def main():
        got = []
        for options in ({"transport": Wrapping()}, {"mounts": {"all://": Derived()}}, {"transport": Derived()}):
            with module.Client(base_url=provider.url, **options) as client:
                got.append(client.get("/counted").text)
        return got

    with recording(path, "once"):
        live = main()
    provider.stop()
    with replaying(path):
        assert main() == live == ["answer 1", "answer 2", "answer 3"]


@MODULES
def test_redirects_are_recorded_hop_by_hop(path, provider, module):
    def main():
        response = module.get(f"{provider.url}/redirect", follow_redirects=True)
        return response.json(), [hop.status_code for hop in response.history]

    with recording(path, "once") as recorded:
        live = main()
    provider.stop()
    assert len(recorded.interactions) == 2
    with replaying(path):
        assert main() == live == ({"a": 1}, [307])


@MODULES
def test_bodies_of_every_make_are_sent_and_compared(path, provider, module):
    def ways():
        yield {"content": b"bytes"}
        yield {"content": iter([b"pie", b"ces"])}
        yield {"json": {"a": [1, "ü"]}}
        yield {"data": {"a": "1", "b": "ü"}}
        yield {"files": {"f": ("name.bin", bytes(range(256)))}, "headers": BOUNDARY}

    def main():
        return [module.post(f"{provider.url}/echo", **way).content for way in ways()]

    with recording(path, "once"):
        live = main()
    provider.stop()
    with replaying(path):
        assert main() == live
    assert live[0] == b"you said bytes"


BOUNDARY = {"content-type": "multipart/form-data; boundary=one"}


@MODULES
def test_password_in_the_address_is_not_kept(path, provider, module):
    url = provider.url.replace("://", "://me:s3cretPassw0rd@")
    with recording(path, "once") as recorded:
        assert module.get(f"{url}/json").status_code == 200
    assert "s3cretPassw0rd" not in path.read_text()
    assert "me:" not in recorded.requests[0].url


def test_ignored_host_goes_live_unrecorded(path, provider):
    with recording(path, "once", ignore_hosts=("127.0.0.1",)) as recorded:
        assert httpx.get(f"{provider.url}/json").status_code == 200
        assert requests.get(f"{provider.url}/json", timeout=9).status_code == 200
    assert recorded.interactions == []
    with replaying(path, ignore_hosts=("127.0.0.1",)):
        assert httpx.get(f"{provider.url}/counted").text == "answer 1"


def test_request_hook_lets_a_request_pass(path, provider):
    def hook(request):
        return None if request.url.endswith("/counted") else request

    def main():
        return httpx.get(f"{provider.url}/counted").text, requests.get(f"{provider.url}/counted", timeout=9).text

    with recording(path, "once", before_record_request=hook) as recorded:
        assert main() == ("answer 1", "answer 2")
    with replaying(path, before_record_request=hook):
        assert main() == ("answer 3", "answer 4")
    assert recorded.interactions == []


def test_one_interaction_where_one_library_sits_on_another(path, provider):
    """requests sits on urllib3, urllib3 on http.client."""
    with recording(path, "once") as recorded:
        requests.post(f"{provider.url}/echo", data=b"x", timeout=9)
    assert len(recorded.interactions) == 1


def test_connection_of_a_replay_works_live_afterwards(path, provider):
    with recording(path, "once"):
        requests.get(f"{provider.url}/counted", timeout=9)
    with requests.Session() as session:
        with replaying(path):
            assert session.get(f"{provider.url}/counted", timeout=9).text == "answer 1"
        assert session.get(f"{provider.url}/counted", timeout=9).text == "answer 2"


def test_kept_connection_serves_one_recording_after_another(path, provider, tmp_path):
    with requests.Session() as session:
        for n in (1, 2):
            with recording(tmp_path / f"{n}.yaml", "once"):
                assert session.get(f"{provider.url}/counted", timeout=9).text == f"answer {n}"
        provider.stop()
        for n in (2, 1):
            with replaying(tmp_path / f"{n}.yaml"):
                assert session.get(f"{provider.url}/counted", timeout=9).text == f"answer {n}"


def test_client_imported_later_is_hooked(tmp_path):
    """In a process of its own, as everything is imported here."""
    code = """
        import sys
        from tests.integration.recordings import PlainKeying, explain
        sys.modules.pop("httpx2", None)
        for name in [name for name in sys.modules if name.split(".")[0] in ("httpx2", "aiohttp")]:
            del sys.modules[name]
        from pathlib import Path
        from replay_agent.exceptions import CassetteMiss
        from replay_agent.recording.clients import intercept
        from replay_agent.recording.recorder import Recording
        recording = Recording(Path(sys.argv[1]), key=PlainKeying(), explain=explain).open()
        assert "httpx2" not in sys.modules
        with intercept.in_context(recording):
            import httpx2
            try:
                httpx2.get("https://api.example.org/")
            except CassetteMiss:
                print("hooked")
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "c.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "hooked", done.stderr


def test_hooks_import_no_client():
    code = """
        import sys
        from replay_agent.recording.clients import intercept
        intercept.install()
        intercept.uninstall()
        print(*sorted({"httpx", "httpx2", "aiohttp", "urllib3", "requests", "vcr", "trio", "anyio"} & set(sys.modules)))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@MODULES
def test_http_2_answer_comes_back_as_one(path, module):
    recorded = make(path, "once").open()
    answer = Response(200, (("a", "b"),), (Chunk(b"x"), Chunk(b"y")), http_version="HTTP/2")
    recorded.begin(Request("GET", "https://api.example.org/")).finish(answer)
    recorded.close()
    with replaying(path), module.stream("GET", "https://api.example.org/") as response:
        assert response.http_version == "HTTP/2"
        assert response.reason_phrase == "OK"
        assert list(response.iter_raw()) == [b"x", b"y"]


def test_http_2_answer_is_readable_by_clients_of_http_1(path):
    recorded = make(path, "once").open()
    recorded.begin(Request("GET", "https://api.example.org/")).finish(
        Response(200, (("a", "b"),), (Chunk(b"x"), Chunk(b"y")), http_version="HTTP/2")
    )
    recorded.close()
    with replaying(path):
        assert requests.get("https://api.example.org/", timeout=9).content == b"xy"


def with_aiohttp(url):
    async def main():
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return await response.text()

    return asyncio.run(main())


@pytest.mark.parametrize("get", [httpx.get, httpx2.get, requests.get, with_aiohttp])
def test_error_of_a_hook_reaches_the_client(path, get):
    def hook(_request):
        raise LookupError("the hook is broken")

    with recording(path, before_record_request=hook), pytest.raises(LookupError, match="the hook is broken"):
        get("https://api.example.org/")


TELEMETRY = "https://api.smith.langchain.com/runs/batch"


def send_with_aiohttp(url):
    async def main():
        async with aiohttp.ClientSession() as session, session.post(url, data=b"{}") as response:
            return response.status

    return asyncio.run(main())


SENDERS = {
    "requests": lambda url: requests.post(url, data=b"{}", timeout=5).status_code,
    "urllib": lambda url: urllib.request.urlopen(url, b"{}", timeout=5).status,
    "httpx": lambda url: httpx.post(url, content=b"{}").status_code,
    "aiohttp": send_with_aiohttp,
}


@pytest.mark.parametrize("sender", SENDERS)
def test_telemetry_of_a_thread_that_a_test_left_running_goes_nowhere(path, sender):
    opened = make(path, test="test_one").open()
    with ThreadPoolExecutor(1) as pool:
        intercept.install()
        intercept.open_for_test(opened)
        pool.submit(int).result()
        intercept.close_for_test(opened)
        opened.close()
        try:
            assert pool.submit(SENDERS[sender], TELEMETRY).result() == 200
            assert intercept.late_misses == []
            with pytest.raises(CassetteMiss, match=r"left running asked for https://api\.smith\.langchain\.com/more"):
                pool.submit(SENDERS[sender], "https://api.smith.langchain.com/more").result()
        finally:
            intercept.late_misses.clear()
            intercept.uninstall()


class Lazy(types.ModuleType):
    """A proxy that imports what it stands for when it is touched."""

    def __getattribute__(self, name):
        raise AssertionError(f"touched: {name}")


STAND_INS = {
    "absent": lambda name: None,
    "mock": lambda name: MagicMock(),
    "mock of a module": lambda name: MagicMock(spec=types.ModuleType(name)),
    "empty module": types.ModuleType,
    "object": lambda name: object(),
    "proxy": Lazy,
}


@pytest.mark.parametrize("stand_in", STAND_INS)
@pytest.mark.parametrize("name", ["aiohttp", "httpx2", "lm15.transports", "tornado.simple_httpclient"])
def test_what_is_no_module_is_left_alone(path, monkeypatch, name, stand_in):
    monkeypatch.setitem(sys.modules, name, STAND_INS[stand_in](name))
    with recording(path), pytest.raises(CassetteMiss):
        httpx.get("https://api.example.org/")


def test_module_with_half_of_the_names_is_left_alone(path, monkeypatch):
    half = types.ModuleType("httpx2")
    half.AsyncHTTPTransport = type("AsyncHTTPTransport", (), {})
    monkeypatch.setitem(sys.modules, "httpx2", half)
    with recording(path), pytest.raises(CassetteMiss):
        requests.get("https://api.example.org/", timeout=9)


def test_hooks_that_somebody_took_away_are_back_with_the_next_recording(path, unheld):
    original = vars(httpx.HTTPTransport)["handle_request"]
    intercept.install()
    try:
        httpx.HTTPTransport.handle_request = original  # as vcrpy leaves it that was begun before us and ends after
        with recording(path), pytest.raises(CassetteMiss):
            httpx.get("https://api.example.org/")
    finally:
        intercept.uninstall()
    assert vars(httpx.HTTPTransport)["handle_request"] is original


def test_finder_that_somebody_took_away_is_back_with_the_next_recording(path):
    intercept.install()
    try:
        sys.meta_path.remove(intercept._watcher)  # as pytester leaves it
        with recording(path):
            assert sys.meta_path.count(intercept._watcher) == 1
    finally:
        intercept.uninstall()


def _vcr_block(path):
    return vcr.VCR(record_mode="none").use_cassette(str(path))


@pytest.mark.parametrize("vcr_first", [True, False])
@pytest.mark.parametrize("held", [True, False])
def test_recording_beside_a_cassette_of_vcrpy(path, tmp_path, unheld, vcr_first, held):
    """Whichever was opened first, and whichever is closed first: an open recording is asked, and nothing is left."""
    before = hooked()
    with ExitStack() as holding:
        if held:
            intercept.install()
            holding.callback(intercept.uninstall)
        theirs, ours = _vcr_block(tmp_path / "vcr.yaml"), recording(path)
        theirs.__enter__() if vcr_first else ours.__enter__()
        ours.__enter__() if vcr_first else theirs.__enter__()
        theirs.__exit__(None, None, None)
        intercept.install()
        try:
            with pytest.raises(CassetteMiss):
                httpx.get("https://api.example.org/")
        finally:
            intercept.uninstall()
            ours.__exit__(None, None, None)
    assert hooked() == before


def test_recording_after_a_wrapper_that_vcrpy_left_behind(path, unheld):
    original = vars(httpx.HTTPTransport)["handle_request"]
    intercept.install()
    try:
        stub = vcr_handle_request(None, vars(httpx.HTTPTransport)["handle_request"], httpx)
        intercept.uninstall()
        httpx.HTTPTransport.handle_request = stub  # it carries a copy of our attributes, and calls a closed cassette
        intercept.install()
        with recording(path), pytest.raises(CassetteMiss):
            httpx.get("https://api.example.org/")
    finally:
        intercept.uninstall()
        httpx.HTTPTransport.handle_request = original
