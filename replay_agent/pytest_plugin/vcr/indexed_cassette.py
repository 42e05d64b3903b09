"""vcrpy's cassette, finding what it holds by an index."""

from __future__ import annotations

import copy
import logging
from collections import Counter
from collections.abc import Iterator
from types import FunctionType
from typing import Any

import vcr.cassette
from vcr import matchers
from vcr.cassette import Cassette
from vcr.record_mode import RecordMode

from replay_agent.pytest_plugin.vcr.own_copies import copied, filters_of, is_plain, with_own_copies
from replay_agent.pytest_plugin.vcr.request_index import KEYED, RequestIndex, Undecided, is_known

__all__ = ("IndexedCassette",)

_NEVER = object()
_log = logging.getLogger(matchers.__name__)


class IndexedCassette(Cassette):  # type: ignore[misc]
    """A cassette of vcrpy that gives the answers vcrpy gives, sooner.

    The matchers of others are asked of every pair, as vcrpy does; and all of them where somebody replaced how vcrpy
    compares, or reads in its log why requests differ.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        filters = vars(self)["_before_record_request"]
        self._before_record_request: Any = with_own_copies(filters)
        self._copies_alone: Any = self._before_record_request if filters_of(filters) == [] else _NEVER
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
        elif request := self._filtered(request):
            vcr.cassette.log.info("Appending request %s and response %s", request, response)
            self.data.append((request, response))
            self.dirty = True

    def _filtered(self, request: Any) -> Any:
        return copied(request) if self._only_copies() else self._before_record_request(request)

    def _only_copies(self) -> bool:
        return self._before_record_request is self._copies_alone

    def _needs_no_copy(self, request: Any) -> bool:
        """Tell whether to filter a request is to copy it: nobody but the index has a look at the copy, who changes nothing."""
        return self._before_record_request is self._copies_alone and is_plain(request)

    def can_play_response_for(self, request: Any) -> Any:
        if not self._needs_no_copy(request):
            return super().can_play_response_for(request)
        return request in self and self.record_mode != RecordMode.ALL and (self.rewound or self.allow_playback_repeats)

    def responses_of(self, request: Any) -> Any:
        """Find the responses of a request, those that were played among them."""
        whole = copy.copy(self)
        whole.play_counts = Counter()
        return super(IndexedCassette, whole).responses_of(request)

    def _responses(self, request: Any) -> Iterator[tuple[int, Any]]:
        """Yield what may be played: who asks leaves out by himself what was played and may not be again."""
        if _looking() != _LOOKING or _log.isEnabledFor(logging.DEBUG) or not is_known():
            yield from super()._responses(request)
            return
        if self._match_on != self._asked:
            self._others = [matcher for matcher in self._match_on if not _is_keyed(matcher)]
            self._index = RequestIndex(filter(_is_keyed, self._match_on))
            self._asked = list(self._match_on)
        others, index = self._others, self._index
        if others or not self._needs_no_copy(request):
            request = self._before_record_request(request)
        asked = index.asked(request)
        for place, (recorded, response) in enumerate(self.data):
            if not others and self.play_counts.get(place) and not self.allow_playback_repeats:
                continue
            try:
                is_found = index.matches(asked, place, recorded)
            except Undecided:
                is_found = vcr.cassette.requests_match(request, recorded, self._match_on)
            else:
                if others:
                    is_found = vcr.cassette.requests_match(request, recorded, others) and is_found
            if is_found:
                yield place, response


def _is_keyed(matcher: Any) -> bool:
    return isinstance(matcher, FunctionType) and matcher in KEYED


def _looking() -> tuple[Any, ...]:
    """Return what others may have replaced of how vcrpy compares requests."""
    look = vars(matchers).get
    return (
        vcr.cassette.requests_match,
        look("get_matchers_results"),
        look("_get_transformers"),
        look("_checker_transformer_pairs"),
    )


_LOOKING = _looking()
