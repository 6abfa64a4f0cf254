"""Every model that a setting needs, in one list: speech and sentences."""

from dataclasses import dataclass

from api.workplace import Workplace
from search.embeddings import list_models as list_sentence_models
from transcribe.models import list_models as list_speech_models


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model: what needs it, where it is, and what to do if it isn't. `state`: in use, ready, missing or unusable. Sizes in bytes."""

    name: str
    needed_for: str
    where: str | None
    size_bytes: int | None
    digest: str | None
    state: str
    note: str


def inventory(place: Workplace, *, with_digests: bool = True) -> list[ModelRow]:
    """Speech models, then sentence models; of each the one in use first. Digests read every byte of what was found."""
    speech = list_speech_models(place.transcribe_settings, place.archive.home, with_digests=with_digests)
    sentences = list_sentence_models(place.search_settings, place.archive.home)
    rows = [ModelRow(m.name, m.needed_for, m.where, m.size_bytes, m.digest, m.state, m.note) for m in speech]
    return rows + [ModelRow(m.name, m.needed_for, m.where, m.size_bytes, m.digest, m.state, m.note) for m in sentences]
