"""Rates, files, people and message ids of the WhatsApp simulator, each alone."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from core.errors import Conflict, InputError, NotFound
from simulators.clock import Clock
from simulators.control import PersonIn
from simulators.whatsapp.config import DAY_S, Limits
from simulators.whatsapp.errors import GraphError
from simulators.whatsapp.inbound import new_wamid
from simulators.whatsapp.library import Library, unfit
from simulators.whatsapp.people import People
from simulators.whatsapp.rates import Rates
from tests.recordings import record


class Watch:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def code(rates: Rates, chat: str) -> int | None:
    try:
        rates.spend(chat)
    except GraphError as error:
        return error.number
    return None


def test_a_number_sends_eighty_messages_a_second() -> None:
    watch = Watch()
    rates = Rates(Limits(), watch)
    assert [code(rates, str(n)) for n in range(82)] == [None] * 80 + [130429] * 2
    watch.at += 1.0
    assert code(rates, "next") is None


def test_a_burst_to_one_person_is_paid_for_by_silence() -> None:
    watch = Watch()
    rates = Rates(Limits(), watch)
    assert [code(rates, "sara") for _ in range(46)] == [None] * 45 + [131056]
    assert code(rates, "omar") is None
    watch.at += 45 * 6.0 - 0.1
    assert code(rates, "sara") == 131056
    watch.at += 0.2
    assert code(rates, "sara") is None


@pytest.mark.parametrize(("wait_s", "expected"), [(0.0, None), (5.0, None), (7.0, 131056), (12.1, None)])
def test_two_messages_take_twelve_seconds(wait_s: float, expected: int | None) -> None:
    watch = Watch()
    rates = Rates(Limits(), watch)
    assert [code(rates, "sara"), code(rates, "sara")] == [None, None]
    watch.at += wait_s
    assert code(rates, "sara") == expected


def jpeg() -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(drawn, "JPEG")
    return drawn.getvalue()


def test_links_live_five_minutes_and_files_a_week_or_a_month() -> None:
    clock = Clock()
    library = Library(Limits(), clock)
    ours, theirs = library.upload(jpeg(), "image/jpeg"), library.receive(jpeg(), "image/jpeg")
    link = library.link(theirs)
    clock.skip(299)
    assert library.follow(link["hash"]) == theirs
    clock.skip(2)
    assert library.follow(link["hash"]) is None
    clock.skip(7 * DAY_S)
    with pytest.raises(GraphError, match="does not exist"):
        library.get(theirs.id)
    assert library.get(ours.id) == ours
    clock.skip(23 * DAY_S)
    with pytest.raises(GraphError, match="does not exist"):
        library.get(ours.id)


@pytest.mark.parametrize(
    ("data", "mime", "number"),
    [
        (b"x", "application/octet-stream", 100),
        (b"x", "audio/wav", 100),
        (b"x", "text/html", 100),
        (b"", "image/png", 131053),
        (b"x" * 5_000_001, "image/png", 131053),
        (b"x" * 16_000_001, "video/mp4", 131053),
        (b"x" * 500_001, "image/webp", 131053),
    ],
)
def test_uploads_of_other_types_and_sizes_are_refused(data: bytes, mime: str, number: int) -> None:
    with pytest.raises(GraphError) as refused:
        Library(Limits(), Clock()).upload(data, mime)
    assert refused.value.number == number


@pytest.mark.parametrize(
    ("file", "mime", "kind", "voice", "fits"),
    [
        ("a.ogg", "audio/ogg; codecs=opus", "audio", True, True),
        ("a.ogg", "audio/ogg", "audio", False, True),
        ("a.mp3", "audio/mpeg", "audio", False, True),
        ("a.m4a", "audio/mp4", "audio", False, True),
        ("a.mp3", "audio/mpeg", "audio", True, False),
        ("a.mp3", "audio/ogg", "audio", False, False),
        ("a.m4a", "audio/mpeg", "audio", False, False),
        ("a.ogg", "audio/ogg", "video", False, False),
        ("a.m4a", "video/mp4", "video", False, False),
        ("a.ogg", "audio/ogg", "image", False, False),
        ("a.ogg", "audio/ogg", "document", False, True),
    ],
)
def test_what_a_file_is_decides_not_what_it_is_called(
    tmp_path: Path, file: str, mime: str, kind: str, voice: bool, fits: bool
) -> None:
    asset = Library(Limits(), Clock()).upload(record(tmp_path / file).read_bytes(), mime)
    assert (unfit(kind, asset, voice=voice) is None) is fits


@pytest.mark.parametrize(("mime", "fits"), [("image/jpeg", True), ("image/png", False), ("image/webp", False)])
def test_a_picture_is_of_its_type(mime: str, fits: bool) -> None:
    asset = Library(Limits(), Clock()).upload(jpeg(), mime)
    assert (unfit("image", asset) is None) is fits


def test_a_person_has_a_number_an_id_or_both() -> None:
    people = People()
    both = people.add(PersonIn(name="Sara"))
    phone_only = people.add(PersonIn(name="Omar", phone="+966 50 123 4567"))
    id_only = people.add(PersonIn(name="Lina", bsuid="SA.42", username="lina"))
    assert both.phone
    assert both.bsuid
    assert (phone_only.phone, phone_only.bsuid, phone_only.chat) == ("966501234567", None, "966501234567")
    assert (id_only.phone, id_only.chat) == (None, "SA.42")
    assert people.of("SA.42").contact() == {"profile": {"name": "Lina", "username": "lina"}, "user_id": "SA.42"}
    assert people.at("+966501234567") is people.of(phone_only.chat)
    with pytest.raises(Conflict):
        people.add(PersonIn(name="Double", phone="966501234567"))
    with pytest.raises(InputError):
        people.add(PersonIn(name="Wrong", bsuid="12345"))
    with pytest.raises(NotFound):
        people.of("15550000000")


def test_message_ids_are_unlike_and_name_the_direction() -> None:
    ids = {new_wamid("15551234567", outgoing=outgoing) for outgoing in (True, False) for _ in range(50)}
    assert len(ids) == 100
    assert all(each.startswith("wamid.HBgLMTU1NTEyMzQ1NjcV") for each in ids)
