"""Platforms' own shelf events: read from dumps, joined with the shelf, laid on the recording's time line."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.digest import Json
from archive.errors import LiveProofError
from archive.opening import Archive
from archive.recording import EventKind, Product, ProductEvent
from archive.timeline import WallTime
from ingest.admission import IngestRequest, admit
from ingest.errors import InputTooLarge, InvalidContent
from ingest.input_file import check_file
from ingest.settings import IngestSettings
from ingest.shelf_dumps import ShelfDump, is_dump, read_dump

START = WallTime.parse("2026-11-18T20:00:00+08:00")
SHELF = (
    Product("scarf", "羊绒围巾", "1", more={"promotion_id": "3600001", "platform_product_id": 88001}),
    Product("cup", "保温杯", "2", more={"promotion_id": "3600002"}),
    Product("lamp", "台灯"),
)
START_, END, CARD, LISTED = EventKind.EXPLAIN_START, EventKind.EXPLAIN_END, EventKind.CARD_SHOWN, EventKind.LISTED


def douyin(seconds: float, *products: tuple[int, int]) -> dict[str, Json]:
    listed: list[Json] = [{"promotionId": str(key), "index": n, "explainType": kind} for n, (key, kind) in enumerate(products, 1)]
    common: Json = {"method": "WebcastProductChangeMessage", "msgId": "1", "createTime": str(START.epoch_ms + round(seconds * 1000))}
    return {"common": common, "updateProductInfoList": listed}


def bilibili(seconds: float, key: int, name: str = "羊绒围巾", price: float | str = 299) -> dict[str, Json]:
    data: Json = {"goods_id": key, "goods_name": name, "goods_price": price, "timestamp": START.epoch_ms // 1000 + round(seconds)}
    return {"cmd": BILIBILI, "data": data}


def tiktok(seconds: float, key: str, title: str = "Wool scarf", price: Json = "$12.99") -> dict[str, Json]:
    popped: Json = {"product_id": key, "title": title, "price": price}
    return {"type": "OecLiveShoppingEvent", "common": {"create_time": START.epoch_ms + round(seconds * 1000)}, "pop_product": popped}


BILIBILI = "SHOPPING_EXPLAIN_CARD"


def untold(_note: str) -> None:
    """For tests that don't read the notes."""


def written(tmp_path: Path, content: object, name: str = "room.jsonl") -> Path:
    path = tmp_path / name
    if isinstance(content, str | bytes):
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    elif name.endswith(".jsonl") and isinstance(content, list):
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in content), "utf-8")
    else:
        path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    return path


def read(path: Path, notes: list[str] | None = None, limits: IngestSettings | None = None) -> ShelfDump:
    file = check_file(path, "events", 1 << 26)
    assert is_dump(file)
    return read_dump(file, limits or IngestSettings(), (notes if notes is not None else []).append)


def laid(
    tmp_path: Path, content: object, shelf: tuple[Product, ...] = SHELF, notes: list[str] | None = None, name: str = "room.jsonl"
) -> tuple[tuple[Product, ...], list[tuple[EventKind, str, int]]]:
    kept = notes if notes is not None else []
    products, events = read(written(tmp_path, content, name), kept).laid(shelf, START, kept.append)
    return products, [(event.event, event.product_id, event.at_ms) for event in events]


def test_douyins_changes_join_the_shelf_by_promotion_and_the_next_explanation_ends_the_one_before(tmp_path: Path) -> None:
    products, events = laid(
        tmp_path, [douyin(5, (3600001, 0), (3600002, 0)), douyin(60, (3600001, 1)), douyin(300, (3600002, 1)), douyin(500, (3600002, 2))]
    )
    assert products == SHELF
    assert events == [
        (LISTED, "scarf", 5_000),
        (LISTED, "cup", 5_000),
        (CARD, "scarf", 60_000),
        (START_, "scarf", 60_000),
        (END, "scarf", 300_000),
        (CARD, "cup", 300_000),
        (START_, "cup", 300_000),
        (END, "cup", 500_000),
    ]


def test_an_end_that_only_the_next_card_tells_is_marked_inferred_and_one_that_was_sent_is_not(tmp_path: Path) -> None:
    dump = read(written(tmp_path, [douyin(60, (3600001, 1)), douyin(300, (3600002, 1)), douyin(500, (3600002, 0))]))
    ends = [event for event in dump.laid(SHELF, START, untold)[1] if event.event is END]
    assert ends == [ProductEvent(END, "scarf", 300_000, "douyin", True), ProductEvent(END, "cup", 500_000, "douyin", False)]


def test_products_explained_together_are_on_air_together(tmp_path: Path) -> None:
    _, events = laid(tmp_path, [douyin(10, (3600001, 1), (3600002, 1)), douyin(90, (3600002, 1))])
    assert [event for event in events if event[0] in (START_, END)] == [
        (START_, "scarf", 10_000),
        (START_, "cup", 10_000),
        (END, "scarf", 90_000),
    ]


def test_a_promotion_of_several_products_puts_all_of_them_on_air(tmp_path: Path) -> None:
    shelf = (Product("grey", "围巾灰", more={"promotion_id": 7}), Product("red", "围巾红", more={"promotion_id": "7"}))
    _, events = laid(tmp_path, [douyin(10, (7, 1))], shelf)
    assert {product for kind, product, _ in events if kind is START_} == {"grey", "red"}


def test_bilibilis_cards_bring_titles_and_prices_and_a_new_price_is_an_event(tmp_path: Path) -> None:
    notes: list[str] = []
    rows = [bilibili(10, 5), bilibili(40, 5, price="259.90"), bilibili(80, 88001), bilibili(90, 6, "手套", 19.9)]
    products, events = laid(tmp_path, rows, SHELF, notes)
    assert [(product.product_id, product.title, product.price_minor) for product in products[3:]] == [
        ("5", "羊绒围巾", 29_900),
        ("6", "手套", 1_990),
    ]
    assert events == [
        (CARD, "5", 10_000),
        (START_, "5", 10_000),
        (CARD, "5", 40_000),
        (EventKind.PRICE_CHANGE, "5", 40_000),
        (END, "5", 80_000),
        (CARD, "scarf", 80_000),
        (START_, "scarf", 80_000),
        (END, "scarf", 90_000),
        (CARD, "6", 90_000),
        (START_, "6", 90_000),
    ]
    assert any("not on the shelf, taken from the cards: 2" in note for note in notes)


@pytest.mark.parametrize(
    "price, minor, currency",
    [
        ("$12.99", 1299, "USD"),
        ("£1,299.00", 129_900, "GBP"),
        ("12,99 €", 1299, "EUR"),
        ("129.000₫", 129_000, "VND"),
        ({"amount": "5.5", "currency": "usd"}, 550, "USD"),
        ("12.99", None, "CNY"),
        (None, None, "CNY"),
    ],
)
def test_tiktoks_prices_are_taken_where_their_currency_is_known(tmp_path: Path, price: Json, minor: int | None, currency: str) -> None:
    (product,) = read(written(tmp_path, [tiktok(3, "17291", price=price)])).products()
    assert (product.title, product.price_minor, product.currency) == ("Wool scarf", minor, currency)


def test_camel_case_snake_case_envelopes_and_messages_as_text_say_the_same(tmp_path: Path) -> None:
    snake: Json = {
        "common": {"create_time": START.epoch_ms // 1000 + 20},
        "update_product_info_list": [{"promotion_id": 3600001, "explain_type": 1}],
    }
    camel = douyin(20, (3600001, 1))
    forms: list[object] = [
        [snake],
        [camel],
        [{"method": "WebcastProductChangeMessage", "payload": camel}],
        [{"data": {"messages": [{"common": {"method": "WebcastChatMessage"}, "content": "来了"}, camel]}}],
        [{"Type": 9, "Data": json.dumps(camel)}],
        {"popProduct": {"productId": "3600001"}, "common": {"createTime": START.epoch_ms + 20_000}},
    ]
    for number, form in enumerate(forms):
        for name in (f"dump{number}.json", f"dump{number}.jsonl"):
            assert laid(tmp_path, form, name=name)[1] == [(CARD, "scarf", 20_000), (START_, "scarf", 20_000)], form


def test_what_no_shelf_names_is_kept_by_its_id_and_told(tmp_path: Path) -> None:
    notes: list[str] = []
    products, events = laid(tmp_path, [douyin(10, (99, 1))], SHELF, notes)
    assert products[3:] == (Product("99", "99", more={"promotion_id": "99", "index": "1", "platform": "douyin"}),)
    assert (START_, "99", 10_000) in events
    assert any("known only by their id" in note and "99" in note for note in notes)


def test_records_out_of_order_are_laid_in_time_order_and_those_without_a_time_are_told(tmp_path: Path) -> None:
    notes: list[str] = []
    timeless = {"updateProductInfoList": [{"promotionId": 3600002, "explainType": 1}]}
    _, events = laid(tmp_path, [bilibili(90, 3600002), bilibili(10, 3600001), timeless], SHELF, notes)
    assert [(kind, at) for kind, _, at in events] == [(CARD, 10_000), (START_, 10_000), (END, 90_000), (CARD, 90_000), (START_, 90_000)]
    assert any("no time of this recording" in note and note.endswith(": 1") for note in notes)


@pytest.mark.parametrize(
    "record, says",
    [
        ({"updateProductInfoList": 5}, "field updateProductInfoList: must be a list"),
        ({"updateProductInfoList": [5]}, "must be an object with promotionId"),
        ({"updateProductInfoList": [{"index": 1}]}, "field promotion_id: is missing"),
        ({"updateProductInfoList": [{"promotionId": {"a": 1}}]}, "field promotionId: .* must be text"),
        ({"cmd": BILIBILI, "data": []}, "field data: "),
        ({"cmd": BILIBILI, "data": {"goods_name": "x"}}, "field goods_id: is missing"),
        ({"cmd": BILIBILI, "data": {"goods_id": 0}}, "0 is no product's id"),
        ({"cmd": BILIBILI, "data": {"goods_id": 4, "goods_price": "free"}}, "field goods_price: free is no price"),
        ({"cmd": BILIBILI, "data": {"goods_id": 4, "goods_price": -5}}, "no price that can be"),
        ({"cmd": BILIBILI, "data": {"goods_id": 4, "goods_name": ["x"]}}, "field goods_name: "),
        ({"cmd": BILIBILI, "data": {"goods_id": 4, "timestamp": "soon"}}, 'field timestamp: "soon" is no time'),
        ({"pop_product": "x"}, "field pop_product: must be an object"),
        ({"pop_product": {"title": "x"}}, "field productId: is missing"),
        ({"Data": '{"updateProductInfoList": ['}, "the JSON in one of its texts"),
    ],
)
def test_a_malformed_record_is_named_with_file_and_number(tmp_path: Path, record: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidContent, match=rf"room\.jsonl, record 2.*{says}"):
        read(written(tmp_path, [bilibili(1, 5), record]))


@pytest.mark.parametrize("name", ["goods_id", "goods_name", "goods_price", "timestamp"])
def test_a_value_as_deep_as_can_just_be_read_is_named_though_it_cant_be_written(tmp_path: Path, name: str) -> None:
    told = set()
    for depth in range(800, 1000):
        content = f'{{"cmd": "{BILIBILI}", "data": {{"goods_id": 5, "{name}": {"[" * depth}{"]" * depth}}}}}'
        with pytest.raises(InvalidContent, match=r"room\.json, (record|line) 1") as refused:
            read(written(tmp_path, content, "room.json"))
        told.add(str(refused.value).partition(": ")[2])
    assert any(said.startswith("a value nested too deeply to be shown") for said in told)


def test_half_a_surrogate_pair_in_a_value_is_told_as_text_that_can_be_sent(tmp_path: Path) -> None:
    with pytest.raises(InvalidContent, match="field timestamp") as refused:
        read(written(tmp_path, f'{{"cmd": "{BILIBILI}", "data": {{"goods_id": 5, "timestamp": "\\ud800"}}}}', "room.json"))
    assert "\\ud800" in str(refused.value).encode().decode()


def test_a_dump_whose_times_cant_be_laid_is_refused(tmp_path: Path) -> None:
    dump = read(written(tmp_path, [bilibili(1, 5)]))
    with pytest.raises(InvalidContent, match=r"record 1: .*--started-at"):
        dump.laid(SHELF, None, untold)
    with pytest.raises(InvalidContent, match=r"more than 1000 hours"):
        dump.laid(SHELF, START.plus_ms(90 * 24 * 3_600_000), untold)


def test_a_dump_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputTooLarge, match="more than the 2 changes"):
        read(written(tmp_path, [bilibili(n, 5) for n in range(3)]), limits=IngestSettings(table_max_rows=2))


@pytest.mark.parametrize(
    "content",
    [
        [{"event": "card_shown", "product_id": "p1", "at_ms": 1, "source": "pop_product"}],
        [{"product_id": "p1", "title": "SHOPPING_EXPLAIN_CARD"}],
        "product_id,title\np1,pop_product\n",
        [{"common": {"method": "WebcastChatMessage"}, "content": "来了"}],
    ],
)
def test_the_neutral_format_and_other_dumps_are_not_taken_for_shelf_dumps(tmp_path: Path, content: object) -> None:
    assert not is_dump(check_file(written(tmp_path, content, "x.json"), "events", 1 << 20))


def test_a_dump_cut_short_gives_what_stands_before_the_cut(tmp_path: Path) -> None:
    whole = json.dumps([bilibili(10, 5), bilibili(20, 6)])
    notes: list[str] = []
    dump = read(written(tmp_path, whole[:-40], "cut.json"), notes)
    assert [product.product_id for product in dump.products()] == ["5"]
    assert any("breaks off" in note for note in notes)


def test_an_admitted_recording_holds_what_its_dumps_say(archive: Archive, tmp_path: Path) -> None:
    captions = tmp_path / "said.srt"
    captions.write_text("1\n00:00:01,000 --> 00:02:00,000\n大家好\n", "utf-8")
    shelf = written(tmp_path, [bilibili(-30, 5, "围巾"), bilibili(-20, 6, "手套")], "shelf.jsonl")
    events = written(tmp_path, [douyin(10, (5, 1)), douyin(60, (7, 1))], "events.jsonl")
    request = IngestRequest(recording_id="room", captions=captions, products=shelf, events=events, started_at=START)
    admitted = admit(archive, request, "tester")
    assert [product.title for product in archive.catalog.products("room")] == ["围巾", "手套", "7"]
    assert ProductEvent(START_, "5", 10_000, "douyin") in archive.catalog.events("room")
    assert any("known only by their id" in note for note in admitted.notes)
    assert admit(archive, request, "tester").already_held


@pytest.mark.usefixtures("unchanged")
def test_a_malformed_dump_admits_nothing(archive: Archive, tmp_path: Path) -> None:
    captions = tmp_path / "said.srt"
    captions.write_text("1\n00:00:01,000 --> 00:02:00,000\n大家好\n", "utf-8")
    events = written(tmp_path, [bilibili(1, 5), {"pop_product": 5}], "events.jsonl")
    with pytest.raises(InvalidContent, match="record 2"):
        admit(archive, IngestRequest(captions=captions, events=events, started_at=START), "tester")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    ["goods_id", "goods_price", "timestamp", "promotionId", "explainType", "product_id", "title", "price", "createTime"]
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(inner=st.dictionaries(NAMES, VALUES, max_size=6), outer=st.dictionaries(NAMES, VALUES, max_size=3), which=st.integers(0, 2))
def test_any_record_is_read_or_refused_with_its_place(
    tmp_path: Path, inner: dict[str, object], outer: dict[str, object], which: int
) -> None:
    record = ({"cmd": BILIBILI, "data": inner}, {"updateProductInfoList": [inner]}, {"pop_product": inner})[which]
    path = written(tmp_path, [{**outer, **record}], "fuzz.jsonl")
    try:
        dump = read_dump(check_file(path, "events", 1 << 20), IngestSettings(), untold)
        dump.laid(SHELF, START, untold)
    except LiveProofError as refused:
        assert "fuzz.jsonl" in str(refused)
