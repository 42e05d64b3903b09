from __future__ import annotations

import asyncio
import ssl

import httpx
import httpx2
import pytest

from replay_agent.recording.clients.lazy_transport import lazy_transports
from tests.integration.rough_provider import rough_provider

MODULES = pytest.mark.parametrize("module", [httpx, httpx2])


@pytest.fixture
def lazy():
    """Make the transports of a module lazy until the end of the test, or until told otherwise."""
    applied = []

    def apply(module):
        for change in lazy_transports(module):
            change.apply()
            applied.append(change)

    def undo():
        while applied:
            applied.pop().undo()

    apply.undo = undo
    yield apply
    undo()


@pytest.fixture
def contexts(monkeypatch):
    """Count the TLS contexts that are filled with certificates."""
    made = []
    load = ssl.SSLContext.load_verify_locations

    def counting(self, *args, **kwargs):
        made.append(self)
        return load(self, *args, **kwargs)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", counting)
    return made


@MODULES
def test_client_that_is_never_used_builds_no_tls_context(lazy, contexts, module):
    lazy(module)
    with module.Client():
        pass
    module.Client().close()

    async def main():
        async with module.AsyncClient():
            pass
        await module.AsyncClient().aclose()

    asyncio.run(main())
    assert contexts == []


@MODULES
def test_client_builds_what_it_uses(lazy, contexts, module):
    lazy(module)
    with rough_provider() as provider, module.Client() as client:
        assert client.get(f"{provider.url}/json").json() == {"a": 1}
        assert client.get(f"{provider.url}/json").json() == {"a": 1}
        assert provider.hits == 1
    assert len(contexts) == 1


@MODULES
def test_client_made_meanwhile_works_afterwards(lazy, module):
    lazy(module)
    with rough_provider() as provider:
        with module.Client() as client:
            lazy.undo()
            assert client.get(f"{provider.url}/json").status_code == 200
        with pytest.raises(RuntimeError, match="closed"):
            client.get(f"{provider.url}/json")


@MODULES
def test_async_client_made_meanwhile_works_afterwards(lazy, module):
    async def main(url):
        async with module.AsyncClient() as client:
            lazy.undo()
            return (await client.get(f"{url}/json")).status_code

    lazy(module)
    with rough_provider() as provider:
        assert asyncio.run(main(provider.url)) == 200


@MODULES
def test_settings_of_the_pool_are_kept(lazy, module):
    lazy(module)
    transport = module.HTTPTransport(limits=module.Limits(max_connections=7), http2=False, retries=3)
    assert transport._pool._max_connections == 7
    assert transport._pool._retries == 3


@MODULES
def test_context_given_is_the_one_used(lazy, module):
    lazy(module)
    context = ssl.create_default_context()
    assert module.HTTPTransport(verify=context)._pool._ssl_context is context


@MODULES
def test_verification_is_on_by_default(lazy, module):
    lazy(module)
    context = module.HTTPTransport()._pool._ssl_context
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.cert_store_stats()["x509_ca"] > 0


@MODULES
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_wrong_settings_are_said_at_once(lazy, module):
    lazy(module)
    with pytest.raises((OSError, ValueError)):
        module.HTTPTransport(verify="/no/such/file")
    with pytest.raises(OSError, match="No such file"):
        module.HTTPTransport(cert="/no/such/file")
    with pytest.raises(ValueError, match="scheme"):
        module.HTTPTransport(proxy="gopher://x")


@MODULES
def test_subclass_may_look_into_its_pool(lazy, module):
    class Mine(module.HTTPTransport):
        def __init__(self):
            super().__init__(retries=1)
            self._pool._retries = 5

    lazy(module)
    assert Mine()._pool._retries == 5


@MODULES
def test_constructors_are_put_back(lazy, module):
    before = module.HTTPTransport.__init__, module.AsyncHTTPTransport.__init__
    lazy(module)
    lazy.undo()
    assert (module.HTTPTransport.__init__, module.AsyncHTTPTransport.__init__) == before
