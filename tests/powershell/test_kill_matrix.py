"""Installations on a made-up Windows that are killed at each point of the table, and at every point that there is."""

import itertools
from pathlib import Path

import pytest
from tests.fakes.edge import Edge
from tests.powershell.kill_matrix import CELLS, REPRESENTATIVE, Cell, Way, check, check_law, play


@pytest.mark.parametrize("cell", REPRESENTATIVE, ids=str)
def test_an_installation_that_is_killed_is_taken_up_where_it_was(edge: Edge, cell: Cell) -> None:
    check(edge, cell)


@pytest.mark.slow
@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell not in REPRESENTATIVE], ids=str)
def test_an_installation_that_is_killed_at_any_point_of_the_table_is_taken_up(edge: Edge, cell: Cell) -> None:
    check(edge, cell)


@pytest.mark.slow
@pytest.mark.parametrize("may_restart", [True, False])
@pytest.mark.parametrize("way", Way)
def test_wherever_it_is_killed_each_update_is_installed_once_and_what_is_reported_is_true(
    tmp_path: Path, way: Way, *, may_restart: bool
) -> None:
    for number in itertools.count():
        folder = tmp_path / str(number)
        folder.mkdir()
        edge = Edge(folder)
        points = itertools.count()
        played = play(edge, lambda _, __: next(points) == number, way, may_restart=may_restart)  # noqa: B023  (played at once)
        edge.close()
        if not played.was_killed:
            break
        check_law(played, may_restart=may_restart)
    # Each write, flush and move of each file, each request, each download, each installation.
    assert number > 60
