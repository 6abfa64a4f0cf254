"""Loading what questions need before the first one comes: the sentence model, dictionaries, the lexicon, the index."""

import gc
import time

import structlog

from api import operations
from api.workplace import Workplace
from archive.errors import LiveProofError

log = structlog.get_logger(__name__)

# Between them they take every way that a question can: a promise, a name in Latin letters, pinyin as it is typed, a time, an amount.
QUESTIONS = ("上周三那场有没有说质保三年", "Vexaro的吹风机包不包邮", "mian dan 299块", "free shipping refund", "純羊絨 一號鏈接")


def warm(place: Workplace) -> bool:
    """Asks once, so that nobody waits for loading. False, and a line in the log, where questions can't be answered now."""
    begun = time.monotonic()
    try:
        for question in QUESTIONS:
            operations.search(place, question, limit=1)
    except LiveProofError as error:
        log.warning("search_not_ready", error=str(error))
        return False
    log.info("warmed", seconds=round(time.monotonic() - begun, 1))
    return True


def settle() -> None:
    """What was loaded stays for as long as the process: the collector needn't go through it again and again while it answers."""
    gc.collect()
    gc.freeze()
