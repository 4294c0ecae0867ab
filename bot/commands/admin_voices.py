"""/admin voice: new voices by a voice note, with the speaker's consent, and the end of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.administration import naming, voices
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
_AGREED = ("consent", "agreed", "موافقة")


async def run(call: Call, argument: str) -> None:
    """`add Name`, `remove mona`, `consent …` (the button), or nothing: all."""
    word, _, rest = argument.partition(" ")
    if fold(word) in map(fold, _ADD):
        return await _add(call, rest.strip())
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
    rows = [menus.choice(call, use, t("admin-use-here", call.language))]
    try:
        voices.check_removable(call.desk.catalogue, voice, root=call.desk.settings.data_dir)
        rows.append(menus.choice(call, _line(call, "remove", voice), t("admin-title-remove", call.language)))
    except SmartTalkerError:
        pass
    call.menu("admin-voice-offer", rows, name=_name(call, voice), id=voice.id)


async def _add(call: Call, said: str) -> None:
    """Without a name it says how."""
    if not said:
        return call.say("admin-voice-how")
    await admin_pending.begin(call, NOTE, name=naming.names_of(said))
    return call.say("admin-voice-ask-note")


async def note(call: Call, pending: Mapping[str, Any]) -> bool:
    """The recording, then the question whether its speaker has agreed; another recording takes its place."""
    remote = call.inbound.remote
    if remote is None:
        return await _answered(call, pending)
    seconds = remote.get("seconds")
    if seconds is not None and not LEAST_S <= seconds <= MOST_S:
        call.say("error-voice-too-short" if seconds < LEAST_S else "error-voice-too-long")
        return True
    await admin_pending.begin(call, CONSENT, name=pending["name"], remote=dict(remote), asked=str(call.entry.event))
    _ask_consent(call, str(call.entry.event))
    return True


async def _answered(call: Call, pending: Mapping[str, Any]) -> bool:
    """Words where a recording or a button was expected."""
    if call.inbound.unsupported is not None:
        return False
    if pending["command"] == NOTE:
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
    begun = await voices.add(
        call.connection,
        call.desk.catalogue,
        actor=actor(call),
        names=pending["name"],
        source={"channel": call.inbound.channel, "remote": pending["remote"]},
        words=t("admin-consent-words", call.language),
        language=call.language,
        key=f"voice:{call.entry.event}",
        conversation_id=call.conversation_id,
    )
    call.effects.tasks.append(begun.task_id)
    await admin_pending.end(call)
    return call.say("admin-voice-begun", name=pending["name"][call.language], id=begun.id)


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
