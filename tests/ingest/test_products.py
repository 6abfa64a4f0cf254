"""The shelf and its events from JSON and CSV; what is wrong is named by file, row and field."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.digest import canonical_json
from archive.errors import LiveProofError
from archive.recording import EventKind, Product, ProductEvent
from archive.timeline import WallTime
from ingest.errors import InputTooLarge, InvalidContent
from ingest.input_file import check_file, read_bytes
from ingest.products import events_from, products_from
from ingest.settings import IngestSettings
from ingest.tables import Row, read_rows

START = WallTime.parse("2026-11-18T20:00:00+08:00")


def rows(tmp_path: Path, content: str | bytes, name: str, limits: IngestSettings | None = None) -> list[Row]:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    file = check_file(path, "products", 1 << 26, may_be_empty=True)
    return read_rows(file, read_bytes(file), limits or IngestSettings())


def shelf(tmp_path: Path, content: object) -> tuple[Product, ...]:
    return products_from(rows(tmp_path, json.dumps(content, ensure_ascii=False), "products.json"))


def events(tmp_path: Path, content: object, known: set[str] | None = None, start: WallTime | None = None) -> tuple[ProductEvent, ...]:
    return events_from(rows(tmp_path, json.dumps(content, ensure_ascii=False), "events.json"), known or set(), start)


def test_a_json_shelf_is_read_with_all_its_fields(tmp_path: Path) -> None:
    given_row = {
        "product_id": "p1",
        "shelf_no": 3,
        "title": " 羊绒围巾 ",
        "aliases": ["围巾", " ", "山羊绒"],
        "price_minor": 29900,
        "currency": "cny",
        "listing_text": "100%山羊绒",
        "sku_attrs": {"颜色": ["灰"]},
        "valid_from": "2026-11-18",
    }
    assert shelf(tmp_path, [given_row, {"product_id": 2, "title": "杯子", "shelf_no": "2号链接"}]) == (
        Product(
            "p1",
            "羊绒围巾",
            "3",
            ("围巾", "山羊绒"),
            29900,
            "CNY",
            "100%山羊绒",
            {"sku_attrs": {"颜色": ["灰"]}, "valid_from": "2026-11-18"},
        ),
        Product("2", "杯子", "2号链接"),
    )


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gbk", "utf-16"])
def test_a_csv_shelf_as_spreadsheets_save_it_is_read(tmp_path: Path, encoding: str) -> None:
    text = 'product_id,title,shelf_no,aliases,price_minor,sku_id\r\np1,"围巾,羊绒",1号链接,围巾|山羊绒,29900,77\r\n,,,,,\r\np2,杯子,,,,\r\n'
    assert products_from(rows(tmp_path, text.encode(encoding), "货架.csv")) == (
        Product("p1", "围巾,羊绒", "1号链接", ("围巾", "山羊绒"), 29900, more={"sku_id": "77"}),
        Product("p2", "杯子"),
    )


@pytest.mark.parametrize("content", ["[]", "", " \n", "product_id,title\n", "\ufeff[]"])
def test_an_empty_shelf_is_a_shelf(tmp_path: Path, content: str) -> None:
    assert products_from(rows(tmp_path, content, "products")) == ()


@pytest.mark.parametrize(
    "row, field",
    [
        ({"price_minor": "两百九"}, "price_minor"),
        ({"price_minor": -1}, "price_minor"),
        ({"price_minor": 299.5}, "price_minor"),
        ({"price_minor": True}, "price_minor"),
        ({"price_minor": 10**30}, "price_minor"),
        ({"price_minor": [299]}, "price_minor"),
        ({"product_id": None}, "product_id"),
        ({"product_id": " "}, "product_id"),
        ({"product_id": {"a": 1}}, "product_id"),
        ({"title": ""}, "title"),
        ({"title": "长" * 30_000}, "title"),
        ({"aliases": 5}, "aliases"),
        ({"aliases": [5]}, "aliases"),
        ({"aliases": {"a": 1}}, "aliases"),
        ({"currency": "元"}, "currency"),
    ],
)
def test_a_bad_field_is_named_with_file_and_row(tmp_path: Path, row: dict[str, object], field: str) -> None:
    good = {"product_id": "p1", "title": "围巾"}
    with pytest.raises(InvalidContent, match=rf"products\.json, row 2, field {field}: "):
        shelf(tmp_path, [good, {"product_id": "p2", "title": "杯子", **row}])


def test_fields_that_are_kept_as_they_came_can_be_stored_and_hashed(tmp_path: Path) -> None:
    given = {"颜\x00色": {"a\ud800": ["灰\x00", 1, None]}}
    (product,) = products_from(rows(tmp_path, json.dumps([{"product_id": "p1", "title": "围巾", **given}]), "products.json"))
    assert product.more == {"颜色": {"a\ufffd": ["灰", 1, None]}}
    assert canonical_json(product.more)
    for unkept in ("1e999", "[" * 40 + "]" * 40):
        with pytest.raises(InvalidContent, match=r"row 1, field sku: (holds|is nested)"):
            products_from(rows(tmp_path, f'[{{"product_id": "p1", "title": "围巾", "sku": [{unkept}]}}]', "products.json"))


def test_a_bad_price_in_a_csv_is_named_by_its_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidContent, match=r"货架\.csv, line 3, field price_minor: .*299元.* is no whole number"):
        products_from(rows(tmp_path, "product_id,title,price_minor\np1,围巾,29900\np2,杯子,299元\n", "货架.csv"))


@pytest.mark.parametrize(
    "content, says",
    [
        ('[{"product_id": "p1", "title": "a"}, {"product_id": "p1", "title": "b"}]', "stands on the shelf twice"),
        ('[{"product_id": "p1", ', "no valid JSON"),
        ("[1, 2]", "row 1: 1 must be an object"),
        ('[{"product_id": NaN}]', "no valid JSON"),
        ("[" * 100_000, "no valid JSON"),
        ("a,a\n1,2\n", "name each column once"),
        ("product_id,title\np1,围巾,灰色\n", "line 2: it has more fields"),
        ('product_id,title\np1,"围巾\n', "after line 1: .*quote left open"),
    ],
)
def test_a_broken_table_is_refused_by_name(tmp_path: Path, content: str, says: str) -> None:
    with pytest.raises(InvalidContent, match=says) as refused:
        products_from(rows(tmp_path, content, "products.txt"))
    assert "products.txt" in str(refused.value)


def test_a_table_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputTooLarge, match="more than the 2 rows"):
        rows(tmp_path, "product_id,title\n" + "p,t\n" * 3, "products.csv", IngestSettings(table_max_rows=2))


def test_events_are_read_in_time_order_from_every_way_of_saying_when(tmp_path: Path) -> None:
    found = events(
        tmp_path,
        [
            {"event": "price_change", "product_id": "p1", "at": "1:13.5"},
            {"event": "explain_start", "product_id": "p1", "at_ms": 5000, "source": "platform"},
            {"event": "card_shown", "product_id": "p2", "at": "2026-11-18T12:00:02Z", "time_base": "wall", "inferred": True},
            {"event": "listed", "product_id": "p2", "at": "2026-11-18T19:59:00+08:00", "time_base": "wall"},
            {"event": "explain", "product_id": "p2", "from": 60_000, "to": "0:01:30"},
        ],
        {"p1", "p2"},
        START,
    )
    assert found == (
        ProductEvent(EventKind.LISTED, "p2", -60_000),
        ProductEvent(EventKind.CARD_SHOWN, "p2", 2000, "", True),
        ProductEvent(EventKind.EXPLAIN_START, "p1", 5000, "platform"),
        ProductEvent(EventKind.EXPLAIN_START, "p2", 60_000),
        ProductEvent(EventKind.PRICE_CHANGE, "p1", 73_500),
        ProductEvent(EventKind.EXPLAIN_END, "p2", 90_000),
    )


def test_explanations_may_overlap(tmp_path: Path) -> None:
    found = events(
        tmp_path,
        [
            {"event": "explain", "product_id": "p1", "from": 1000, "to": 9000},
            {"event": "explain", "product_id": "p2", "from": 5000, "to": 12_000},
            {"event": "explain", "product_id": "p1", "from": 11_000, "to": 12_000},
        ],
        {"p1", "p2"},
    )
    assert [(event.product_id, event.at_ms) for event in found] == [
        ("p1", 1000),
        ("p2", 5000),
        ("p1", 9000),
        ("p1", 11_000),
        ("p2", 12_000),
        ("p1", 12_000),
    ]


def test_ids_of_platforms_and_the_time_an_offer_holds_are_kept(tmp_path: Path) -> None:
    kept = {
        "platform_product_id": "88001",
        "promotion_id": 3600001,
        "sku_id": "7",
        "sku_attrs": {"颜色": "灰"},
        "valid_from": "2026-11-18T20:00:00+08:00",
        "valid_to": "2026-11-19T00:00:00+08:00",
    }
    assert shelf(tmp_path, [{"product_id": "p1", "title": "围巾", **kept}])[0].more == kept


@pytest.mark.parametrize(
    "row, field",
    [
        ({"event": "exploded"}, "event"),
        ({"event": None}, "event"),
        ({"product_id": "p9"}, "product_id"),
        ({"at_ms": None}, "at_ms"),
        ({"at_ms": -1}, "at_ms"),
        ({"at_ms": 10**18}, "at_ms"),
        ({"at_ms": None, "at": "gestern"}, "at"),
        ({"at_ms": None, "at": "2026-11-18T20:00:00", "time_base": "wall"}, "at"),
        ({"at_ms": None, "at": "9999-12-31T00:00:00+08:00", "time_base": "wall"}, "at"),
        ({"at_ms": None, "at": "²"}, "at"),
        ({"at_ms": None, "at": "9" * 5000}, "at"),
        ({"at_ms": None, "at": "9" * 5000 + ":00:00"}, "at"),
        ({"at_ms": None, "at": "5", "time_base": "moon"}, "time_base"),
        ({"from": 9000, "to": 5000}, "to"),
        ({"event": "card_shown", "from": 1, "to": 2}, "event"),
        ({"inferred": "perhaps"}, "inferred"),
    ],
)
def test_a_bad_event_is_named_with_file_row_and_field(tmp_path: Path, row: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidContent, match=rf"events\.json, row 1, field {field}: "):
        events(tmp_path, [{"event": "explain_start", "product_id": "p1", "at_ms": 1, **row}], {"p1"}, START)


def test_wall_times_need_a_known_start(tmp_path: Path) -> None:
    with pytest.raises(InvalidContent, match="--started-at"):
        events(tmp_path, [{"event": "listed", "product_id": "p1", "at": "2026-11-18T20:00:00+08:00", "time_base": "wall"}])


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        "product_id",
        "title",
        "shelf_no",
        "aliases",
        "price_minor",
        "currency",
        "event",
        "at",
        "at_ms",
        "from",
        "to",
        "time_base",
        "inferred",
        "x",
    ]
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.lists(st.dictionaries(FIELDS, JSON_VALUES, max_size=8), max_size=4))
def test_any_json_table_is_read_or_refused_with_its_place(tmp_path: Path, content: list[dict[str, object]]) -> None:
    for read in (products_from, lambda found: events_from(found, set(), START)):
        try:
            read(rows(tmp_path, json.dumps(content), "table.json"))
        except LiveProofError as refused:
            assert "table.json" in str(refused)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_no_bytes_break_the_table_reader(tmp_path: Path, content: bytes) -> None:
    try:
        products_from(rows(tmp_path, content, "table.bin"))
    except LiveProofError as refused:
        assert "table.bin" in str(refused)
