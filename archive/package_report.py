"""The words of the evidence report and catalogue, Chinese first and English beside it."""

from collections.abc import Mapping, Sequence

from archive.digest import Json
from archive.package_contents import Contents, MomentEvidence, liveproof_version
from archive.redaction import mask
from archive.report import Block, Document, Section, paragraph, picture, points, table
from archive.timeline import WallTime, format_ms

RULE = "《最高人民法院关于互联网法院审理案件若干问题的规定》（法释〔2018〕16号，自2018年9月7日起施行）第十一条"

NOT_PROVEN = (
    "不证明主播所说属实，只证明存档录像中有这些声音和画面。Not that what was said is true: only that the recording holds it.",
    "不证明录像在入库之前未被编辑；完整性自入库取摘要时起。"
    "Not that nothing was edited before admission: integrity begins with the digest taken then.",
    "转写由机器完成，可能听错；以片段为准。The transcript was made by a machine and can be wrong: the clip decides.",
    "未附独立时间戳机构的时间戳；记录时间为本机时钟。"
    "No time-stamp of an independent authority is attached: logged times are this system's clock.",
    "保管记录由本系统自己保存，商家自存的证据证明力较弱；请与另存的记录末端摘要比对。"
    "The custody log is kept by this system itself, which is weak proof alone: compare its head with a copy kept elsewhere.",
    "未找到某句话不等于没有说过；请看覆盖范围。What was not found may still have been said: see the coverage.",
    "观众身份已去标识，本包不证明观众是谁。Viewers are pseudonymised: who they are is not shown.",
)


def report_document(contents: Contents, package_id: str, made_at: WallTime, items: Sequence[Json]) -> Document:
    """The report on a package whose evidence is gathered."""
    case = contents.case
    sections = (
        Section("一、争议 / The dispute", _dispute(contents)),
        *(Section(f"时刻 {e.moment.number} / Moment {e.moment.number}", _moment(e)) for e in contents.moments),
        Section("二、六项审查 / Six tests of electronic data", _six_tests(contents)),
        Section("三、未证明之事 / What is NOT proven", (points(NOT_PROVEN),)),
        Section("四、覆盖范围与时钟 / Coverage and clocks", _coverage(contents)),
        Section("五、保管记录 / Custody", _custody(contents)),
        Section("六、证据目录 / Catalogue of evidence", (_catalogue(items),)),
        Section("七、如何核验 / How to verify", (points(HOW_TO_VERIFY),)),
        Section(
            "八、签署 / Signature", (table(("制作人 / Made by", "日期 / Date", "签名盖章 / Signature"), [("", "", ""), ("", "", "")]),)
        ),
    )
    subtitle = f"{mask(case.title).text} · {made_at.iso()} · LiveProof {liveproof_version()}"
    return Document(f"证据包报告 / Evidence report: {case.id}", subtitle, package_id, sections)


def catalogue_document(contents: Contents, package_id: str, made_at: WallTime, items: Sequence[Json]) -> Document:
    """The catalogue as a page of its own."""
    section = Section("证据目录 / Catalogue of evidence", (_catalogue(items),))
    return Document(f"证据目录 / Catalogue: {contents.case.id}", made_at.iso(), package_id, (section,))


HOW_TO_VERIFY = (
    "解压后运行：python3 verify.py（只需 Python 3.8 以上，不需联网；装有 ffmpeg 时一并核对片段的每个数据包）。"
    "Unpack and run: python3 verify.py (Python 3.8 or newer, no network; with ffmpeg installed every packet of the clips is checked too).",
    "核验 ZIP 原件的每个字节：python3 verify.py 证据包.zip。Every byte of the ZIP as handed over: python3 verify.py PACKAGE.zip.",
    "有 LiveProof 时：liveproof verify 证据包.zip。With LiveProof: liveproof verify PACKAGE.zip.",
)


def _dispute(contents: Contents) -> tuple[Block, ...]:
    case = contents.case
    rows = [
        ("案号 / Case", case.id),
        ("类别 / Class", case.problem_class or "—"),
        ("投诉 / Complaint", mask(case.complaint).text),
        ("诉求 / Demand", mask(case.demand).text if case.demand else "—"),
        ("订单 / Order", str(case.order.get("order_id") or "—")),
        ("商品 / Product", case.product_id or "—"),
        ("受理 / Opened", case.opened_at.iso()),
    ]
    blocks = [table(("项 / Item", "内容 / Content"), rows, (1, 3))]
    if not contents.moments:
        blocks.append(paragraph("本案尚未列入任何时刻，故无片段。No moment has been added to this case, so there are no clips."))
    return tuple(blocks)


def _moment(evidence: MomentEvidence) -> tuple[Block, ...]:
    moment, transcript = evidence.moment, evidence.transcript
    wall, uncertainty = evidence.recording.wall_at(moment.start_ms)
    engine = "未转写 / not transcribed"
    if transcript:
        p = transcript.provenance
        engine = f"{p.engine} {p.engine_version}, {p.model}, {p.model_digest or 'no digest'}"
    rows = [
        ("原话 / Words as heard", moment.quote),
        ("证明目的 / Purpose", moment.purpose or "—"),
        ("场次 / Recording", f"{evidence.recording.id} · {evidence.recording.host or '—'} · {evidence.recording.title or '—'}"),
        ("录像时间 / Time in recording", f"{format_ms(moment.start_ms)} – {format_ms(moment.end_ms)}"),
        ("当地时刻 / Wall clock", f"{wall.iso()} ± {uncertainty} ms" if wall else "未知 / unknown"),
        ("转写 / Transcript", engine),
        ("置信度 / Confidence", "—" if evidence.confidence is None else f"{evidence.confidence:.2f}"),
        ("存疑 / Reasons to doubt", ", ".join(evidence.risk) or "—"),
        ("文件 / Files", evidence.folder),
    ]
    blocks = [table(("项 / Item", "内容 / Content"), rows, (1, 3))]
    if evidence.without_clip:
        blocks.append(paragraph("无片段 / No clip: " + evidence.without_clip))
    if evidence.screenshot:
        blocks.append(picture(evidence.screenshot))
    return tuple(blocks)


def _six_tests(contents: Contents) -> tuple[Block, ...]:
    length = contents.custody_length
    rows = [
        (
            "系统环境与可靠性 / Environment",
            "工具与版本见 06；入库时边写边取摘要，原件只读。",
            "Tools in 06; digests are taken while writing, originals are read-only.",
        ),
        (
            "生成主体与时间 / Who and when",
            "主播与场次见 05；时刻均附误差；未附第三方时间戳。",
            "Host and session in 05; each time has its uncertainty; no third-party time-stamp.",
        ),
        (
            "存储与保管介质 / Medium and custody",
            f"按摘要寻址存储；{length} 条链式保管记录，见 04。",
            f"Kept by digest; a hash-chained log of {length} entries, in 04.",
        ),
        (
            "提取可重复 / Repeatable extraction",
            "原样片段为流复制，可从原件重做。",
            "The proof clip is a stream copy and can be made again from the original.",
        ),
        (
            "是否完整未改 / Whole and unaltered",
            "片段的每个数据包都导向原件的默克尔根；缺口见 05。",
            "Every packet of a clip leads to the original's Merkle root; gaps in 05.",
        ),
        ("可核验 / Verifiable", "verify.py 离线核验以上各项。", "verify.py checks it offline."),
    ]
    return (paragraph(RULE), table(("审查项 / Test", "本包所示", "What this package shows"), rows, (2, 3, 3)))


def _coverage(contents: Contents) -> tuple[Block, ...]:
    rows = []
    for recording in contents.recordings.values():
        transcript = contents.transcripts[recording.id]
        speech = sum(end - start for start, end in transcript.speech) if transcript else 0
        gaps = "; ".join(f"{format_ms(g.start_ms)}–{format_ms(g.end_ms)} {g.reason}" for g in recording.gaps) or "—"
        clocks = "; ".join(f"{p.number}: ± {p.clock.uncertainty_ms} ms ({p.clock.method})" for p in recording.parts) or "—"
        held = format_ms(recording.held_ms) if recording.has_media else "仅字幕 / captions only"
        rows.append((recording.id, format_ms(recording.duration_ms), held, format_ms(speech), gaps, clocks))
    head = ("场次 / Recording", "时长 / Length", "所存 / Held", "已转写语音 / Speech heard", "缺口 / Gaps", "时钟 / Clock")
    return (table(head, rows),) if rows else (paragraph("—"),)


def _custody(contents: Contents) -> tuple[Block, ...]:
    rows = [(str(e.seq), e.at.iso(), e.actor, e.action, e.subject, e.digest) for e in contents.custody]
    about = (
        f"全部 {contents.custody_length} 条连贯 / All {contents.custody_length} entries hold together. 末端 / Head: {contents.custody_head}"
    )
    head = ("#", "时间 / Time", "何人 / Who", "何事 / What", "对象 / About", "摘要 / Digest")
    return (paragraph(about), table(head, rows, (1, 4, 3, 3, 3, 6)))


def _catalogue(items: Sequence[Json]) -> Block:
    rows = []
    for item in items:
        if isinstance(item, Mapping):
            made = "派生 / derived" if item["derived"] else "原样 / as kept"
            rows.append([str(item[key]) for key in ("number", "title", "purpose", "file", "source")] + [made, str(item["digest"])])
    head = ("#", "名称 / Name", "证明目的 / Purpose", "文件 / File", "来源 / Source", "性质 / Kind", "SHA-256")
    return table(head, rows, (1, 4, 3, 4, 7, 2, 6))
