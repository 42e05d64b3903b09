"""Why a request has no recorded answer, told at the level of the conversation."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from replay_agent.messages import ModelRequest, UserPromptPart
from replay_agent.recording.matching.choosing import choice_of, disagreeing
from replay_agent.recording.matching.fingerprint import ASKING_HEADERS, STORED_HEADERS
from replay_agent.recording.matching.hosts import is_loopback
from replay_agent.recording.meaning.address import SameHosts
from replay_agent.recording.meaning.json_path import JSONPath
from replay_agent.recording.misses import Miss
from replay_agent.report.command import filled
from replay_agent.report.compare import CallIdChanged, Change, MessageAdded, SettingChanged, items_of, turn_of
from replay_agent.report.conversation.lines import short
from replay_agent.report.conversation.transcript import Transcript
from replay_agent.report.decoded_request import read_request
from replay_agent.report.explanation import Explanation
from replay_agent.report.nearest import Nearest, find_nearest
from replay_agent.report.remote_calls import named_calls
from replay_agent.report.renamed import Former
from replay_agent.report.render import cause_of, headline, render_changes
from replay_agent.report.volatile_changes import VolatileValue, freeze_sources, volatile_paths, volatile_values
from replay_agent.surroundings import naming
from replay_agent.traffic import Failure, Interaction, Request

__all__ = ("explain",)

_LATER = 40
"""How far behind the nearest interaction its later turns are looked for."""
_LONGEST_GIST = 100
"""Characters of a prompt, enough to know it again."""
_LONGEST_LINE = 160
_MOST_HOSTS = 4
_REFUSED = 400
"""From this status on an answer is a refusal."""
_LOOKED_AT = 100
"""Interactions that are read to say where recorded requests go and whose they are; reading all may take seconds."""


def explain(
    miss: Miss,
    command: str,
    ignored: Sequence[str] = (),
    former: Callable[[], Former | None] = lambda: None,
    same_hosts: Sequence[str] = (),
) -> Explanation:
    """Return the explanation of a miss in three parts: what happened, the nearest thing recorded, what to do.

    ``command`` says how to record anew, with ``{mode}`` where the name of a record mode belongs: ``pytest
    test_a.py::test_b --record-mode={mode}``. ``ignored`` are the JSON paths that do not count in the comparison. ``former``
    finds what the test may have recorded under another name; it is asked where there is no cassette. ``same_hosts`` are lines
    of addresses that stand for one service. Raises `UserError` for a path that is none.
    """
    paths = tuple(JSONPath.parse(path) for path in ignored)
    return _Explanation(miss, command, paths, former, SameHosts(same_hosts) if same_hosts else None).told()


class _Explanation:
    def __init__(
        self,
        miss: Miss,
        command: str,
        ignored: tuple[JSONPath, ...],
        former: Callable[[], Former | None],
        same_hosts: SameHosts | None,
    ) -> None:
        self._former = former
        self._miss = miss
        self._command = command
        self._ignored = ignored
        self._asked_for = read_request(miss.request, ignored, same_hosts)
        self._file = _shown(miss.cassette_path)

    def told(self) -> Explanation:
        told = {
            "no cassette": self._no_cassette,
            "used up": self._used_up,
            "read on": self._read_on,
        }.get(self._miss.reason, self._changed)
        explained = told()
        call = self._asked_for.call
        explained.turn = turn_of(call) if call is not None else 0
        explained.asked = self._asked()[0].strip()
        return explained

    def _plain(
        self, blocks: list[list[str]], purpose: str, mode: str, *, cause: str, shared: str, advice: Sequence[str] = ()
    ) -> Explanation:
        """Return what has nothing in it to be coloured."""
        return Explanation.of(
            blocks,
            blocks,
            cause=cause,
            shared=[[shared]],
            purpose=purpose,
            command=filled(self._command, mode),
            mode=mode,
            advice=advice,
        )

    def _no_cassette(self) -> Explanation:
        path = self._miss.cassette_path
        what = f"There is no cassette {self._file}" if path is None or not path.exists() else f"{self._file} is empty"
        mode = self._miss.record_mode
        former = self._former() if self._miss.test is not None else None
        if former is not None:
            return self._renamed(what, former)
        explained = self._plain(
            [[f"{what}, and in record mode {mode} nothing is sent.", *self._asked()]],
            "To record it",
            "once",
            cause="no cassette",
            shared=f"There are no cassettes of these tests, and in record mode {mode} nothing is sent.",
        )
        explained.kind, explained.summary = "unrecorded", "There is no recording."
        return explained

    def _renamed(self, what: str, former: Former) -> Explanation:
        old, new = former.names(self._miss.test or "")
        explained = Explanation.of(
            blocks := [
                [f"{what}.", *self._asked()],
                [
                    f"{_shown(former.path)} holds this very request, recorded by {former.test}, which is not there any more."
                ],
            ],
            blocks,
            cause=f"renamed {old} {new}",
            shared=[
                [
                    f"There are no cassettes of these tests. Those of {old}, which is not there any more, hold their requests."
                ]
            ],
            purpose="If it was renamed or moved, this moves what it recorded, snapshots included",
            command=shlex.join(["replay-agent", "mv", old, new]),
            mode="",
            advice=[f"To record it anew instead: {filled(self._command, 'once')}"],
        )
        explained.former = former.test
        return explained

    def _read_on(self) -> Explanation:
        return self._plain(
            [
                [f"The client reads on where the recorded answer in {self._file} ends.", *self._asked()],
                ["When it was recorded, the client had stopped reading there."],
            ],
            "To record more of the answer",
            "rewrite",
            cause="read on",
            shared="The clients read on where the recorded answers end.",
        )

    def _used_up(self) -> Explanation:
        recorded = self._miss.recorded
        asked = f"asked {recorded + 1} times, recorded {recorded}"
        answers = "1 answer" if recorded == 1 else f"{recorded} answers"
        return self._plain(
            [
                [f"This request was {asked}: every answer to it in {self._file} is used up.", *self._asked()],
                [f"The cassette holds {answers} to it, all played.", self._repeated()],
            ],
            "To record one more",
            "refresh",
            cause=f"used up {recorded}",
            shared=f"A request was {asked}: every answer to it is used up. {self._repeated()}",
            advice=["To give the last answer again however often it is asked: allow_repeats=True."],
        )

    def _repeated(self) -> str:
        """Tell a retry after a failure from a call that is made again."""
        asked = self._miss.request
        equal = [
            each.outcome
            for each in self._miss.interactions()[:_LOOKED_AT]
            if (each.request.method, each.request.url, each.request.body) == (asked.method, asked.url, asked.body)
        ]
        if not equal:
            return "The agent asks the same again: a loop, a retry, or a new call."
        last = equal[-1]
        if isinstance(last, Failure):
            return f"The last of them was a failure ({last.kind}), and the client tries again: a retry that was not recorded."
        if last.status >= _REFUSED:
            return f"The last of them was a refusal ({last.status}), and the client tries again: a retry that was not recorded."
        return "The last of them was a good answer: the agent asks the same once more, in a loop or in a new call."

    def _changed(self) -> Explanation:
        interactions = self._miss.interactions()
        if not interactions:
            return self._no_cassette()
        nearest = find_nearest(
            self._asked_for, interactions, self._miss.played, test=self._miss.test, ignored=self._ignored
        )
        if nearest is None:
            return self._nothing_like_it(interactions)
        explained = self._compared(nearest, interactions)
        if nearest.changes:
            explained.summary = (
                "The conversation goes on where the recorded one ends."
                if self._goes_on(nearest)
                else headline(nearest.changes, "since it was recorded")
            )
        if not nearest.played:
            explained.nearest, explained.later = nearest.index, tuple(_later(nearest, interactions))
        return explained

    def _said_first(self, nearest: Nearest, recorded: Request) -> list[str]:
        if self._goes_on(nearest):
            return [f"The conversation goes on where the one in {self._file} ends: a call more.", *self._asked()]
        if nearest.changes:
            return [headline(nearest.changes, f"since {self._file} was recorded"), *self._asked()]
        return self._no_difference(recorded)

    def _compared(self, nearest: Nearest, interactions: Sequence[Interaction]) -> Explanation:
        """Return what differs between the request and the nearest one that was recorded."""
        recorded = interactions[nearest.index].request
        volatile = self._volatile(nearest)
        hosts = _about_hosts(nearest.changes, recorded.url, self._miss.request.url)
        first = self._said_first(nearest, recorded)
        notes = [
            *self._compared_with(nearest, interactions),
            *self._nothing_own(interactions),
            *self._consequence(nearest, interactions),
        ]
        coloured = render_changes(nearest.changes, colour=True)
        explained = Explanation.of(
            [first, render_changes(nearest.changes), notes, hosts, volatile],
            [first, coloured, notes, hosts, volatile],
            cause=self._cause(nearest),
            shared=[self._shared(nearest), coloured, hosts, volatile],
            purpose=self._accepting(nearest.changes),
            command=filled(self._command, "refresh"),
            mode="refresh",
            changes=nearest.changes,
            around=[first, notes, hosts, volatile],
        )
        explained.difference = (*coloured, *hosts, *volatile)
        return explained

    def _shared(self, nearest: Nearest) -> list[str]:
        """Return what is to be said of all tests with this cause. Of what is no call of a model its address is part of that."""
        if self._goes_on(nearest):
            return ["The conversations go on where the recorded ones end: a call more."]
        return [headline(nearest.changes, "since the cassettes were recorded"), *self._called(nearest)]

    def _called(self, nearest: Nearest) -> list[str]:
        """Return the address where it belongs to the cause: of what is no model's, unless the host is what changed."""
        by_host = any(isinstance(change, SettingChanged) and change.name == "host" for change in nearest.changes)
        return [] if self._asked_for.call is not None or by_host or not nearest.changes else self._asked()

    def _no_difference(self, recorded: Request) -> list[str]:
        headers = _changed_headers(recorded, self._miss.request)
        return [
            f"Nothing in {self._file} answers this request, although one has the same method, address and body.",
            *self._asked(),
            *(headers or ["Either a header that counts was not recorded, or this answer is another request's."]),
        ]

    def _nothing_like_it(self, interactions: Sequence[Interaction]) -> Explanation:
        address = self._asked_for.address
        there = [each for each in interactions if urlsplit(each.request.url).netloc == address.netloc]
        if there:
            goes, advice = f"Of {address.netloc}, what is recorded is {_requests(there)}.", []
        else:
            goes = f"It goes to {address.netloc}; what is recorded goes to {_hosts(interactions)}."
            advice = [f"To leave such traffic alone: ignore_hosts=({address.hostname!r},)."]
        return self._plain(
            [[f"Nothing like this request is in {self._file}.", *self._asked()], [goes]],
            "To record it",
            "refresh",
            cause=goes,
            shared=f"Nothing like these requests is recorded. {goes}",
            advice=advice,
        )

    # --- pieces -------------------------------------------------------------------------------------------------------

    def _asked(self) -> list[str]:
        """Which request it is, in one line."""
        request, call = self._asked_for.request, self._asked_for.call
        place = f"{request.method} {short(request.url, _LONGEST_LINE)}"
        if call is None:
            called = short(named_calls(self._asked_for.body), _LONGEST_LINE)
            return [f"  {place} ({called})" if called else f"  {place}"]
        said = [call.model or "", f"turn {turn_of(call)}", _last_prompt(call.messages)]
        return [f"  {place} ({', '.join(word for word in said if word)})"]

    def _compared_with(self, nearest: Nearest, interactions: Sequence[Interaction]) -> list[str]:
        test = interactions[nearest.index].test
        by = f", recorded by {test}" if test and test != self._miss.test else ""
        state = "the nearest one, which was played already" if nearest.played else "the nearest that is not played yet"
        if len(interactions) == 1:
            state = "the only one" + (", which was played already" if nearest.played else "")
        return [f"Compared with interaction {nearest.index + 1} of {len(interactions)}{by}: {state}."]

    def _nothing_own(self, interactions: Sequence[Interaction]) -> list[str]:
        """Say that a test which shares a cassette has recorded nothing there, as far as the first interactions tell."""
        tests = [interaction.test for interaction in interactions[:_LOOKED_AT]]
        if self._miss.test is None or None in tests or self._miss.test in tests or len(interactions) > _LOOKED_AT:
            return []
        return [f"{self._miss.test} has recorded nothing in this cassette yet; what is there is of other tests."]

    def _consequence(self, nearest: Nearest, interactions: Sequence[Interaction]) -> list[str]:
        later = len(_later(nearest, interactions))
        if not later or nearest.recorded.call is None:
            return []
        turn = turn_of(nearest.recorded.call)
        between = "and" if later == 2 else "to"
        turns = f"Turn {turn + 1}" if later == 1 else f"Turns {turn + 1} {between} {turn + later}"
        what = "was" if later == 1 else "were"
        return [f"{turns} of that conversation {what} recorded after it and cannot be replayed if this one changes."]

    def _volatile(self, nearest: Nearest) -> list[str]:
        values, alone = volatile_values(nearest.changes)
        if not values:
            return []
        value = values[0]
        kinds = list(dict.fromkeys(found.kind for found in values))
        what = f"{_with_article(value.kind)}: {value.before} was recorded, now it is {value.after}"
        if not value.before:
            what = f"{_with_article(value.kind)} that was not there before: {value.after}"
        only = "Nothing else differs. " if alone else ""
        return [
            f"What differs is {what}."
            if len(kinds) == 1
            else f"What differs is volatile ({', '.join(kinds)}): {what}.",
            f"{only}Such a value is another one in every run. {self._remedy(nearest, values)}",
        ]

    def _goes_on(self, nearest: Nearest) -> bool:
        """Tell whether a request only goes on after one that was answered already: a turn more, and nothing else is another."""
        recorded, asked = nearest.recorded.call, self._asked_for.call
        if not nearest.played or recorded is None or asked is None:
            return False
        added = nearest.changes and all(isinstance(change, MessageAdded) for change in nearest.changes)
        said = items_of(recorded.messages)
        return bool(added) and items_of(asked.messages)[: len(said)] == said

    def _cause(self, nearest: Nearest) -> str:
        """Return what tells misses with one cause.

        Values that are others in every run are one cause where they are of one kind, stand in one place and are mended alike.
        """
        values, alone = volatile_values(nearest.changes)
        called = "".join(f"{line}\n" for line in self._called(nearest))
        if alone:
            kinds = sorted({value.kind for value in values})
            return f"{called}volatile {kinds}\n{headline(nearest.changes, 'since it was recorded')}\n{self._remedy(nearest, values)}"
        return f"{called}{cause_of(nearest.changes)}" or f"no difference from what is in {self._file}"

    def _remedy(self, nearest: Nearest, values: Sequence[VolatileValue]) -> str:
        sources = freeze_sources(value.kind for value in values)
        paths = tuple(volatile_paths(nearest.recorded.body, self._asked_for.body, values))
        ways = []
        if sources and self._miss.frozen and set(sources) <= set(self._miss.frozen):
            frozen = " and ".join(sources)
            ways.append(
                f"record it again, if it was recorded before {frozen} {'was' if len(sources) == 1 else 'were'} frozen; "
                "else it comes from elsewhere, and is to be passed in"
            )
        elif sources:
            ways.append(f"freeze it (freeze={sources!r} on the mark, then record again)")
        if paths:
            ways.append(f"leave its field out of the comparison (ignore_body={paths!r})")
        else:
            ways += [
                *([] if ways else ["keep it out of what is sent"]),
                "have `normalize` take it out of what is compared",
            ]
        text = ", or ".join(ways)
        return f"{text[0].upper()}{text[1:]}."

    def _accepting(self, changes: Sequence[Change]) -> str:
        if changes and all(isinstance(change, CallIdChanged) for change in changes):
            return "To record it again"
        return "If that is meant, record what changed"


def _later(nearest: Nearest, interactions: Sequence[Interaction]) -> list[int]:
    """Return the interactions that go on with the conversation of the nearest one, as far as they are looked at."""
    if nearest.recorded.call is None or nearest.played:
        return []
    first = Transcript.from_interactions(interactions[nearest.index : nearest.index + _LATER]).conversations[:1]
    # It begins with the nearest, else that is no part of it.
    if not first or first[0].exchanges[0].interaction != 0:
        return []
    return [nearest.index + exchange.interaction for exchange in first[0].exchanges[1:]]


def _hosts(interactions: Sequence[Interaction]) -> str:
    """The hosts that recorded requests go to, with how many of the first ones go there."""
    return _counted(interactions, lambda request: urlsplit(request.url).netloc)


def _requests(interactions: Sequence[Interaction]) -> str:
    """What is asked of a host in recorded requests, with how often in the first ones."""
    return _counted(
        interactions, lambda request: short(f"{request.method} {urlsplit(request.url).path or '/'}", _LONGEST_GIST)
    )


def _counted(interactions: Sequence[Interaction], name: Callable[[Request], str]) -> str:
    counts = Counter(name(interaction.request) for interaction in interactions[:_LOOKED_AT])
    named = ", ".join(f"{each} ({count})" for each, count in counts.most_common(_MOST_HOSTS))
    more = len(interactions) > _LOOKED_AT or len(counts) > _MOST_HOSTS
    return f"{named} and others" if more else named


def _about_hosts(changes: Sequence[Change], recorded: str, asked: str) -> list[str]:
    """Say of another host what it may be, and which option makes both the same or leaves one alone."""
    if not any(isinstance(change, SettingChanged) and change.name == "host" for change in changes):
        return []
    before, after = _bases(recorded, asked)
    lines = [
        f"A base URL was set when it was recorded and is not now, or the other way round: {before} -> {after}.",
        "If both stand for the same service (a gateway, a proxy, a stand-in), say so in the ini file:",
        f"    replay_same_hosts = {before} {after}",
    ]
    host = urlsplit(asked).hostname or ""
    if is_loopback(host):
        lines += [
            "If that is a server of the tests' own, leave it alone on the mark, or name what is to be recorded:",
            f"    ignore_hosts=({host!r},)  or  only_hosts=('api.openai.com',)",
        ]
    return lines


def _bases(one: str, other: str) -> tuple[str, str]:
    """Return the beginnings of two URLs up to where their paths are the same."""
    urls = [urlsplit(url) for url in (one, other)]
    paths = [url.path.split("/") for url in urls]
    while all(paths) and paths[0][-1] == paths[1][-1]:
        paths = [path[:-1] for path in paths]
    first, second = (f"{url.scheme}://{url.netloc}{'/'.join(path)}" for url, path in zip(urls, paths, strict=True))
    return first, second


def _with_article(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeio' else 'a'} {kind}"


def _last_prompt(messages: Iterable[object]) -> str:
    prompts = [
        part.content
        for message in messages
        if isinstance(message, ModelRequest)
        for part in message.parts
        if isinstance(part, UserPromptPart)
    ]
    if not prompts:
        return ""
    content = prompts[-1]
    text = content if isinstance(content, str) else next((item for item in content if isinstance(item, str)), "")
    return f'"{short(" ".join(text[: 4 * _LONGEST_GIST].split()), _LONGEST_GIST)}"'


def _shown(path: Path | None) -> str:
    return "the cassette" if path is None else naming.seen_from_here(path)


def _changed_headers(recorded: Request, asked: Request) -> list[str]:
    """Tell how the headers differ that decide about the answer, those that are stored because a mark names them too."""
    before, after = _by_name(recorded), _by_name(asked)
    chosen = disagreeing(choice_of(recorded), choice_of(asked))
    # A header that is stored and asks for nothing does not count; one that is not in the list is there because a mark
    # names it.
    counting = {name for name in {*before, *after} if name in ASKING_HEADERS or name not in STORED_HEADERS}
    return [
        f"header {name}: {_value(before, name)} -> {_value(after, name)}"
        for name in sorted(counting.union(chosen))
        if before.get(name) != after.get(name)
    ]


def _by_name(request: Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers}


def _value(headers: dict[str, str], name: str) -> str:
    return short(headers.get(name, "(none)"), _LONGEST_LINE)
