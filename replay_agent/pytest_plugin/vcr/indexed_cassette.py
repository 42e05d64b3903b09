"""vcrpy's cassette, finding what it holds by an index."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from types import FunctionType
from typing import Any

import vcr.cassette
from vcr import matchers
from vcr.cassette import Cassette
from vcr.record_mode import RecordMode

from replay_agent.pytest_plugin.vcr.own_copies import filters_of, is_plain, with_own_copies
from replay_agent.pytest_plugin.vcr.request_index import KEYED, RequestIndex, Undecided, is_known

__all__ = ("IndexedCassette",)

_log = logging.getLogger(matchers.__name__)
_LOOKING = vcr.cassette.requests_match, matchers.get_matchers_results


class IndexedCassette(Cassette):  # type: ignore[misc]
    """A cassette of vcrpy that gives the answers vcrpy gives, sooner.

    The matchers of others are asked of every pair, as vcrpy does; and all of them where somebody replaced how vcrpy
    compares, or reads in its log why requests differ.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        filters = vars(self)["_before_record_request"]
        self._before_record_request: Any = with_own_copies(filters)
        self._copies_alone: Any = self._before_record_request if filters_of(filters) == [] else None
        self._is_loading = False
        self._asked: Any = None

    def _load(self) -> None:
        self._is_loading = not self._after_load_interaction and filters_of(self._before_record_response) == []
        try:
            super()._load()
        finally:
            self._is_loading = False

    def append(self, request: Any, response: Any) -> None:
        """Add a request and its response; of a response that was just read nobody else has a hold, it needs no copy."""
        if not (self._is_loading and getattr(self._persister, "shares_nothing", False)):
            super().append(request, response)
        elif request := self._before_record_request(request):
            vcr.cassette.log.info("Appending request %s and response %s", request, response)
            self.data.append((request, response))
            self.dirty = True

    def _needs_no_copy(self, request: Any) -> bool:
        """Tell whether to filter a request is to copy it: nobody but the index has a look at the copy, who changes nothing."""
        return (
            self._copies_alone is not None and self._before_record_request is self._copies_alone and is_plain(request)
        )

    def can_play_response_for(self, request: Any) -> Any:
        if not self._needs_no_copy(request):
            return super().can_play_response_for(request)
        return request in self and self.record_mode != RecordMode.ALL and (self.rewound or self.allow_playback_repeats)

    def _responses(self, request: Any) -> Iterator[tuple[int, Any]]:
        if _log.isEnabledFor(logging.DEBUG) or _looking() != _LOOKING or not is_known():
            yield from super()._responses(request)
            return
        if self._asked is not self._match_on:
            self._asked = self._match_on
            self._others = [matcher for matcher in self._match_on if not _is_keyed(matcher)]
            self._index = RequestIndex(filter(_is_keyed, self._match_on))
        if self._others or not self._needs_no_copy(request):
            request = self._before_record_request(request)
        try:
            places = self._index.places(request, self.data)
        except Undecided:
            yield from self._compared(request, self._match_on, range(len(self.data)))
        else:
            yield from self._compared(request, self._others, places)

    def _compared(self, request: Any, asked: list[Any], places: Any) -> Iterator[tuple[int, Any]]:
        if not asked:
            yield from ((place, self.data[place][1]) for place in places)
            return
        places = frozenset(places)
        for place, (recorded, response) in enumerate(self.data):
            if vcr.cassette.requests_match(request, recorded, asked) and place in places:
                yield place, response


def _is_keyed(matcher: Any) -> bool:
    return isinstance(matcher, FunctionType) and matcher in KEYED


def _looking() -> tuple[Any, ...]:
    return vcr.cassette.requests_match, matchers.get_matchers_results
