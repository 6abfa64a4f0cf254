"""Names for the people of one case: keyed, the same all through it, and another in another case (G9). The host keeps their name."""

import hashlib
import hmac
import secrets
from collections.abc import Collection, Iterable
from pathlib import Path

from archive.atomic_write import write_private_once
from archive.errors import DatabaseUnavailable

SECRET_BYTES = 32
COMPLAINANT = "投诉人"


class Pseudonyms:
    """What people are called. `revealed` holds pseudonyms whose owner is shown to be the complainant, `public` names that stay."""

    def __init__(self, secret: bytes, case_id: str, revealed: Collection[str] = (), public: Collection[str] = ()) -> None:
        self._secret = secret
        self._case_id = case_id
        self._revealed = frozenset(revealed)
        self._public = frozenset(public)

    @property
    def revealed(self) -> frozenset[str]:
        return self._revealed

    def viewer(self, author: str) -> str:
        """观众- and eight hexadecimal digits of a keyed hash; 投诉人 once that pseudonym is revealed; a public name itself."""
        if author in self._public:
            return author
        pseudonym = self.pseudonym(author)
        return COMPLAINANT if pseudonym in self._revealed else pseudonym

    def pseudonym(self, author: str) -> str:
        """What an author is called while not revealed. It can't be turned back without the secret."""
        keyed = hmac.new(self._secret, f"{self._case_id}\0{author}".encode(), hashlib.sha256)
        return "观众-" + keyed.hexdigest()[:8].upper()

    def names(self, authors: Iterable[str | None]) -> dict[str, str]:
        """Author → pseudonym, for masking mentions; public names stand for themselves."""
        return {**{name: name for name in self._public}, **{author: self.viewer(author) for author in authors if author}}


def pseudonym_secret(home: Path) -> bytes:
    """The key of this archive's pseudonyms, made on first use in `home`/secrets, readable by its owner alone."""
    place = home / "secrets" / "pseudonyms.key"
    if not place.exists():
        write_private_once(place, secrets.token_bytes(SECRET_BYTES))
    secret = place.read_bytes()
    if len(secret) != SECRET_BYTES:
        raise DatabaseUnavailable(f"{place} is not a pseudonym key of {SECRET_BYTES} bytes: restore it from a backup of LIVEPROOF_HOME")
    return secret
