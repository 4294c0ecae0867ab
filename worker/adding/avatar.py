"""A new avatar from one photo, its half-body picture, and its removal.

folder = await add_avatar(photo, avatar_id="mona", name={"ar": "منى", "en": "Mona"}, voice="layla",
                          root=settings.data_dir, template=catalogue.avatar("layla"))
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.catalogue import Avatar, Localised, checked_id, read_persona
from core.errors import ModelMissing, NotFound, PhotoInvalid, StorageError, VideoError
from core.messages import MAX_PHOTO_BYTES
from core.naming import checked_name
from core.settings import HOME
from core.storage import storage_errors
from worker.adding.folder import adding, drafting, locked, remove, write_toml, write_whole
from worker.adding.limited import ask
from worker.faces.mesh import LACK

TIMEOUT_S = 90.0
PROCESS = "worker.adding.rigging"
HALF_PROCESS = "worker.adding.half"
HALF = "half.png"

REASONS = {
    "not_picture": "the file is no picture: send JPEG, PNG or WebP",
    "truncated": "the picture is cut off or damaged: send it again",
    "too_large": "the picture is too large: at most 20 MB and 50 megapixels",
    "too_small": "the picture is too small: at least 300 pixels on each side",
    "no_face": "no face was found: send a photo of one person who looks at the camera",
    "several_faces": "there is more than one face: send a photo of one person alone",
    "face_small": "the face is too small: it must be 90 pixels wide at least, so come closer",
    "turned": "the head is turned to the side: look straight at the camera",
    "tilted": "the head is tilted up, down or to the shoulder: hold it straight, the camera at the height of the eyes",
    "cut_off": "the face is cut off by the picture's edge: leave some room about the head",
    "eyes_covered": "the eyes can't be seen: take off the sunglasses",
    "eyes_shut": "the eyes are shut: open them",
    "mouth_covered": "the mouth can't be seen: no mask, hand or scarf may cover it",
    "mouth_open": "the mouth is wide open: close it, or smile",
    "blurred": "the face is blurred: hold the camera still and focus on the face",
    "dark": "the face is too dark: turn towards the light",
    "pale": "the face is too bright: less light on it",
    "no_hands": "not both hands can be seen apart from each other: hold them before the body, open, a little apart",
    "hands_cut": "a hand is cut off by the picture's edge: go further back, or hold the hands closer to the body",
    "half_far": "the hands are too far from the face: hold them before the belly or the chest",
    "half_near": "the picture is too close: it must reach from above the head to below the hands, with both elbows",
    "half_small": "the picture is too small: half a body needs 480 x 480 pixels at least",
}


@dataclass(frozen=True)
class Face:
    """The photo's one face: pixels between its cheeks, and how it is turned in degrees."""

    width: float
    yaw: float
    pitch: float
    roll: float


def refuse(reason: str) -> PhotoInvalid:
    """The error for a reason of REASONS; `args_for_user["reason"]` tells it to programs."""
    return PhotoInvalid(REASONS[reason], message_id=f"error-photo-{reason.replace('_', '-')}", reason=reason)


async def check_photo(photo: Path) -> Face:
    """What add_avatar would say of it, without writing anything. Raises PhotoInvalid, ModelMissing."""
    return await _ask(photo, "")


async def add_avatar(
    photo: Path, *, avatar_id: str, name: Localised, voice: str, root: Path, template: Avatar, added_by: str = ""
) -> Path:
    """Writes root/avatars/avatar_id, whole or not at all: avatar.toml, portrait.png, rig.npz and the template's
    persona under the new name.

    photo: JPEG, PNG or WebP, hostile: it is opened in a process with limits. root: DATA_DIR. added_by: who did it,
    kept in avatar.toml. Raises PhotoInvalid (see REASONS), InputError for a wrong name or id, Conflict for an id
    that is or was in use, ModelMissing without mediapipe, VideoError, StorageError, and OSError where there
    is no such photo.
    """
    names = checked_name(name)
    checked_id(voice, "voice")
    with adding(root, "avatars", avatar_id) as draft:
        await _ask(photo, str(draft.resolve()))
        with storage_errors():
            _describe(draft, names, voice, template, added_by)
        read_persona(draft / "persona.toml")
    return root / "avatars" / avatar_id


async def add_half(picture: Path, *, avatar: Avatar, root: Path) -> Path:
    """Writes root/avatars/<id>/half.png, whole or not at all, also of an avatar that is shipped: it lies over what came
    with it. The one that was there gives way.

    picture: JPEG, PNG or WebP, hostile: half a body with both hands. root: DATA_DIR. Raises PhotoInvalid (see REASONS),
    NotFound for an avatar that was removed meanwhile, ModelMissing without mediapipe, StorageError, and OSError where
    there is no such picture.
    """
    target = root / "avatars" / checked_id(avatar.id, "avatar")
    _check_bytes(picture)
    with drafting(target) as draft:
        made = (draft / HALF).resolve()
        _check(await ask(HALF_PROCESS, str(picture.resolve()), str(made), timeout_s=TIMEOUT_S))
        with locked(target.parent), storage_errors():
            if not (avatar.folder / "avatar.toml").is_file():
                raise NotFound(f"no avatar is called {avatar.id}", message_id="error-no-avatar")
            target.mkdir(exist_ok=True)
            made.replace(target / HALF)
    return target / HALF


def remove_avatar(root: Path, avatar_id: str) -> None:
    """Deletes it from root/avatars. Raises NotFound, Forbidden for a shipped one, StorageError."""
    remove(root, "avatars", avatar_id)


async def _ask(photo: Path, folder: str) -> Face:
    """The process' answer; it writes portrait and rig into `folder`, unless that is empty."""
    _check_bytes(photo)
    donors = str(HOME / "avatars")
    return _read(await ask(PROCESS, str(photo.resolve()), folder, donors, timeout_s=TIMEOUT_S))


def _check_bytes(photo: Path) -> None:
    size = photo.stat().st_size
    if size > MAX_PHOTO_BYTES:
        raise refuse("too_large")
    if size == 0:
        raise refuse("not_picture")


def _read(answer: dict[str, Any]) -> Face:
    _check(answer)
    try:
        return Face(*(float(answer[name]) for name in ("width", "yaw", "pitch", "roll")))
    except (LookupError, TypeError, ValueError, OverflowError):
        raise refuse("not_picture") from None


def _check(answer: dict[str, Any]) -> None:
    """A process that died did so of the picture: its decoder crashed, or it needed more than the limits allow."""
    reason, failed = answer.get("reason"), answer.get("failed")
    if failed == "storage":
        raise StorageError("what was made of the picture could not be written")
    if failed is not None:
        raise VideoError(str(failed)[:200])
    if reason == "no_model":
        raise ModelMissing(LACK)
    if reason is not None:
        raise refuse(reason if isinstance(reason, str) and reason in REASONS else "not_picture")
    if not answer:
        raise refuse("not_picture")


def _describe(draft: Path, names: dict[str, str], voice: str, template: Avatar, added_by: str) -> None:
    """avatar.toml and persona.toml."""
    table: dict[str, Any] = {"name": names, "voice": voice, "licence": "private", "added_by": added_by}
    persona = (template.folder / "persona.toml").read_text(encoding="utf-8")
    for language, old in template.name.items():
        persona = _renamed(persona, old, names.get(language, old))
    write_whole(draft / "persona.toml", persona)
    write_toml(draft / "avatar.toml", {"": table})


def _renamed(text: str, old: str, new: str) -> str:
    """Whole words only; a checked name needs no escape in TOML."""
    return re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", lambda _: new, text)
