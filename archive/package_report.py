"""The words of the evidence report, in Chinese or in English, and of the catalogue page."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

from archive.case_attachments import CALL
from archive.case_names import ACTIONS, DETAILS, DOUBTS, GIVEN, PAPERS, STAGES, VALUES
from archive.case_stages import class_of
from archive.digest import Json
from archive.moment_evidence import spoken_words
from archive.package_contents import STOCK_PURPOSES, Contents, MomentEvidence, liveproof_version
from archive.package_custody import CustodyFacts
from archive.report import Block, Document, Section, heading, paragraph, pictures, points, table
from archive.simplified import reading_of
from archive.six_tests import RULE, Say, clock_time, not_proven, six_tests
from archive.timeline import ClockMap, WallTime, format_ms
from archive.told_words import told_words
from archive.transcript import Segment, doubts
from archive.transcripts import edits_of

Language: TypeAlias = Literal["zh", "en"]
Masker: TypeAlias = Callable[[str | None], str]
PIECES_SHOWN = 8
IN_DOUBT = (
    "注意：此处文字存疑（见“存疑之处”），不足以单独证明主播说过这些话；请以片段原声为准。",
    "Note: the words here are in doubt (see Doubts) and do not by themselves show that the host said them: the clip's sound decides.",
)


def speaker(language: Language) -> Say:
    """Chooses one of two texts."""
    return lambda chinese, english: chinese if language == "zh" else english


def report_document(
    contents: Contents,
    facts: CustodyFacts,
    package_id: str,
    made_at: WallTime,
    actor: str,
    items: Sequence[Mapping[str, Json]],
    language: Language,
) -> Document:
    """The report on a package whose evidence is gathered."""
    say, case = speaker(language), contents.case

    def masked(text: str | None) -> str:
        return contents.masked(text) if text else "—"

    sections = [
        Section(say("一、争议", "1. The dispute"), _dispute(contents, masked, say)),
        Section(say("二、所据时刻", "2. The moments"), tuple(b for e in contents.moments for b in _moment(e, masked, say)) or _none(say)),
        Section(
            say("三、电子数据六项审查", "3. The six tests of electronic data"),
            (
                paragraph(say(*RULE)),
                *(b for t in six_tests(contents, facts, made_at, actor, say) for b in (heading(t.asks), points(t.shows))),
            ),
        ),
        Section(
            say("四、未证明之事", "4. What is not proven"),
            (paragraph(say("本包不证明以下各点：", "This package does not prove:")), points(not_proven(contents, facts, say))),
        ),
        Section(say("五、覆盖范围与时钟", "5. Coverage and clocks"), _coverage(contents, say)),
        Section(say("六、案件经过与附件", "6. Steps of the case and attachments"), _papers(contents, masked, say)),
        Section(say("七、保管记录", "7. Custody"), _custody(facts, say)),
        Section(say("八、证据目录", "8. Catalogue of evidence"), (_catalogue(items, say),)),
        Section(say("九、如何核验", "9. How to verify"), (points(how_to_verify(language)),)),
        Section(say("十、签署", "10. Signatures"), _signatures(package_id, made_at, say), new_page=True),
    ]
    title = say(f"证据包报告：{case.id}", f"Evidence report: {case.id}")
    subtitle = f"{masked(case.title)} · {clock_time(made_at)} · LiveProof {liveproof_version()}"
    return Document(title, subtitle, package_id, tuple(sections), language)


def catalogue_document(contents: Contents, package_id: str, made_at: WallTime, items: Sequence[Mapping[str, Json]]) -> Document:
    """The catalogue as a page of its own, in both languages; digests are in catalogue.json beside it."""
    rows = [[str(item["number"]), str(item["title"]), str(item["purpose"]), str(item["file"]), _kind(item, _both)] for item in items]
    rows.append(
        ["—", "保管记录摘录、证明与时间戳 / Custody extract, proofs, time-stamps", "保管链条 / Chain of custody", "data/04-custody/…", ""]
    )
    head = ("#", "名称 / Name", "证明目的 / Purpose", "文件 / File", "性质 / Kind")
    about = paragraph("各文件的 SHA-256 见同目录的 catalogue.json。The SHA-256 of each file is in catalogue.json beside this page.")
    section = Section("证据目录 / Catalogue of evidence", (about, table(head, rows, (1, 5, 4, 5, 2))))
    return Document(f"证据目录 / Catalogue: {contents.case.id}", f"{package_id} · {clock_time(made_at)}", package_id, (section,))


def how_to_verify(language: Language) -> tuple[str, ...]:
    """Commands for whoever received the package."""
    say = speaker(language)
    return (
        say(
            "解压后在文件夹内运行：python3 verify.py（只需 Python 3.8 以上，不需联网）。",
            "Unpack, and run in the folder: python3 verify.py (Python 3.8 or newer, no network).",
        ),
        say(
            "核验 ZIP 原件的每个字节：python3 verify.py 证据包.zip。",
            "Every byte of the ZIP as handed over: python3 verify.py PACKAGE.zip.",
        ),
        say(
            "装有 ffmpeg 时逐一核对片段的数据包，装有 openssl 时核对时间戳签名；没有时会说明哪几项未查。",
            "With ffmpeg installed the clips' packets are hashed, with openssl the time-stamps' signatures are checked; "
            "without them it says what was not checked.",
        ),
        say(
            "verify.py 随包而来；疑其被换时，请用存档方公布的同版本，或用 LiveProof：liveproof verify 证据包.zip。",
            "verify.py came with the package: who doubts it takes the same version from its publisher, or LiveProof itself: "
            "liveproof verify PACKAGE.zip.",
        ),
    )


def _both(chinese: str, english: str) -> str:
    return f"{chinese} / {english}"


def _none(say: Say) -> tuple[Block, ...]:
    return (paragraph(say("本案尚未列入任何时刻，故无片段。", "No moment has been added to this case, so there are no clips.")),)


def _facts(rows: Sequence[tuple[str, str]], say: Say) -> Block:
    return table((say("项目", "Item"), say("内容", "Content")), rows, (1, 4))


def _dispute(contents: Contents, masked: Masker, say: Say) -> tuple[Block, ...]:
    case = contents.case
    kind = next((str(step.detail["class"]) for step in reversed(case.steps) if "class" in step.detail), None) or class_of(
        case.problem_class
    )
    amount = case.order.get("amount_minor")
    paid = f"{amount / 100:.2f} {case.order.get('currency') or 'CNY'}" if isinstance(amount, int) else "—"
    rows = [
        (say("案号", "Case"), case.id),
        (say("类别", "Class"), say(*VALUES[kind]) if kind else masked(case.problem_class)),
        (say("投诉", "Complaint"), masked(case.complaint)),
        (say("诉求", "Demand"), masked(case.demand)),
        (
            say("订单", "Order"),
            f"{masked(str(case.order.get('order_id') or '—'))} · {paid} · {masked(str(case.order.get('paid_at') or '—'))}",
        ),
        (say("商品", "Product"), masked(case.product_id)),
        (say("受理时间", "Opened"), clock_time(case.opened_at)),
        (say("当前阶段", "Stage"), say(*STAGES[case.status])),
    ]
    return (_facts(rows, say),)


def _moment(evidence: MomentEvidence, masked: Masker, say: Say) -> tuple[Block, ...]:
    moment, words = evidence.moment, evidence.words
    wall, uncertainty = evidence.recording.wall_at(moment.start_ms)
    engine = say("未转写", "not transcribed")
    if words:
        p = words.heard.provenance
        engine = f"{p.engine} {p.engine_version} · {p.model} · {p.model_digest or say('模型无摘要', 'no model digest')}"
    on_air = f"{evidence.recording.id} · {evidence.recording.host or '—'} · {evidence.recording.title or '—'}"
    rows = [
        (say("机器所听", "As heard"), evidence.heard or spoken_words(moment.quote) or "—"),
        (say("人工校改", "As edited"), evidence.edited or say("无", "not edited")),
        *_in_simplified_script(evidence, say),
        (say("证明目的", "Purpose"), masked(moment.purpose)),
        (say(*PAPERS[CALL]) if evidence.recording.kind == CALL else say("场次", "Session"), on_air),
        (say("录像时间", "In the recording"), f"{format_ms(moment.start_ms)} – {format_ms(moment.end_ms)}"),
        (say("当地时刻", "Wall clock"), f"{clock_time(wall)} ± {uncertainty} ms" if wall else say("未知", "unknown")),
        (say("转写引擎", "Recogniser"), engine),
        *_told(evidence, say),
        (say("把握", "Confidence"), "—" if evidence.confidence is None else f"{evidence.confidence:.2f}"),
        *([(say("另一识别器所听", "Heard by another"), _otherwise(evidence.otherwise, say))] if evidence.otherwise is not None else []),
        (say("存疑之处", "Doubts"), ", ".join(say(*DOUBTS.get(risk, (risk, risk))) for risk in evidence.risk) or "—"),
        (say("前后弹幕", "Chat around it"), say(f"{evidence.chat_lines} 条，已去标识", f"{evidence.chat_lines} lines, pseudonymised")),
        (say("文件", "Files"), evidence.folder),
    ]
    if words and words.edited and evidence.edited:
        quoted = [e for e in edits_of(words.edited) if _in_quote(words.edited.segments, e["segment"], moment.start_ms, moment.end_ms)]
        rows.insert(2, (say("何人校改", "Edited by"), "; ".join(f"{e['by']} {clock_time(WallTime.parse(str(e['at'])))}" for e in quoted)))
    blocks = [heading(say(f"时刻 {moment.number}", f"Moment {moment.number}")), _facts(rows, say)]
    if doubts(evidence.risk) and evidence.edited is None:
        blocks.append(paragraph(say(*IN_DOUBT)))
    if evidence.without_clip:
        blocks.append(paragraph(say("无片段：", "No clip: ") + say(*evidence.without_clip)))
    if evidence.screenshots:
        blocks.append(pictures([(shot, shot.name) for shot in evidence.screenshots]))
    return tuple(blocks)


def _told(evidence: MomentEvidence, say: Say) -> list[tuple[str, str]]:
    """Which words the recogniser was told to expect there: names, never promises; nothing where that was not kept."""
    moment, words = evidence.moment, evidence.words
    told = told_words(words.heard, moment.start_ms, moment.end_ms) if words else None
    return [] if told is None else [(say("告诉识别器会听到的词", "Words it was told to expect"), "、".join(told) or say("无", "none"))]


def _in_simplified_script(evidence: MomentEvidence, say: Say) -> list[tuple[str, str]]:
    """The words once more for who reads no traditional script; nothing where they are in simplified script."""
    read = reading_of(evidence.edited or evidence.heard or spoken_words(evidence.moment.quote))
    return [(say("简体（仅供阅读）", "In simplified script, to read only"), read)] if read else []


def _otherwise(text: str, say: Say) -> str:
    return text or say("未听到说话", "it heard no speech")


def _in_quote(segments: Sequence[Segment], number: Json, start_ms: int, end_ms: int) -> bool:
    return any(s.number == number and s.start_ms < end_ms and s.end_ms > start_ms for s in segments)


def _coverage(contents: Contents, say: Say) -> tuple[Block, ...]:
    rows = []
    for recording in contents.recordings.values():
        words = contents.words[recording.id]
        speech = sum(end - start for start, end in words.heard.speech) if words else 0
        gaps = "; ".join(f"{format_ms(g.start_ms)}–{format_ms(g.end_ms)} {g.reason}" for g in recording.gaps) or "—"
        clocks = "; ".join(f"{p.number}: {_how_sure(p.clock)}" for p in recording.parts) or "—"
        held = format_ms(recording.held_ms) if recording.has_media else say("仅字幕", "captions only")
        rows.append((recording.id, format_ms(recording.duration_ms), held, format_ms(speech), gaps, clocks))
    head = (say("场次", "Session"), say("时长", "Length"), say("所存", "Held"), say("已转写语音", "Speech heard"), say("缺口", "Gaps"))
    return (table((*head, say("时钟误差", "Clock")), rows, (4, 3, 3, 3, 3, 4)),) if rows else (paragraph("—"),)


def _how_sure(clock: ClockMap) -> str:
    """± of a part's clock: of each piece where it has several, one after another, with where in the part it begins."""
    if len(clock.pieces) > 1:
        shown = [f"{format_ms(piece.media_from_ms)} ± {piece.uncertainty_ms} ms" for piece in clock.pieces[:PIECES_SHOWN]]
        return f"{'; '.join(shown)}{' …' if len(clock.pieces) > PIECES_SHOWN else ''} ({clock.method}, v{clock.version})"
    return f"± {clock.uncertainty_ms} ms ({clock.method}, v{clock.version})"


def _papers(contents: Contents, masked: Masker, say: Say) -> tuple[Block, ...]:
    blocks: list[Block] = []
    steps = [
        (
            str(step.number),
            say(*STAGES[step.stage.value]),
            clock_time(step.at),
            step.actor,
            "; ".join(
                [
                    *([masked(step.text)] if step.text else []),
                    *(_detail(name, value, step.detail, masked, say) for name, value in step.detail.items() if name != "currency"),
                ]
            )
            or "—",
        )
        for step in contents.case.steps
    ]
    if steps:
        head = ("#", say("阶段", "Stage"), say("时间", "Time"), say("何人", "Who"), say("所述", "What"))
        blocks.append(table(head, steps, (1, 3, 4, 3, 7)))
    papers = [
        (
            str(given.attachment.number),
            say(*PAPERS[given.attachment.kind]),
            masked(given.attachment.title) + (f"\n{masked(given.attachment.purpose)}" if given.attachment.purpose else ""),
            say(*GIVEN[given.how]),
            given.attachment.digest,
        )
        for given in contents.papers
    ]
    if papers:
        head = (
            "#",
            say("种类", "Kind"),
            say("名称与证明目的", "Name, purpose"),
            say("交出方式", "Given as"),
            say("原件摘要", "Digest of original"),
        )
        blocks.append(table(head, papers, (1, 3, 5, 3, 6)))
    else:
        blocks.append(paragraph(say("本案没有附件。", "The case has no attachments.")))
    return tuple(blocks)


def _detail(name: str, value: Json, detail: Mapping[str, Json], masked: Masker, say: Say) -> str:
    if name == "amount_minor" and isinstance(value, int):
        return f"{say('金额', 'amount')}: {value / 100:.2f} {detail.get('currency') or 'CNY'}"
    shown = say(*VALUES[value]) if isinstance(value, str) and value in VALUES else masked(str(value))
    return f"{say(*DETAILS[name])}: {shown}"


def _custody(facts: CustodyFacts, say: Say) -> tuple[Block, ...]:
    about = say(
        f"以下 {len(facts.entries)} 条涉及本案及其场次，是写本报告时 {facts.length} 条保管记录中的一部分；其后的封存记录、"
        "各条全文与证明、已签署的检查点见 data/04-custody/custody.json。",
        f"The {len(facts.entries)} entries below are about this case and its sessions, out of {facts.length} when this report was written. "
        "The sealing that follows, the entries in full with their proofs, and the signed checkpoint are in data/04-custody/custody.json.",
    )
    rows = [
        (str(e.seq), clock_time(e.at), e.actor, say(*ACTIONS.get(e.action, (e.action, e.action))), e.subject, e.digest[7:23] + "…")
        for e in facts.entries
    ]
    head = (
        "#",
        say("时间", "Time"),
        say("何人", "Who"),
        say("何事", "What"),
        say("对象", "About"),
        say("摘要（前 16 位）", "Digest, first 16"),
    )
    return (paragraph(about), table(head, rows, (1, 5, 3, 3, 3, 4)))


def _catalogue(items: Sequence[Mapping[str, Json]], say: Say) -> Block:
    rows = [
        (
            str(item["number"]),
            f"{say(*_two(str(item['title'])))}\n{_purpose(str(item['purpose']), say)}",
            f"{item['file']}\n{item['digest']}",
            _kind(item, say),
        )
        for item in items
    ]
    head = ("#", say("名称；证明目的", "Name; purpose"), say("文件；SHA-256", "File; SHA-256"), say("性质", "Kind"))
    return table(head, rows, (1, 6, 9, 2))


def _kind(item: Mapping[str, Json], say: Say) -> str:
    return say("派生", "derived") if item["derived"] else say("原样", "as kept")


def _purpose(purpose: str, say: Say) -> str:
    return say(*_two(purpose)) if purpose in STOCK_PURPOSES else purpose


def _two(title: str) -> tuple[str, str]:
    chinese, _, english = title.partition(" / ")
    return chinese, english or chinese


def _signatures(package_id: str, made_at: WallTime, say: Say) -> tuple[Block, ...]:
    stated = say(
        f"本人确认：证据包 {package_id} 由本人或在本人监督下，用第三节所述工具与方式于 {clock_time(made_at)} 制作；"
        "所附片段、记录与附件未作任何未在本报告中说明的改动。",
        f"I confirm that package {package_id} was made by me or under my supervision at {clock_time(made_at)}, with the tools and in "
        "the manner of section 3, and that clips, records and attachments were changed in no way that this report does not state.",
    )
    rows = [
        (say("制作人", "Made by"), "", "", ""),
        (say("复核人", "Reviewed by"), "", "", ""),
        (say("单位（盖章）", "Organisation (seal)"), "", "", ""),
    ]
    head = ("", say("姓名与职务", "Name and position"), say("签名或盖章", "Signature or seal"), say("日期", "Date"))
    return (paragraph(stated), table(head, rows, (3, 4, 5, 3), tall=True))
