"""vcrpy's filters, given copies of requests that cost less than `copy.deepcopy` and are as much their own."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, TypeAlias

from vcr import VCR
from vcr.request import HeadersDict, Request

__all__ = "copied", "filters_of", "is_plain", "with_own_copies"

Filter: TypeAlias = Callable[[Any], Any]

_LIST = "filter_functions"
_STATE = vars(Request("GET", "", None, {})).keys()
_UNCHANGEABLE = frozenset({bytes, type(None)})


def with_own_copies(filters: Filter) -> Filter:
    """Return what does to a request as vcrpy's chain of filters does; a chain of another make is returned as it is."""
    chain = filters_of(filters)
    if chain is None:
        return filters

    def before_record_request(request: Any) -> Any:
        request = copied(request)
        for function in chain:
            if request is None:
                break
            request = function(request)
        return request

    return before_record_request


def filters_of(filters: Filter) -> list[Filter] | None:
    """Return the filters of a chain that vcrpy made for one cassette; None if it is of another make."""
    code: Any = getattr(filters, "__code__", None)
    if code not in _CHAINS:
        return None
    cells = dict(zip(code.co_freevars, filters.__closure__ or (), strict=True))
    found: list[Filter] = cells[_LIST].cell_contents
    return found


def copied(request: Any) -> Any:
    """Return a copy of a request that shares nothing with it which could change."""
    if not is_plain(request) or not _are_texts(headers := (state := vars(request))["_headers"]):
        return copy.deepcopy(request)
    fresh: Any = object.__new__(Request)
    fresh_headers: Any = object.__new__(HeadersDict)
    fresh_headers._store = dict(headers._store)  # noqa: SLF001 - by way of its public methods it costs as the deep copy
    vars(fresh).update(state)
    vars(fresh)["_headers"] = fresh_headers
    return fresh


def is_plain(request: Any) -> bool:
    """Tell whether a request is vcrpy's own, with a body that cannot change and headers as vcrpy has them."""
    if type(request) is not Request or (state := vars(request)).keys() != _STATE:
        return False
    return type(state["_body"]) in _UNCHANGEABLE and type(state["_headers"]) is HeadersDict


def _are_texts(headers: HeadersDict) -> bool:
    return vars(headers).keys() == {"_store"} and {type(value) for _, value in headers._store.values()} <= {str}  # noqa: SLF001


def _chain_codes() -> frozenset[Any]:
    """Return the code of the chains that this vcrpy makes, if they are what is known of them."""
    config = VCR().get_merged_config()
    chains = (config["before_record_request"], config["before_record_response"])
    codes = [getattr(chain, "__code__", None) for chain in chains]
    return frozenset(code for code in codes if code is not None and code.co_freevars == (_LIST,))


_CHAINS = _chain_codes()
