"""Files: every layout opened, every damage named, nothing lost while saving."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.exceptions import CassetteNotFound, CassetteUnreadable, CassetteUnwritable, CassetteVersionError
from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.foreign import dump_vcr
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.recording.cassettes.safe_documents import MAX_DEPTH, read_yaml
from replay_agent.recording.cassettes.store import check_writable, exists, load, save

HEADER = Header(keying="bytes-1", recorded_at="2026-11-22T10:00:00Z")


@pytest.fixture
def items(chat, keying):
    def make(*prompts, **more):
        interactions = [chat(prompt, **more) for prompt in prompts]
        return [new_item(each, keying(each.request)) for each in interactions]

    return make


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cassettes" / "geo.yaml"


@pytest.fixture
def saved(path, items):
    save(path, HEADER, items("one\ntwo", "three"))
    return path


def names(folder):
    return [each.name for each in folder.iterdir()]


def prompts(path):
    return [json.loads(each.request.body)["messages"][0]["content"] for each in load(path).interactions()]


def test_saved_and_loaded(saved):
    assert prompts(saved) == ["one\ntwo", "three"]
    assert names(saved.parent) == ["geo.yaml"]


def foreign_documents(chat):
    vcr = dump_vcr([chat()])
    data = yaml.safe_load(vcr)
    (row,) = data["interactions"]
    asked, answered = row["request"], row["response"]
    parsed = {
        "request": {**{k: v for k, v in asked.items() if k != "body"}, "parsed_body": json.loads(asked["body"])},
        "response": {
            **{k: v for k, v in answered.items() if k != "body"},
            "parsed_body": json.loads(answered["body"]["string"]),
        },
    }
    typed = {
        "request": {**asked, "body": {"type": "json", "content": json.loads(asked["body"])}},
        "response": {
            "status": 200,
            "headers": {},
            "body": {"type": "json", "content": json.loads(answered["body"]["string"])},
        },
        "recorded_at": "2026-11-22T10:00:00+00:00",
    }
    toml = (
        'version = 1\n[[interactions]]\n[interactions.request]\nmethod = "POST"\n'
        f'uri = {json.dumps(asked["uri"])}\nbody_type = "json"\nbody_content = {json.dumps(asked["body"])}\n'
        '[interactions.response]\nstatus = 200\nbody_type = "json"\n'
        f"body_content = {json.dumps(answered['body']['string'])}\n"
    )
    return {
        "vcr.yaml": vcr,
        "vcr.json": json.dumps(data, indent=4),
        "json-as.yaml": json.dumps(data),
        "parsed.yaml": yaml.safe_dump({"version": 1, "interactions": [parsed]}),
        "no-version.yaml": yaml.safe_dump({"interactions": [row]}),
        "cassetter.yaml": yaml.safe_dump({"version": 1, "interactions": [typed]}),
        "cassetter.toml": toml,
    }


@pytest.mark.parametrize(
    "name",
    ["vcr.yaml", "vcr.json", "json-as.yaml", "parsed.yaml", "no-version.yaml", "cassetter.yaml", "cassetter.toml"],
)
def test_every_foreign_layout_is_opened(tmp_path, chat, name):
    file = tmp_path / name
    file.write_text(foreign_documents(chat)[name], encoding="utf-8")
    cassette = load(file)
    (found,) = cassette.interactions()
    assert cassette.layout == "foreign"
    assert json.loads(found.request.body) == json.loads(chat().request.body)
    assert json.loads(found.outcome.body) == json.loads(chat().outcome.body)


def test_real_cassettes_come_back_from_our_layout(tmp_path, real_cassettes, keying):
    for number, source in enumerate(sorted(real_cassettes.glob("*/*.yaml"))):
        cassette = load(source)
        cassette.keys(keying)
        copy = tmp_path / f"{number}.yaml"
        save(copy, Header(keying=keying.scheme), [cassette.item(index) for index in range(len(cassette))])
        assert load(copy).interactions() == cassette.interactions(), source


HARMLESS = [
    lambda data: data.replace(b"\n", b"\r\n"),
    lambda data: b"\xef\xbb\xbf" + data,
    lambda data: data + b"\n",
    lambda data: data.replace(b"version: 1\n", b"# by hand\nversion: 1\n"),
]


@pytest.mark.parametrize("change", HARMLESS)
def test_harmless_changes_are_read(saved, change):
    saved.write_bytes(change(saved.read_bytes()))
    assert prompts(saved) == ["one\ntwo", "three"]


def test_line_ends_of_git_cost_no_key(saved, keying):
    saved.write_bytes(saved.read_bytes().replace(b"\n", b"\r\n"))
    keying.asked = 0
    load(saved).keys(keying)
    assert keying.asked == 0


BAD_CONTENT = [
    (b"", "is empty"),
    (b" \n\t\n", "nothing but white space"),
    (b"\0" * 100, "NUL byte"),
    (b"version: 1\0\n", "NUL byte"),
    (b"\xff\xfev\0e\0r\0", "UTF-16"),
    (bytes(range(1, 256)), "not UTF-8|does not allow"),
    (b"interactions: \xff\n", "not UTF-8"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "git lfs pull"),
    (b"<!DOCTYPE html><html><body>404</body></html>", "page of HTML"),
    (b"\n<?xml version='1.0'?>", "page of HTML or XML"),
    (b"<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> other\n", "merge conflict"),
    (b"interactions:\n<<<<<<< HEAD\n- a\n=======\n- b\n>>>>>>> other\n", "merge conflict"),
    (b"just text", "not a cassette"),
    (b"'a text'", "a text"),
    (b"- a\n- b\n", "a list"),
    (b"null", "nothing"),
    (b"{}", "without `interactions`"),
    (b"interactions: null\n", "must be a list"),
    (b"interactions: {}\n", "must be a list"),
    (b"[" * 100_000, "nested too deeply"),
    (b"a: " + b"[" * 100_000, "levels deep"),
    (b"a: !!python/object/apply:os.system ['true']\n", "not allowed"),
    (b"a: !!python/object/new:os.system ['true']\n", "not allowed"),
    (b'{"interactions": [', "not valid JSON"),
    (b"interactions: [\n", "not valid YAML"),
]


@pytest.mark.parametrize(("content", "words"), BAD_CONTENT)
def test_bad_content_names_file_cause_and_next_step(tmp_path, content, words):
    file = tmp_path / "bad.yaml"
    file.write_bytes(content)
    with pytest.raises(CassetteUnreadable, match=words) as caught:
        load(file)
    assert "bad.yaml" in str(caught.value)
    assert caught.value.path == file
    assert any(word in str(caught.value) for word in ("record", "Fetch", "Choose"))
    assert file.read_bytes() == content


OUR_DAMAGE = [
    (lambda d: d[: len(d) // 2], "cut off"),
    (lambda d: d[: len(d) * 9 // 10], "cut off"),
    (lambda d: d[:-40], "cut off"),
    (lambda d: d[: d.rindex(b"- # ")], "cut off"),
    (lambda d: d.replace(b"status: 200", b"status: fine", 1), "no number"),
    (lambda d: d.replace(b"  response:", b"  respond:", 1), "neither"),
    (lambda d: d.replace(b"content: three", b"content: \xff"), "not UTF-8"),
    (lambda d: d.replace(b"content: three", b"content: \0"), "NUL"),
    (lambda d: d.replace(b"  request:", b"<<<<<<< HEAD\n  request:", 1), "merge conflict"),
    (lambda d: d.replace(b"content: three", b"content: !!python/name:os.system x"), "not allowed"),
    (lambda d: d.replace(b"content: three", b"content: " + b"[" * 100_000), "levels deep"),
    (lambda d: d.replace(b"content: three", b"content: " + b"- " * 100_000), "levels deep|not valid YAML"),
]


@pytest.mark.parametrize(("damage", "words"), OUR_DAMAGE)
def test_damage_of_our_layout_is_named(saved, keying, damage, words):
    saved.write_bytes(damage(saved.read_bytes()))
    with pytest.raises(CassetteUnreadable, match=words) as caught:
        cassette = load(saved)
        cassette.keys(keying)
        cassette.interactions()
    assert "geo.yaml" in str(caught.value)


@pytest.mark.parametrize("version", [b"999", b"2", b"'1.5'"])
def test_other_version_is_refused(saved, tmp_path, version):
    saved.write_bytes(saved.read_bytes().replace(b"version: 1\n", b"version: %b\n" % version))
    theirs = tmp_path / "vcr.yaml"
    theirs.write_bytes(b"interactions: []\nversion: %b\n" % version)
    for file in (saved, theirs):
        with pytest.raises(CassetteVersionError, match="version"):
            load(file)


def test_aliases_that_multiply_are_refused(tmp_path):
    rows = ["a0: &a0 [x]", *(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10))]
    file = tmp_path / "bomb.yaml"
    file.write_text("\n".join([*rows, "interactions: *a9\n"]))
    with pytest.raises(CassetteUnreadable, match="aliases"):
        load(file)


def test_missing_file_is_not_found(path):
    with pytest.raises(CassetteNotFound, match=r"no cassette .*geo\.yaml"):
        load(path)
    assert not exists(path)


def test_dangling_link_is_said(tmp_path):
    link = tmp_path / "link.yaml"
    link.symlink_to(tmp_path / "gone.yaml")
    with pytest.raises(CassetteNotFound, match=r"is a link to .*gone\.yaml"):
        load(link)
    assert exists(link)


def test_directory_is_no_cassette(tmp_path):
    with pytest.raises(CassetteUnreadable, match="is a directory"):
        load(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_pipe_does_not_hang(tmp_path):
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    with pytest.raises(CassetteUnreadable, match="is a named pipe"):
        load(pipe)


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no such sockets here")
def test_a_socket_is_named_though_it_cannot_be_opened(tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s.yaml"))
        with pytest.raises(CassetteUnreadable, match="is a socket"):
            load(tmp_path / "s.yaml")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device here")
def test_device_does_not_hang():
    with pytest.raises(CassetteUnreadable, match="is a device"):
        load(Path("/dev/zero"))


@pytest.mark.parametrize("name", ["a\0b.yaml", "x" * 300])
def test_impossible_names(tmp_path, name):
    with pytest.raises((CassetteNotFound, CassetteUnreadable)):
        load(tmp_path / name)
    with pytest.raises(CassetteUnwritable):
        check_writable(tmp_path / name)


def test_file_as_a_folder(saved, items):
    below = saved / "x.yaml"
    with pytest.raises(CassetteNotFound):
        load(below)
    with pytest.raises(CassetteUnwritable):
        check_writable(below)
    with pytest.raises(CassetteUnwritable, match=r"x\.yaml"):
        save(below, HEADER, items("a"))


def test_too_large_file_is_not_read(tmp_path):
    file = tmp_path / "large.yaml"
    with file.open("wb") as opened:
        opened.truncate(store.MAX_SIZE + 1)
    with pytest.raises(CassetteUnreadable, match="a cassette may have"):
        load(file)


def test_what_was_saved_is_not_written_again(saved, keying):
    base = load(saved)
    base.keys(keying)
    before = saved.stat().st_ino
    save(saved, base.header, [base.item(0), base.item(1)], base=base)
    assert saved.stat().st_ino == before


def test_untouched_items_stay_byte_for_byte(saved, items, keying):
    before = saved.read_bytes()
    base = load(saved)
    base.keys(keying)
    save(saved, base.header, [base.item(0), *items("new"), base.item(1)], base=base)
    after = saved.read_bytes()
    assert prompts(saved) == ["one\ntwo", "new", "three"]
    assert after.replace(items("new")[0].source, b"") == before


def test_what_others_wrote_meanwhile_stays(saved, items, keying):
    base = load(saved)
    base.keys(keying)
    save(saved, HEADER, [base.item(0), base.item(1), *items("theirs", test="b")], base=base)
    save(saved, HEADER, [base.item(0), *items("ours", test="a")], base=base)
    assert sorted(prompts(saved)) == ["one\ntwo", "ours", "theirs"]


def test_workers_of_one_cassette_lose_nothing(path, items):
    workers = [f"worker {number}" for number in range(6)]
    threads = [threading.Thread(target=save, args=(path, HEADER, items(name))) for name in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(prompts(path)) == workers


def test_foreign_cassette_becomes_ours(tmp_path, chat, items, keying):
    file = tmp_path / "old.yaml"
    file.write_text(dump_vcr([chat("old")]))
    base = load(file)
    base.keys(keying)
    save(file, HEADER, [base.item(0), *items("new")], base=base)
    assert load(file).layout == "replay-agent"
    assert prompts(file) == ["old", "new"]


def test_damaged_file_is_not_overwritten(saved, items):
    saved.write_bytes(b"damaged [")
    with pytest.raises(CassetteUnreadable):
        save(saved, HEADER, items("new"))
    assert saved.read_bytes() == b"damaged ["
    save(saved, HEADER, items("new"), overwrite=True)
    assert prompts(saved) == ["new"]


NO_CASSETTES = {
    "text": b"root:x:0:0:root:/root:/bin/sh\n",
    "yaml": b"services:\n  web:\n    image: nginx\n",
    "json": b'{"name": "package", "version": "1.0.0"}\n',
    "empty": b"",
    "binary": bytes(range(256)),
    "damaged": b"version: 1\nlibrary: pytest-replay-agent 0.1.0\ninteractions:\n- # x",
}


@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.parametrize("hops", [1, 2])
@pytest.mark.parametrize("what", NO_CASSETTES)
def test_nothing_is_written_through_a_link_onto_what_is_no_cassette(tmp_path, items, what, hops, overwrite):
    target = tmp_path / "target.yaml"
    target.write_bytes(NO_CASSETTES[what])
    link = target
    for hop in range(hops):
        link, before = tmp_path / f"link{hop}.yaml", link
        link.symlink_to(before)
    with pytest.raises(CassetteUnwritable, match="is a link to"):
        check_writable(link)
    with pytest.raises(CassetteUnwritable, match="Remove the link"):
        save(link, HEADER, items("one"), overwrite=overwrite)
    assert target.read_bytes() == NO_CASSETTES[what]
    assert link.is_symlink()


def test_link_to_a_folder_is_not_written_through(tmp_path, items):
    (tmp_path / "folder").mkdir()
    link = tmp_path / "link.yaml"
    link.symlink_to(tmp_path / "folder")
    with pytest.raises(CassetteUnwritable):
        save(link, HEADER, items("one"), overwrite=True)
    assert link.is_symlink()


def test_link_to_a_cassette_may_be_overwritten_and_stays(saved, tmp_path, items):
    link = tmp_path / "link.yaml"
    link.symlink_to(saved)
    check_writable(link)
    save(link, HEADER, items("anew"), overwrite=True)
    assert link.is_symlink()
    assert b"anew" in saved.read_bytes()


def test_cassette_in_a_linked_folder_is_a_cassette_like_others(tmp_path, items):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "cassettes").symlink_to(tmp_path / "elsewhere")
    path = tmp_path / "cassettes" / "geo.yaml"
    path.write_text("no cassette")
    save(path, HEADER, items("one"), overwrite=True)
    assert len(load(tmp_path / "elsewhere" / "geo.yaml")) == 1


def test_link_stays_a_link(saved, tmp_path, items):
    link = tmp_path / "link.yaml"
    link.symlink_to(saved)
    save(link, HEADER, items("more"))
    assert link.is_symlink()
    assert len(prompts(saved)) == 3


def test_mode_of_the_file_stays(saved, items):
    saved.chmod(0o640)
    save(saved, HEADER, items("more"))
    assert stat.S_IMODE(saved.stat().st_mode) == 0o640


def test_leftover_of_a_killed_save_goes(saved, items):
    left = saved.with_name(f"{store._stale_prefix(saved)}1.00000000.tmp")
    left.write_bytes(b"half")
    _seen_to_change(saved.parent)
    save(saved, HEADER, items("more"))
    assert names(saved.parent) == ["geo.yaml"]


def _seen_to_change(folder):
    """Let a folder be younger than the last save in it: two changes within one tick of its clock look the same."""
    os.utime(folder, ns=(0, folder.stat().st_mtime_ns + 1_000_000))


def test_a_folder_is_looked_through_once_though_many_are_saved_in_it(tmp_path, items, calls_of):
    looked = calls_of(os, "scandir")
    for number in range(20):
        save(tmp_path / f"{number}.yaml", HEADER, items("a"))
    assert len(looked) == 1
    left = tmp_path / f"{store._stale_prefix(tmp_path / '7.yaml')}1.00000000.tmp"
    left.write_bytes(b"half")
    _seen_to_change(tmp_path)
    save(tmp_path / "7.yaml", HEADER, items("b"))
    assert not left.exists()
    assert len(looked) == 2


LIMITED = """
import resource, signal, sys
from pathlib import Path
from replay_agent.exceptions import CassetteUnwritable
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.recording.cassettes.store import load, save
from replay_agent.traffic import Chunk, Interaction, Request, Response
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
item = new_item(Interaction(Request("GET", "https://a"), Response(200, chunks=(Chunk(b"x" * 9000),))), None)
for name in sys.argv[1:]:
    try:
        save(Path(name), Header(keying="bytes-1"), [item])
    except CassetteUnwritable as error:
        print(error)
"""


def test_full_disk_keeps_the_old_file_and_leaves_no_litter(saved):
    before = saved.read_bytes()
    fresh = saved.parent.parent / "new" / "deep" / "a.yaml"
    run = [sys.executable, "-c", LIMITED, str(saved), str(fresh)]
    said = subprocess.run(run, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]).stdout
    assert said.count("cannot be saved: File too large") == 2
    assert "geo.yaml" in said
    assert saved.read_bytes() == before
    assert names(saved.parent) == ["geo.yaml"]
    assert names(saved.parent.parent) == ["cassettes"]


def test_writable_place_is_left_as_it_was(path):
    check_writable(path)
    assert not path.parent.exists()


def test_folder_instead_of_a_file_is_unwritable(tmp_path, items):
    with pytest.raises(CassetteUnwritable, match="no file that could be replaced"):
        check_writable(tmp_path)
    with pytest.raises((CassetteUnwritable, CassetteUnreadable)):
        save(tmp_path, HEADER, items("a"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="this user may write anywhere")
def test_read_only_folder_is_unwritable(saved, items):
    saved.parent.chmod(0o500)
    try:
        with pytest.raises(CassetteUnwritable, match="Permission denied"):
            check_writable(saved)
        with pytest.raises(CassetteUnwritable, match=r"geo\.yaml"):
            save(saved, HEADER, items("a"))
    finally:
        saved.parent.chmod(0o700)


def test_proc_is_unwritable():
    place = Path("/proc/1/cassette.yaml")
    if not place.parent.exists():
        pytest.skip("no /proc here")
    with pytest.raises(CassetteUnwritable, match=r"cassette\.yaml"):
        check_writable(place)


DUMPED = st.recursive(
    st.text() | st.binary() | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False) | st.dates(),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text() | st.integers(), each, max_size=3),
)


@given(DUMPED)
def test_what_pyyaml_dumped_is_read_as_by_libyaml(value):
    text = yaml.dump({"interactions": value})
    assert store._as_dumped(text) in (None, read_yaml(text))


def test_a_cassette_of_vcrpy_is_read_without_libyaml():
    interaction = {
        "request": {
            "method": "POST",
            "uri": "https://a/b?c=d",
            "headers": {"x": ["1"], "y": ["z"]},
            "body": '{"a": 1}',
        },
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {},
            "body": {"string": "one\ntwo: 'three'\n"},
        },
    }
    document = {"interactions": [interaction], "version": 1}
    assert store._as_dumped(yaml.dump(document)) == document


@pytest.mark.parametrize("kind", [dict, list, "both"])
def test_a_deep_document_is_left_to_the_reader_that_counts(kind):
    value = "x"
    for level in range(MAX_DEPTH + 10):
        value = {"a": value} if kind is dict or (kind == "both" and level % 2) else [value]
    assert store._as_dumped(yaml.dump({"interactions": value})) is None
