"""The index: content decides, equal requests in recorded order, client-made ids by their order."""

from __future__ import annotations

import pytest

from replay_agent.recording.matching import index as index_module
from replay_agent.recording.matching.choosing import choice_of
from replay_agent.recording.matching.index import Index
from replay_agent.recording.matching.keys import Key
from replay_agent.traffic import Request


def index_of(*keys, answered=(), **options):
    return Index(keys, answered=lambda each: each in answered, **options)


A, B = Key("a"), Key("b")


def test_content_not_order_decides():
    index = index_of(A, B)
    assert [index.find(B), index.find(A)] == [1, 0]


def test_equal_requests_in_recorded_order():
    index = index_of(A, B, A, A)
    assert [index.find(A) for _ in range(4)] == [0, 2, 3, None]


def test_unknown_request_is_not_found():
    index = index_of(A)
    assert index.find(B) is None
    assert not index.count(B)


def test_used_up_is_still_known():
    index = index_of(A)
    index.find(A)
    assert index.find(A) is None
    assert index.count(A) == 1


def test_last_answer_repeats_when_allowed():
    index = index_of(A, A, allow_repeats=True)
    assert [index.find(A) for _ in range(4)] == [0, 1, 1, 1]
    assert index.find(B) is None


def test_leftovers_and_played():
    index = index_of(A, B, A)
    index.find(A)
    assert index.leftovers() == [1, 2]
    assert index.played == {0}


def with_ids(*ids):
    return Key("d", ids)


def test_answered_ids_must_be_equal():
    index = index_of(with_ids("call_1"), answered={"call_1"})
    assert index.find(with_ids("call_2")) is None
    assert not index.count(with_ids("call_2"))
    assert index.find(with_ids("call_1")) == 0


def test_client_made_ids_compare_by_order():
    index = index_of(with_ids("mine_1", "mine_2"))
    assert index.find(with_ids("other_9", "other_3")) == 0


def test_mixed_ids_compare_each_by_its_kind():
    index = index_of(with_ids("call_1", "mine_1"), answered={"call_1"})
    assert index.find(with_ids("call_2", "mine_2")) is None
    assert index.find(with_ids("call_1", "mine_2")) == 0


def test_answered_id_does_not_stand_for_a_client_made_one():
    index = index_of(with_ids("mine_1"), with_ids("call_1"), answered={"call_1"})
    assert index.find(with_ids("call_1")) == 1
    assert index.find(with_ids("call_1")) is None


def test_same_ids_go_before_alike_ones():
    index = index_of(with_ids("mine_1"), with_ids("mine_2"))
    assert index.find(with_ids("mine_2")) == 1
    assert index.find(with_ids("mine_3")) == 0
    assert index.find(with_ids("mine_4")) is None


def test_repeats_with_client_made_ids():
    index = index_of(with_ids("mine_1"), with_ids("mine_2"), allow_repeats=True)
    assert [index.find(with_ids(f"new_{n}")) for n in range(3)] == [0, 1, 1]


def test_added_interaction_joins_its_group():
    index = index_of(with_ids("mine_1"))
    assert index.find(with_ids("x")) == 0
    index.add(with_ids("mine_2"))
    assert index.find(with_ids("y")) == 1


def test_answers_are_searched_once_an_id():
    asked = []
    keys = [with_ids(f"mine_{n}") for n in range(50)]
    index = Index(keys, answered=lambda each: bool(asked.append(each)))
    for n in range(50):
        assert index.find(with_ids(f"new_{n}")) == n
    assert len(asked) == 50


def test_finding_does_not_walk_the_played_ones():
    index = index_of(*(A for _ in range(20_000)))
    assert [index.find(A) for _ in range(20_000)] == list(range(20_000))


# --- headers that choose the answer -----------------------------------------------------------------------------------


def asking(*values, name="accept"):
    return [Request("GET", "https://h.example/", tuple((name, value) for value in [each] if value)) for each in values]


def index_of_requests(*requests, spellings=None, **options):
    """An index over one digest as a cassette gives it: what a request chooses is known when it is read."""
    read = []

    def request(index):
        read.append(index)
        return requests[index]

    spellings = spellings or [str(request.headers) for request in requests]
    keys = [Key("d", fingerprint=spelling) for spelling in spellings]
    return Index(keys, request=request, **options), read


def live(request, spelled=""):
    return Key("d", fingerprint=spelled, choice=choice_of(request))


JSON, EVENTS, CSV, NONE = asking("application/json", "text/event-stream", "text/csv", "")


def test_a_request_that_chooses_otherwise_is_another():
    index, _ = index_of_requests(JSON)
    assert index.find(live(EVENTS)) is None
    assert index.count(live(EVENTS)) == 0
    assert index.find(live(JSON)) == 0


def test_each_choice_gets_its_own_answers_in_recorded_order():
    index, _ = index_of_requests(JSON, EVENTS, JSON, EVENTS)
    assert [index.find(live(request)) for request in (EVENTS, JSON, JSON, EVENTS, JSON)] == [1, 0, 2, 3, None]


def test_what_leaves_it_open_answers_when_nothing_chooses_the_same():
    index, _ = index_of_requests(NONE, JSON, CSV)
    assert index.count(live(CSV)) == 2
    assert [index.find(live(CSV)) for _ in range(3)] == [2, 0, None]


def test_a_request_that_leaves_it_open_takes_what_comes_first():
    index, _ = index_of_requests(CSV, JSON, NONE, CSV)
    assert [index.find(live(NONE)) for _ in range(5)] == [2, 0, 1, 3, None]


def test_repeats_stay_with_the_choice():
    index, _ = index_of_requests(JSON, EVENTS, allow_repeats=True)
    assert [index.find(live(JSON)) for _ in range(3)] == [0, 0, 0]
    assert index.find(live(CSV)) is None


def test_requests_spelled_as_recorded_are_not_read():
    index, read = index_of_requests(*[JSON] * 1_000)
    assert [index.find(live(JSON, str(JSON.headers))) for _ in range(1_000)] == list(range(1_000))
    assert read == []


def test_of_each_spelling_one_request_is_read():
    index, read = index_of_requests(*[JSON, EVENTS] * 500)
    assert [index.find(live(EVENTS)) for _ in range(501)] == [*range(1, 1_000, 2), None]
    assert read == [0, 1]


class Compared(str):
    """Counts how often it is compared with what is not itself."""

    count = 0

    def __eq__(self, other):
        Compared.count += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


@pytest.mark.parametrize("place", [0, 500, 999, None])
@pytest.mark.parametrize("ids", [(), ("a",)])
def test_what_a_spelling_chooses_is_looked_up_and_not_searched_for(place, ids, monkeypatch):
    monkeypatch.setattr(Compared, "count", 0)
    keys = [Key("d", ids, fingerprint=f"spelled {number}") for number in range(1_000)]
    index = Index(keys, request=[JSON, EVENTS, *[NONE] * 998].__getitem__)
    assert index.find(Key("d", ids, fingerprint=Compared(f"spelled {place}"))) == (place if place == 0 else 2)
    assert Compared.count < 50


def test_ids_and_choice_both_decide():
    keys = [Key("d", ("a",), choice=choice_of(JSON)), Key("d", ("b",), choice=choice_of(EVENTS))]
    index = Index(keys)
    assert index.find(Key("d", ("a",), choice=choice_of(EVENTS))) == 1
    assert index.find(Key("d", ("a",), choice=choice_of(EVENTS))) is None
    assert index.find(Key("d", ("c",), choice=choice_of(JSON))) == 0


def test_what_was_played_elsewhere_is_used_up():
    index = index_of(A, B, A)
    index.mark_played(0)
    assert index.leftovers() == [1, 2]
    assert index.find(A) == 2
    assert index.played == {0, 2}


@pytest.mark.parametrize("spelled", ["", "never seen", str(NONE.headers), str(EVENTS.headers)])
def test_what_a_request_says_that_it_chooses_goes_before_its_spelling(spelled):
    index, _ = index_of_requests(NONE, EVENTS, CSV)
    assert index.find(live(CSV, spelled)) == 2


def test_where_the_very_same_ids_are_used_up_those_of_the_client_are_looked_at():
    index = index_of(Key("a", ("call_1",), "first"), Key("a", ("call_2",), "second"))
    asked = Key("a", ("call_1",), "first")
    assert [index.find(asked) for _ in range(3)] == [0, 1, None]


def secret(*names):
    return Key("a", secrets=names)


@pytest.mark.parametrize("names", [("token~2",), ("other",)])
def test_placeholders_of_an_answer_stand_for_themselves_alone(names):
    index = index_of(secret("token"), secret(*names))
    assert index.find(secret(*names), literal=True) == 1
    assert index.find(secret("nobody's"), literal=True) is None
    assert index.find(secret("nobody's")) == 0


def test_a_secret_that_was_found_under_one_name_keeps_it():
    index = index_of(secret("token"), secret("token~2"), secret("token"))
    assert [index.find(secret("mine")) for _ in range(2)] == [0, 2]
    assert index.find(secret("another")) == 1
    assert index.find(secret("mine")) is None


def test_as_many_secrets_as_were_recorded():
    index = index_of(secret("token", "other"))
    assert index.find(secret("mine")) is None
    assert index.find(secret("mine", "mine")) is None
    assert index.find(secret("mine", "yours")) == 0


def test_what_is_not_asked_for_is_kept_as_a_number_alone(calls_of):
    """Of a hundred thousand interactions one test asks for a few: the others leave nothing to the garbage collector."""
    made = calls_of(index_module, "_Queue")
    index = Index(Key(f"digest {number}", fingerprint=f"spelled {number}") for number in range(500))
    assert made == []
    assert index.find(Key("digest 7", fingerprint="spelled 7")) == 7
    assert index.find(Key("digest 7", fingerprint="spelled 7")) is None
    assert index.add(Key("digest 8", fingerprint="spelled 8")) == 500
    assert [index.find(Key("digest 8", fingerprint="spelled 8")) for _ in range(3)] == [8, 500, None]
    assert len(made) == 2
