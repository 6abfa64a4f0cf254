"""The same small media and archive as the archive's own tests."""

from tests.archive.conftest import archive, media

__all__ = ["archive", "media"]
