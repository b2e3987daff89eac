"""What runs on a managed node: the channel to the server, the runner of documents, and the patch operation.

Standard library only, Python 3.9 and newer, nothing shared with the server. Values are named tuples instead of
slotted dataclasses: Python 3.9 has no slotted ones, and importing `dataclasses` costs a resting agent memory.
"""

__version__ = "0.1.0"
