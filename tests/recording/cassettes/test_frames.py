import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.recording.cassettes.frames import read_frames, write_frames
from replay_agent.recording.cassettes.items import BadItem, read_item, write_item
from replay_agent.traffic import Frame, Interaction, Request, Response, Sender, StreamEnd

OPENING = Request("GET", "wss://api.example.com/v1/realtime?model=x", (("upgrade", "websocket"),))
SESSION = Response(
    101,
    (("upgrade", "websocket"),),
    frames=(
        Frame(Sender.CLIENT, b'{"type": "session.update", "n": 1}'),
        Frame(Sender.SERVER, b'{"type":"session.updated"}', offset_ms=12),
        Frame(Sender.SERVER, b"\x00\x01", is_text=False, offset_ms=12),
        Frame(Sender.CLIENT, "two\nlines, a tab\t and ü".encode(), offset_ms=40),
    ),
    end=StreamEnd.CLOSED,
)

frames = st.builds(
    Frame,
    st.sampled_from(Sender),
    st.binary(max_size=40) | st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.booleans(),
    st.integers(0, 10**6),
)


@pytest.mark.parametrize("edited", [False, True])
def test_a_session_is_an_interaction_like_any_other(edited):
    interaction = Interaction(OPENING, SESSION, "tests/test_a.py::test_b")
    assert read_item(write_item(interaction), edited=edited) == interaction


def test_a_message_stands_there_as_what_it_is():
    text = write_item(Interaction(OPENING, SESSION))
    assert "type: session.update" in text
    assert "two" in text


@given(st.lists(frames, max_size=6), st.sampled_from(["json", "text", "base64"]))
def test_frames_come_back_byte_for_byte(sent, view):
    assert read_frames(write_frames(sent, view), edited=False) == tuple(sent)


@given(st.lists(frames, max_size=4))
def test_items_with_frames_come_back(sent):
    interaction = Interaction(OPENING, Response(101, frames=tuple(sent)))
    assert read_item(write_item(interaction)) == interaction


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, "no list"),
        ([{"peer": {"text": "x"}}], "frame 1 is neither"),
        ([{"client": {}, "server": {}}], "frame 1 is neither"),
        ([{"client": "x"}], "frame 1 has no message"),
        ([{"client": {}}, {"server": {}, "at": "soon"}], "frame 2 has a time"),
    ],
)
def test_damaged_frames_are_named(value, words):
    with pytest.raises(ValueError, match=words):
        read_frames(value, edited=True)


def test_damage_is_that_of_the_item():
    lines = write_item(Interaction(OPENING, SESSION)).replace("client:", "peer:", 1)
    with pytest.raises(BadItem, match="frame 1 is neither"):
        read_item(lines, edited=True)
