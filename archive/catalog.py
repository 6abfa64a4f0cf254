"""What is held: recordings with their parts, chat, shelf and source files. An admission or extension is one transaction with its entry."""

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import IntegrityError

from archive.admission import BROUGHT_BY, Admission, Extension, Source
from archive.catalog_rows import (
    events_held,
    messages_brought,
    products_held,
    recording_held,
    recording_of,
    sources_held,
)
from archive.catalog_writing import write_admission, write_extension
from archive.chat_times import count_before, messages_between
from archive.custody import CustodyLog
from archive.database import Database
from archive.errors import AlreadyHeld, NotFound
from archive.recording import Message, Product, ProductEvent, Recording
from archive.schema import custody_entries, messages, parts, products, recordings, tombstones
from archive.timeline import WallTime


class Catalog:
    """Reads and writes of the tables that an admission fills."""

    def __init__(self, database: Database, custody: CustodyLog) -> None:
        self._database = database
        self._custody = custody

    def admit(self, admission: Admission, actor: str) -> None:
        """Write it all or nothing. AlreadyHeld if the recording's id is taken."""
        recording = admission.recording
        try:
            with self._database.writing() as connection:
                write_admission(connection, self._custody, admission, actor)
        except IntegrityError as error:
            if self.has(recording.id):
                raise AlreadyHeld(f"recording {recording.id} is already held: choose another --id, or ask for it with show") from error
            raise

    def extend(self, extension: Extension, actor: str) -> Recording:
        """Let a recording grow, all or nothing; as it then stands. NotFound, or GrownMeanwhile where it isn't as the extension saw it."""
        with self._database.writing() as connection:
            return write_extension(connection, self._custody, extension, actor)

    def has(self, recording_id: str) -> bool:
        with self._database.reading() as connection:
            return connection.execute(select(recordings.c.id).where(recordings.c.id == recording_id)).first() is not None

    def recording(self, recording_id: str) -> Recording:
        """One recording with parts in order, each with its newest clock map. NotFound if it isn't held."""
        with self._database.reading() as connection:
            found = recording_held(connection, recording_id)
            if found is None:
                raise _not_held(connection, recording_id)
            return found

    def recordings(self) -> list[Recording]:
        """All recordings, newest session first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(recordings).order_by(recordings.c.started_at_ms.desc(), recordings.c.id)).mappings().all()
            return [recording_of(connection, row) for row in rows]

    def ids(self) -> list[str]:
        """Ids of all recordings, newest session first."""
        with self._database.reading() as connection:
            return list(connection.execute(select(recordings.c.id).order_by(recordings.c.started_at_ms.desc(), recordings.c.id)).scalars())

    def holders_of(self, digest: str) -> list[tuple[str, int]]:
        """(recording id, part number) of every part with these bytes."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(parts.c.recording_id, parts.c.number).where(parts.c.digest == digest).order_by(parts.c.recording_id)
            )
            return [(row.recording_id, row.number) for row in rows]

    def messages(self, recording_id: str, from_ms: int | None = None, to_ms: int | None = None) -> list[Message]:
        """Chat in time order, ends included; the newest shift of each chat file is added to its messages' times."""
        with self._database.reading() as connection:
            return messages_between(connection, recording_id, from_ms, to_ms)

    def message_count(self, recording_id: str, before_ms: int) -> int:
        """How many lines of chat lie before this time."""
        with self._database.reading() as connection:
            return count_before(connection, recording_id, before_ms)

    def messages_brought(self, recording_id: str) -> list[Message]:
        """All chat in time order, each line where it was laid when it came in: what the custody log holds the rows to."""
        with self._database.reading() as connection:
            return messages_brought(connection, recording_id)

    def products(self, recording_id: str) -> list[Product]:
        """The shelf in the order it was given."""
        with self._database.reading() as connection:
            return products_held(connection, recording_id)

    def product(self, recording_id: str, product_id: str) -> Product:
        """One product of a recording's shelf. NotFound if it isn't on it."""
        for product in self.products(recording_id):
            if product.product_id == product_id:
                return product
        raise NotFound(f"recording {recording_id} has no product {product_id} on its shelf")

    def events(self, recording_id: str) -> list[ProductEvent]:
        """What happened to products, in time order."""
        with self._database.reading() as connection:
            return events_held(connection, recording_id)

    def sources(self, recording_id: str) -> list[Source]:
        """The files beside the media, in the order of their numbers, which go from 1."""
        with self._database.reading() as connection:
            return sources_held(connection, recording_id)

    def as_of(self, recording_id: str) -> int:
        """The last custody entry that brought something of the recording; 0 if it isn't held."""
        query = select(func.max(custody_entries.c.seq)).where(custody_entries.c.subject == recording_id)
        with self._database.reading() as connection:
            return connection.execute(query.where(custody_entries.c.action.in_(BROUGHT_BY))).scalar() or 0

    def has_grown(self, recording_id: str) -> bool:
        """Whether something was added to the recording since it was admitted."""
        of_it = custody_entries.c.subject == recording_id, custody_entries.c.action == "extend"
        with self._database.reading() as connection:
            return connection.execute(select(custody_entries.c.seq).where(*of_it).limit(1)).first() is not None

    def counts(self, recording_id: str) -> tuple[int, int]:
        """How many messages and products a recording has."""
        with self._database.reading() as connection:
            return (
                connection.execute(select(func.count()).select_from(messages).where(messages.c.recording_id == recording_id)).scalar_one(),
                connection.execute(select(func.count()).select_from(products).where(products.c.recording_id == recording_id)).scalar_one(),
            )


def _not_held(connection: Connection, recording_id: str) -> NotFound:
    of_it = (tombstones.c.subject_kind == "recording", tombstones.c.subject == recording_id)
    purged_at_ms = connection.execute(select(func.max(tombstones.c.purged_at_ms)).where(*of_it)).scalar()
    if purged_at_ms is None:
        return NotFound(f"no recording {recording_id} is held: liveproof status lists those that are")
    at = WallTime(purged_at_ms).iso()
    return NotFound(f"recording {recording_id} was purged at {at}, when its retention had ended: liveproof purge --tombstones says by whom")
