"""/admin voice: new voices by a voice note, with the speaker's consent, and the end of one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from bot.administration import naming, voices
from bot.administration.avatars import Begun
from bot.commands import admin_pending, menus
from bot.commands.admin_avatars import YES
from bot.commands.admin_status import actor
from bot.commands.base import Call
from core.catalogue import Voice
from core.errors import SmartTalkerError
from core.i18n import t
from core.text import fold

NOTE, CONSENT = "admin-voice-note", "admin-voice-consent"
"""What is asked: the recording, then whether its speaker has agreed."""
LEAST_S, MOST_S = 2.0, 31.0
"""What a platform says of a recording is rounded; whether it has 3 to 30 seconds is decided when it is decoded."""
_ADD, _REMOVE = ("add", "new", "أضف", "إضافة", "جديد"), ("remove", "delete", "احذف", "حذف")
_MORE = ("more", "another", "تسجيل", "زد")
_AGREED = ("consent", "agreed", "موافقة")


async def run(call: Call, argument: str) -> None:
    """`add Name`, `more mona`, `remove mona`, `consent …` (the button), or nothing: all."""
    word, _, rest = argument.partition(" ")
    if fold(word) in map(fold, _ADD):
        return await _add(call, rest.strip())
    if fold(word) in map(fold, _MORE):
        return await _more(call, rest.strip())
    if fold(word) in map(fold, _REMOVE):
        return await _remove(call, rest.strip())
    if fold(word) in map(fold, _AGREED):
        return await _agreed(call, rest.strip())
    page = menus.page_of(argument)
    return await _show(call, page) if page is not None else _offer(call, voices.find(call.desk.catalogue, argument))


async def _show(call: Call, page: int) -> None:
    shown, page, pages = menus.paged(call.desk.catalogue.voices(), page, call.limits)
    rows = [menus.choice(call, _line(call, "", voice), _name(call, voice)) for voice in shown]
    call.menu("admin-voice-menu", [*rows, *menus.turning(call, "admin voice", page, pages)])


def _offer(call: Call, voice: Voice) -> None:
    use = menus.line_for(call, "voice", voice.id, _number(call, voice))
    rows, root = [menus.choice(call, use, t("admin-use-here", call.language))], call.desk.settings.data_dir
    with suppress(SmartTalkerError):
        voices.check_extensible(voice, root=root)
        rows.append(menus.choice(call, _line(call, "more", voice), t("admin-title-more", call.language)))
    with suppress(SmartTalkerError):
        voices.check_removable(call.desk.catalogue, voice, root=root)
        rows.append(menus.choice(call, _line(call, "remove", voice), t("admin-title-remove", call.language)))
    said = {"name": _name(call, voice), "id": voice.id, "languages": _languages(call, voice)}
    call.menu("admin-voice-offer", rows, **said)


def _languages(call: Call, voice: Voice) -> str:
    """Of its recordings, by name; "none" where there is no recording."""
    names = [t("admin-voice-language", call.language, code=code) for code in sorted(voice.references)]
    return {"ar": "، "}.get(call.language, ", ").join(names) or "none"


async def _add(call: Call, said: str) -> None:
    """Without a name it says how; with that of a voice that was added it asks which is meant."""
    if not said:
        return call.say("admin-voice-how")
    names = naming.names_of(said)
    await admin_pending.begin(call, NOTE, name=names)
    known = next(filter(None, (_added(call, each) for each in (said, *names.values()))), None)
    if known is None:
        return call.say("admin-voice-ask-note")
    more = menus.choice(call, _line(call, "more", known), t("admin-title-more", call.language))
    leave = menus.choice(call, "/admin cancel", t("admin-title-leave", call.language))
    return call.menu("admin-voice-ask-which", [more, leave], name=_name(call, known))


def _added(call: Call, said: str) -> Voice | None:
    """The voice of that id or name, if more recordings may be added to it; a number is none here."""
    with suppress(SmartTalkerError):
        voice = voices.find(call.desk.catalogue, said)
        voices.check_extensible(voice, root=call.desk.settings.data_dir)
        return voice if fold(said) in map(fold, (voice.id, *voice.name.values())) else None
    return None


async def _more(call: Call, wanted: str) -> None:
    """Another recording of a voice that was added."""
    if not wanted:
        return await _show(call, 1)
    voice = voices.find(call.desk.catalogue, wanted)
    voices.check_extensible(voice, root=call.desk.settings.data_dir)
    await admin_pending.begin(call, NOTE, name=dict(voice.name), to=voice.id)
    return call.say("admin-voice-ask-more", name=_name(call, voice))


async def note(call: Call, pending: Mapping[str, Any]) -> bool:
    """The recording, then the question whether its speaker has agreed; another recording takes its place."""
    remote = call.inbound.remote
    if remote is None:
        return await _answered(call, pending)
    seconds = remote.get("seconds")
    if seconds is not None and not LEAST_S <= seconds <= MOST_S:
        call.say("error-voice-too-short" if seconds < LEAST_S else "error-voice-too-long")
        return True
    kept = {key: pending[key] for key in ("name", "to") if key in pending}
    await admin_pending.begin(call, CONSENT, remote=dict(remote), asked=str(call.entry.event), **kept)
    _ask_consent(call, str(call.entry.event))
    return True


async def _answered(call: Call, pending: Mapping[str, Any]) -> bool:
    """Words where a recording or a button was expected."""
    if call.inbound.unsupported is not None:
        return False
    if pending["command"] == NOTE and "to" in pending:
        call.say("admin-voice-ask-more", name=menus.named(pending["name"], call.language))
    elif pending["command"] == NOTE:
        call.say("admin-voice-ask-note")
    elif fold(call.inbound.text or "") in map(fold, YES):
        await _agreed(call, pending["asked"])
    else:
        _ask_consent(call, pending["asked"])
    return True


def _ask_consent(call: Call, asked: str) -> None:
    agreed = menus.choice(call, f"/admin voice consent {asked}", t("admin-title-agreed", call.language))
    leave = menus.choice(call, "/admin cancel", t("admin-title-leave", call.language))
    call.menu("admin-voice-ask-consent", [agreed, leave], words=t("admin-consent-words", call.language))


async def _agreed(call: Call, asked: str) -> None:
    """The button counts for the recording that it was shown for, and as long as that is waited for."""
    pending = admin_pending.current(call)
    if pending is None or pending["command"] != CONSENT or pending["asked"] != asked:
        return call.say("admin-voice-consent-late")
    begun = await _begun(call, pending)
    call.effects.tasks.append(begun.task_id)
    await admin_pending.end(call)
    said = "admin-voice-more-begun" if "to" in pending else "admin-voice-begun"
    return call.say(said, name=menus.named(pending["name"], call.language), id=begun.id)


async def _begun(call: Call, pending: Mapping[str, Any]) -> Begun:
    """Raises NotFound where the voice that was to have another recording is gone."""
    asked: dict[str, Any] = {
        "actor": actor(call),
        "source": {"channel": call.inbound.channel, "remote": pending["remote"]},
        "words": t("admin-consent-words", call.language),
        "language": call.language,
        "key": f"voice:{call.entry.event}",
        "conversation_id": call.conversation_id,
    }
    catalogue = call.desk.catalogue
    if "to" not in pending:
        return await voices.add(call.connection, catalogue, names=pending["name"], **asked)
    voice = voices.find(catalogue, pending["to"])
    return await voices.extend(call.connection, voice=voice, root=call.desk.settings.data_dir, **asked)


async def _remove(call: Call, argument: str) -> None:
    """Asks first."""
    if not argument:
        return await _show(call, 1)
    head, _, tail = argument.rpartition(" ")
    sure = bool(head) and fold(tail) in map(fold, YES)
    voice = voices.find(call.desk.catalogue, head if sure else argument)
    root = call.desk.settings.data_dir
    if not sure:
        voices.check_removable(call.desk.catalogue, voice, root=root)
        yes = menus.choice(call, f"{_line(call, 'remove', voice)} yes", t("admin-title-yes", call.language))
        keep = menus.choice(call, "/admin voice", t("admin-title-no", call.language))
        return call.menu("admin-voice-sure", [yes, keep], name=_name(call, voice), id=voice.id)
    begun = await voices.remove(
        call.connection,
        call.desk.catalogue,
        actor=actor(call),
        voice=voice,
        root=root,
        language=call.language,
        conversation_id=call.conversation_id,
    )
    call.effects.tasks.append(begun.task_id)
    return call.say("admin-removing", name=_name(call, voice))


def _name(call: Call, voice: Voice) -> str:
    return menus.named(voice.name, call.language)


def _number(call: Call, voice: Voice) -> int:
    return [each.id for each in call.desk.catalogue.voices()].index(voice.id) + 1


def _line(call: Call, verb: str, voice: Voice) -> str:
    """`/admin voice …` with the id, or with the number where a button can't carry the id and " yes" behind it."""
    begins = " ".join(filter(None, ("/admin voice", verb)))
    line = f"{begins} {voice.id}"
    return line if len(f"{line} yes".encode()) <= call.limits.choice_bytes else f"{begins} {_number(call, voice)}"
