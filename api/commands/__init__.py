"""The command line, a file for each group of commands; api/cli.py puts them together."""
