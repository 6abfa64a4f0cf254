"""The same small media and archive as the archive's own tests, and the same served workplace as HTTP's."""

from tests.api.conftest import client, workplace
from tests.archive.conftest import archive, media

__all__ = ["archive", "client", "media", "workplace"]
