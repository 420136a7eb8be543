"""``python -m workbench``: the same as the program ``workbench``."""

from workbench.cli import main

main()
