"""One rule at a time made wrong, to see whether the law of the simulation notices."""

import functools
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pytest
from tests.simulation.rules import Rule

Function = Callable[..., Any]
Mutate = Callable[[Function], Function]
"""Makes the wrong function from the right one."""

_CALLS_MAX: Final = 200_000


class Endless(BaseException):
    """A world does not end; nothing in it can catch this."""


@dataclass(slots=True)
class Calls:
    """How often a mutated rule was asked in the present world."""

    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """A rule that is made wrong.

    * *says*: what is wrong then, in a sentence.
    * *place*: the module that uses the rule, and the name by which it does, with a colon between.
    * *breaks*: the invariants one of which is the first to break.
    * *within*: among so many worlds, from seed 0 on, is one that breaks it.
    """

    says: str
    place: str
    mutate: Mutate
    breaks: tuple[Rule, ...]
    within: int

    @contextmanager
    def applied(self) -> Iterator[Calls]:
        """Let the rule be wrong for a while.

        Raises:
            AttributeError: what is to be mutated is there no longer.
        """
        module, _, path = self.place.partition(":")
        *owners, name = path.split(".")
        owner = functools.reduce(getattr, owners, importlib.import_module(module))
        mutant, calls = self.mutate(getattr(owner, name)), Calls()

        def counted(*args: Any, **named: Any) -> Any:
            calls.count += 1
            if calls.count > _CALLS_MAX:
                raise Endless
            return mutant(*args, **named)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(owner, name, counted)
            yield calls
