"""What values of a plan look like: the forms that its definitions share.

Limits are the public API's own (service model, version 2014-11-06), so that what passes here is not refused there.
"""

from typing import Final

from patchwindow.domain.baseline import ComplianceLevel
from patchwindow.domain.filter_values import FILTERS as FILTERS_OF_SYSTEMS
from patchwindow.plans.specs import Choice, Many, Table, Text

# What may stand in a baseline; the API's other keys belong to searches of its catalogue.
FILTER_KEYS: Final = tuple(dict.fromkeys(str(key) for keys in FILTERS_OF_SYSTEMS.values() for key in keys))
FILTERS: Final = Table(
    key=Choice(FILTER_KEYS),
    value=Many(item=Text(high=64, numbers=True), low=1, high=20, one_is_enough=True),
    high=4,
)
LEVEL: Final = Choice(tuple(ComplianceLevel))

NAME: Final = Text(
    pattern=r"[a-zA-Z0-9_\-.]{3,128}", like="a name of 3 to 128 letters, digits, '_', '-' and '.'", low=3, high=128
)
SOURCE_NAME: Final = Text(
    pattern=r"[a-zA-Z0-9_\-.]{3,50}", like="a name of 3 to 50 letters, digits, '_', '-' and '.'", low=3, high=50
)
WORD_CHARACTERS: Final = r"[\w \u00a0\u2000-\u200a.:/=+\-@]*"
GROUP: Final = Text(
    pattern=WORD_CHARACTERS, like="a tag value of letters, digits, spaces and any of _.:/=+-@", high=256, numbers=True
)
TAG_KEY: Final = Text(
    pattern=WORD_CHARACTERS, like="a tag key of letters, digits, spaces and any of _.:/=+-@", high=128
)
VARIABLE: Final = Text(
    pattern=r"[a-zA-Z][a-zA-Z0-9_\-]*", like="a name of letters, digits, '_' and '-', a letter first", high=64
)
DESCRIPTION: Final = Text(high=128)
DATE: Final = Text(pattern=r"\d{4}-\d{2}-\d{2}", like="a date as 2026-01-31", high=10)
INSTANT: Final = Text(like="an instant with its offset, as 2026-01-31T22:00:00Z", high=64)
PATCHES: Final = Many(item=Text(high=100, numbers=True), high=50)
ROLE: Final = Text(pattern=r"arn:[\w\-]+:iam::\d{12}:role/.+", like="the ARN of a role", high=2048)
MAX_CONCURRENCY: Final = Text(
    pattern=r"[1-9][0-9]*|[1-9][0-9]%|[1-9]%|100%",
    like="a number of nodes as 10, or a share as 10%",
    high=7,
    numbers=True,
)
MAX_ERRORS: Final = Text(
    pattern=r"[1-9][0-9]*|0|[1-9][0-9]%|[0-9]%|100%",
    like="a number of errors as 5, or a share as 5%",
    high=7,
    numbers=True,
)
MOMENT: Final = Text(
    pattern=r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?(Z|[+\-]\d{2}:\d{2})?)?",
    like="a date as 2026-12-20, or an instant as 2026-12-20T18:00, which is in the freeze's zone, or 2026-12-20T18:00Z",
    high=32,
)
TOPIC: Final = Text(pattern=r"arn:[\w\-]+:sns:[\w\-]*:\d{12}:.+", like="the ARN of an SNS topic", high=512)
DOCUMENT: Final = Text(pattern=r"[a-zA-Z0-9_\-.:/]{3,128}", like="a document's name or ARN", low=3, high=128)
OPERATION: Final = Choice(("Scan", "Install"))
REBOOT_OPTION: Final = Choice(("RebootIfNeeded", "NoReboot"))
PARAMETERS: Final = Table(
    key=Text(high=255),
    value=Many(item=Text(low=0, high=65536, numbers=True), one_is_enough=True),
)
DOCUMENT_VERSION: Final = Text(
    pattern=r"\$LATEST|\$DEFAULT|[1-9][0-9]*", like="$DEFAULT, $LATEST or a number", high=16, numbers=True
)
NODE_ID: Final = Text(pattern=r"i-(\w{8}|\w{17})|mi-\w{17}", like="a node's id as mi-0123456789abcdef0", high=20)
