from __future__ import annotations

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from detection.web.access.passphrase import hash_of

HERE = "on this machine"
THERE = "on the machine that serves this site"


def test_who_sits_at_the_machine_is_told_so(client: Client) -> None:
    page = client.get("/Space_Upload_1/").content.decode()
    assert page.count(HERE) == 2
    assert THERE not in page


@pytest.mark.parametrize("address", ["/sign-in/", "/Space_Upload_1/"])
def test_who_signs_in_may_sit_anywhere(client: Client, settings: Settings, address: str) -> None:
    settings.DEEPFAKE_PASSPHRASE_HASH = hash_of("correct horse battery")
    client.post("/sign-in/", {"passphrase": "correct horse battery"})
    page = client.get(address, follow=True).content.decode()
    assert HERE not in page
    assert THERE in page


def test_another_machine_that_relights_is_named(client: Client, settings: Settings) -> None:
    settings.RELITALK_URL = "https://gpu.lab.example:8443/"
    assert "on demand gpu.lab.example does it" in client.get("/help/").content.decode()
