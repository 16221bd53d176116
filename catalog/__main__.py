from catalog.commands.cli import main

main()
