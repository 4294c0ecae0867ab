### Every message has the same id and the same arguments in ar.ftl.

## Errors of the service

error-internal = Something went wrong on our side. Please try again; if it happens again, tell us the request id.
error-unavailable = The service is briefly unavailable. Please try again in a moment.
error-storage = There is no room left to store this right now. Please try again later.
error-model-missing = This answer needs a model that is not installed on this machine yet.
error-not-built = This can't be done over the interface yet: put the folder at { $folder } and restart.
error-queue-full = So many messages are waiting for an answer that no more can be taken right now. Please send yours again in a few minutes.
error-too-many-open = { $number ->
    [one] Your last message is still waiting for its answer. Please send this one again when the answer is there.
   *[other] { $number } of your messages are still waiting for an answer. Please send this one again when the next answer is there.
}

## Errors of what was sent

error-input = This could not be understood: { $detail }.
error-json = The body is not valid JSON.
error-form = The form could not be read.
error-media-type = Send JSON, or a form with the field “audio”.
error-method = That is not possible at this address.
error-too-large = This is too large: at most 16 MB can be sent.
error-text = Please send a text of 1 to 2,000 characters.
error-text-empty = The message is empty. Please write something.
error-text-long = The message is too long: at most 2,000 characters.
error-text-binary = The message contains characters that are not text.
error-one-input = Send either a text or a recording, one of them.
error-audio = The recording can't be used. Please send Ogg/Opus, MP3, M4A, WAV or WebM of at most 5 minutes and 16 MB.
error-audio-empty = The recording is empty. Please record it again.
error-audio-too-large = The recording is too large: at most 16 MB.
error-audio-too-long = The recording is too long: at most 5 minutes.
error-audio-not-audio = This is not a sound recording. Please send Ogg/Opus, MP3, M4A, WAV or WebM.
error-audio-unknown-codec = The recording's format is not known here. Please send Ogg/Opus, MP3, M4A, WAV or WebM.
error-audio-truncated = The recording broke off on its way. Please send it again.
error-audio-silent = Nothing can be heard in the recording. Please check the microphone and record it again.
error-not-found = There is no such thing here.
error-no-avatar = There is no avatar of that name. GET /api/v1/avatars lists those that there are.
error-no-voice = There is no voice of that name. GET /api/v1/voices lists those that there are.
error-no-conversation = There is no conversation with that id. Leave conversation_id out to begin a new one.
error-no-id = There is nothing with that id. Ids look like 0b8ce2a6-3c54-4d38-9f0e-5d9b4a4a3c11.
error-no-turn = There is no turn with that id.
error-forbidden = Access is not allowed: a key is missing or wrong.
error-too-many-requests = Too many requests in a short time. Please wait a moment and try again.
error-conflict = The same Idempotency-Key came with another message. Please use a new key for a new message.

## Errors of an answer

error-layer = This answer could not be finished. Please try again.
error-asr = I could not understand the recording. Please say it again closer to the microphone, or type it.
error-asr-language =
    { $language ->
        [ar] I can't understand spoken Arabic on this machine yet, because the model “{ $model }” is not installed. The operator can fetch it with: { $command } — until then, please type your message.
       *[other] I can't understand this spoken language on this machine yet, because the model “{ $model }” is not installed. The operator can fetch it with: { $command } — until then, please type your message.
    }
error-not-understood = I did not quite understand that. You can ask me, for example, about { $examples }.
error-llm = I can't find an answer right now. Please try again in a moment.
error-tts = The answer could not be spoken.
error-video = The video could not be made.
error-cancelled = Cancelled.

error-media-gone = Your recording could no longer be fetched. Please send it again.

## Steps down

notice-step-voice = The video could not be made this time, so here is the answer as a voice message.
notice-step-text = The answer could not be spoken this time, so here it is as text.
notice-step-answers = My language model is not available right now, so I answer from what I know by heart.
notice-step-cut = My answer broke off before its end. If you would like the rest, please ask me again.
notice-step-simpler = The best video could not be made this time, so here is a simpler one.
notice-step-other-voice = My usual voice is not available right now, so this answer comes in another one.
notice-in-doubt = I could not make sure that everything I sent has reached you. If something is missing, please ask me again.

## While one waits

notice-wait = Your answer is being made. It will be there in about { $seconds ->
    [one] { $seconds } second
   *[other] { $seconds } seconds
}.
notice-wait-place = { $place ->
    [one] There is one message before yours.
   *[other] There are { $place } messages before yours.
} Your answer will be there in about { $seconds ->
    [one] { $seconds } second
   *[other] { $seconds } seconds
}.
