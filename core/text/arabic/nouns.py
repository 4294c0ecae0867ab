"""Nouns that are counted: their plural and gender, by which the number's words agree."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from core.text.arabic.decimals import HALVES, decimal
from core.text.arabic.numbers import LIMIT, Form, accusative, cardinal, dual
from core.text.folding import fold

_MASCULINE = """
يوم أيام · أسبوع أسابيع · شهر أشهر · عام أعوام · قرن قرون · ريال ريالات · درهم دراهم · دينار دنانير · جنيه جنيهات ·
دولار دولارات · فلس فلوس · قرش قروش · سنت سنتات · بنس بنسات · يورو · شخص أشخاص · طفل أطفال · رجل رجال · ولد أولاد ·
راكب ركاب · مسافر مسافرين · زبون زبائن · عميل عملاء · ضيف ضيوف · مريض مرضى · طبيب أطباء · موظف موظفين · سائق سائقين
· طالب طلاب · نجم نجوم · مقعد مقاعد · كرسي كراسٍ · سرير أسرّة · طابق طوابق · دور أدوار · كيلو كيلو · كيلوغرام
كيلوغرامات · كيلوجرام كيلوجرامات · غرام غرامات · جرام جرامات · كيلومتر كيلومترات · متر أمتار · سنتيمتر سنتيمترات ·
مليمتر مليمترات · ملليمتر ملليمترات · لتر لترات · ليتر ليترات · ميل أميال · رطل أرطال · طن أطنان · باب أبواب · باص
باصات · قطار قطارات · مطار مطارات · كتاب كتب · جهاز أجهزة · هاتف هواتف · جوال جوالات · حاسوب حواسيب · منتج منتجات ·
طلب طلبات · موعد مواعيد · دواء أدوية · قرص أقراص · كوب أكواب · صنف أصناف · نوع أنواع · لون ألوان · مقاس مقاسات ·
خيار خيارات · عرض عروض · فرع فروع · خط خطوط · شارع شوارع · مبنى مبانٍ · حساب حسابات · رقم أرقام · حرف أحرف · سطر
أسطر · ملف ملفات · سؤال أسئلة · جواب أجوبة · قسط أقساط · اشتراك اشتراكات · صندوق صناديق · كيس أكياس · كرتون كراتين ·
طرد طرود · مفتاح مفاتيح · اختبار اختبارات · تحليل تحاليل · درس دروس · فصل فصول · بند بنود · مليون ملايين · مليار
مليارات · ألف آلاف · حافز حوافز · واط · فولت · ضعف أضعاف · ربع أرباع · ثلث أثلاث · عنصر عناصر · زائر زوار · عضو
أعضاء · فريق فرق · صفر أصفار · مليلتر مليلترات · مليغرام مليغرامات · هكتار هكتارات · غيغابايت · ميغابايت · تيرابايت
· كيلوبايت · غيغا · ميغا · ميغابت · ميغابكسل · هرتز · كيلوواط · أمبير · بار · حصان أحصنة · ملليلتر ملليلترات · محل
محلات · بيت بيوت · جزء أجزاء · متجر متاجر · فندق فنادق · بلد بلدان · سعر أسعار · تطبيق تطبيقات · إعلان إعلانات ·
اجتماع اجتماعات · قرار قرارات · مشروب مشروبات · قميص قمصان · حذاء أحذية · فستان فساتين · لاعب لاعبين · قلم أقلام ·
خبير خبراء · متطوع متطوعين · مهندس مهندسين · معلم معلمين · مستند مستندات · إشعار إشعارات · تحديث تحديثات · تقييم
تقييمات
"""
_FEMININE = """
ساعة ساعات · دقيقة دقائق · ثانية ثوانٍ · سنة سنوات · ليلة ليالٍ · هللة هللات · ليرة ليرات · روبية روبيات · بيسة
بيسات · تذكرة تذاكر · حقيبة حقائب · شنطة شنط · قطعة قطع · مرة مرات · جلسة جلسات · زيارة زيارات · نقطة نقاط · صورة
صور · درجة درجات · غرفة غرف · حافلة حافلات · رحلة رحلات · محطة محطات · سيارة سيارات · مدينة مدن · دولة دول · طائرة
طائرات · بوابة بوابات · طاولة طاولات · بطاقة بطاقات · رسالة رسائل · خطوة خطوات · صفحة صفحات · كلمة كلمات · جملة جمل
· بوصة بوصات · علبة علب · حبة حبات · جرعة جرعات · وجبة وجبات · عبوة عبوات · زجاجة زجاجات · نسخة نسخ · وحدة وحدات ·
مكالمة مكالمات · خدمة خدمات · طبيبة طبيبات · امرأة نساء · بنت بنات · فتاة فتيات · عين عيون · سن أسنان · قدم أقدام ·
عيادة عيادات · صيدلية صيدليات · هدية هدايا · نتيجة نتائج · قاعة قاعات · شاشة شاشات · غسالة غسالات · ثلاجة ثلاجات ·
كاميرا كاميرات · لغة لغات · دفعة دفعات · فئة فئات · حصة حصص · دورة دورات · محاولة محاولات · إجازة إجازات · جهة جهات
· فرصة فرص · طريقة طرق · مئة مئات · نسمة نسمات · خانة خانات · محفظة محافظ · منطقة مناطق · شركة شركات · سعرة سعرات ·
مباراة مباريات · نافذة نوافذ · مدرسة مدارس · جامعة جامعات · كنبة كنبات · قارورة قوارير · سفرة سفرات · عملية عمليات ·
مكتبة مكتبات · سماعة سماعات · تأشيرة تأشيرات · باقة باقات
"""
_PLURAL_OF_MASCULINE = re.compile(r"(?:أ\w{2,3}ة|إ\w{2}ا\wات|ا\w{2,4}ا\wات|ت\w{2}ي\wات)\Z")
"""أجهزة, إشعارات, اشتراكات, تخفيضات."""


@dataclass(frozen=True)
class Noun:
    """One counted noun, without vowel marks. A foreign word without a plural (غيغابايت) keeps its form."""

    singular: str
    plural: str
    feminine: bool = False

    def counted(self, number: int, oblique: bool = False, adjective: str = "") -> str:
        """The number in words and the noun as it asks for it: ثلاث تذاكر. adjective: its masculine singular."""
        form, rest = Form(self.feminine, oblique, construct=True), abs(number) % 100
        if number in (1, 2):
            return self._one_or_two(number, form, adjective)
        if rest in (1, 2):
            return f"{cardinal(number - rest, form)} {self.singular} و{self._one_or_two(rest, form, adjective)}"
        return f"{cardinal(number, form)} {self._phrase(rest, adjective)}"

    def after(self, number: int, oblique: bool = False) -> str:
        """The noun alone, as it stands behind the number's figures."""
        return self._two(oblique) if number == 2 and self.plural else self._phrase(number % 100, "")

    def bare(self, number: int) -> str:
        """The lower end of a span, oblique: without the noun, but one and two are the noun itself."""
        if number == 1 or (number == 2 and self.plural):
            return self.singular if number == 1 else self._two(oblique=True)
        return cardinal(number, Form(self.feminine, oblique=True, construct=number < 100))

    def fraction(self, figures: str, oblique: bool) -> str:
        """Decimals of it: ساعة ونصف, نصف ساعة, ثلاثة فاصلة سبعة كيلومتر."""
        units, _, rest = figures.partition(".")
        name = HALVES.get(rest)
        if name is None or int(units) >= LIMIT:
            return f"{decimal(figures, Form(oblique=oblique))} {self.singular}"
        if not int(units):
            return f"{name} {self.singular}"
        head = self.singular if units == "1" else self.counted(int(units), oblique)
        return f"{head} و{name}"

    def _one_or_two(self, number: int, form: Form, adjective: str) -> str:
        if number == 1:
            one = "واحدة" if self.feminine else "واحد"
            return " ".join(filter(None, (self.singular, self._agreeing(adjective), one)))
        if not self.plural:
            return f"{cardinal(2, replace(form, construct=False))} {self.singular}"
        two = dual(self._agreeing(adjective), form.oblique) if adjective else ""
        return f"{self._two(form.oblique)} {two}".strip()

    def _two(self, oblique: bool) -> str:
        return dual(self.singular, oblique)

    def _phrase(self, rest: int, adjective: str) -> str:
        """The noun and its adjective behind a number that ends in `rest`: plurals of things take a feminine one."""
        if 3 <= rest <= 10:
            return f"{self.plural or self.singular} {f'{adjective}ة' if adjective else ''}".strip()
        if rest > 10:
            noun = accusative(self.singular) if self.plural else self.singular
            return f"{noun} {accusative(self._agreeing(adjective)) if adjective else ''}".strip()
        return f"{self.singular} {self._agreeing(adjective)}".strip()

    def _agreeing(self, adjective: str) -> str:
        return f"{adjective}ة" if adjective and self.feminine else adjective


def _nouns(table: str, feminine: bool) -> list[Noun]:
    rows = [row.split() for row in table.split("·")]
    return [Noun(row[0], "".join(row[1:]), feminine) for row in rows]


def _forms(noun: Noun) -> set[str]:
    """Every spelling under which it may stand behind a figure, folded."""
    spelled = {noun.singular, noun.plural, accusative(noun.singular), dual(noun.singular, False)}
    return {fold(form) for form in (spelled | {dual(noun.singular, True)}) - {""}}


NOUNS: dict[str, Noun] = {noun.singular: noun for noun in _nouns(_MASCULINE, False) + _nouns(_FEMININE, True)}
"""By singular."""
_BY_FORM: dict[str, Noun] = {form: noun for noun in NOUNS.values() for form in _forms(noun)} | {
    "شهور": NOUNS["شهر"],
    "سنين": NOUNS["سنة"],
    "ثواني": NOUNS["ثانية"],
    "ليالي": NOUNS["ليلة"],
    "كراسي": NOUNS["كرسي"],
    "مباني": NOUNS["مبنى"],
    "مسافرون": NOUNS["مسافر"],
    "موظفون": NOUNS["موظف"],
}


@lru_cache(maxsize=4096)
def noun_of(word: str) -> Noun | None:
    """The noun of which `word` is a form, however it is spelled; None where it is not known."""
    return _BY_FORM.get(fold(word))


def looks_feminine(word: str) -> bool:
    """Whether a noun that is not known is feminine, by its ending (singular or plural)."""
    if _PLURAL_OF_MASCULINE.match(word):
        return False
    return word.endswith(("ة", "ات", "اء", "ى"))
