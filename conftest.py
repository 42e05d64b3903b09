"""What every test of this repository may use."""

from __future__ import annotations

import functools
import gc
import importlib
import os
import pkgutil
import signal
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import certifi
import pytest
from hypothesis import HealthCheck, settings

import replay_agent

_LEFT_OUT = ("replay_agent.__main__", "replay_agent.pytest_plugin.vcr", "replay_agent.common_tools")
"""What runs when it is imported, or needs a library that not everybody has."""
ROOT = Path(__file__).parent
REAL_CASSETTES = Path(os.environ.get("REPLAY_AGENT_REAL_CASSETTES", ROOT.parent / "shared" / "real-cassettes"))

pytest_plugins = ["pytester"]

# A property test may take its time on a busy machine. `--hypothesis-profile=fuzz` looks much further.
settings.register_profile("everyday", deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fuzz", settings.get_profile("everyday"), max_examples=3000)
settings.load_profile("everyday")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two workers for each processor: half of the time of this suite is waiting, for time-outs and for processes."""
    return 2 * (os.cpu_count() or 1)


gc.disable()  # while SDKs and tests are imported, of which nothing goes away


def pytest_collection_finish() -> None:
    """Leave what is there by now out of every later garbage collection: it stays to the end anyway."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def libraries() -> dict[str, ModuleType]:
    """What inner runs have imported of libraries. Ours is imported at once: pytester forgets what it has first imported."""
    rooms = pkgutil.walk_packages(replay_agent.__path__, "replay_agent.")
    own = (module.name for module in rooms if not module.name.startswith(_LEFT_OUT))
    for name in (*own, "filelock", "genai_prices", "tarfile"):
        importlib.import_module(name)
    return {}


@pytest.fixture
def remembered_libraries(libraries: dict[str, ModuleType]) -> Iterator[dict[str, ModuleType]]:
    """Give libraries back when pytester, which is set up after this, has forgotten them."""
    yield libraries
    for name, module in libraries.items():
        sys.modules.setdefault(name, module)


@pytest.fixture(scope="session")
def few_certificates(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of one authority: a client that only talks to loopback needs none, and reads all that it is told of."""
    first, end, _ = Path(certifi.where()).read_text("utf-8").partition("-----END CERTIFICATE-----\n")
    path = tmp_path_factory.mktemp("certificates") / "one.pem"
    path.write_text(first + end, "utf-8")
    return str(path)


@pytest.fixture
def pytester(
    remembered_libraries: dict[str, ModuleType],
    few_certificates: str,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[pytest.Pytester]:
    """Pytest within pytest, without plugins that no inner test needs and that take most of a second to import."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:hypothesispytest -p no:respx")
    monkeypatch.setenv("SSL_CERT_FILE", few_certificates)
    installed = _distributions()
    monkeypatch.setattr(metadata, "distributions", lambda: iter(installed))
    yield pytester
    remembered_libraries.update((name, module) for name, module in sys.modules.items() if _is_installed(module))


@pytest.fixture
def without_anyio(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have inner runs go without anyio's plugin: for its sake every process of its own would import trio."""
    request.getfixturevalue("pytester")
    monkeypatch.setenv("PYTEST_ADDOPTS", f"{os.environ['PYTEST_ADDOPTS']} -p no:anyio")


class _ReadOnce:
    """An installed distribution, each of whose files is read once, however many inner runs look for plugins in it."""

    def __init__(self, distribution: metadata.Distribution) -> None:
        self._distribution = distribution

    def __getattr__(self, name: str) -> Any:
        value = self.__dict__[name] = getattr(self._distribution, name)
        return value


@functools.cache
def _distributions() -> list[_ReadOnce]:
    return [_ReadOnce(distribution) for distribution in metadata.distributions()]


def _is_installed(module: ModuleType) -> bool:
    return "site-packages" in (getattr(module, "__file__", None) or "")


@pytest.fixture
def ctrl_c_is_heard() -> Iterator[None]:
    """Have Python hear ctrl-C: a shell that runs the suite in the background has it ignored, by what a test starts too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def calls_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str], list[Any]]:
    """Note, in the list that is returned, what a function is given by each call; it still does its work."""

    def noted(owner: Any, name: str) -> list[Any]:
        calls: list[Any] = []
        original = getattr(owner, name)

        def noting(*args: Any, **options: Any) -> Any:
            calls.append(args)
            return original(*args, **options)

        monkeypatch.setattr(owner, name, noting)
        return calls

    return noted


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lower limits of a module, so that little is too much: ``limit(packed, MAX_UNPACKED=1000)``."""

    def lowered(module: ModuleType, **limits: int) -> None:
        for name, value in limits.items():
            monkeypatch.setattr(module, name, value)

    return lowered


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def real_cassettes() -> Path:
    """The folder of cassettes recorded from real providers, which is not part of this repository."""
    if not (REAL_CASSETTES / "oracle.json").is_file():
        pytest.skip(f"no recordings of real providers at {REAL_CASSETTES}; set REPLAY_AGENT_REAL_CASSETTES")
    return REAL_CASSETTES
