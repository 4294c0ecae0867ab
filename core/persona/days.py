"""The days of the week, which every persona knows."""

from __future__ import annotations

from core.persona.model import DAY, DAYS, Entity

_NAMES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "monday": (("الاثنين", "الإثنين", "الاتنين", "التنين", "الثنين"), ("Monday", "Mondays")),
    "tuesday": (("الثلاثاء", "التلات", "الثلوث", "التلاتاء", "الثلاثا"), ("Tuesday", "Tuesdays")),
    "wednesday": (("الأربعاء", "الأربعا", "الربوع", "الأربع"), ("Wednesday", "Wednesdays")),
    "thursday": (("الخميس",), ("Thursday", "Thursdays")),
    "friday": (("الجمعة",), ("Friday", "Fridays")),
    "saturday": (("السبت",), ("Saturday", "Saturdays")),
    "sunday": (("الأحد", "الحد"), ("Sunday", "Sundays")),
}

WEEK: tuple[Entity, ...] = tuple(Entity(DAY, day, dict(zip(("ar", "en"), _NAMES[day], strict=True))) for day in DAYS)
"""Monday first, as `datetime.weekday()` counts."""
