"""The six things that a court looks at in electronic data, and what one package shows for each; and what it does not prove.

《最高人民法院关于互联网法院审理案件若干问题的规定》（法释〔2018〕16号，自2018年9月7日起施行）第十一条第一款 names them. Every sentence
here is either a fact of the package at hand or says what is missing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from archive.package_contents import Contents, liveproof_version
from archive.package_custody import CustodyFacts
from archive.timeline import WallTime, format_ms
from archive.verifier.outcomes import many

RULE = (
    "《最高人民法院关于互联网法院审理案件若干问题的规定》（法释〔2018〕16号，自2018年9月7日起施行）第十一条第一款",
    "Provisions of the Supreme People's Court on Several Issues Concerning the Trial of Cases by Internet Courts "
    "(Fa Shi [2018] No. 16, effective 7 September 2018), article 11, paragraph 1",
)

Say = Callable[[str, str], str]


CHINA = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Test:
    """One of the six: what the rule asks, and what this package shows for it."""

    asks: str
    shows: tuple[str, ...]


def clock_time(at: WallTime) -> str:
    """A time as a court in China reads it, its zone beside it."""
    return datetime.fromtimestamp(at.epoch_ms // 1000, CHINA).strftime("%Y-%m-%d %H:%M:%S") + f".{at.epoch_ms % 1000:03} +08:00"


def six_tests(contents: Contents, facts: CustodyFacts, made_at: WallTime, actor: str, say: Say) -> tuple[Test, ...]:
    """The tests in the rule's order."""
    return (
        Test(
            say(
                "（一）电子数据生成、收集、存储、传输所依赖的计算机系统等硬件、软件环境是否安全、可靠",
                "(1) Whether the hardware and software on which it was made, gathered, stored and sent are safe and reliable",
            ),
            _environment(contents, say),
        ),
        Test(
            say(
                "（二）电子数据的生成主体和时间是否明确，表现内容是否清晰、客观、准确",
                "(2) Whether it is clear who made it and when, and whether what it shows is clear, objective and accurate",
            ),
            _who_and_when(contents, facts, say),
        ),
        Test(
            say(
                "（三）电子数据的存储、保管介质是否明确，保管方式和手段是否妥当",
                "(3) Whether the medium of storage and custody is known and the manner of keeping is sound",
            ),
            _custody(contents, facts, say),
        ),
        Test(
            say(
                "（四）电子数据提取和固定的主体、工具和方式是否可靠，提取过程是否可以重现",
                "(4) Whether those who extracted and fixed it, their tools and their manner are reliable, and whether it can be repeated",
            ),
            _extraction(contents, made_at, actor, say),
        ),
        Test(
            say(
                "（五）电子数据的内容是否存在增加、删除、修改及不完整等情形",
                "(5) Whether anything was added, deleted or changed, or is incomplete",
            ),
            _completeness(contents, say),
        ),
        Test(
            say("（六）电子数据是否可以通过特定形式得到验证", "(6) Whether it can be verified in some definite form"),
            _verifiability(facts, say),
        ),
    )


def not_proven(contents: Contents, facts: CustodyFacts, say: Say) -> tuple[str, ...]:
    """What nobody should take from this package, by its own facts."""
    said = [
        say(
            "不证明主播所说属实，只证明存档录像中有这些声音和画面。",
            "That what was said is true: only that the recording holds these sounds and pictures.",
        ),
        say(
            "不证明录像在入库之前未被编辑；完整性自入库取摘要时起算。",
            "That nothing was edited before admission: integrity begins with the digests taken then.",
        ),
        say(
            "转写由机器完成，可能听错；以片段为准。", "That the transcript is right: a machine wrote it and can mishear; the clip decides."
        ),
    ]
    pending = len(facts.stamps) - len(facts.granted)
    if pending or not facts.stamps:
        said.append(
            say(
                f"入库时间没有独立机构佐证：{pending or '全部'} 个入库时间戳尚未签发，所记时间为本系统时钟。",
                f"When it was admitted, by an outsider's word: {pending or 'all'} of its time-stamps are still pending, and logged times "
                "are this system's clock.",
            )
        )
    if facts.granted:
        said.append(
            say(
                "时间戳只证明所盖之物在该时刻已经存在，不证明其内容属实；签发机构是否可信须另行判断。",
                "That stamped content is true: a time-stamp shows that it existed then; whether to trust the authority is for the reader.",
            )
        )
    if not facts.witnesses:
        said.append(
            say(
                "保管记录没有存于他处的副本：它由本系统自己保存和签署，商家自存的证据证明力较弱。",
                "That the log was kept by anyone else: no copy of its checkpoints stands elsewhere, and one's own log is weak proof.",
            )
        )
    uncertain = [p.clock.least_sure_ms for r in contents.recordings.values() for p in r.parts if p.clock.wall_start is not None]
    if uncertain:
        said.append(
            say(
                f"当地时刻有误差，最大 ± {max(uncertain)} 毫秒；弹幕与画面的对齐同样有误差。",
                f"Exact times of day: they are uncertain by up to ± {max(uncertain)} ms, and so is where chat stands beside the picture.",
            )
        )
    if any(r.wall_at(0)[0] is None for r in contents.recordings.values()):
        said.append(say("有场次的当地时刻未知。", "The time of day of every session: it is unknown for at least one."))
    said += [
        say("未找到某句话不等于没有说过；请看覆盖范围。", "That what was not found was not said: see the coverage."),
        say("观众身份已去标识，本包不证明观众是谁。", "Who viewers are: they are pseudonymised."),
    ]
    if any(given.how != "original" for given in contents.papers):
        said.append(
            say(
                "隐去个人信息的附件文本是派生件；未交出的附件只示摘要，其内容不在本包之内。",
                "What withheld attachments say: they are here by digest alone; masked texts are derived, not the papers themselves.",
            )
        )
    return tuple(said)


def _environment(contents: Contents, say: Say) -> tuple[str, ...]:
    return (
        say(
            f"由 LiveProof {liveproof_version()} 制作；操作系统、ffmpeg 等版本见 data/06-tools/tools.json。",
            f"Made by LiveProof {liveproof_version()}; the versions of system, ffmpeg and the rest are in data/06-tools/tools.json.",
        ),
        say(
            "原件在写入首个副本的同时取 SHA-256 摘要，此后只读；每次写入先落临时文件、刷盘、再改名。",
            "Originals are hashed with SHA-256 while their first copy is written and are read-only afterwards; "
            "every write goes to a temporary file, is flushed, and is then renamed.",
        ),
    )


def _who_and_when(contents: Contents, facts: CustodyFacts, say: Say) -> tuple[str, ...]:
    said = []
    for recording in contents.recordings.values():
        wall, uncertainty = recording.wall_at(0)
        began = f"{clock_time(wall)} ± {uncertainty} ms" if wall else say("未知", "unknown")
        said.append(
            say(
                f"场次 {recording.id}：平台 {recording.platform or '—'}，直播间 {recording.room or '—'}，主播 {recording.host or '—'}；"
                f"开始于 {began}；{clock_time(recording.admitted_at)} 入库。",
                f"Session {recording.id}: platform {recording.platform or '—'}, room {recording.room or '—'}, "
                f"host {recording.host or '—'}; began {began}; admitted {clock_time(recording.admitted_at)}.",
            )
        )
    for subject in dict.fromkeys(stamp.subject for stamp in facts.granted):
        first, *more = (stamp for stamp in facts.granted if stamp.subject == subject)
        at = clock_time(first.gen_time) if first.gen_time else ""
        said.append(
            say(
                f"{subject} 的入库记录由 {first.authority} 于 {at} 加盖 RFC 3161 时间戳。",
                f"The admission of {subject} was time-stamped (RFC 3161) by {first.authority} at {at}.",
            )
        )
        if more:
            last = clock_time(max(stamp.gen_time for stamp in more if stamp.gen_time))
            said.append(
                say(
                    f"此后补充入库与续期的时间戳另有 {len(more)} 个，最近一个签发于 {last}。",
                    f"{many(len(more), 'further time-stamp')} of what was added later, and renewals; the last was given at {last}.",
                )
            )
    pending = len(facts.stamps) - len(facts.granted)
    if pending:
        said.append(say(f"{pending} 个入库时间戳待签发。", f"{many(pending, 'time-stamp')} of admissions pending."))
    said.append(
        say(
            "画面与声音见各时刻的片段；转写注明引擎、模型摘要、参数与把握，人工校改与机器原文并列。",
            "Picture and sound are in each moment's clips; transcripts name engine, model digest, parameters and confidence, and edits by "
            "hand stand beside what the machine wrote.",
        )
    )
    return tuple(said)


def _custody(contents: Contents, facts: CustodyFacts, say: Say) -> tuple[str, ...]:
    parts = sum(len(recording.parts) for recording in contents.recordings.values())
    size = sum(part.size_bytes for recording in contents.recordings.values() for part in recording.parts)
    said = [
        say(
            f"{parts} 段原始录像（{size} 字节）以其 SHA-256 摘要为名保存在存档系统的对象库，摘要见 data/05-coverage/coverage.json。",
            f"{many(parts, 'original part')} ({size} bytes) kept in the archive's object store under their SHA-256, "
            "given in data/05-coverage/coverage.json.",
        ),
        say(
            f"保管记录为只增的哈希链与默克尔树，现有 {facts.length} 条、检查点 {facts.checkpoints} 个，"
            f"由 Ed25519 密钥 {facts.key_id} 签署；涉及本案的 {len(facts.entries)} 条及其证明见 data/04-custody/custody.json。",
            f"The custody log is append-only, a hash chain and Merkle tree of {facts.length} entries with "
            f"{many(facts.checkpoints, 'checkpoint')} signed by Ed25519 key {facts.key_id}; the "
            f"{len(facts.entries)} entries about this case are in data/04-custody/custody.json with proofs.",
        ),
    ]
    if facts.witnesses:
        held = "、".join(f"{name}（{count}）" for name, count in facts.witnesses)
        held_en = ", ".join(f"{name} ({count})" for name, count in facts.witnesses)
        said.append(say(f"检查点副本另存于：{held}。", f"Copies of checkpoints stand elsewhere: {held_en}."))
    else:
        said.append(say("检查点没有另存他处的副本。", "No copies of the checkpoints stand elsewhere."))
    return tuple(said)


def _extraction(contents: Contents, made_at: WallTime, actor: str, say: Say) -> tuple[str, ...]:
    clips = [evidence.proof_clip for evidence in contents.moments if evidence.proof_clip]
    said = [
        say(
            f"由 {actor} 于 {clock_time(made_at)} 用 LiveProof {liveproof_version()} 提取，提取行为本身记入保管记录（package.sealed）。",
            f"Extracted by {actor} at {clock_time(made_at)} with LiveProof {liveproof_version()}; the act is logged (package.sealed).",
        )
    ]
    if clips:
        said.append(
            say(
                f"{len(clips)} 个原样片段均为关键帧到关键帧的流复制，未重新编码；由原件按同一时间段可再次提取出相同的数据包。",
                f"{many(len(clips), 'proof clip')}, stream-copied from key frame to key frame with nothing re-encoded; "
                "the same packets come out of the original again for the same span.",
            )
        )
    said.append(
        say(
            "观看片段、截图、阅读本为派生件，目录中已注明，仅供便览。",
            "View clips, screenshots and reading texts are derived, are marked so in the catalogue, and only help reading.",
        )
    )
    return tuple(said)


def _completeness(contents: Contents, say: Say) -> tuple[str, ...]:
    said = []
    for evidence in contents.moments:
        if evidence.proof_clip:
            said.append(
                say(
                    f"时刻 {evidence.moment.number}：片段的每个数据包经默克尔路径导向入库时所记的根，次序与相对时间一并核对。",
                    f"Moment {evidence.moment.number}: every packet of the clip leads by a Merkle path to the root logged at admission; "
                    "order and times between packets are held to it as well.",
                )
            )
        elif evidence.without_clip:
            said.append(say(f"时刻 {evidence.moment.number}：", f"Moment {evidence.moment.number}: ") + say(*evidence.without_clip))
    for recording in contents.recordings.values():
        missing = recording.duration_ms - recording.held_ms if recording.has_media else recording.duration_ms
        gaps = "；".join(f"{format_ms(g.start_ms)}–{format_ms(g.end_ms)}" for g in recording.gaps)
        damage = sum(len(part.damage) for part in recording.parts)
        said.append(
            say(
                f"{recording.id}：时长 {format_ms(recording.duration_ms)}，未存 {format_ms(max(0, missing))}"
                + (f"，缺口 {gaps}" if gaps else "，无缺口")
                + (f"，入库时已有 {damage} 处损伤。" if damage else "。"),
                f"{recording.id}: {format_ms(recording.duration_ms)} long, {format_ms(max(0, missing))} not held"
                + (f", gaps {gaps.replace('；', '; ')}" if gaps else ", no gaps")
                + (f", {damage} damaged places known at admission." if damage else "."),
            )
        )
    return tuple(said)


def _verifiability(facts: CustodyFacts, say: Say) -> tuple[str, ...]:
    return (
        say(
            "包内 verify.py 只需 Python 3.8 以上，不联网，逐项核验：文件、目录、检查点签名、记录位置、封存、时间戳、片段、转写、附件。",
            "verify.py in this package needs Python 3.8 alone and no network. It checks files, catalogue, the checkpoint's signature, the "
            "place of every entry, the seal, time-stamps, clips, words and attachments, one by one.",
        ),
        say(
            "所用均为公开标准：SHA-256、RFC 6962 默克尔树、RFC 8032 Ed25519 签名、RFC 3161 时间戳、RFC 8493 BagIt，可另写程序复核。",
            "All of it follows public standards, so that others can write their own check: SHA-256, Merkle trees of RFC 6962, Ed25519 of "
            "RFC 8032, time-stamps of RFC 3161, BagIt of RFC 8493.",
        ),
        say(
            f"请经其他途径向存档方核实签名密钥编号 {facts.key_id}（日志 {facts.origin}）。",
            f"Ask the archive's operator by another way whether signing key {facts.key_id} of log {facts.origin} is theirs.",
        ),
    )
