"""Nouns that are counted: their plural and gender, by which the number's words agree."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.text.arabic.numbers import Form, accusative, counting, dual
from core.text.folding import fold

_MASCULINE = """
يوم أيام · أسبوع أسابيع · شهر أشهر · عام أعوام · قرن قرون · ريال ريالات · درهم دراهم · دينار دنانير · جنيه جنيهات ·
دولار دولارات · فلس فلوس · قرش قروش · سنت سنتات · بنس بنسات · يورو يورو · شخص أشخاص · طفل أطفال · رجل رجال · ولد
أولاد · راكب ركاب · مسافر مسافرين · زبون زبائن · عميل عملاء · ضيف ضيوف · مريض مرضى · طبيب أطباء · موظف موظفين · سائق
سائقين · طالب طلاب · نجم نجوم · مقعد مقاعد · كرسي كراسي · سرير أسرّة · طابق طوابق · دور أدوار · كيلو كيلو · كيلوغرام
كيلوغرامات · كيلوجرام كيلوجرامات · غرام غرامات · جرام جرامات · كيلومتر كيلومترات · متر أمتار · سنتيمتر سنتيمترات ·
مليمتر مليمترات · ملليمتر ملليمترات · لتر لترات · ليتر ليترات · ميل أميال · طن أطنان · باب أبواب · باص باصات · قطار
قطارات · مطار مطارات · كتاب كتب · جهاز أجهزة · هاتف هواتف · جوال جوالات · حاسوب حواسيب · منتج منتجات · طلب طلبات ·
موعد مواعيد · دواء أدوية · قرص أقراص · كوب أكواب · صنف أصناف · نوع أنواع · لون ألوان · مقاس مقاسات · خيار خيارات ·
عرض عروض · فرع فروع · خط خطوط · شارع شوارع · مبنى مبان · حساب حسابات · رقم أرقام · حرف أحرف · سطر أسطر · ملف ملفات ·
سؤال أسئلة · جواب أجوبة · قسط أقساط · اشتراك اشتراكات · صندوق صناديق · كيس أكياس · كرتون كراتين · طرد طرود · مفتاح
مفاتيح · اختبار اختبارات · تحليل تحاليل · درس دروس · فصل فصول · بند بنود · مليون ملايين · مليار مليارات · ألف آلاف ·
حافز حوافز · واط واط · فولت فولت · ضعف أضعاف · ربع أرباع · ثلث أثلاث · عنصر عناصر · زائر زوار · عضو أعضاء · فريق فرق
· بريد بريد · مستند مستندات
"""
_FEMININE = """
ساعة ساعات · دقيقة دقائق · ثانية ثوان · سنة سنوات · ليلة ليال · هللة هللات · ليرة ليرات · روبية روبيات · بيسة بيسات
· تذكرة تذاكر · حقيبة حقائب · شنطة شنط · قطعة قطع · مرة مرات · جلسة جلسات · زيارة زيارات · نقطة نقاط · صورة صور ·
درجة درجات · غرفة غرف · حافلة حافلات · رحلة رحلات · محطة محطات · سيارة سيارات · مدينة مدن · دولة دول · طائرة طائرات
· بوابة بوابات · طاولة طاولات · بطاقة بطاقات · رسالة رسائل · خطوة خطوات · صفحة صفحات · كلمة كلمات · جملة جمل · بوصة
بوصات · علبة علب · حبة حبات · جرعة جرعات · وجبة وجبات · عبوة عبوات · زجاجة زجاجات · نسخة نسخ · وحدة وحدات · مكالمة
مكالمات · خدمة خدمات · طبيبة طبيبات · امرأة نساء · بنت بنات · فتاة فتيات · عين عيون · سن أسنان · عيادة عيادات ·
صيدلية صيدليات · هدية هدايا · نتيجة نتائج · قاعة قاعات · شاشة شاشات · غسالة غسالات · ثلاجة ثلاجات · كاميرا كاميرات ·
لغة لغات · دفعة دفعات · فئة فئات · حصة حصص · دورة دورات · محاولة محاولات · إجازة إجازات · جهة جهات · فرصة فرص ·
طريقة طرق · مئة مئات · نسمة نسمات · خانة خانات · محفظة محافظ · منطقة مناطق · شركة شركات · مكتبة مكتبات · سماعة
سماعات
"""
_BROKEN_OF_MASCULINE = re.compile(r"أ\w{2,3}ة\Z")


@dataclass(frozen=True)
class Noun:
    """One counted noun, without vowel marks."""

    singular: str
    plural: str
    feminine: bool = False

    def counted(self, number: int, oblique: bool = False) -> str:
        """The number in words and the noun as it asks for it: ثلاث تذاكر."""
        return counting(number, Form(self.feminine, oblique), self.singular, self.plural)

    def after(self, number: int, oblique: bool = False) -> str:
        """The noun alone, as it stands behind the number's figures."""
        rest = number % 100
        if number == 2:
            return dual(self.singular, oblique)
        if 3 <= rest <= 10:
            return self.plural
        return accusative(self.singular) if rest > 10 else self.singular


def _nouns(table: str, feminine: bool) -> list[Noun]:
    rows = [row.split() for row in table.split("·")]
    return [Noun(singular, plural, feminine) for singular, plural in rows]


def _forms(noun: Noun) -> set[str]:
    """Every spelling under which it may stand behind a figure, folded."""
    spelled = {noun.singular, noun.plural, accusative(noun.singular), dual(noun.singular, False)}
    return {fold(form) for form in spelled | {dual(noun.singular, True)}}


NOUNS: dict[str, Noun] = {noun.singular: noun for noun in _nouns(_MASCULINE, False) + _nouns(_FEMININE, True)}
"""By singular."""
_BY_FORM: dict[str, Noun] = {form: noun for noun in NOUNS.values() for form in _forms(noun)} | {
    "شهور": NOUNS["شهر"],
    "سنين": NOUNS["سنة"],
    "ثواني": NOUNS["ثانية"],
    "ليالي": NOUNS["ليلة"],
    "مسافرون": NOUNS["مسافر"],
    "موظفون": NOUNS["موظف"],
}


def noun_of(word: str) -> Noun | None:
    """The noun of which `word` is a form, however it is spelled; None where it is not known."""
    return _BY_FORM.get(fold(word))


def looks_feminine(word: str) -> bool:
    """Whether a noun that is not known is feminine, by its ending (singular or plural)."""
    if _BROKEN_OF_MASCULINE.match(word):
        return False
    return word.endswith(("ة", "ات", "اء", "ى"))
