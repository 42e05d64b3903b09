from __future__ import annotations

import pytest
import vcr.cassette
from vcr import VCR
from vcr.cassette import Cassette, CassetteContextDecorator
from vcr.patch import CassettePatcherBuilder

from replay_agent.pytest_plugin.vcr.hastened import hastened
from replay_agent.pytest_plugin.vcr.indexed_cassette import IndexedCassette
from tests.pytest_plugin.vcr.older import on_known_vcrpy


def opened(tmp_path):
    with hastened(VCR().use_cassette(tmp_path / "x.yaml")) as cassette:
        return type(cassette)


@on_known_vcrpy
def test_a_cassette_is_indexed(tmp_path):
    assert opened(tmp_path) is IndexedCassette


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (Cassette, "_responses"),
        (Cassette, "play_response"),
        (CassetteContextDecorator, "__exit__"),
        (CassettePatcherBuilder, "build"),
    ],
)
def test_what_others_put_into_vcrpy_is_run_as_it_stands(owner, name, tmp_path, monkeypatch):
    original = getattr(owner, name)
    monkeypatch.setattr(owner, name, lambda *args: original(*args))
    assert opened(tmp_path) is Cassette


def test_a_class_that_others_put_in_its_place_is_used(tmp_path, monkeypatch):
    mine = type("Mine", (Cassette,), {})
    monkeypatch.setattr(vcr.config, "Cassette", mine)
    assert opened(tmp_path) is mine


def test_what_is_no_opening_of_vcrpys_stays():
    assert hastened(None) is None
