"""What the command line says."""

COMMANDS: dict[str, tuple[str, str]] = {
    "command.done": ("完成", "done"),
}
