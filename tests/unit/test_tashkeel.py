"""What the eSpeak voice says of Arabic: readings and endings in their sentences, and the sounds of marked text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.catalogue import Voice
from worker.engines.tts.espeak import Espeak
from worker.engines.tts.espeak.arabic import phonemes
from worker.engines.tts.espeak.readings import NO_ENDING, WORDS
from worker.engines.tts.espeak.script import bare
from worker.engines.tts.espeak.tashkeel import Tashkeel

READ = [
    # courtesy, names, places
    ("أهلا وسهلا، أنا سارة.", "أَهْلًا وَسَهْلَا أَنَا سَارَ"),
    ("عذرا، هذا لا أعرفه.", "عُذْرَا هٰذَا لَا أَعْرِفُه"),
    ("شكرا لكم", "شُكْرًا لَكُمْ"),
    ("السلام عليكم ورحمة الله", "السَّلَامُ عَلَيْكُمْ"),
    ("أنا عمر.", "أَنَا عُمَر"),
    ("نسافر إلى جدة ومكة والدمام.", "إِلَى جِدَّةَ وَمَكَّةَ وَالدَّمَّام"),
    ("التذكرة إلى تبوك", "إِلَى تَبُوك"),
    ("نسافر إلى بريدة أو الهفوف.", "إِلَى بُرَيْدَةَ أَوْ الْهُفُوف"),
    ("تجد الدكتورة نورة في عيادة الجلدية.", "الدُّكْتُورَة نُورَة فِي"),
    # loan words
    ("الدفع نقدا أو بمدى أو فيزا أو كاش.", "بِمَدَى أَوْ فِيزَا أَوْ كَاشْ"),
    ("عندنا تلفزيون وواي فاي", "تِلِفِزْيُون وَوَايْ فَايْ"),
    ("الموعد في ديسمبر", "فِي دِيسَمْبِر"),
    # orders to the one who asks, and what happened
    ("اتصل بنا الآن.", "اتَّصِلْ بِنَا الْآن"),
    ("إن لزم اتصل بك الطبيب.", "اتَّصَلَ بِكَ الطَّبِيب"),
    ("احجز من موقعنا", "احْجِزْ مِنْ مَوْقِعِنَا"),
    ("أرسل لي رقم الطلب.", "أَرْسِلْ لِي"),
    ("أحضر بطاقة التأمين.", "أَحْضِرْ"),
    ("لا تقلق، نحفظه لك شهرا.", "لَا تَقْلَقْ نَحْفَظُهُ لَكَ شَهْرَا"),
    ("خذ حاسوبا أقوى.", "خُذْ حَاسُوبًا أَقْوَى"),
    ("أعتذر عن التأخير.", "أَعْتَذِرُ عَنْ التَّأْخِير"),
    ("يؤسفنا ذلك.", "يُؤْسِفُنَا ذٰلِك"),
    ("يسعدنا أن نساعدك.", "يُسْعِدُنَا أَنْ"),
    ("وتصلك التذكرة على جوالك فورا.", "وَتَصِلُكَ عَلَى جَوَّالِكَ فَوْرَا"),
    ("تعذر نطق الإجابة هذه المرة.", "تَعَذَّرَ نُطْقُ الْإِجَابَةِ هٰذِهِ الْمَرَّ"),
    ("أُلغي الطلب.", "أُلْغِيَ الطَّلَب"),
    ("لا توجد محادثة", "لَا تُوجَدُ"),
    # particles
    ("وإن حجزت للرضيع مقعدا.", "وَإِنْ حَجَزْتَ لِلرَّضِيعِ"),
    ("وإن تأخرت الحافلة", "وَإِنْ الْحَافِلَ"),
    ("إن كنت زائرا", "إِنْ كُنْتَ زَائِرَا"),
    ("إن التذكرة صالحة", "إِنَّ التَّذْكِرَةَ صَالِحَ"),
    ("لكن الحافلة مريحة", "لٰكِنَّ الْحَافِلَةَ مُرِيحَ"),
    ("لكن إلى أي مدينة؟", "لٰكِنْ إِلَى أَيِّ مَدِينَ"),
    ("أرسل الرابط إلى من ينتظرك.", "إِلَى مَنْ يَنْتَظِرُك"),
    ("ثم نعود", "ثُمَّ"),
    ("من الأفضل الحجز للعيد", "مِنَ لِلْعِيد"),
    ("أن نستقبلك في يوم آخر", "أَنْ نَسْتَقْبِلَكَ فِي يَوْمٍ آخَر"),
    # prepositions, each, comparison, adverbs
    ("نحن في شارع النخيل، مقابل الحديقة العامة.", "فِي شَارِعِ النَّخِيل مُقَابِلَ الْحَدِيقَةِ الْعَامَّ"),
    ("إلى أي مدينة تريد السفر؟", "إِلَى أَيِّ مَدِينَةٍ تُرِيدُ"),
    ("أرخص تذكرة أربعون ريالا", "أَرْخَصُ تَذْكِرَةٍ أَرْبَعُونَ رِيَالَا"),
    ("نعمل كل يوم من الثامنة صباحا إلى الثامنة مساء.", "كُلَّ يَوْمٍ مِنَ الثَّامِنَةِ صَبَاحًا إِلَى الثَّامِنَةِ مَسَاءَا"),
    ("نوصل في كل يوم آخر.", "فِي كُلِّ يَوْمٍ آخَر"),
    ("يوم الجمعة نفتح بعد الصلاة.", "يَوْمَ الْجُمُعَةِ نَفْتَحُ بَعْدَ الصَّلَاه"),
    ("تنطلق من الساعة السادسة صباحا", "مِنَ السَّاعَةِ السَّادِسَةِ صَبَاحَا"),
    ("تنطلق الساعة التاسعة مساء", "السَّاعَة التَّاسِعَة مَسَاءَا"),
    ("وأغلى تذكرة مئة وأربعون ريالا", "مِئَةٌ وَأَرْبَعُونَ رِيَالَا"),
    ("سعرها مئتا ريال", "سِعْرُهَا مِئَتَا رِيَال"),
    ("التذكرة سعرها مئة ريال", "مِئَةْ رِيَال|مِئَةُ رِيَال"),
    ("رقمنا ثمانية صفر صفر خمسة خمسة خمسة", "رَقْمُنَا ثَمَانِيَة صِفْر صِفْر خَمْسَة خَمْسَة خَمْسَ"),
    ("بعد نحو خمس دقائق", "بَعْدَ نَحْوِ دَقَائِق"),
    ("وقت كامل لمحطتنا", "لِمَحَطَّتِنَا"),
    ("مع رقم رحلتك في التطبيق", "رِحْلَتِكَ"),
    ("تذكرتك محفوظة في التطبيق.", "تَذْكِرَتُكَ"),
    ("أحضر سيرتك الآن", "سِيرَتَكَ"),
    ("لا بأس", "لَا بَأْس"),
    # what is written stays
    ("تعذّر فهم ما أُرسل.", "مَا أُرْسِل"),
    ("ثَلَاثُ تَذَاكِرَ.", "ثَلَاثُ تَذَاكِر"),
]  # fmt: skip
"""Text, and words that must come out of it, in order; `|` parts two good ways."""

SOUNDS = [
    ("الشَّمْسُ", "?aSS'amsu"),
    ("وَالشَّمْس", "waSS'ams"),
    ("لِلشَّمْس", "liSS'ams"),
    ("بِالْبَيْت", "bilb'ajt"),
    ("الْقَمَر", "?alq'amaR"),
    ("فِي الْبَيْت", "filb'ajt"),
    ("فِي الشَّارِع", "fiSS'a:RiA"),
    ("هٰذَا الْبَيْت", "h'a:Dalb'ajt"),
    ("عَلَى الْبَاب", "A'alalb'a:b"),
    ("مِنَ الْبَيْت", "m'inalb'ajt"),
    ("عَنْ الْبَيْت", "A'anilb'ajt"),
    ("مَنْ اشْتَرَى", "m'aniSt'aRa:"),
    ("بَيْتُكُمْ الْجَدِيد", "bajt'ukumuldZad'i:d"),
    ("الِاسْم", "?al'ism"),
    ("بِاسْمِه", "b'ismih"),
    ("إِلَى اثْنَتَيْن", "?'ilaTnat'ajn"),
    ("اكْتُبْ", "?'uktub"),
    ("اجْلِسْ", "?'idZlis"),
    ("فَاتَّصِلْ", "f'atta.s[il"),
    ("وَاحِد", "w'a:Hid"),
    ("كَتَبُوا", "k'atabu:"),
    ("اللّٰه", "?all'a:h"),
    ("بِاللَّه", "bill'a:h"),
    ("لِلَّه", "lill'a:h"),
    ("الرَّحْمَن", "?aRRaHm'a:n"),
    ("هَذَا", "h'a:Da:"),
    ("هَؤُلَاء", "ha:?ul'a:?"),
    ("ذَلِك", "D'a:lik"),
    ("لَكِنَّ", "la:k'inna"),
    ("الَّذِي", "?'allaDi:"),
    ("الْآن", "?al?'a:n"),
    ("قُرْآن", "quR?'a:n"),
    ("مُؤْمِن", "m'u?min"),
    ("رَئِيس", "Ra?'i:s"),
    ("شَيْء", "S'aj?"),
    ("مُسْتَشْفًى", "must'aSfan"),
    ("مُسْتَشْفَى", "must'aSfa:"),
    ("أَهْلًا", "?'ahlan"),
    ("مَسَاءً", "mas'a:?an"),
    ("مَدِينَةٍ", "mad'i:natin"),
    ("مَدِينَة", "mad'i:na"),
    ("مُدَّة", "m'udda"),
    ("سَيَّارَة", "sajj'a:Ra"),
    ("قُوَّة", "q'uwwa"),
    ("يَوْم", "j'awm"),
    ("بَيْن", "b'ajn"),
    ("صَبَاح", "s[a.b'a:H"),
    ("ظُهْر", "Z'u.hR"),
    ("طَلَب", "t['a.lab"),
    ("ضَمَان", "dHa.m'a:n"),
    ("خَطّ", "X'a.t[t["),
    ("حَافِلَات", "Ha:fil'a:t"),
    ("مَدْرَسَة", "m'adRasa"),
    ("رِحْلَتُنَا", "RiHl'atuna:"),
]  # fmt: skip
"""Marked text, and eSpeak's codes for it."""


@pytest.fixture(scope="module")
def tashkeel() -> Tashkeel:
    return Tashkeel()


@pytest.fixture(scope="module")
def engine() -> Iterator[Espeak]:
    made = Espeak()
    yield made
    made.unload()


def words(text: str) -> list[str]:
    return unicodedata.normalize("NFC", text.replace("،", " ").translate(dict.fromkeys(map(ord, ".؟!")))).split()


def in_order(some: list[str], every: list[str]) -> bool:
    rest = iter(every)
    return all(word in rest for word in some)


@pytest.mark.parametrize(("text", "read"), READ)
def test_readings(tashkeel: Tashkeel, text: str, read: str) -> None:
    said = words(tashkeel(text))
    assert any(in_order(words(way), said) for way in read.split("|")), said


@pytest.mark.parametrize(("text", "codes"), SOUNDS)
def test_sounds(text: str, codes: str) -> None:
    assert phonemes(unicodedata.normalize("NFC", text)) == f"[[{codes}]]"


def test_pauses_and_other_scripts_stand_outside_the_codes() -> None:
    assert phonemes("نَعَمْ، wifi (مَجَّانِيّ).") == "[[n'aAam]]، wifi ( [[madZdZ'a:ni:]])."


def test_codes_in_a_text_are_not_obeyed() -> None:
    assert phonemes("[[a:a:]] نَعَمْ") == "a : a : [[n'aAam]]"


@pytest.mark.parametrize("text", ["", " ", "ّ", "ًا", "ا", "ءْْْ", "ـــ", "لل", "الل", "و", "ٱلْ", "۳", "ة", "َُِ َ", "ا" * 500])
def test_odd_texts_do_not_break_it(tashkeel: Tashkeel, text: str) -> None:
    assert isinstance(phonemes(tashkeel(text)), str)


def test_the_voice_says_it(engine: Espeak) -> None:
    (speech,) = engine.speak("في الشمس.", language="ar", voice=Voice("test", {}, Path(), {}))
    assert speech.phonemes is not None
    assert "".join(phoneme.ipa for phoneme in speech.phonemes) == "fiʃʃˈams"


def test_a_reading_has_the_letters_of_its_words() -> None:
    assert [plain for plain, read in WORDS.items() if bare(read).replace(NO_ENDING, "") != plain] == []
