"""What a model writes, as it can be spoken."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.persona import read_persona
from core.settings import HOME
from core.text.sentences import SentenceSplitter
from worker.engines.llm.ollama.shaping import MOST_CHARACTERS, MOST_WORDS, Shaper


def shaped(pieces: list[str], language: str = "ar", *, whole: bool = True) -> list[str]:
    shaper, found = Shaper(language), []
    for piece in pieces:
        found += shaper.feed(piece)
        if shaper.full:
            return found
    return [*found, *shaper.flush(whole=whole)]


TABLE = [
    # emphasis, headings, quotations
    ("ar", "**أهلًا بك!** سعر الكشف *مئة* ريال.", ["أهلًا بك!", "سعر الكشف مئة ريال."]),
    ("en", "The price is **one hundred**. It is __fixed__, ~~not~~ `really`.",
     ["The price is one hundred.", "It is fixed, not really."]),
    ("ar", "## الأسعار\nالكشف بمئة ريال.", ["الأسعار.", "الكشف بمئة ريال."]),
    ("en", "> Quoted line.\n\nAnd more.", ["Quoted line.", "And more."]),
    ("en", "2 * 3 = 6.", ["2×3 = 6."]),
    # lists
    ("ar", "عندنا:\n- كشف الأسرة بمئة ريال\n- كشف الأسنان بمئتين\n",
     ["عندنا:", "كشف الأسرة بمئة ريال.", "كشف الأسنان بمئتين."]),
    ("ar", "1. الحجز بالهاتف\n2) الحجز من الموقع\n٣- الحضور بلا موعد",
     ["الحجز بالهاتف.", "الحجز من الموقع.", "الحضور بلا موعد."]),
    ("en", "* One\n  * Two, deeper\n+ Three!", ["One.", "Two, deeper.", "Three!"]),
    ("en", "We have: • bread • cake", ["We have: bread, cake."]),
    ("en", "150 riyals is the price.", ["150 riyals is the price."]),
    ("en", "10:30 is free.", ["10:30 is free."]),
    # code and tables
    ("en", "Look:\n```python\nprint('secret')\n```\nDone.", ["Look:", "Done."]),
    ("en", "```\nnever closed. Really.\n", []),
    ("en", "```We open at nine.```\nCome in.", ["We open at nine.", "Come in."]),
    ("en", "| Item | Price |\n|:---|---:|\n| Bread | 1 riyal |\n\nThat is all.",
     ["Item, Price.", "Bread, 1 riyal.", "That is all."]),
    ("ar", "| الخبز | ريال |", ["الخبز، ريال."]),
    ("en", "First.\n\n---\n\nSecond.\n***\n", ["First.", "Second."]),
    # links and addresses
    ("en", "See [our site](https://x.example/a?b=1) or https://www.y.example/b/c.", ["See our site or y.example."]),
    ("en", "![logo](http://x.example/l.png) Hello.", ["logo Hello."]),
    # thoughts and marks of templates
    ("ar", "<think>أفكر. نعم.</think>السعر مئة ريال.", ["السعر مئة ريال."]),
    ("en", "<think>\n\n</think>\n\nHello there.", ["Hello there."]),
    ("en", "<think>never ends. And on.", []),
    ("en", "Hello there.<|im_end|>\n<|im_start|>user\nWhat else?<|im_end|>", ["Hello there."]),
    ("en", "Hello there<|endoftext|>Human: more", ["Hello there."]),
    ("en", "<|im_start|>assistant\nHello there.", ["Hello there."]),
    ("en", "Hello <|fim_prefix|>there.", ["Hello there."]),
    ("en", "Hello there.<end_of_turn>\n<start_of_turn>user\nmore", ["Hello there."]),
    ("en", "Assistant: Hello there.\nUser: and now?\nAssistant: More.", ["Hello there."]),
    ("ar", "المساعد: أهلًا بك.\nالمستخدم: بكم؟\nالمساعد: بمئة.", ["أهلًا بك."]),
    ("en", "Use <b>bold</b> words.<br>Next line.", ["Use bold words.", "Next line."]),
    ("en", "3 < 5 is true.", ["3 5 is true."]),
    # emoji, signs, stage directions
    ("ar", "أهلًا وسهلًا! 😀🎉 كيف أساعدك؟ ❤️", ["أهلًا وسهلًا!", "كيف أساعدك؟"]),
    ("en", "Great 👍🏽 see you :) Bye <3", ["Great see you Bye."]),
    ("en", "*smiles warmly* Hello! (laughs) Welcome [waves].", ["Hello!", "Welcome."]),
    ("ar", "*يبتسم* أهلًا بك! (بابتسامة دافئة) تفضل.", ["أهلًا بك!", "تفضل."]),
    ("ar", "السعر (مع الضريبة) مئة ريال.", ["السعر (مع الضريبة) مئة ريال."]),
    ("en", "{name} is # here.", ["name is here."]),
    ("en", "Your key is c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA== ok.", ["Your key is ok."]),
    ("ar", "مرحبًا\u200f بك\u202b هنا\u2066.", ["مرحبًا بك هنا."]),
    # other scripts
    ("ar", "يمكنك الدفع 通过 البطاقة أو نقدًا。شكرًا！", ["يمكنك الدفع البطاقة أو نقدًا.", "شكرًا!"]),
    ("ar", "我们在利雅得。 نحن في الرياض.", ["نحن في الرياض."]),
    ("en", "We open at nine конечно every day.", ["We open at nine every day."]),
    ("ar", "تطبيق WhatsApp متاح.", ["تطبيق WhatsApp متاح."]),
    ("zh", "我们在利雅得。", ["我们在利雅得。"]),
    # figures stay for the eye
    ("ar", "اتصل بنا على 0115550100، من 8:00 صباحًا.", ["اتصل بنا على 0115550100، من 8:00 صباحًا."]),
    ("en", "Open 9:00 a.m. to 5 p.m. daily.", ["Open 9:00 a.m. to 5 p.m. daily."]),
    ("en", "Wait... what?! *Note*: it is a – b, i.e. 20%.", ["Wait...", "what?!", "Note: it is a – b, i.e. 20%."]),
    ("ar", "حاضر يا فندم ، تحت أمرك .", ["حاضر يا فندم، تحت أمرك."]),
    # nothing
    ("en", "", []), ("en", " \n\n ", []), ("en", "😀😀", []), ("en", "---\n***\n", []), ("en", "...", []),
    ("ar", "你好", []),
    # loops
    ("en", "Yes. Yes. Yes. No.", ["Yes.", "No."]),
]  # fmt: skip


@pytest.mark.parametrize(("language", "text", "sentences"), TABLE)
def test_a_text_in_one_piece(language: str, text: str, sentences: list[str]) -> None:
    assert shaped([text], language) == sentences


@pytest.mark.parametrize(("language", "text", "sentences"), TABLE)
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_the_same_text_in_small_pieces(language: str, text: str, sentences: list[str], size: int) -> None:
    assert shaped([text[at : at + size] for at in range(0, len(text), size)], language) == sentences


@settings(deadline=None, max_examples=150)
@given(st.lists(st.sampled_from([text for language, text, _ in TABLE if language == "en"]), max_size=4), st.data())
def test_where_a_stream_is_cut_does_not_matter(texts: list[str], data: st.DataObject) -> None:
    text = "\n".join(texts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert shaped(pieces, "en") == shaped([text], "en")


@settings(deadline=None, max_examples=150)
@given(st.text(max_size=400), st.sampled_from(["ar", "en"]))
def test_whatever_comes_can_be_said(text: str, language: str) -> None:
    for sentence in shaped([text], language):
        assert any(char.isalnum() for char in sentence)
        assert not any(mark in sentence for mark in "*#`{}<>|\n")
        assert sentence == sentence.strip()


def test_a_thought_that_was_opened_by_the_template_is_left_out_as_far_as_it_is_unsaid() -> None:
    assert shaped(["I think about it", " </think> Hello there."], "en") == ["Hello there."]


@pytest.mark.parametrize("persona", ["layla", "omar", "sara"])
def test_good_texts_stay_as_they_are(persona: str) -> None:
    answers = read_persona(HOME / "avatars" / persona / "persona.toml").answers
    texts = [*(answer.text for answer in answers), *(case.text for answer in answers for case in answer.cases)]
    for language, text in (pair for localised in texts for pair in localised.items() if "{" not in pair[1]):
        assert " ".join(shaped([text], language)) == text


def test_a_sentence_comes_as_soon_as_it_is_whole() -> None:
    shaper = Shaper("en")
    assert list(shaper.feed("Hello there. How")) == ["Hello there."]
    assert list(shaper.feed(" are you? I")) == ["How are you?"]


@pytest.mark.parametrize(
    "sentence", ["هذه جملة رقم {} في جواب طويل جدًا. ", "This is sentence number {} of a very long answer. "]
)
def test_an_answer_of_four_thousand_words_ends_with_a_whole_sentence(sentence: str) -> None:
    language = "en" if sentence.isascii() else "ar"
    shaper, found = Shaper(language), []
    for place in range(500):
        found += shaper.feed(sentence.format(place))
        if shaper.full:
            break
    assert place < 40
    assert MOST_WORDS - 10 <= sum(len(each.split()) for each in found) <= MOST_WORDS
    assert len(" ".join(found)) <= MOST_CHARACTERS
    assert all(each.endswith(".") for each in found)


def test_one_endless_sentence_ends_too() -> None:
    found = shaped([f"word{place} " for place in range(4000)], "en")
    assert 40 <= len(" ".join(found).split()) <= MOST_WORDS


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One is whole. Two is n", ["One is whole."]),
        ("Only this begi", ["Only this begi."]),
        ("One is whole.", ["One is whole."]),
    ],
)
def test_an_answer_that_was_cut_by_length_ends_with_what_is_whole(text: str, sentences: list[str]) -> None:
    assert shaped([text], "en", whole=False) == sentences


@pytest.mark.parametrize(
    ("language", "text", "sentences"), [row for row in TABLE if len(row[2]) > 1 and row[0] != "zh"]
)
def test_the_pipeline_finds_the_same_sentences(language: str, text: str, sentences: list[str]) -> None:
    splitter = SentenceSplitter()
    found = [each for sentence in shaped([text], language) for each in splitter.feed(f"{sentence} ")]
    joined = [*found, *splitter.flush()]
    assert " ".join(joined) == " ".join(sentences)
    assert len(found) >= sum(each.endswith((".", "!", "؟", "?")) for each in sentences) - 1
