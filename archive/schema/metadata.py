"""The one MetaData of the catalog's tables, and the mark of columns that came later."""

from typing import Final

from sqlalchemy import MetaData

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

SINCE_0003: Final = {"since": "0003"}
"""`info` of a nullable column that migration 0003 added to a table that was there: digests of rows made before it must still hold, so that
`row_claims` hashes it only where it is not NULL."""

SINCE_0004: Final = {"since": "0004"}
"""The same for columns that migration 0004 added."""
