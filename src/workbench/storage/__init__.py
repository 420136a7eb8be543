"""The one place that writes: files, lines, folders, locks.

After a crash, a full disk or a loss of power at any moment, a file has its old content or its new one, a folder is
absent or whole, earlier lines of a log are intact, and a lock can be taken over. Every refusal of the system is
a ``RunError`` that says what is wrong, what would be right and what to do. Nothing else in the package opens a file
for writing.
"""

from workbench.errors import LockHeld
from workbench.storage.files import (
    child_output,
    make_folder,
    remove_file,
    sha256_file,
    write_bytes,
    write_chunks,
    write_text,
)
from workbench.storage.folders import commit_folder, copy_tree, remove_tree, sweep
from workbench.storage.formats import read_json, write_array, write_json, write_parquet, write_tensors
from workbench.storage.lines import append_line, repair_lines
from workbench.storage.locks import Holder, Lock, lock_holder
from workbench.storage.troubles import free_bytes

__all__ = [
    "Holder",
    "Lock",
    "LockHeld",
    "append_line",
    "child_output",
    "commit_folder",
    "copy_tree",
    "free_bytes",
    "lock_holder",
    "make_folder",
    "read_json",
    "remove_file",
    "remove_tree",
    "repair_lines",
    "sha256_file",
    "sweep",
    "write_array",
    "write_bytes",
    "write_chunks",
    "write_json",
    "write_parquet",
    "write_tensors",
    "write_text",
]
