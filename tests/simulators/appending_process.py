"""Appends to a custody log from a process of its own: `python -m tests.simulators.appending_process URL NAME COUNT`."""

import sys

from archive.custody import CustodyLog
from archive.database import open_database
from archive.timeline import WallTime


def main(url: str, name: str, count: int) -> None:
    database = open_database(url)
    log = CustodyLog(database, WallTime.now)
    for number in range(count):
        log.record(name, "act", f"subject-{number}", {"number": number})
    database.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
