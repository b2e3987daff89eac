"""How those few are found that keep the others from being installed."""

from typing import Callable, Optional, Sequence, TypeVar

_T = TypeVar("_T")


def choose(
    items: Sequence[_T], problem_of: Callable[[Sequence[_T]], Optional[str]]
) -> "tuple[list[_T], list[tuple[_T, str]]]":
    """Return as many of *items* as go together, in their order, and each of the others with its problem.

    *problem_of* says why some cannot go together, None where they can. It is asked once where all can, and about
    2 · b · log2(n) times where b of n cannot: whole halves are tried first.
    """
    good: list[_T] = []
    bad: list[tuple[_T, str]] = []

    def add(some: Sequence[_T]) -> None:
        problem = problem_of([*good, *some])
        if problem is None:
            good.extend(some)
        elif len(some) == 1:
            bad.append((some[0], problem))
        else:
            middle = len(some) // 2
            add(some[:middle])
            add(some[middle:])

    if items:
        add(items)
    return good, bad
