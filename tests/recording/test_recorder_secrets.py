from __future__ import annotations

import json
from threading import Thread

import pytest

from replay_agent.exceptions import (
    CassetteMiss,
    UserError,
)
from replay_agent.recording.cassettes.journal import journals_of
from replay_agent.traffic import Request, Response
from tests.recording.recordings import (
    URL,
    SecretKeying,
    ask,
    bodies,
    make,
    record,
    replayed,
    say,
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cassettes" / "test_x.yaml"


# What passes by, hooks, secrets


def test_ignored_hosts_are_not_wanted(path):
    recording = make(path, ignore_hosts=("api.example.org",))
    assert not recording.wants(URL)
    assert recording.wants("https://other.example.org/")


def test_only_hosts_are_wanted(path):
    recording = make(path, only_hosts=("*.example.org",))
    assert recording.wants(URL)
    assert not recording.wants("https://example.com/")


def test_telemetry_gets_an_empty_answer_in_replay(path):
    answer = make(path).open().begin(ask(url="https://api.openai.com/v1/traces/ingest"))
    assert (answer.outcome.status, answer.outcome.body) == (200, b"")


def test_telemetry_passes_unrecorded(path):
    recording = make(path, "once").open()
    assert recording.begin(ask(url="https://api.openai.com/v1/traces/ingest")) is None
    recording.close()
    assert not path.exists()


def test_request_hook_changes_what_is_kept(path):
    def hook(request):
        return Request(request.method, request.url, request.headers, b"always the same")

    record(path, ("a", "1"), before_record_request=hook)
    assert bodies(path) == ["always the same"]
    assert replayed(make(path, before_record_request=hook).open(), "b") == "1"


def test_request_hook_lets_pass(path):
    assert make(path, before_record_request=lambda _request: None).open().begin(ask()) is None


def test_response_hook_changes_or_drops(path):
    def hook(response):
        return None if response.body == b"drop" else Response(201, (), response.chunks, reason="Kept")

    record(path, ("a", "drop"), ("b", "keep"), before_record_response=hook)
    assert bodies(path) == ["b"]
    assert make(path).open().begin(ask("b")).outcome.status == 201


def test_secret_in_a_request_reaches_no_file_and_matches_another(path):
    key, other = "sk-proj-abcDEF1234567890abcDEF12", "sk-proj-ZYXwvu0987654321ZYXwvu09"
    record(path, (f"my key is {key}", "hush"))
    assert key not in path.read_text()
    assert replayed(make(path).open(), f"my key is {other}") == "hush"


TOKEN = "opaqueTok3nAbCdEf12345678"
CREDENTIAL = (("authorization", f"Bearer {TOKEN}"),)


def with_credential(body):
    return Request("POST", URL, (("content-type", "text/plain"), *CREDENTIAL), body.encode())


def test_a_credential_of_one_request_is_taken_out_of_what_came_before_and_after(path):
    recording = make(path, "once", key=SecretKeying).open()
    for asked in ask(f"first {TOKEN}"), with_credential("second"), ask(f"third {TOKEN}"):
        recording.begin(asked).finish(say(f"echo {TOKEN}"))
    journal = journals_of(path, "test_x.py::test_x")[0].read_text()
    recording.close()
    for text in journal, path.read_text():
        assert TOKEN not in text
        assert text.count("echo REDACTED(authorization)") == 3
    assert [interaction.request.body for interaction in recording.interactions] == [
        b"first REDACTED(authorization)",
        b"second",
        b"third REDACTED(authorization)",
    ]


class Interrupted(SecretKeying):
    """Has something else done first, by another thread, where a request is keyed that says so."""

    meanwhile = None

    def __call__(self, request):
        if self.meanwhile is not None and b"late" in request.body:
            meanwhile, self.meanwhile = self.meanwhile, None
            thread = Thread(target=meanwhile, daemon=True)
            thread.start()
            thread.join(10)
            assert not thread.is_alive()
        return super().__call__(request)


def test_answers_do_not_wait_for_each_other_and_no_secret_slips_through_meanwhile(path):
    keyings = []
    recording = make(path, "once", key=lambda: keyings.append(Interrupted()) or keyings[0]).open()
    late, other = recording.begin(ask("late")), recording.begin(with_credential("other"))
    keyings[0].meanwhile = lambda: other.finish(say("done"))
    late.finish(say(f"echo {TOKEN}"))
    journal = journals_of(path, "test_x.py::test_x")[0].read_text()
    recording.close()
    assert bodies(path) == ["late", "other"]
    for text in journal, path.read_text():
        assert TOKEN not in text
        assert "echo REDACTED(authorization)" in text


OTHER = "another9Tok3nZyXwVu87654321"
THIRD = "yetOne5Tok3nQrStUv13579bdf"
EARLIER = {
    "prompt": (ask(f"first {TOKEN} there"), ask(f"first {OTHER} there")),
    "address": (ask("", f"{URL}/files/{TOKEN}", "GET"), ask("", f"{URL}/files/{OTHER}", "GET")),
    "escaped": (ask(f'{{"a":"\\n{TOKEN}\\n"}}'), ask(f'{{"a":"\\n{OTHER}\\n"}}')),
    "twice": (ask(f"{TOKEN} and {TOKEN}"), ask(f"{OTHER} and {OTHER}")),
}


def record_earlier(path, *asked):
    recording = make(path, "once", key=SecretKeying).open()
    for number, each in enumerate((*asked, with_credential("last"))):
        recording.begin(each).finish(say(f"answer {number}"))
    recording.close()


@pytest.mark.parametrize("name", EARLIER)
def test_a_secret_that_a_later_request_shows_replays_with_the_same_and_with_another(path, name):
    same, other = EARLIER[name]
    record_earlier(path, same)
    assert TOKEN not in path.read_text()
    for asked in same, other:
        replay = make(path, key=SecretKeying).open()
        assert replay.begin(asked).outcome.body == b"answer 0"
        assert replay.begin(with_credential("last")).outcome.body == b"answer 1"


@pytest.mark.parametrize(
    "changed",
    [
        "first the door there",
        "first rook there",
        "first documents/2024/report1 there",
        "first 2024-11-27 there",
        f"second {TOKEN} there",
        f"first {TOKEN} and more there",
        f"first {TOKEN}",
    ],
)
def test_what_looks_like_no_secret_or_stands_elsewhere_is_none(path, changed):
    record_earlier(path, ask(f"first {TOKEN} there"))
    with pytest.raises(CassetteMiss):
        make(path, key=SecretKeying).open().begin(ask(changed))


def test_supposed_secrets_are_told_apart(path):
    record_earlier(path, ask(f"first {TOKEN} there"), ask(f"then {TOKEN} there"))
    replay = make(path, key=SecretKeying).open()
    assert replay.begin(ask(f"first {OTHER} there")).outcome.body == b"answer 0"
    with pytest.raises(CassetteMiss):
        replay.begin(ask(f"then {THIRD} there"))
    assert replay.begin(ask(f"then {OTHER} there")).outcome.body == b"answer 1"


def test_secrets_of_requests_spelled_alike_are_told_apart(path):
    first, second, third = (f"sk-proj-{each}abcDEF1234567890abcDEF12" for each in "Qx7")
    recording = make(path, "once", key=SecretKeying).open()
    for asked in f"a {first}", f"b {first}":
        recording.begin(ask(asked)).finish(say(asked[0]))
    recording.close()
    replay = make(path, key=SecretKeying).open()
    assert replay.begin(ask(f"a {second}")).outcome.body == b"a"
    with pytest.raises(CassetteMiss):
        replay.begin(ask(f"b {third}"))
    assert replay.begin(ask(f"b {second}")).outcome.body == b"b"


def test_a_supposed_secret_is_kept_out_of_what_is_recorded_beside_it(path):
    record_earlier(path, ask(f"first {TOKEN} there"))
    recording = make(path, "new_episodes", key=SecretKeying).open()
    recording.begin(ask(f"first {OTHER} there"))
    recording.begin(ask(f"new {OTHER}")).finish(say("noted"))
    recording.close()
    assert OTHER not in path.read_text()


def test_a_token_that_an_answer_handed_out_replays_as_the_placeholder_that_the_client_gets(path):
    token = "correct-horse-battery-staple"  # looks like nothing that could be supposed to be a secret
    recording = make(path, "once", key=SecretKeying).open()
    recording.begin(ask("log in")).finish(say(f'{{"access_token": "{token}"}}'))
    recording.begin(ask(f"got {token}")).finish(say("fine"))
    recording.close()
    assert token not in path.read_text()
    replay = make(path, key=SecretKeying).open()
    handed_out = json.loads(replay.begin(ask("log in")).outcome.body)["access_token"]
    assert replay.begin(ask(f"got {handed_out}")).outcome.body == b"fine"


def test_a_credential_of_a_replayed_request_is_known_to_the_next(path):
    recording = make(path, "once").open()
    recording.begin(with_credential("one")).finish(say("1"))
    recording.begin(ask(f"two {TOKEN}")).finish(say("2"))
    recording.close()
    replay = make(path).open()
    other = "another9Tok3nZyXwVu87654321"
    headers = (("content-type", "text/plain"), ("authorization", f"Bearer {other}"))
    assert replay.begin(Request("POST", URL, headers, b"one")).outcome.body == b"1"
    assert replayed(replay, f"two {other}") == "2"


def test_a_journal_left_behind_holds_no_secret_that_turned_out_later(path):
    recording = make(path, "once").open()
    recording.begin(ask(f"first {TOKEN}")).finish(say("1"))
    recording.begin(with_credential("second")).finish(say("2"))
    recording.close(success=False)
    left = journals_of(path, "test_x.py::test_x")[0].read_text()
    assert TOKEN not in left
    assert "first REDACTED(authorization)" in left


def test_requests_of_a_replay_tell_no_secret(path):
    key, other = "sk-proj-abcDEF1234567890abcDEF12", "sk-proj-ZYXwvu0987654321ZYXwvu09"
    record(path, (f"my key is {key}", "hush"))
    recording = make(path).open()
    answer = recording.begin(ask(f"my key is {other}"))
    assert recording.requests[0].body == b"my key is REDACTED(openai-key)"
    assert answer.read_on().request.body == b"my key is REDACTED(openai-key)"


def test_miss_tells_no_secret(path):
    record(path, ("hi", "hello"))
    with pytest.raises(CassetteMiss) as miss:
        make(path).open().begin(ask("my key is sk-proj-ZYXwvu0987654321ZYXwvu09"))
    assert miss.value.request.body == b"my key is REDACTED(openai-key)"


def test_request_equal_to_a_recorded_one_is_answered_before_secrets_are_looked_for(path):
    record(path, ("the trace is 0123456789", "found"))
    recording = make(path, redact=(r"trace is \d+",)).open()
    assert replayed(recording, "the trace is 0123456789") == "found"


def test_rule_that_cannot_be_read_is_told_at_once(path):
    with pytest.raises(UserError, match="neither a field name nor a regular expression"):
        make(path, redact=("trace (",))
