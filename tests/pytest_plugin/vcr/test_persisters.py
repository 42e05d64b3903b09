from __future__ import annotations

import pytest
import yaml
from vcr.persisters.filesystem import CassetteNotFoundError, FilesystemPersister
from vcr.request import Request
from vcr.serializers import jsonserializer, yamlserializer

from replay_agent.exceptions import CassetteUnwritable
from replay_agent.pytest_plugin.vcr import persisters
from replay_agent.pytest_plugin.vcr.persisters import AfreshPersister, FilePersister, PatientPersister


def interactions(*names):
    return {
        "requests": [Request("POST", f"http://a/{name}", b'{"a": 1}', {"X": name}) for name in names],
        "responses": [
            {"status": {"code": 200, "message": "OK"}, "headers": {"x": [name]}, "body": {"string": name.encode()}}
            for name in names
        ],
    }


def told(loaded):
    requests, responses, *metadata = loaded
    return [one._to_dict() for one in requests], responses, metadata


def saved(path, *names, serializer=yamlserializer, **more):
    FilePersister.save_cassette(str(path), {**interactions(*names), **more}, serializer)
    return str(path)


@pytest.mark.parametrize("serializer", [yamlserializer, jsonserializer])
@pytest.mark.parametrize("more", [{}, {"metadata": {"seed": 1}}])
def test_what_is_read_is_what_vcrpy_reads(serializer, more, tmp_path):
    path = saved(tmp_path / "x", "a", "bé", serializer=serializer, **more)
    ours = FilePersister([]).load_cassette(path, serializer)
    assert told(ours) == told(FilesystemPersister.load_cassette(path, serializer))


def test_the_interactions_of_several_cassettes_are_one_list(tmp_path):
    first, other = saved(tmp_path / "x", "a"), tmp_path / "y"
    saved(other, "b", "c")
    requests, _ = FilePersister([other, other, tmp_path / "none"]).load_cassette(first, yamlserializer)
    assert [one.path for one in requests] == ["/a", "/b", "/c"]


def test_no_cassette_at_all_is_vcrpys_error(tmp_path):
    (tmp_path / "empty").touch()
    with pytest.raises(CassetteNotFoundError):
        FilePersister([tmp_path / "empty"]).load_cassette(str(tmp_path / "x"), yamlserializer)


def test_a_cassette_that_shares_values_is_said_to(tmp_path):
    path = saved(tmp_path / "x", "a")
    persister = FilePersister([])
    persister.load_cassette(path, yamlserializer)
    assert persister.shares_nothing
    headers = {"x": ["a"]}
    document = yaml.safe_load((tmp_path / "x").read_text())
    document["interactions"] = [{**document["interactions"][0], "more": headers, "less": headers}]
    (tmp_path / "x").write_text(yaml.safe_dump(document))
    persister.load_cassette(path, yamlserializer)
    assert not persister.shares_nothing


def test_a_replaced_serializer_is_used(tmp_path, monkeypatch):
    path = saved(tmp_path / "x", "a")
    read = yamlserializer.deserialize
    monkeypatch.setattr(yamlserializer, "deserialize", lambda text: read(text.replace("http://a/", "http://b/")))
    persister = FilePersister([])
    assert [one.host for one in persister.load_cassette(path, yamlserializer)[0]] == ["b"]
    assert not persister.shares_nothing


def test_yaml_of_another_make_is_read_by_vcrpy(tmp_path):
    text = "interactions: [{request: {method: GET, uri: 'http://a/', body: null, headers: {}}, response: {}}]\n"
    (tmp_path / "x").write_text(text)
    requests, responses = FilePersister([]).load_cassette(str(tmp_path / "x"), yamlserializer)
    assert (requests[0].uri, responses) == ("http://a/", [{}])


def test_pyyaml_is_not_asked_for_what_it_wrote_itself(tmp_path, monkeypatch):
    path = saved(tmp_path / "x", "a", "b")
    monkeypatch.setattr(yaml, "load", None)
    requests, _ = FilePersister([]).load_cassette(path, yamlserializer)
    assert len(requests) == 2


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CassetteUnwritable, match="file"):
        saved(tmp_path / "file" / "x", "a")


class Failing(FilePersister):
    @staticmethod
    def save_cassette(cassette_path, cassette_dict, serializer):
        raise ZeroDivisionError


def test_a_failure_to_save_is_raised_when_it_is_asked_for():
    patient = PatientPersister(Failing([]))
    patient.give_up()
    patient.save_cassette("x", {}, yamlserializer)
    with pytest.raises(ZeroDivisionError):
        patient.give_up()


@pytest.mark.parametrize("persister", [FilePersister([]), FilesystemPersister])
def test_what_shares_nothing_is_told_through(persister, tmp_path):
    path = saved(tmp_path / "x", "a")
    patient = PatientPersister(persister)
    patient.load_cassette(path, yamlserializer)
    assert patient.shares_nothing is isinstance(persister, FilePersister)


@pytest.mark.parametrize("passed", [True, False])
def test_a_cassette_that_is_recorded_afresh_stays_until_the_test_has_passed(passed, tmp_path):
    path = tmp_path / "x"
    saved(path, "old")
    afresh = AfreshPersister(FilePersister([]), [path], path, lambda: passed)
    with pytest.raises(CassetteNotFoundError):
        afresh.load_cassette(str(path), yamlserializer)
    afresh.finish()
    assert path.exists() is not passed
    afresh.save_cassette(str(path), interactions("new"), yamlserializer)
    assert afresh.saved is passed
    assert ("new" in path.read_text()) is passed
    assert [each.name for each in tmp_path.iterdir()] == ["x"]


def test_further_cassettes_are_played_while_one_is_recorded_afresh(tmp_path):
    path, other = tmp_path / "x", tmp_path / "y"
    saved(path, "old")
    saved(other, "other")
    afresh = persisters.AfreshPersister(FilePersister([other]), [path, other], path, lambda: True)
    requests, _ = afresh.load_cassette(str(path), yamlserializer)
    assert [one.path for one in requests] == ["/other"]


def test_a_persister_of_others_plays_nothing_of_what_is_recorded_afresh(tmp_path):
    path = tmp_path / "x"
    saved(path, "old")
    with pytest.raises(CassetteNotFoundError):
        AfreshPersister(FilesystemPersister, [], path, lambda: True).load_cassette(str(path), yamlserializer)
