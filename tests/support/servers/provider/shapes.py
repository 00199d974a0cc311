"""Strict checks of JSON against the request types of the providers' own packages.

The packages describe requests as typed dictionaries. A value is rejected if it has an unknown
member, lacks a required one, or has a value of another type."""

import collections.abc
import types
import typing

import typing_extensions

UNIONS = (typing.Union, types.UnionType)
WRAPPERS = {"Required", "NotRequired", "ReadOnly", "Annotated"}
SEQUENCES = {list, tuple, collections.abc.Iterable, collections.abc.Sequence}
HINTS = {}


class Fault(Exception):
    """Violation of a provider's API, with its place."""

    def __init__(self, place, problem):
        super().__init__(f"{place}: {problem}")
        self.depth = place.count(".") + place.count("[")
        self.is_another_kind = False


def check(value, kind, place="body"):
    """Raises a `Fault` unless the value is of the type."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    name = getattr(origin, "__name__", None) or str(origin)
    if name.rsplit(".", 1)[-1] in WRAPPERS:
        return check(value, arguments[0], place)
    if isinstance(kind, typing.TypeVar) or kind in (object, typing.Any):
        return None
    if origin in UNIONS:
        return check_union(value, arguments, place)
    if origin in (typing.Literal, typing_extensions.Literal):
        if any(value == each and type(value) is type(each) for each in arguments):
            return None
        raise Fault(place, f"{value!r} is none of {arguments}")
    if typing_extensions.is_typeddict(kind):
        return check_members(value, kind, place)
    if origin in SEQUENCES or name == "SequenceNotStr":
        if not isinstance(value, list):
            raise Fault(place, f"{value!r} is not an array")
        for number, each in enumerate(value):
            check(each, arguments[0], f"{place}[{number}]")
        return None
    if origin in (dict, collections.abc.Mapping):
        if not isinstance(value, dict):
            raise Fault(place, f"{value!r} is not an object")
        for member, each in value.items():
            check(each, arguments[1], f"{place}.{member}")
        return None
    return check_plain(value, kind, place)


def check_plain(value, kind, place):
    numbers = {float: (int, float), int: (int,)}
    if kind in numbers:
        fits = isinstance(value, numbers[kind]) and not isinstance(value, bool)
    elif kind in (None, type(None)):
        fits = value is None
    elif kind in (str, bool):
        fits = isinstance(value, kind)
    else:
        # Types without a form in JSON, such as files.
        fits = False
    if not fits:
        raise Fault(place, f"{value!r} is not {getattr(kind, '__name__', kind)}")


def check_union(value, kinds, place):
    faults = []
    for kind in kinds:
        try:
            return check(value, kind, place)
        except Fault as fault:
            faults.append(fault)
    # The alternative that is meant has the right `type` and `role`, and its fault deep inside.
    raise max(faults, key=lambda fault: (not fault.is_another_kind, fault.depth))


def check_members(value, kind, place):
    if not isinstance(value, dict):
        raise Fault(place, f"{value!r} is not an object")
    if kind not in HINTS:
        HINTS[kind] = typing_extensions.get_type_hints(kind, include_extras=True)
    hints = HINTS[kind]
    # A wrong `type` or `role` says that another alternative of a union is meant.
    for member in sorted(value, key=lambda member: member not in ("type", "role")):
        if member not in hints:
            raise Fault(place, f"unknown member {member} of {kind.__name__}")
        try:
            check(value[member], hints[member], f"{place}.{member}")
        except Fault as fault:
            fault.is_another_kind = member in ("type", "role") or fault.is_another_kind
            raise
    for member in sorted(kind.__required_keys__ - value.keys()):
        raise Fault(place, f"{kind.__name__} lacks {member}")


def require(condition, place, problem):
    if not condition:
        raise Fault(place, problem)
