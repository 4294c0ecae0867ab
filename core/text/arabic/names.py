"""Whether a name that follows a title is a woman's: by a list of names, and by the endings ة, اء and ى."""

from __future__ import annotations

from core.text.arabic.cases import folded
from core.text.folding import fold

_WOMEN = folded("""
أمل ريم مريم زينب هند سعاد إيمان سحر سمر ياسمين جيهان رغد شهد العنود الجوهرة جواهر دلال نوف جود رقية حنان حنين إيناس
ابتسام انتصار أحلام أفنان أريج عبير غدير لجين وجدان هاجر سارا دينا رانيا لينا داليا ريما ديما رنا رشا مها لما ماريا
نادين صوفيا تالا يارا كارما فرح مرح جنان ريماس لميس نرجس سوسن كوثر سندس بلقيس أماني تهاني أسيل أنفال أبرار أشجان إلهام
إكرام إنعام ابتهال منال منار نهال وئام وصال هديل هيام ميسون خلود عهود ورود رحاب رباب سهير سهام سوزان شروق شيرين غزل مي
ميس فاتن فردوس كريمان نيفين نورهان مروج مشاعل نوال رؤى رزان روان رهف رند رنيم سديم شذا صبا جولي ندين لانا حلا دانا
دارين ميرا مايا سيرين هيلين نور تغريد بدور بشاير حصة عفاف غصون فاديا نجود
""")
_MEN = folded("""
حمزة أسامة طلحة معاوية عبيدة عكرمة قتيبة حذيفة عطية جمعة خليفة سلامة عرفة ربيعة مسلمة علقمة شحاتة حمادة عمارة عروة
ميسرة نعمة قتادة أمية عبادة عقبة عتبة شعبة سمرة أبو فضيلة رفاعة بهاء علاء ضياء براء عطاء رجاء صفاء لقاء موسى عيسى
مصطفى يحيى مرتضى مجتبى رضى عبد متى مثنى معلى طه
""")


def is_womans(name: str) -> bool:
    """Whether the name is known, or by its ending seems, to be a woman's; never behind the article."""
    known = fold(name)
    if known in _WOMEN:
        return True
    return known not in _MEN and not name.startswith("ال") and name.endswith(("ة", "اء", "ى"))
