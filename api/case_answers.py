"""JSON forms of cases: what they rest on, how they went on, what was built of them. Times: ms, and ISO 8601 in UTC."""

from archive.case import Attachment, BuiltPackage, Case, CaseMoment, CaseStep
from archive.case_attachments import given_as
from archive.digest import Json


def case_json(case: Case) -> dict[str, Json]:
    return {
        "case": case.id,
        "title": case.title,
        "complaint": case.complaint,
        "problem_class": case.problem_class,
        "demand": case.demand,
        "order": dict(case.order),
        "product": case.product_id,
        "status": case.status,
        "opened_at": case.opened_at.iso(),
        "moments": [case_moment_json(moment) for moment in case.moments],
        "attachments": [attachment_json(attachment) for attachment in case.attachments],
        "steps": [step_json(step) for step in case.steps],
    }


def attachment_json(paper: Attachment) -> dict[str, Json]:
    """One paper of a case. `given_as`: what of it a package gets: original, masked, withheld or withdrawn."""
    return {
        "number": paper.number,
        "kind": paper.kind,
        "title": paper.title,
        "purpose": paper.purpose,
        "digest": paper.digest,
        "bytes": paper.size_bytes,
        "file": paper.file_name,
        "media_type": paper.media_type,
        "given_as": given_as(paper),
        "added_at": paper.added_at.iso(),
        "added_by": paper.added_by,
        "withdrawn_at": paper.withdrawn_at.iso() if paper.withdrawn_at else None,
        "withdrawn_by": paper.withdrawn_by,
        "withdrawn_reason": paper.withdrawn_reason,
        "recording": paper.recording_id,
    }


def step_json(step: CaseStep) -> dict[str, Json]:
    return {
        "number": step.number,
        "stage": step.stage.value,
        "at": step.at.iso(),
        "actor": step.actor,
        "text": step.text,
        "detail": dict(step.detail),
    }


def case_moment_json(moment: CaseMoment) -> dict[str, Json]:
    return {
        "number": moment.number,
        "recording": moment.recording_id,
        "start_ms": moment.start_ms,
        "end_ms": moment.end_ms,
        "quote": moment.quote,
        "purpose": moment.purpose,
    }


def package_json(built: BuiltPackage) -> dict[str, Json]:
    return {
        "package": built.id,
        "case": built.case_id,
        "digest": built.digest,
        "bytes": built.size_bytes,
        "built_at": built.built_at.iso(),
    }
