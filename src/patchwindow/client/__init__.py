"""A signed connection to a control plane or to AWS, and the public API over it.

Nothing here knows whether a patchwindow server or AWS answers.
"""

from patchwindow.client.calls import SsmClient, call, pages
from patchwindow.client.connection import OWN, connect, is_aws
from patchwindow.client.problems import ClientProblem
from patchwindow.client.progress import NodeChange, Progress, wait_for_command

__all__ = [
    "OWN",
    "ClientProblem",
    "NodeChange",
    "Progress",
    "SsmClient",
    "call",
    "connect",
    "is_aws",
    "pages",
    "wait_for_command",
]
