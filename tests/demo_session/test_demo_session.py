"""The committed demo session holds what its script says, at the times that its truth gives."""

import json
from collections import Counter
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import av
import numpy as np
import pytest

from infra.demo.script import GAP_MS, STARTED_AT, VIEWERS, lines

SESSION = Path(__file__).parents[2] / "infra" / "demo" / "session"
RATE_HZ, HOP_MS = 16_000, 5
TOLERANCE_MS = 60
PRODUCT_IDS = ["p1", "p2", "p3", "p4", "p5", "p6"]


@cache
def read(name: str):
    return json.loads((SESSION / name).read_text(encoding="utf-8"))


def truth_line(key: str) -> dict:
    return next(line for line in read("truth.json")["lines"] if line["key"] == key)


@cache
def loudness(file_name: str) -> np.ndarray:
    """RMS of each HOP_MS of a part's sound, as PyAV decodes it."""
    with av.open(str(SESSION / file_name)) as media:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE_HZ)
        pieces = [out.to_ndarray()[0] for frame in media.decode(audio=0) for out in resampler.resample(frame)]
        pieces += [out.to_ndarray()[0] for out in resampler.resample(None)]
    samples = np.concatenate(pieces)
    hop = RATE_HZ * HOP_MS // 1000
    return np.sqrt(np.mean(samples[: len(samples) // hop * hop].reshape(-1, hop) ** 2, axis=1))


def packets(file_name: str, kind: str) -> list[tuple[float, float, bool]]:
    """Begin and end of each packet of a stream, in ms, and whether it is a key frame."""
    with av.open(str(SESSION / file_name)) as media:
        stream = media.streams.video[0] if kind == "video" else media.streams.audio[0]
        found = [packet for packet in media.demux(stream) if packet.pts is not None]
        ms = float(stream.time_base) * 1000
        return [(packet.pts * ms, (packet.pts + (packet.duration or 0)) * ms, packet.is_keyframe) for packet in found]


PARTS = read("truth.json")["parts"]
each_part = pytest.mark.parametrize("part", PARTS, ids=lambda part: f"part{part['part']}")


def test_the_truth_has_every_line_of_the_script_in_order():
    written = [(line.key, line.speaker, line.text, line.product, line.promise) for line in lines()]
    true = [tuple(line[name] for name in ("key", "speaker", "text", "product", "promise")) for line in read("truth.json")["lines"]]
    assert true == written


def test_lines_follow_one_another_inside_their_parts():
    parts = {part["part"]: part for part in PARTS}
    for line in read("truth.json")["lines"]:
        part = parts[line["part"]]
        assert line["start_ms"] == part["start_ms"] + line["part_start_ms"]
        assert part["start_ms"] <= line["start_ms"] < line["end_ms"] <= part["start_ms"] + part["duration_ms"]
    assert all(before["end_ms"] < after["start_ms"] for before, after in pairwise(read("truth.json")["lines"]))


def test_every_character_has_its_time_inside_its_line():
    for line in read("truth.json")["lines"]:
        assert "".join(char for char, _ in line["chars"]) == line["text"]
        times = [ms for _, ms in line["chars"]]
        assert times == sorted(times)
        assert line["start_ms"] <= times[0] <= line["start_ms"] + 50
        assert times[-1] < line["end_ms"]


def test_at_least_eight_categories_of_promises_about_six_products_are_spoken():
    spoken = read("truth.json")["lines"]
    assert len({line["promise"] for line in spoken if line["promise"]}) >= 8
    assert {line["product"] for line in spoken if line["product"]} == set(PRODUCT_IDS)


def test_a_negation_a_correction_and_the_same_words_about_two_products_are_spoken():
    assert truth_line("brush_not_lifetime")["text"].startswith("不是终身质保")
    wrong, right = truth_line("jacket_fill_wrong"), truth_line("jacket_fill")
    assert "两百五十克" in wrong["text"] and "讲错了" in right["text"] and "两百克" in right["text"]
    assert wrong["end_ms"] < right["start_ms"]
    for words in ("七天无理由退货", "质保"):
        assert len({line["product"] for line in read("truth.json")["lines"] if words in line["text"] and line["promise"]}) >= 2


def test_four_questions_point_at_spoken_lines_and_one_at_none():
    expected = [question["expects_key"] for question in read("truth.json")["questions"]]
    assert expected == ["bracelet_ten_times", "scarf_material", "brush_warranty", "jacket_fill", None]
    assert all(truth_line(key)["promise"] for key in expected if key)
    assert not any("过敏" in line["text"] for line in read("truth.json")["lines"])


def test_the_session_is_small_enough_to_be_committed():
    assert sum(file.stat().st_size for file in SESSION.iterdir()) < 20_000_000


def test_file_names_carry_each_part_s_wall_time_and_the_gap_lies_between_the_parts():
    assert read("truth.json")["gap_ms"] == GAP_MS
    assert PARTS[1]["start_ms"] == PARTS[0]["duration_ms"] + GAP_MS
    for part in PARTS:
        moment = datetime.fromisoformat(STARTED_AT) + timedelta(milliseconds=part["start_ms"])
        wall = f"{moment:%Y%m%d-%H%M%S}-{moment.microsecond // 1000:03}"
        assert datetime.fromisoformat(part["started_at"]) == moment
        assert part["file"].startswith(f"录制-7734200-{wall}-") and part["file"].endswith(".flv")
        assert part["chat"] == part["file"].removesuffix(".flv") + ".xml"


@each_part
def test_a_part_is_h264_and_aac_in_flv_and_lasts_as_long_as_the_truth_says(part):
    with av.open(str(SESSION / part["file"])) as media:
        assert media.format.name == "flv"
        assert (media.streams.video[0].codec_context.name, media.streams.audio[0].codec_context.name) == ("h264", "aac")
        assert media.streams.audio[0].codec_context.sample_rate == 44_100
        assert media.duration is not None
        assert abs(media.duration / 1000 - part["duration_ms"]) < TOLERANCE_MS
    for kind in ("video", "audio"):
        found = packets(part["file"], kind)
        assert found[0][0] == 0
        assert abs(found[-1][1] - part["duration_ms"]) < TOLERANCE_MS


@each_part
def test_a_key_frame_comes_every_two_seconds(part):
    keys = [begin for begin, _, is_key in packets(part["file"], "video") if is_key]
    assert keys[0] == 0
    assert all(1900 < after - before < 2100 for before, after in pairwise(keys))


@each_part
def test_every_line_is_heard_when_the_truth_says_and_silence_follows_it(part):
    heard = loudness(part["file"])
    spoken = [line for line in read("truth.json")["lines"] if line["part"] == part["part"]]
    for line in spoken:
        start_ms, end_ms = line["part_start_ms"], line["part_start_ms"] + line["end_ms"] - line["start_ms"]
        around = heard[(start_ms - 200) // HOP_MS : (start_ms + 200) // HOP_MS]
        onset_ms = start_ms // HOP_MS * HOP_MS - 200 + int(np.flatnonzero(around > 0.004)[0]) * HOP_MS
        assert abs(onset_ms - start_ms) < TOLERANCE_MS, line["text"]
        assert np.sqrt(np.mean(heard[start_ms // HOP_MS : end_ms // HOP_MS] ** 2)) > 0.06, line["text"]
        assert heard[(end_ms + TOLERANCE_MS) // HOP_MS : (end_ms + 300) // HOP_MS].max() < 0.004, line["text"]


@each_part
def test_the_chat_says_when_its_part_began_and_stands_in_order_of_time(part):
    chat = ElementTree.parse(SESSION / part["chat"]).getroot()
    header = chat.find("BililiveRecorderRecordInfo")
    assert header is not None and header.get("roomid") == "7734200"
    assert datetime.fromisoformat(header.get("start_time")) == datetime.fromisoformat(part["started_at"])
    offsets = [float(entry.get("ts") or entry.get("p").split(",")[0]) for entry in chat if entry.tag in ("d", "gift", "sc")]
    assert offsets == sorted(offsets)
    assert offsets[0] >= 0 and offsets[-1] * 1000 < part["duration_ms"]
    assert chat.find("gift") is not None


def test_every_viewer_s_message_stands_just_before_the_line_that_it_asks_for():
    entries = {
        (part["part"], entry.get("user"), entry.text): entry.get("p").split(",")
        for part in PARTS
        for entry in ElementTree.parse(SESSION / part["chat"]).getroot().iter("d")
    }
    assert len(entries) == len(VIEWERS)
    for viewer in VIEWERS:
        line = truth_line(viewer.asks)
        offset_s, _, _, _, sent_s, *_ = entries[line["part"], viewer.user, viewer.text]
        assert round(float(offset_s) * 1000) == max(0, line["part_start_ms"] - viewer.before_ms)
        started_at = datetime.fromisoformat(PARTS[line["part"] - 1]["started_at"])
        assert int(sent_s) == int(started_at.timestamp() + float(offset_s))


def test_the_shelf_has_the_six_products_with_their_prices():
    products = read("products.json")
    assert [product["product_id"] for product in products] == PRODUCT_IDS
    assert [product["shelf_no"] for product in products] == [f"{number}号链接" for number in range(1, 7)]
    assert [product["price_minor"] for product in products] == [29_900, 69_900, 8_900, 199_900, 19_900, 5_900]
    assert all(product["currency"] == "CNY" and product["aliases"] and product["listing_text"] for product in products)


def test_a_listing_contradicts_what_is_said_and_none_repeats_the_tenfold_compensation():
    listings = {product["product_id"]: product["listing_text"] for product in read("products.json")}
    assert "质保一年" in listings["p5"] and "质保三年" in truth_line("brush_warranty")["text"]
    assert not any("假一赔十" in listing for listing in listings.values())


def test_events_are_in_order_and_enclose_the_speech_about_their_product():
    events = read("product_events.json")
    times = [event["at_ms"] for event in events]
    assert times == sorted(times)
    assert Counter(event["event"] for event in events) == {"card_shown": 6, "explain_start": 6, "explain_end": 6}
    at = {(event["product_id"], event["event"]): event["at_ms"] for event in events}
    for product_id in PRODUCT_IDS:
        about = [line for line in read("truth.json")["lines"] if line["product"] == product_id]
        assert at[product_id, "card_shown"] < at[product_id, "explain_start"] == about[0]["start_ms"]
        assert at[product_id, "explain_end"] == about[-1]["end_ms"]


def test_the_order_is_for_the_bracelet_and_paid_on_the_evening_after_its_promise():
    order = read("order.json")
    assert set(order) == {"order_id", "product_id", "paid_at", "amount_minor", "currency", "buyer", "shop"}
    assert (order["product_id"], order["amount_minor"], order["buyer"]) == ("p4", 199_900, "玉见")
    began, paid_at = datetime.fromisoformat(STARTED_AT), datetime.fromisoformat(order["paid_at"])
    assert began + timedelta(milliseconds=truth_line("bracelet_ten_times")["end_ms"]) < paid_at
    assert paid_at.date() == began.date()


def test_the_complaint_comes_after_the_order_and_asks_for_what_was_promised():
    complaint = read("complaint.json")
    assert set(complaint) == {"case_title", "problem_class", "text", "demand", "received_at"}
    assert datetime.fromisoformat(complaint["received_at"]) > datetime.fromisoformat(read("order.json")["paid_at"])
    assert "退款" in complaint["text"] and "假一赔十" in complaint["demand"]
