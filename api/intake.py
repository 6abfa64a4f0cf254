"""Taking up a complaint: a case from what the buyer wrote and what the order says, and its steps from there."""

import json
from collections.abc import Mapping
from pathlib import Path

from api.workplace import Workplace
from archive.case import Case
from archive.case_stages import STAGES, Stage
from archive.digest import Json
from archive.errors import InvalidCase, LiveProofError

INTAKE_MAX_BYTES = 1 << 20


class InvalidIntake(LiveProofError):
    """A complaint or order file can't be read or lacks what a case needs."""

    exit_code = 3
    status = 422


def open_case(
    place: Workplace,
    case_id: str | None,
    title: str | None,
    text: str | None,
    complaint_file: Path | None,
    order_file: Path | None,
    actor: str,
) -> Case:
    """Open a case; what is given directly goes before what the files say. InvalidIntake names the file and field."""
    complaint = _read(complaint_file) if complaint_file else {}
    order = _read(order_file) if order_file else {}
    words = text or _text(complaint, "text", complaint_file)
    if not words:
        raise InvalidIntake("a case needs the complaint: give --text, or --complaint FILE.json with the field text")
    return place.archive.cases.open(
        case_id,
        title or _text(complaint, "case_title", complaint_file) or words[:40],
        words,
        actor,
        problem_class=_text(complaint, "problem_class", complaint_file),
        demand=_text(complaint, "demand", complaint_file),
        order=order,
        product_id=_text(order, "product_id", order_file),
    )


def take_step(place: Workplace, case_id: str, stage: str, text: str, detail: Mapping[str, Json], actor: str) -> Case:
    """Take a case to a stage by its name; the case as it then stands. InvalidCase names what is missing."""
    if stage not in STAGES:
        raise InvalidCase(f"a case has the stages {', '.join(STAGES)}, not {stage[:40]!r}")
    place.archive.cases.take_step(case_id, Stage(stage), text, actor, detail)
    return place.archive.cases.case(case_id)


def _read(path: Path) -> dict[str, Json]:
    try:
        if path.stat().st_size > INTAKE_MAX_BYTES:
            raise InvalidIntake(f"{path} is larger than {INTAKE_MAX_BYTES} bytes: that is no order or complaint")
        value = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise InvalidIntake(f"{path} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise InvalidIntake(f"{path} is no JSON in UTF-8: {error}") from error
    if not isinstance(value, dict):
        raise InvalidIntake(f"{path} must hold one JSON object")
    return value


def _text(fields: dict[str, Json], name: str, path: Path | None) -> str | None:
    value = fields.get(name)
    if value is None or isinstance(value, str):
        return value or None
    raise InvalidIntake(f"{path}: field {name} must be text")
