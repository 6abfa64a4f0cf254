"""How a case goes: 受理分类 → 核实 → 方案 → 执行 → 复盘 → 结案, and what each step must say.

A case goes one stage on at a time, stays in its stage for a further note, or goes back to any earlier one with a reason. A proposal that
asks nothing of anybody (an explanation, a rejection) may go to review at once. A case closes when its review has named a root cause.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from archive.digest import Json
from archive.errors import InvalidCase

TEXT_MAX_CHARS = 20_000
REFERENCE_MAX_CHARS = 500


class Stage(StrEnum):
    INTAKE = "intake"
    VERIFICATION = "verification"
    PROPOSAL = "proposal"
    EXECUTION = "execution"
    REVIEW = "review"
    CLOSED = "closed"


STAGES = tuple(Stage)
NEXT: Mapping[Stage, tuple[Stage, ...]] = {
    Stage.INTAKE: (Stage.VERIFICATION,),
    Stage.VERIFICATION: (Stage.PROPOSAL,),
    Stage.PROPOSAL: (Stage.EXECUTION, Stage.REVIEW),
    Stage.EXECUTION: (Stage.REVIEW,),
    Stage.REVIEW: (Stage.CLOSED,),
    Stage.CLOSED: (),
}

CHOICES: Mapping[str, tuple[str, ...]] = {
    # 商品质量 · 服务,含承诺未兑现 · 主观不满意
    "class": ("quality", "service", "subjective"),
    "finding": ("confirmed", "partly_confirmed", "refuted", "unclear"),
    "decision": ("refund", "return_and_refund", "compensation", "exchange", "repair", "delivery", "explanation", "rejection"),
    "root_cause": (
        "description_unclear",
        "host_misstatement",
        "packing",
        "product_quality",
        "logistics",
        "after_sales_service",
        "buyer_misunderstanding",
        "other",
    ),
    "outcome": ("accepted", "platform_arbitration", "court", "withdrawn"),
}
"""Fields of a step's detail that are one of these words."""

FIELDS: Mapping[Stage, tuple[str, ...]] = {
    Stage.INTAKE: ("class",),
    Stage.VERIFICATION: ("finding",),
    Stage.PROPOSAL: ("decision", "amount_minor", "currency"),
    Stage.EXECUTION: ("amount_minor", "currency", "reference"),
    Stage.REVIEW: ("root_cause",),
    Stage.CLOSED: ("outcome",),
}
"""What a step into each stage may say beside its text. `amount_minor` in the currency's minor unit."""

_REQUIRED: Mapping[Stage, tuple[str, ...]] = {Stage.PROPOSAL: ("decision",)}
_CLASS_WORDS = (("subjective", ("主观", "不满意")), ("service", ("服务", "承诺")), ("quality", ("质量", "商品")))


def class_of(problem_class: str | None) -> str | None:
    """The class that a complaint's own words name: quality, service or subjective; None where they name none."""
    words = problem_class or ""
    if words in CHOICES["class"]:
        return words
    return next((name for name, marks in _CLASS_WORDS if any(mark in words for mark in marks)), None)


def stage_of(status: str) -> Stage:
    """A stored status as a stage; cases from before stages were kept stand at intake."""
    return Stage(status) if status in STAGES else Stage.INTAKE


def check_step(now: Stage, to: Stage, text: str, detail: Mapping[str, Json], before: Sequence[Mapping[str, Json]]) -> dict[str, Json]:
    """The step's detail, if a case at `now` may take it. `before`: details of its earlier steps. InvalidCase says what is missing."""
    if len(text) > TEXT_MAX_CHARS:
        raise InvalidCase(f"the text of a step has at most {TEXT_MAX_CHARS} characters: attach a document instead")
    backward = STAGES.index(to) < STAGES.index(now)
    if not backward and to != now and to not in NEXT[now]:
        allowed = ", ".join(stage.value for stage in (*NEXT[now], now)) or now.value
        raise InvalidCase(
            f"a case at {now.value} can't go to {to.value} at once: choose one of {allowed}, or an earlier stage with a reason"
        )
    if not text.strip() and (backward or to == now):
        raise InvalidCase(f"going back to {to.value} needs a reason: give it as the text" if backward else "a note needs a text")
    unknown = sorted(set(detail) - set(FIELDS[to]))
    if unknown:
        raise InvalidCase(f"a step to {to.value} has no field {unknown[0]}: it has {', '.join(FIELDS[to])}")
    given = {name: _checked(name, value) for name, value in detail.items() if value is not None}
    missing = [name for name in _REQUIRED.get(to, ()) if name not in given and to != now and not backward]
    if missing:
        raise InvalidCase(f"a step to {to.value} must say {missing[0]}: one of {', '.join(CHOICES[missing[0]])}")
    if to is Stage.CLOSED and now is not Stage.CLOSED and not any("root_cause" in earlier for earlier in before):
        raise InvalidCase(f"a case closes when its review has named a root_cause: one of {', '.join(CHOICES['root_cause'])}")
    return given


def _checked(name: str, value: Json) -> Json:
    if name in CHOICES:
        if value not in CHOICES[name]:
            raise InvalidCase(f"{name} must be one of {', '.join(CHOICES[name])}, not {str(value)[:40]!r}")
        return value
    if name == "amount_minor":
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**12:
            raise InvalidCase("amount_minor must be a whole number of the currency's minor unit, e.g. 29900 for ¥299")
        return value
    if not isinstance(value, str) or not 0 < len(value) <= REFERENCE_MAX_CHARS:
        raise InvalidCase(f"{name} must be text of at most {REFERENCE_MAX_CHARS} characters")
    return value
