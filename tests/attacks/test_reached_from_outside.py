"""G8: as long as there are no accounts, who is on another machine, or in another site's page, reaches nothing; and no id leads out of
its room. What accounts will have to hold is not tested here, because there are none yet."""

import pytest
from fastapi.testclient import TestClient

from api.settings import ApiSettings
from api.workplace import Workplace

SECRET_FILES = ("secrets/pseudonyms.key", "secrets/signing.pem", "catalog.db", "jobs.db")


@pytest.fixture
def cases(client: TestClient) -> tuple[str, str, str]:
    """(a case, its package, another case)."""
    mine, other = (str(client.post("/v1/cases", json={"title": title}).json()["case"]) for title in ("甲案", "乙案"))
    client.post(f"/v1/cases/{mine}/moments", json={"recording": "words-1", "start_ms": 23000, "end_ms": 26000})
    built = client.post(f"/v1/cases/{mine}/packages").json()
    return mine, str(built["package"]), other


def test_it_listens_to_this_machine_only_unless_told_otherwise() -> None:
    assert ApiSettings().bind == "127.0.0.1"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8700", "169.254.169.254.evil.example", ""])
def test_another_name_than_this_servers_gets_no_data(client: TestClient, host: str) -> None:
    """DNS rebinding: a page of evil.example, whose name suddenly points here."""
    answer = client.get("/v1/recordings", headers={"host": host})
    assert answer.status_code in (400, 403, 421)
    assert "live-1" not in answer.text


@pytest.mark.parametrize("address", ["/v1/cases", "/v1/clips", "/v1/holds", "/v1/cases/case-1/reveals"])
def test_another_sites_page_cannot_write(client: TestClient, workplace: Workplace, address: str) -> None:
    before = workplace.archive.custody.head()
    for headers in ({"origin": "https://evil.example"}, {"origin": "null"}):
        assert client.post(address, json={}, headers=headers).status_code in (400, 403)
    assert workplace.archive.custody.head() == before


@pytest.mark.parametrize("way", ["../", "..%2f", "%2e%2e/", "..%5c", "....//", "/", "%00", "file:///"])
@pytest.mark.parametrize("room", ["/static/", "/v1/clips/", "/v1/recordings/", "/v1/cases/", "/v1/cases/case-1/packages/"])
def test_no_address_leads_out_of_its_room(client: TestClient, workplace: Workplace, room: str, way: str) -> None:
    for file in SECRET_FILES:
        for depth in (1, 4):
            answer = client.get(room + way * depth + file)
            # A page that happens to be at the address after the client's own clean-up is no leak; the file's bytes would be.
            kept = workplace.archive.home / file
            assert not kept.exists() or kept.read_bytes()[:32] not in answer.content
            assert answer.status_code != 500


def test_a_package_is_reached_through_its_own_case_only(client: TestClient, cases: tuple[str, str, str]) -> None:
    mine, package, other = cases
    assert client.get(f"/v1/cases/{mine}/packages/{package}").status_code == 200
    for address in (f"/v1/cases/{other}/packages/{package}", f"/v1/cases/{other}/packages/{package}/verification"):
        assert client.get(address).status_code == 404


def test_every_download_of_a_package_is_an_entry_of_the_log(client: TestClient, workplace: Workplace, cases: tuple[str, str, str]) -> None:
    mine, package, _ = cases
    client.get(f"/v1/cases/{mine}/packages/{package}")
    last = list(workplace.archive.custody.entries([mine]))[-1]
    assert last.action == "package.download"


def test_no_answer_tells_where_things_lie_or_what_the_keys_are(client: TestClient, workplace: Workplace) -> None:
    kept = list((workplace.archive.home / "secrets").glob("*"))
    for address in ("/v1/health", "/v1/recordings", "/v1/recordings/live-1", "/v1/cases", "/v1/recordings/none", "/v1/custody", "/"):
        answer = client.get(address)
        assert str(workplace.archive.home) not in answer.text
        assert all(file.read_bytes() not in answer.content and file.read_bytes().hex() not in answer.text for file in kept)
