"""Nouns that are counted: their plural and gender, by which the number's words agree."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from core.text.arabic.cases import folded
from core.text.arabic.decimals import HALVES, decimal
from core.text.arabic.numbers import LIMIT, Case, Form, accusative, cardinal, dual
from core.text.folding import fold

_MASCULINE = """
يوم أيام · أسبوع أسابيع · شهر أشهر · عام أعوام · قرن قرون · ريال ريالات · درهم دراهم · دينار دنانير · جنيه جنيهات ·
دولار دولارات · فلس فلوس · قرش قروش · سنت سنتات · بنس بنسات · يورو · شخص أشخاص · طفل أطفال · رجل رجال · ولد أولاد ·
راكب ركاب · مسافر مسافرين · زبون زبائن · عميل عملاء · ضيف ضيوف · مريض مرضى · طبيب أطباء · موظف موظفين · سائق سائقين ·
طالب طلاب · نجم نجوم · مقعد مقاعد · كرسي كراسٍ · سرير أسرّة · طابق طوابق · دور أدوار · كيلو كيلو · كيلوغرام كيلوغرامات
· كيلوجرام كيلوجرامات · غرام غرامات · جرام جرامات · كيلومتر كيلومترات · متر أمتار · سنتيمتر سنتيمترات · مليمتر
مليمترات · ملليمتر ملليمترات · لتر لترات · ليتر ليترات · ميل أميال · رطل أرطال · طن أطنان · باب أبواب · باص باصات ·
قطار قطارات · مطار مطارات · كتاب كتب · جهاز أجهزة · هاتف هواتف · جوال جوالات · حاسوب حواسيب · منتج منتجات · طلب طلبات
· موعد مواعيد · دواء أدوية · قرص أقراص · كوب أكواب · صنف أصناف · نوع أنواع · لون ألوان · مقاس مقاسات · خيار خيارات ·
عرض عروض · فرع فروع · خط خطوط · شارع شوارع · مبنى مبانٍ · حساب حسابات · رقم أرقام · حرف أحرف · سطر أسطر · ملف ملفات ·
سؤال أسئلة · جواب أجوبة · قسط أقساط · اشتراك اشتراكات · صندوق صناديق · كيس أكياس · كرتون كراتين · طرد طرود · مفتاح
مفاتيح · اختبار اختبارات · تحليل تحاليل · درس دروس · فصل فصول · بند بنود · مليون ملايين · مليار مليارات · ألف آلاف ·
حافز حوافز · واط واطات · فولت فولتات · ضعف أضعاف · ربع أرباع · ثلث أثلاث · عنصر عناصر · زائر زوار · عضو أعضاء · فريق
فرق · صفر أصفار · مليلتر مليلترات · مليغرام مليغرامات · هكتار هكتارات · غيغابايت · ميغابايت · تيرابايت · كيلوبايت ·
غيغا · ميغا · ميغابت · ميغابكسل · هرتز · كيلوواط كيلوواطات · أمبير أمبيرات · بار · حصان أحصنة · ملليلتر ملليلترات ·
محل محلات · بيت بيوت · جزء أجزاء · متجر متاجر · فندق فنادق · بلد بلدان · سعر أسعار · تطبيق تطبيقات · إعلان إعلانات ·
اجتماع اجتماعات · قرار قرارات · مشروب مشروبات · قميص قمصان · حذاء أحذية · فستان فساتين · لاعب لاعبين · قلم أقلام ·
خبير خبراء · متطوع متطوعين · مهندس مهندسين · معلم معلمين · مستند مستندات · إشعار إشعارات · تحديث تحديثات · تقييم
تقييمات · معرض معارض · مشترك مشتركين · مشارك مشاركين · تخصص تخصصات · مدرب مدربين · محاضر محاضرين · منفذ منافذ · مخرج
مخارج · مدخل مداخل · موقف مواقف · شباك شبابيك · رف رفوف · صف صفوف · مستوى مستويات · مشروع مشاريع · برنامج برامج · نظام
أنظمة · جدول جداول · قسم أقسام · مكتب مكاتب · مصنع مصانع · مستشفى مستشفيات · مطعم مطاعم · مسجد مساجد · متحف متاحف ·
سوق أسواق · ملعب ملاعب · شاطئ شواطئ · حيوان حيوانات · كلب كلاب · قط قطط · طائر طيور · فنجان فناجين · صحن صحون · طبق
أطباق · رغيف أرغفة · حجم أحجام · شكل أشكال · حل حلول · سبب أسباب · شرط شروط · هدف أهداف · نشاط أنشطة · عقد عقود · اسم
أسماء · عنوان عناوين · رابط روابط · مقطع مقاطع · فيديو فيديوهات · فيلم أفلام · مشهد مشاهد · مقال مقالات · خبر أخبار ·
تقرير تقارير · تعليق تعليقات · منشور منشورات · متابع متابعين · مستخدم مستخدمين · شريك شركاء · مدير مديرين · عامل عمال
· صديق أصدقاء · ابن أبناء · قارب قوارب · محرك محركات · إطار إطارات · مصباح مصابيح · شاحن شواحن · سلك أسلاك · مكيف
مكيفات · فرن أفران · تلفزيون تلفزيونات · مطبخ مطابخ · حمام حمامات · كوبون كوبونات · دفتر دفاتر · استفسار استفسارات ·
اقتراح اقتراحات · رأي آراء · فائز فائزين · متسابق متسابقين · قرض قروض · سهم أسهم · رسم رسوم · إيصال إيصالات · شيك
شيكات · تحويل تحويلات · مبلغ مبالغ · راتب رواتب · حفل حفلات · ممرض ممرضين · اختصاصي اختصاصيين · أخصائي أخصائيين ·
صيدلي صيادلة · فحص فحوص · لقاح لقاحات · ضرس أضراس · تمرين تمارين · إصدار إصدارات · حادث حوادث · بائع باعة · حاج حجاج ·
معتمر معتمرين · مقيم مقيمين · مواطن مواطنين · مجلد مجلدات · سلم سلالم · مصعد مصاعد · بكسل بكسلات
"""
_FEMININE = """
ساعة ساعات · دقيقة دقائق · ثانية ثوانٍ · سنة سنوات · ليلة ليالٍ · هللة هللات · ليرة ليرات · روبية روبيات · بيسة بيسات
· تذكرة تذاكر · حقيبة حقائب · شنطة شنط · قطعة قطع · مرة مرات · جلسة جلسات · زيارة زيارات · نقطة نقاط · صورة صور · درجة
درجات · غرفة غرف · حافلة حافلات · رحلة رحلات · محطة محطات · سيارة سيارات · مدينة مدن · دولة دول · طائرة طائرات · بوابة
بوابات · طاولة طاولات · بطاقة بطاقات · رسالة رسائل · خطوة خطوات · صفحة صفحات · كلمة كلمات · جملة جمل · بوصة بوصات ·
علبة علب · حبة حبات · جرعة جرعات · وجبة وجبات · عبوة عبوات · زجاجة زجاجات · نسخة نسخ · وحدة وحدات · مكالمة مكالمات ·
خدمة خدمات · طبيبة طبيبات · امرأة نساء · بنت بنات · فتاة فتيات · عين عيون · سن أسنان · قدم أقدام · عيادة عيادات ·
صيدلية صيدليات · هدية هدايا · نتيجة نتائج · قاعة قاعات · شاشة شاشات · غسالة غسالات · ثلاجة ثلاجات · كاميرا كاميرات ·
لغة لغات · دفعة دفعات · فئة فئات · حصة حصص · دورة دورات · محاولة محاولات · إجازة إجازات · جهة جهات · فرصة فرص · طريقة
طرق · مئة مئات · نسمة نسمات · خانة خانات · محفظة محافظ · منطقة مناطق · شركة شركات · سعرة سعرات · مباراة مباريات ·
نافذة نوافذ · مدرسة مدارس · جامعة جامعات · كنبة كنبات · قارورة قوارير · سفرة سفرات · عملية عمليات · مكتبة مكتبات ·
سماعة سماعات · تأشيرة تأشيرات · باقة باقات · استراحة استراحات · استشارة استشارات · استمارة استمارات · استجابة استجابات
· استقالة استقالات · استضافة استضافات · إعادة إعادات · ترجمة ترجمات · أغنية أغانٍ · لعبة ألعاب · كرة كرات · قصة قصص ·
شجرة أشجار · زهرة زهور · وردة ورود · ملعقة ملاعق · فكرة أفكار · مشكلة مشكلات · وظيفة وظائف · جائزة جوائز · منحة منح ·
ضريبة ضرائب · فاتورة فواتير · ورقة أوراق · رزمة رزم · وسادة وسائد · مرتبة مراتب · قسيمة قسائم · مكنسة مكانس · سفينة
سفن · ورشة ورش · ندوة ندوات · شكوى شكاوى · تجربة تجارب · مهمة مهام · عملة عملات · حقنة حقن · إبرة إبر · أخت أخوات ·
مزرعة مزارع · حفلة حفلات · لوحة لوحات · لافتة لافتات · وسيلة وسائل · وثيقة وثائق · صحيفة صحف · مجموعة مجموعات · مرحلة
مراحل · أزمة أزمات · أكلة أكلات · أمسية أمسيات · وردية ورديات · وصفة وصفات
"""
_PLURAL_OF_MASCULINE = re.compile(r"(?:أ\w{2,3}ة|إ\w{2}ا\wات|ا\w{2,4}ا\wات|ت\w{2}ي\wات|ت\w{3}ات)\Z")
"""أجهزة, إشعارات, اشتراكات, تخفيضات, تخصصات."""
_HUMANS = folded("""
شخص طفل رجل ولد راكب مسافر زبون عميل ضيف مريض طبيب موظف سائق طالب زائر عضو لاعب خبير متطوع مهندس معلم مشترك مشارك مدرب
محاضر متابع مستخدم شريك مدير عامل صديق ابن فائز متسابق ممرض اختصاصي أخصائي صيدلي بائع حاج معتمر مقيم مواطن طبيبة امرأة
بنت فتاة أخت
""")
"""Whose plurals take a plural adjective, which only a lexicon could tell (جدد)."""


@dataclass(frozen=True)
class Noun:
    """One counted noun, without vowel marks. A foreign word without a plural (غيغابايت) keeps its form."""

    singular: str
    plural: str
    feminine: bool = False

    def counted(self, number: int, case: Case = Case.NOMINATIVE, adjective: str = "") -> str:
        """The number in words and the noun as it asks for it: ثلاث تذاكر. adjective: its masculine singular."""
        form, rest = Form(self.feminine, case, construct=True), abs(number) % 100
        if number in (1, 2):
            return self._one_or_two(number, form, adjective)
        if rest in (1, 2):
            more = self._one_or_two(rest, form, adjective) if rest == 2 else self._another(form.case, adjective)
            return f"{cardinal(number - rest, form)} {self.singular} و{more}"
        return f"{cardinal(number, form)} {self._phrase(rest, adjective)}"

    @property
    def human(self) -> bool:
        """Whether it is one of the people in the lexicon."""
        return fold(self.singular) in _HUMANS

    def after(self, number: int, case: Case = Case.NOMINATIVE) -> str:
        """The noun alone, as it stands behind the number's figures."""
        return self._two(case) if number == 2 and self.plural else self._phrase(number % 100, "")

    def bare(self, number: int) -> str:
        """The lower end of a span, oblique: without the noun, but one and two are the noun itself."""
        if number == 1 or (number == 2 and self.plural):
            return self.singular if number == 1 else self._two(Case.GENITIVE)
        return cardinal(number, Form(self.feminine, Case.GENITIVE, construct=number < 100))

    def fraction(self, figures: str, case: Case) -> str:
        """Decimals of it: ساعة ونصف, نصف ساعة, ثلاثة فاصلة سبعة كيلومتر."""
        units, _, rest = figures.partition(".")
        name = HALVES.get(rest)
        if name is None or int(units) >= LIMIT:
            return f"{decimal(figures, Form(case=case))} {self.singular}"
        if not int(units):
            return f"{name} {self.singular}"
        head = self._single(case) if units == "1" else self.counted(int(units), case)
        return f"{head} و{name}"

    def _one_or_two(self, number: int, form: Form, adjective: str) -> str:
        if number == 1:
            one = cardinal(1, replace(form, construct=False))
            kind = self._agreeing(adjective)
            kind = accusative(kind) if kind and form.case is Case.ACCUSATIVE else kind
            return " ".join(filter(None, (self._single(form.case), kind, one)))
        if not self.plural:
            return f"{cardinal(2, replace(form, construct=False))} {self.singular}"
        two = dual(self._agreeing(adjective), form.oblique) if adjective else ""
        return f"{self._two(form.case)} {two}".strip()

    def _two(self, case: Case) -> str:
        return dual(self.singular, case.oblique)

    def _single(self, case: Case) -> str:
        return accusative(self.singular) if case is Case.ACCUSATIVE and self.plural else self.singular

    def _another(self, case: Case, adjective: str) -> str:
        """The one beyond hundreds: مئة تذكرة وتذكرة."""
        kind = self._agreeing(adjective)
        return f"{self._single(case)} {accusative(kind) if kind and case is Case.ACCUSATIVE else kind}".strip()

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
    spelled = {noun.singular, noun.plural, accusative(noun.singular)}
    spelled |= {dual(noun.singular, oblique) for oblique in (False, True)}
    if noun.plural.endswith("ين") and noun.singular[-2:] != "ين":
        spelled.add(f"{noun.plural[:-2]}ون")
    return {fold(form) for form in spelled - {""}}


NOUNS: dict[str, Noun] = {noun.singular: noun for noun in _nouns(_MASCULINE, False) + _nouns(_FEMININE, True)}
"""By singular."""
_BY_FORM: dict[str, Noun] = {form: noun for noun in NOUNS.values() for form in _forms(noun)} | {
    "شهور": NOUNS["شهر"],
    "سنين": NOUNS["سنة"],
    "ثواني": NOUNS["ثانية"],
    "ليالي": NOUNS["ليلة"],
    "كراسي": NOUNS["كرسي"],
    "مباني": NOUNS["مبنى"],
    "اغاني": NOUNS["أغنية"],
    "مدراء": NOUNS["مدير"],
    "فحوصات": NOUNS["فحص"],
    "مشاكل": NOUNS["مشكلة"],
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
