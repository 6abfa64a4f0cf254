"""The page as HTML: both languages, the answer in it, nothing typed taken as markup, and the API's description."""

from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from api.marking import Mark, marked


def test_the_page_opens_in_the_askers_language_and_remembers_a_switch(client: TestClient) -> None:
    assert 'lang="zh-CN"' in client.get("/", headers={"accept-language": "zh-CN"}).text
    english = client.get("/", headers={"accept-language": "en"})
    assert "What did the host say?" in english.text
    switched = client.get("/?lang=zh", headers={"accept-language": "en"})
    assert "主播当时怎么说的" in switched.text and "lang=zh" in switched.headers["set-cookie"]
    client.cookies.clear()


def test_an_answer_is_in_the_page_without_any_script(client: TestClient) -> None:
    page = client.get("/", params={"q": "假一赔十", "lang": "en"}).text
    client.cookies.clear()
    assert "<mark>假一赔十</mark>" in page and 'data-recording="live-1"' in page


def test_not_said_is_drawn_with_its_coverage(client: TestClient) -> None:
    page = client.get("/moments", params={"q": "终身免费清洗保养吗", "recording": "live-1", "lang": "zh"}).text
    client.cookies.clear()
    assert 'id="not-said"' in page and "没有说过" in page and "未录到" in page and "<rect" in page


def test_what_is_typed_is_never_markup(client: TestClient) -> None:
    for path in ("/", "/moments"):
        page = client.get(path, params={"q": '"><script>alert(1)</script>', "host": "<b>"}).text
        assert (
            "<script>alert" not in page
            and "<b>"
            not in page.replace("<b>LiveProof</b>", "").replace("<b>1号链接</b>", "").replace("<b>2号链接</b>", "").split("legend")[0]
        )


def test_a_question_that_cannot_be_asked_says_why_on_the_page(client: TestClient) -> None:
    page = client.get("/", params={"q": "假一赔十", "since": "yesterday", "lang": "en"})
    client.cookies.clear()
    assert page.status_code == 200 and "could not be asked" in page.text and "yesterday" in page.text


def test_a_browser_is_shown_a_problem_as_a_page(client: TestClient) -> None:
    answer = client.get("/", params={"q": "长" * 1001}, headers={"accept": "text/html", "accept-language": "zh-CN"})
    assert answer.status_code == 422 and answer.headers["content-type"].startswith("text/html")
    assert "请求内容有误" in answer.text and "query.q" in answer.text


def test_the_description_names_every_route_and_carries_examples(client: TestClient) -> None:
    described = client.get("/v1/openapi.json").json()
    assert {"/v1/search", "/v1/recordings/{recording_id}/parts/{number}/media", "/v1/verify", "/v1/clips"} <= set(described["paths"])
    search = described["paths"]["/v1/search"]["get"]["responses"]["200"]["content"]["application/json"]
    assert search["example"]["moments"][0]["quote"]


def test_matching_words_are_marked_and_the_rest_is_not() -> None:
    assert marked("我们假一赔十", "有没有说假一赔十", []) == [Mark("我们", False), Mark("假一赔十", True)]
    assert marked("制宝三年", "", ["质保≈制宝"]) == [Mark("制宝", True), Mark("三年", False)]
    assert marked("是純羊絨的", "说是纯羊绒吗", []) == [Mark("是純羊絨", True), Mark("的", False)]


@given(st.text(max_size=60), st.text(max_size=60), st.lists(st.text(max_size=8), max_size=4))
def test_marking_keeps_the_quote_as_it_is(quote: str, question: str, words: list[str]) -> None:
    assert "".join(piece.text for piece in marked(quote, question, words)) == quote
