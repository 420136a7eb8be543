"""The command line: shows and asks, computes nothing. Typer for the words, Rich for the screen."""


def main() -> None:
    """Run the program ``workbench``."""
    from workbench.cli.app import main as start

    start()
