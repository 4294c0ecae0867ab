### Every message has the same id and the same arguments in ar/admin.ftl.

## The overview

command-admin-short = run the service: figures, queue, avatars, voices, people
admin-overview =
    The service is running. { $waiting ->
        [one] One message is waiting
       *[other] { $waiting } messages are waiting
    }, { $failed ->
        [one] one failed today
       *[other] { $failed } failed today
    }.

    /admin turn, /admin retry and /admin cancel take a turn's short id, /admin ban and /admin allow a person (telegram:123).
    Send a photo with a name below it for a new avatar; /admin voice add and a name for a new voice.
admin-overview-paused =
    The service is paused: messages are taken in, and wait. { $waiting ->
        [one] One message is waiting
       *[other] { $waiting } messages are waiting
    }, { $failed ->
        [one] one failed today
       *[other] { $failed } failed today
    }.

    /admin turn, /admin retry and /admin cancel take a turn's short id, /admin ban and /admin allow a person (telegram:123).
    Send a photo with a name below it for a new avatar; /admin voice add and a name for a new voice.
admin-unknown-act = There is no “{ $act }” in /admin. This is what there is:

admin-title-stats = Figures
admin-title-queue = Queue
admin-title-pause = Pause
admin-title-resume = Resume
admin-title-avatar = Avatars
admin-title-voice = Voices
admin-title-log = Log
admin-title-menu = Menu
admin-title-turn = About { $turn }
admin-title-retry = Retry { $turn }
admin-title-cancel = Cancel { $turn }
admin-title-more = Another recording
admin-title-remove = Remove
admin-title-yes = Yes, remove
admin-title-no = No, keep
admin-title-agreed = Speaker agreed
admin-title-leave = Never mind
admin-use-here = Use here
admin-use-everyone = For everyone

## Figures

admin-stats-title = The service in figures
admin-stats-running = ▶ Running
admin-stats-paused = ⏸ Paused
admin-stats-count = { $what } { $n }
admin-stats-queue = Waiting or being made: { $n }
admin-stats-states = Turns under way and ended today, by state: { $states }
admin-stats-today = Today (UTC): turns { $turns }, seconds of video { $seconds }
admin-stats-waits = Wait until the whole answer, in seconds: median { $median }, longest { $worst }
admin-stats-failures = Failures today: { $failures }
admin-stats-people = { $channel }: people { $known }, today { $today }, banned { $banned }

admin-state-received = fetching
admin-state-queued = queued
admin-state-running = being made
admin-state-rendered = being sent
admin-state-done = done
admin-state-failed = failed
admin-state-cancelled = cancelled
admin-state-superseded = corrected
admin-state-merged = merged

admin-age-seconds =
    { $n ->
        [one] { $n } second
       *[other] { $n } seconds
    }
admin-age-minutes =
    { $n ->
        [one] { $n } minute
       *[other] { $n } minutes
    }
admin-age-hours =
    { $n ->
        [one] { $n } hour
       *[other] { $n } hours
    }
admin-age-days =
    { $n ->
        [one] { $n } day
       *[other] { $n } days
    }

## The queue

admin-queue-empty = Nothing is waiting, and nothing has failed.
admin-queue-title =
    { $n ->
        [one] One turn, open or failed:
       *[other] { $n } turns, open or failed:
    }
admin-queue-line = { $turn }: { $told }
admin-retried = The message is asked once more, as { $turn }.
admin-cancelled = { $turn } is cancelled.
admin-paused = Paused. What is being made is finished; new messages are taken in, and wait.
admin-paused-already = It is paused already.
admin-resumed =
    Going on. { $n ->
        [0] Nothing is waiting.
        [one] One turn is open or failed.
       *[other] { $n } turns are open or failed.
    }
admin-not-paused = It is not paused.
admin-left = Left. Nothing was added.
admin-nothing-to-leave = There is nothing to leave. To cancel a turn, write its short id: /admin cancel 0b8ce2a6

admin-turn-title = { $turn }: { $told }
admin-turn-attempts = Attempts: { $n }
admin-turn-stopping = It was asked to stop.
admin-turn-error = { $layer ->
        [none] Error: { $code }
       *[other] Error: { $code }, layer { $layer }
    }
admin-turn-remedy = What helps: { $code ->
        [worker_died] the engines' process died or hung in every attempt; the worker's log names the layer. Where memory ran out, choose a smaller engine. Then retry.
        [storage] free some disk space, or check the rights of the data folder. Then retry.
        [llm_failed] run smarttalker doctor, which asks the language model's server. Then retry.
        [asr_failed] run smarttalker doctor, which looks at the engines and their models. Then retry.
        [emotion_failed] run smarttalker doctor, which looks at the engines and their models. Then retry.
        [model_missing] fetch the model with smarttalker models fetch. Then retry.
        [configuration] smarttalker doctor names the setting that is wrong. Then retry.
        [language_unsupported] choose an engine that knows the language of the message.
        [not_understood] nothing was said in the recording: the person was asked to speak again.
        [audio_invalid] the recording can't be read: the person was told what can be sent.
        [media_gone] the platform no longer has the recording: the person must send it again.
        [account_refused] check the channel's token, and the account in the platform's console. Then retry.
        [platform_away] the platform did not answer for a long time. Retry when it is back.
       *[other] look for the turn's id in the worker's log. Then retry.
    }
admin-turn-replaced = Asked again as { $turn }.
admin-turn-merged = Answered together with { $turn }.
admin-turn-steps = Steps down: { $steps }
admin-turn-engine = { $layer } { $engine } { $seconds } s
admin-turn-engines = Engines: { $engines }
admin-turn-sent = Sent: { $parts }
admin-turn-unsent = Nothing of it was sent.
admin-turn-part = { $kind } { $state }
admin-part-text = text
admin-part-voice = voice note
admin-part-video = video
admin-part-menu = menu
admin-part-notice = notice
admin-part-document = document
admin-sent-pending = waiting
admin-sent-sending = being sent
admin-sent-sent = sent
admin-sent-delivered = delivered
admin-sent-failed = failed
admin-sent-held = held back
admin-sent-unknown = perhaps sent

error-turn-unknown = There is no turn whose id begins with { $turn }. /admin queue shows them.
error-turn-ambiguous = More than one turn's id begins with { $turn }. Please write more of it.
error-turn-ended = { $turn } has ended already.
error-turn-not-failed = { $turn } has not failed, or was asked again already.
error-turn-gone = The recording of { $turn } is no longer there. It must be sent again.

## People

admin-banned = { $person } gets no answers from now on.
admin-unbanned = { $person } is no longer banned, and may send as much as they like.
admin-allowed = { $person } may send as much as they like.
error-person-missing = Please write whom: /admin ban telegram:123
error-person-unknown = Nobody known as { $person } has written to this bot.
error-ban-admin = An administrator can't be banned.

## Avatars

admin-avatar-menu =
    Which avatar? The marked one answers wherever none was chosen.
    For a new one, send a photo of one person who looks at the camera, with the name below it.
admin-avatar-offer = { $name } ({ $id })
admin-avatar-everyone = { $name } answers everyone from now on.
admin-avatar-here = { $name } answers here from now on.
admin-avatar-some = { $name } answers { $whom } from now on.
admin-avatar-ask-photo = Please send the photo: one person, seen from the front, with good light on the face. /cancel leaves this.
admin-avatar-ask-name = What is the avatar to be called? For a name in each language, write both with a slash: Noor / نور. /cancel leaves this.
admin-avatar-begun = { $name } is being made, as { $id }; that takes about a minute. What { $template } knows and the voice used here are taken over.
admin-avatar-ready = { $name } is ready and will greet you in a moment. { $command } chooses the avatar.
admin-avatar-sure = Remove { $name } ({ $id }) for good? Whoever talks with this avatar gets the usual one.
admin-removing = { $name } is being removed.
admin-avatar-gone = The avatar { $id } is removed.
error-avatar-unknown = There is no avatar called { $avatar }.
error-avatar-default = This avatar answers wherever none was chosen. Choose another one for everyone first.
error-photo-gone = The photo could no longer be fetched. Please send it again.
error-target-unknown = There is no such conversation. Write here, a person (telegram:123) or the beginning of a conversation's id.
error-target-ambiguous = More than one conversation's id begins with { $target }. Please write more of it.

## Voices

admin-voice-menu =
    The voices. For a new one, write /admin voice add and its name.
admin-voice-how = Please write the name as well: /admin voice add Noor
admin-voice-offer =
    { $name } ({ $id })
    { $languages ->
        [none] It has no recording.
       *[other] Languages of its recordings: { $languages }.
    }
admin-voice-language = { $code ->
    [ar] Arabic
    [de] German
    [en] English
    [es] Spanish
    [fr] French
    [it] Italian
    [ja] Japanese
    [ko] Korean
    [ru] Russian
    [tr] Turkish
    [ur] Urdu
    [zh] Chinese
    [und] not known
   *[other] { $code }
}
admin-voice-ask-note = Now send a voice note of 3 to 30 seconds: one person, speaking clearly in a quiet room. 10 to 20 seconds are best. /cancel leaves this.
admin-voice-ask-which = There is a voice called { $name } that was added. Press the button for a recording of it in another language. For a new voice of the same name, now send a voice note of 3 to 30 seconds: one person, speaking clearly in a quiet room.
admin-voice-ask-more = Now send another voice note of 3 to 30 seconds: the same person ({ $name }) speaking another language. If the voice has a recording in that language, the new one replaces it. /cancel leaves this.
admin-voice-ask-consent =
    A voice is imitated only with the consent of the person it belongs to. By pressing the button you declare, and it is recorded with your name and the time:

    “{ $words }”
admin-consent-words = The person who speaks in this recording knows that their voice will be imitated by this service, and has agreed to it.
admin-voice-consent-late = This is no longer being asked. Begin again with /admin voice add and a name.
admin-voice-begun = { $name } is being made, as { $id }. Your declaration is recorded.
admin-voice-more-begun = Another recording of { $name } ({ $id }) is being made. Your declaration is recorded.
admin-voice-extended = The recording is part of the voice { $name } now, and you will hear it in a moment. { $command } chooses it.
admin-voice-ready = The voice { $name } is ready, and you will hear it in a moment. { $command } chooses it.
admin-voice-sure = Remove the voice { $name } ({ $id }) for good? Whoever chose it hears each avatar's own voice.
admin-voice-gone = The voice { $id } is removed.
error-voice-unknown = There is no voice called { $voice }.
error-voice-in-use = Avatars speak with this voice: { $avatars }. Remove those first.

## The log

admin-log-title = The last acts of administrators (times are UTC):
admin-log-empty = No administrator has done anything yet.
admin-log-line = { $actor }: { $act }
admin-log-target = { $target }
admin-act-pause = paused
admin-act-resume = resumed
admin-act-retry = asked again
admin-act-cancel = cancelled
admin-act-ban = banned
admin-act-allow = allowed
admin-act-avatar-everyone = avatar for everyone
admin-act-avatar-one = avatar for a conversation
admin-act-avatar-add = new avatar begun
admin-act-avatar-added = new avatar ready
admin-act-avatar-remove = removal of an avatar begun
admin-act-avatar-removed = avatar removed
admin-act-voice-consent = consent declared
admin-act-voice-add = new voice begun
admin-act-voice-extend = another recording of a voice begun
admin-act-voice-extended = another recording of a voice ready
admin-act-voice-added = new voice ready
admin-act-voice-remove = removal of a voice begun
admin-act-voice-removed = voice removed

## Over HTTP

error-form-type = Send a form (multipart/form-data) with the file “{ $field }”.
error-consent-field = A voice is added only with consent. Send the field consent=yes to declare: “{ $words }”
