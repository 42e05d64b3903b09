from __future__ import annotations

import socket
import ssl
import subprocess
import threading

import certifi
import httpx
import pytest
import urllib3

from replay_agent.recording.process.lazy_certificates import LazyCertificates
from tests.integration.recordings import recording, replaying


@pytest.fixture
def lazy():
    certificates = LazyCertificates(lambda: certificates.waits)
    certificates.waits = True
    patches = certificates.patches(ssl)
    for change in patches:
        change.apply()
    yield certificates
    for change in patches:
        change.undo()
    certificates.read_all()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for localhost that nobody but its owner trusts."""
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
        " -keyout key.pem -out cert.pem"
    )
    try:
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no openssl to make a certificate with")
    return folder


@pytest.fixture
def tls_server(certificate):
    """Serves one word over TLS to whoever trusts it; gives the address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(sock, server_side=True) as secure:
                    secure.recv(65536)
                    secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecret")
            except OSError:
                sock.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"https://localhost:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def count(context):
    return ssl.SSLContext.cert_store_stats(context)["x509_ca"]


def test_certificates_wait_until_the_context_is_used(lazy):
    context = ssl.create_default_context(cafile=certifi.where())
    assert context in lazy._waiting
    assert count(context) > 50
    assert context not in lazy._waiting


def test_certificates_do_not_wait_when_something_may_go_live(lazy):
    lazy.waits = False
    assert ssl.create_default_context(cafile=certifi.where()) not in lazy._waiting


def test_verification_is_as_asked_for(lazy):
    context = ssl.create_default_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("arguments", [{"cafile": "/no/such/file"}, {"cadata": "nonsense"}, {}])
def test_wrong_certificates_are_said_at_once(lazy, arguments):
    with pytest.raises((OSError, TypeError)):
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(**arguments)


def test_nothing_waits_in_the_end(lazy):
    context = ssl.create_default_context(cafile=certifi.where())
    lazy.read_all()
    assert context not in lazy._waiting
    assert count(context) > 50


def test_context_of_a_replay_trusts_and_distrusts_as_ever(lazy, certificate, tls_server):
    trusting = ssl.create_default_context(cafile=certificate / "cert.pem")
    distrusting = ssl.create_default_context()
    assert httpx.get(tls_server, verify=trusting).text == "secret"
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(tls_server, verify=distrusting)


def test_recording_distrusts_as_ever_and_replays_the_refusal(certificate, tls_server, tmp_path):
    def main():
        with pytest.raises(httpx.ConnectError) as one:
            httpx.get(tls_server)
        with pytest.raises(urllib3.exceptions.SSLError) as other, urllib3.PoolManager(retries=False) as pool:
            pool.request("GET", f"{tls_server}/other")
        return str(one.value), type(other.value)

    with recording(tmp_path / "c.yaml", "once"):
        live = main()
    with replaying(tmp_path / "c.yaml"):
        assert main() == live


def test_tls_traffic_is_recorded_and_replayed(certificate, tls_server, tmp_path):
    def main():
        context = ssl.create_default_context(cafile=certificate / "cert.pem")
        with urllib3.PoolManager(ssl_context=context) as pool:
            return httpx.get(tls_server, verify=context).text, pool.request("GET", f"{tls_server}/other").data

    with recording(tmp_path / "c.yaml", "once"):
        live = main()
    with replaying(tmp_path / "c.yaml"):
        assert main() == live == ("secret", b"secret")
