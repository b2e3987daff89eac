"""The command line: one file per noun; what it does, any SDK can do, because it speaks the public API alone.

`server`, `keys` and `up` are the exceptions: they work on the control plane's own data.
"""


def main() -> None:
    """Run the command that the arguments name, and exit with its `Exit`."""
    # Imported here: everything else in this room may cost time, and importing `patchwindow.cli` may not.
    from patchwindow.cli.root import root

    root(prog_name="patchwindow")
