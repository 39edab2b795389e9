"""Who gets in: everybody on this machine; from elsewhere who knows the passphrase, and programs with a token."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.http import HttpRequest
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from detection.records.uploads import Upload
from detection.web.access import attempts, exposure, passphrase, tokens
from detection.web.checks import others_need_a_passphrase
from tests.web import samples

PASSPHRASE = "four words make one"
FAR_AWAY = "192.0.2.7"


@pytest.fixture(scope="session")
def passphrase_hash() -> str:
    return passphrase.hash_of(PASSPHRASE)


@pytest.fixture
def protected(settings: Settings, passphrase_hash: str) -> None:
    settings.DEEPFAKE_PASSPHRASE_HASH = passphrase_hash


def sign_in(client: Client, given: str = PASSPHRASE, after: str = "/history/", **more: Any) -> Any:
    return client.post("/sign-in/", {"passphrase": given, "next": after}, **more)


def audit_lines(media: Path) -> list[dict]:
    files = sorted((media / "log" / "audit").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def bearer(media: Path, *scopes: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.create(media, '-'.join(scopes), scopes)}"}


def test_on_its_own_machine_the_site_asks_for_nothing(client: Client) -> None:
    response = client.get("/history/")
    assert response.status_code == 200
    assert "Sign out" not in response.content.decode()
    assert not response.cookies.get("sessionid")


@pytest.mark.parametrize(
    "request_of",
    [
        {"REMOTE_ADDR": FAR_AWAY},
        {"REMOTE_ADDR": "2001:db8::1"},
        {"REMOTE_ADDR": ""},  # a Unix socket, at whose other end is a proxy
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": FAR_AWAY},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_FORWARDED": f"for={FAR_AWAY}"},
    ],
)
@pytest.mark.parametrize("path", ["/history/", "/api/v1/history", "/sign-in/", "/media/uploads/x/source"])
def test_without_a_passphrase_no_other_machine_gets_in(client: Client, request_of: dict, path: str) -> None:
    response = client.get(path, **request_of)
    assert response.status_code == 403
    assert "DEEPFAKE_PASSPHRASE_HASH" in response.content.decode()


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", True), ("127.8.9.1", True), ("localhost", True), ("[::1]", True), ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False), ("::", False), ("*", False), (".example.org", False), ("lab.example.org", False),
        ("192.168.1.4", False), ("localhost.example.org", False), ("", False), ("127.0.0.1.example.org", False),
    ],
)  # fmt: skip
def test_which_names_lead_here_alone(host: str, own: bool) -> None:
    assert exposure.is_own_machine(host) is own


def test_a_site_with_a_foreign_name_needs_a_passphrase(settings: Settings, passphrase_hash: str) -> None:
    assert others_need_a_passphrase() == []
    settings.ALLOWED_HOSTS = ["127.0.0.1", "lab.example.org"]
    (error,) = others_need_a_passphrase()
    assert "lab.example.org" in error.msg
    assert "manage.py passphrase" in error.msg
    settings.DEEPFAKE_PASSPHRASE_HASH = passphrase_hash
    assert others_need_a_passphrase() == []
    settings.DEEPFAKE_PASSPHRASE_HASH = "secret"
    assert [error.id for error in others_need_a_passphrase()] == ["web.E003"]


@pytest.mark.usefixtures("protected")
def test_with_a_passphrase_everybody_signs_in_even_from_here(client: Client) -> None:
    response = client.get("/history/?q=a")
    assert (response.status_code, response["Location"]) == (302, "/sign-in/?next=%2Fhistory%2F%3Fq%3Da")
    answer = client.get("/api/v1/history")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert "Authorization" in answer.json()["error"]
    assert client.post("/Space_detect", {}).status_code == 302


@pytest.mark.usefixtures("protected")
def test_the_passphrase_opens_the_site_and_signing_out_closes_it(client: Client, media: Path) -> None:
    response = sign_in(client)
    assert (response.status_code, response["Location"]) == (302, "/history/")
    cookie = response.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert "Sign out" in client.get("/history/").content.decode()
    client.post("/sign-out/")
    assert client.get("/history/").status_code == 302
    assert [line["outcome"] for line in audit_lines(media) if line["action"] == "sign-in"] == ["signed in"]


@pytest.mark.usefixtures("protected")
def test_a_new_passphrase_ends_all_sessions(client: Client, settings: Settings) -> None:
    sign_in(client)
    settings.DEEPFAKE_PASSPHRASE_HASH = passphrase.hash_of("another passphrase")
    assert client.get("/history/").status_code == 302


@pytest.mark.usefixtures("protected")
def test_a_session_cannot_be_made_up(client: Client) -> None:
    client.cookies["sessionid"] = "eyJzaWduZWRfaW4iOiAieCJ9:1vNxyz:forged"
    assert client.get("/history/").status_code == 302


@pytest.mark.usefixtures("protected")
@pytest.mark.parametrize("after", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "\\\\evil"])
def test_signing_in_never_leads_to_another_site(client: Client, after: str) -> None:
    assert sign_in(client, after=after)["Location"] == "/"


@pytest.mark.usefixtures("protected")
def test_wrong_passphrases_are_counted_per_client(client: Client, media: Path) -> None:
    for _ in range(attempts.LIMIT):
        assert sign_in(client, "wrong").status_code == 403
    response = sign_in(client)  # now even the right one has to wait
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= attempts.WITHIN_S
    assert "minutes" in response.content.decode()
    assert sign_in(Client(), REMOTE_ADDR=FAR_AWAY).status_code == 302
    outcomes = [line["outcome"] for line in audit_lines(media)]
    assert outcomes == ["wrong passphrase"] * attempts.LIMIT + ["too many attempts", "signed in"]
    assert PASSPHRASE not in str(audit_lines(media))


def test_old_failures_are_forgotten_and_one_owner_of_ipv6_is_one_client(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for last in range(attempts.LIMIT):
        attempts.attempt(media, f"2001:db8::{last}", lambda: False)
    with pytest.raises(attempts.TooMany):
        attempts.attempt(media, "2001:db8::ff", lambda: True)
    monkeypatch.setattr(attempts, "WITHIN_S", 0.0)
    assert attempts.attempt(media, "2001:db8::ff", lambda: True)


def test_behind_the_proxy_its_word_counts_and_the_clients_does_not(settings: Settings) -> None:
    request = RequestFactory().get("/", headers={"X-Forwarded-For": f"10.0.0.1, {FAR_AWAY}"})
    assert exposure.client_address(request) == "127.0.0.1"
    settings.DEEPFAKE_TLS_PROXY = True
    assert exposure.client_address(request) == FAR_AWAY


@pytest.mark.usefixtures("protected")
def test_a_token_may_what_its_scopes_say(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload)
    picture = f"/media/runs/{run.id}/{run.analysis.modules['space'].evidence[0].path}"
    read, write = bearer(media, "read"), bearer(media, "write")
    assert client.get("/api/v1/history", headers=read).status_code == 200
    assert client.get(picture, headers=read).status_code == 200
    assert client.get("/api/v1/history", headers=write).status_code == 403
    refused = client.delete(f"/api/v1/runs/{run.id}", headers=read)
    assert (refused.status_code, "write" in refused.json()["error"]) == (403, True)
    assert client.get("/history/", headers=read).status_code == 403  # pages are for people
    assert Client(enforce_csrf_checks=True).delete(f"/api/v1/runs/{run.id}", headers=write).status_code == 204
    assert [(line["who"], line["status"]) for line in audit_lines(media) if line["method"] == "DELETE"] == [
        ("token:read", 403),
        ("token:write", 204),
    ]


@pytest.mark.usefixtures("protected")
def test_a_token_is_kept_as_a_hash_and_can_be_revoked(client: Client, media: Path, capsys: Any) -> None:
    call_command("api_token", "create", "robot", "--scope", "read")
    secret = capsys.readouterr().out.strip()
    stored = media / "access" / "tokens.json"
    assert secret not in stored.read_text()
    assert stored.stat().st_mode & 0o077 == 0
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get("/api/v1/history", headers=headers).status_code == 200
    call_command("api_token", "revoke", "robot")
    assert client.get("/api/v1/history", headers=headers).status_code == 401
    assert client.get("/api/v1/history", headers={"Authorization": "Bearer "}).status_code == 401


def test_a_token_opens_nothing_where_no_passphrase_is_set(client: Client, media: Path) -> None:
    assert client.get("/api/v1/history", headers=bearer(media, "read"), REMOTE_ADDR=FAR_AWAY).status_code == 403


def test_a_passphrase_is_not_short() -> None:
    with pytest.raises(ValueError, match="12 characters"):
        passphrase.hash_of("short")


def test_the_hash_fits_into_an_environment_file(passphrase_hash: str) -> None:
    assert not set(passphrase_hash) & set("$'\"\\ #%")


def test_changes_are_written_down_with_who_what_when_and_where(client: Client, media: Path) -> None:
    client.post("/api/v1/uploads?name=clip.mp4", b"x", content_type="application/octet-stream")
    client.get("/history/")
    (line,) = audit_lines(media)
    assert (line["who"], line["address"], line["method"], line["status"]) == ("local", "127.0.0.1", "POST", 201)
    assert line["path"] == "/api/v1/uploads?name=clip.mp4"
    assert line["time"].startswith("20")


def test_a_full_disk_does_not_stop_the_audited(client: Client, media: Path) -> None:
    (media / "log").mkdir()
    (media / "log" / "audit").write_text("a file in the way")
    assert client.post("/runs/retry-failed/").status_code == 302


def test_the_history_takes_no_audit_file_for_a_module(client: Client, media: Path) -> None:
    from detection.records import log

    client.post("/runs/retry-failed/")
    assert audit_lines(media)
    assert log.modules(media) == ()


def test_an_address_that_is_none_is_not_taken_for_this_machine() -> None:
    request = HttpRequest()
    assert not exposure.comes_from_here(request)
