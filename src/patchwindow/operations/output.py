"""How much of a step's output each operation shows (run-command reference, §5: the beginning is kept)."""

from typing import Final

from patchwindow.domain.run import Step

_OUTPUT_MAX: Final = 24_000
_ERRORS_MAX: Final = 8_000
_BRIEF_MAX: Final = 2_500
_MARK: Final = "--output truncated--"
_BRIEF_MARK: Final = "\n---Output truncated---"
_BRIEF_ERROR_MARK: Final = "\n---Error truncated----"
_SEPARATOR: Final = "\n----------ERROR-------\n"


def output_of(step: Step) -> str:
    """Return the standard output as GetCommandInvocation shows it: at most 24000 characters.

    A step that ran nothing has only a message, which agents report apart from standard output.
    """
    return _cut(step.stdout or ("" if step.stderr else step.output), _OUTPUT_MAX, _MARK)


def errors_of(step: Step) -> str:
    """Return the standard error as GetCommandInvocation shows it: at most 8000 characters."""
    return _cut(step.stderr, _ERRORS_MAX, _MARK)


def brief(step: Step) -> str:
    """Return both together as CommandPlugins shows them: at most 2500 characters, half for each."""
    if not step.stderr:
        return _cut(step.stdout or step.output, _BRIEF_MAX, _BRIEF_MARK)
    half = (_BRIEF_MAX - len(_SEPARATOR)) // 2
    return _cut(step.stdout, half, _BRIEF_MARK) + _SEPARATOR + _cut(step.stderr, half, _BRIEF_ERROR_MARK)


def _cut(text: str, most: int, mark: str) -> str:
    return text if len(text) <= most else text[: most - len(mark)] + mark
