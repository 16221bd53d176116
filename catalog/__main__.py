"""The program `catalog`."""


def main() -> None:
    """Run the command line. Ctrl-C while it is loaded and its commands are put together ends it without a traceback."""
    try:
        from catalog.commands.cli import main as run  # noqa: PLC0415  what is loaded may be interrupted

        run()
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
