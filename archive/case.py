"""Cases (纠纷): what a buyer complains of, the moments and papers it rests on, and how it went."""

from collections.abc import Mapping
from dataclasses import dataclass

from archive.case_stages import Stage
from archive.digest import Json
from archive.timeline import WallTime


@dataclass(frozen=True, slots=True)
class CaseMoment:
    """A span of a recording that a case rests on; `quote` is the transcript's words, `purpose` what it is to prove."""

    number: int
    recording_id: str
    start_ms: int
    end_ms: int
    quote: str
    purpose: str


@dataclass(frozen=True, slots=True)
class CaseStep:
    """One step of a case: the stage it led to, who took it, when, what was found or done. `detail`: see `archive.case_stages`."""

    number: int
    stage: Stage
    at: WallTime
    actor: str
    text: str
    detail: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A paper of a case, kept unchanged under `digest`. `withheld`: it never goes into a package. Withdrawn ones stay, with who and why.

    `recording_id` is the recording that a call was admitted as.
    """

    number: int
    kind: str
    title: str
    purpose: str
    digest: str
    size_bytes: int
    file_name: str
    media_type: str
    withheld: bool
    added_at: WallTime
    added_by: str
    withdrawn_at: WallTime | None = None
    withdrawn_by: str | None = None
    withdrawn_reason: str | None = None
    recording_id: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One dispute. `order` holds what the order record says, e.g. order_id, paid_at, amount_minor, buyer; `status` is its stage."""

    id: str
    title: str
    complaint: str
    problem_class: str | None
    demand: str | None
    order: Mapping[str, Json]
    product_id: str | None
    status: str
    opened_at: WallTime
    moments: tuple[CaseMoment, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    steps: tuple[CaseStep, ...] = ()


@dataclass(frozen=True, slots=True)
class BuiltPackage:
    """A package that was built for a case: `digest` names the object that holds the ZIP."""

    id: str
    case_id: str
    digest: str
    size_bytes: int
    built_at: WallTime
