"""The program `catalog`."""


def main() -> None:
    """Run the command line. Ctrl-C while it is loaded ends it as quietly as later."""
    try:
        from catalog.commands.cli import main as run  # noqa: PLC0415  what is loaded may be interrupted
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    run()


if __name__ == "__main__":
    main()
