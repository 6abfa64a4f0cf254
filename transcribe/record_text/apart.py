"""The process that takes one record apart: bounded in memory, time and files before it opens it. Run by `transcribe.record_text`.

`python -m transcribe.record_text.apart MEDIA_TYPE LIMITS FILE`; what it finds goes to standard output as `frames` says.
"""

import os
import resource
import sys
from pathlib import Path

from transcribe.record_text.detection import reader_for
from transcribe.record_text.frames import EnoughRead, Sink, Unreadable
from transcribe.record_text.limits import ReadLimits

OPEN_FILES_MAX = 64


def main(media_type: str, limits: ReadLimits, path: Path) -> None:
    """Read the record; what can't be read is a note, and what nobody foresaw ends the process, which its parent notes."""
    out = os.fdopen(os.dup(1), "wb", 1 << 20)
    # What libraries print must not come between the frames.
    os.dup2(2, 1)
    confine(limits)
    sink = Sink(out, limits)
    try:
        reader = reader_for(path, media_type)
        # What comes with Python goes by its version.
        sink.start(reader.name, reader.engine, getattr(reader, "engine_version", ".".join(map(str, sys.version_info[:3]))))
        reader.read(path, limits, sink)
    except EnoughRead:
        pass
    except Unreadable as error:
        sink.note(error.code, **error.values)
    except MemoryError:
        sink.note("out_of_memory")
    except RecursionError:
        sink.note("damaged", what="nesting")
    sink.done()
    out.close()


def confine(limits: ReadLimits) -> None:
    """Take from this process what reading needs none of: memory and processor time beyond the limits, writing files, dumping core."""
    for which, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES_MAX),
    ):
        _, hard = resource.getrlimit(which)
        bounded = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (bounded, bounded))


if __name__ == "__main__":
    main(sys.argv[1], ReadLimits.from_json(sys.argv[2]), Path(sys.argv[3]))
