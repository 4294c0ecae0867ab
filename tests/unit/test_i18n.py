from __future__ import annotations

import re
from pathlib import Path

import pytest

from core import errors, i18n
from core.i18n import t
from core.kinds import LANGUAGES

FSI, PDI = "\u2068", "\u2069"
FOLDER = Path(i18n.__file__).parent
AREAS = sorted(path.stem for path in (FOLDER / "en").glob("*.ftl"))
SOURCES = {
    language: "\n".join((FOLDER / language / f"{area}.ftl").read_text() for area in AREAS) for language in LANGUAGES
}


def args_of(language: str) -> dict[str, set[str]]:
    """Message id → names of its arguments, read from the source."""
    blocks = re.findall(r"^([a-z][a-z_-]*) =((?:.*\n)(?:[ \t]+.*\n?)*)", SOURCES[language], re.MULTILINE)
    return {name: set(re.findall(r"\$(\w+)", body)) for name, body in blocks}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_area_is_there_and_no_message_is_written_twice(language: str) -> None:
    assert sorted(path.stem for path in (FOLDER / language).glob("*.ftl")) == AREAS
    ids = re.findall(r"^([a-z][a-z_-]*) =", SOURCES[language], re.MULTILINE)
    assert sorted(ids) == sorted(set(ids))


def error_classes() -> list[type[errors.SmartTalkerError]]:
    return [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.SmartTalkerError)
    ]


def test_both_languages_have_the_same_messages_with_the_same_arguments() -> None:
    assert args_of("ar") == args_of("en")
    assert set(args_of("ar")) == i18n.message_ids("ar") == i18n.message_ids("en")


@pytest.mark.parametrize("error", error_classes(), ids=lambda error: error.__name__)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_has_a_sentence(error: type[errors.SmartTalkerError], language: str) -> None:
    assert len(t(error.message_id, language)) > 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_fails_with_its_arguments(language: str) -> None:
    for name, arguments in args_of(language).items():
        text = t(name, language, **dict.fromkeys(arguments, "X"))
        assert "{" not in text
        assert "$" not in text


def test_arguments_are_isolated_so_that_mixed_directions_stay_readable() -> None:
    text = t(
        "error-asr-language", "ar", language="ar", model="FunAudioLLM/Fun-ASR", command="smarttalker models fetch asr"
    )
    assert f"«{FSI}FunAudioLLM/Fun-ASR{PDI}»" in text
    assert f"{FSI}smarttalker models fetch asr{PDI}" in text
    assert "العربي" in text


def test_a_list_reads_as_one_text() -> None:
    assert t("error-not-understood", "ar", examples=["أين أنتم؟", "متى تفتحون؟"]).endswith(
        f"{FSI}أين أنتم؟، متى تفتحون؟{PDI}."
    )


def test_an_unknown_language_is_the_default_one() -> None:
    assert t("error-internal", "fr") == t("error-internal", None) == t("error-internal", "ar")


def test_an_unknown_id_is_a_bug() -> None:
    with pytest.raises(LookupError):
        t("error-of-my-dreams", "ar")
