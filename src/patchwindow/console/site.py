"""Every page of the console, its forms and its live parts. Adding one = one function, one template, and one line here."""

from typing import Final

from patchwindow.console.pages import execution, me, nodes, tonight
from patchwindow.console.site_types import Form, Live, Page

PAGES: Final = (
    Page("/", tonight.show),
    Page("/nodes", nodes.show),
    Page("/me", me.show),
)

FORMS: Final = (Form("/executions/{execution_id}", execution.show, execution.cancel),)

LIVES: Final = (Live("/executions/{execution_id}/live", execution.look),)

SECTIONS: Final = (
    ("Tonight", "/"),
    ("Nodes", "/nodes"),
)
"""The parts of the console, by label and path, in the order of its menu."""
