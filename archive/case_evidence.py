"""What a package says of the case itself: shelf, order, complaint, steps and papers, with nobody's personal data in it (G9)."""

import shutil
from collections.abc import Iterable

from archive.case import Attachment
from archive.case_attachments import ENDINGS, given_as
from archive.case_names import PAPERS as PAPER_NAMES
from archive.catalog_json import product_json
from archive.digest import CHUNK_BYTES, Json
from archive.masked_text import MASKED_MAX_BYTES, masked_text
from archive.moment_evidence import spoken_words
from archive.opening import Archive
from archive.package_contents import DISPUTE, PRICE, Contents, GivenPaper, Item
from archive.redaction import Pseudonyms, redact_record
from archive.verifier.package_files import CASE

PAPERS = "data/03-case/attachments"


def add_products(archive: Archive, contents: Contents) -> None:
    """The card of the case's product on each recording's shelf, with what was on air when."""
    wanted = contents.case.product_id
    number = 0
    for recording_id in contents.recordings:
        for product in archive.catalog.products(recording_id):
            if product.product_id == wanted:
                number += 1
                events: list[Json] = [
                    {"event": e.event.value, "at_ms": e.at_ms, "source": e.source, "inferred": e.inferred}
                    for e in archive.catalog.events(recording_id)
                    if e.product_id == wanted
                ]
                card = {"recording": recording_id, **product_json(product), "events": events}
                chinese, english = f"商品卡与详情：{product.title}", f"Product card and listing: {product.title}"
                contents.add(Item(f"data/02-product/{number:02}-product.json", chinese, english, PRICE, recording_id, derived=True), card)


def add_papers(archive: Archive, contents: Contents, pseudonyms: Pseudonyms) -> None:
    """Each attachment as it may be given: as it is, as masked text, or its digest alone."""
    for paper in contents.case.attachments:
        how, ending, text = given_as(paper), ENDINGS.get(paper.media_type, "bin"), None
        if how == "masked":
            text = _masked(archive, paper, pseudonyms, contents.people)
            how = "masked" if text is not None else "withheld"
        if how not in ("original", "masked"):
            contents.papers.append(GivenPaper(paper, how, None))
            continue
        file = f"{PAPERS}/{paper.number:02}-{paper.kind}.{ending}"
        contents.papers.append(GivenPaper(paper, how, file))
        chinese, english = PAPER_NAMES[paper.kind]
        title, masked = contents.masked(paper.title), how == "masked"
        chinese += f"：{title}" + ("（已去标识文本）" if masked else "")
        english = english[0].upper() + english[1:] + f": {title}" + (" (text, pseudonymised)" if masked else "")
        source = f"case.attach {paper.number}, {paper.digest}"
        item = Item(file, chinese, english, contents.masked(paper.purpose) or "—", source, derived=masked)
        if text is not None:
            contents.add(item, text.encode())
            continue
        with archive.store.open(paper.digest) as stream, contents.path(file).open("wb") as target:
            shutil.copyfileobj(stream, target, CHUNK_BYTES)
        contents.items.append(item)


def _masked(archive: Archive, paper: Attachment, pseudonyms: Pseudonyms, known: Iterable[str]) -> str | None:
    if paper.size_bytes > MASKED_MAX_BYTES:
        return None
    with archive.store.open(paper.digest) as stream:
        return masked_text(stream.read(), paper.media_type, pseudonyms, known)


def add_case(contents: Contents, pseudonyms: Pseudonyms) -> None:
    """The dispute: order, complaint, demand, steps and list of papers."""
    case = contents.case

    def masked(text: str | None) -> str | None:
        return contents.masked(text) if text else text

    record: dict[str, Json] = {
        "case": case.id,
        "title": masked(case.title),
        "problem_class": masked(case.problem_class),
        "complaint": masked(case.complaint),
        "demand": masked(case.demand),
        "order": redact_record(case.order, pseudonyms),
        "product_id": masked(case.product_id),
        "stage": case.status,
        "opened_at": case.opened_at.iso(),
        "moments": [
            {
                "number": m.number,
                "recording": m.recording_id,
                "start_ms": m.start_ms,
                "end_ms": m.end_ms,
                "quote": spoken_words(m.quote),
                "purpose": masked(m.purpose),
            }
            for m in case.moments
        ],
        "steps": [
            {
                "number": step.number,
                "stage": step.stage.value,
                "at": step.at.iso(),
                "actor": step.actor,
                "text": masked(step.text),
                "detail": redact_record(step.detail, pseudonyms),
            }
            for step in case.steps
        ],
        "attachments": [
            {
                "number": given.attachment.number,
                "kind": given.attachment.kind,
                "title": masked(given.attachment.title),
                "purpose": masked(given.attachment.purpose),
                "file_name": masked(given.attachment.file_name),
                "digest": given.attachment.digest,
                "bytes": given.attachment.size_bytes,
                "media_type": given.attachment.media_type,
                "added_at": given.attachment.added_at.iso(),
                "added_by": given.attachment.added_by,
                "given_as": given.how,
                "file": given.file,
            }
            for given in contents.papers
        ],
    }
    title = ("案件：订单、投诉、经过与附件清单（已去标识）", "The case: order, complaint, steps, list of papers; pseudonymised")
    contents.add(Item(CASE, *title, DISPUTE, f"case {case.id}", derived=True), record)
