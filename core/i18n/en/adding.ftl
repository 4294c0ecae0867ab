### Every message has the same id and the same arguments in ar/adding.ftl.

## Adding an avatar by a photo

error-photo = This photo can't become an avatar. Please send a JPEG, PNG or WebP picture of one person, seen from the front.
error-photo-not-picture = This is not a picture that can be opened. Please send a photo as JPEG, PNG or WebP.
error-photo-truncated = The picture arrived incomplete or is damaged. Please send it again.
error-photo-too-large = The picture is too large: at most 20 MB and 50 megapixels.
error-photo-too-small = The picture is too small: it needs at least 300 pixels on each side. Please send the original.
error-photo-no-face = No face was found in the photo. Please send one of a single person who looks at the camera.
error-photo-several-faces = There is more than one face in the photo. Please send one of a single person.
error-photo-face-small = The face is too small in the photo. Please come closer, or send the picture as a file at full size.
error-photo-turned = The head is turned to the side. Please look straight at the camera: a photo from the side will not do.
error-photo-tilted = The head is tilted too far. Please hold it straight, with the camera at the height of the eyes.
error-photo-cut-off = The face is cut off by the edge of the photo. Please leave some room around the head.
error-photo-eyes-covered = The eyes can't be seen. Please take off sunglasses and send another photo.
error-photo-eyes-shut = The eyes are shut in the photo. Please send one with open eyes.
error-photo-mouth-covered = The mouth can't be seen. Please send a photo in which no mask, hand or scarf covers it.
error-photo-mouth-open = The mouth is wide open in the photo. Please send one with the mouth closed; a smile is fine, even one that shows teeth.
error-photo-blurred = The face is blurred. Please hold the camera still and send a sharp photo.
error-photo-dark = The face is too dark. Please turn towards the light and take another photo.
error-photo-pale = The face is too bright. Please take another photo with softer light.
error-photo-no-hands = Both hands must be seen, apart from each other. Please hold them open in front of the body, a little apart.
error-photo-hands-cut = A hand is cut off by the edge of the picture. Please go further back, or hold the hands closer to the body.
error-photo-half-far = The hands are too far from the face. Please hold them in front of the belly or the chest.
error-photo-half-near = The picture is too close. It must reach from above the head to below the hands, with both elbows in it.
error-photo-half-small = The picture is too small: half a body needs at least 480 by 480 pixels. Please send the original.

## Adding a voice by a recording

error-voice = This recording can't become a voice. Please record one person speaking for 3 to 30 seconds in a quiet room.
error-voice-unreadable = The recording could not be opened or arrived incomplete. Please record it again.
error-voice-too-short = The recording is too short: at least 3 seconds are needed; 10 to 20 are best.
error-voice-too-long = The recording is too long: at most 30 seconds.
error-voice-silent = Nothing can be heard in the recording. Please check the microphone and record it again.
error-voice-quiet = The voice is too quiet. Please speak closer to the microphone.
error-voice-clipped = The voice is overdriven. Please speak a little farther from the microphone.
error-voice-music = There is music or a steady tone in the recording. Please record speech alone, with nothing else playing.
error-voice-noisy = There is too much noise behind the voice. Please record it again in a quiet room.
error-voice-little-speech = There is too little speech in the recording. Please speak without long pauses.
error-voice-several-speakers = More than one person seems to speak in the recording. Please record one person alone.
error-voice-other-speaker = The pitch of this recording is very far from that of the voice's other recordings. Please record the same person, or add it as a new voice.
error-voice-language = A language is written as two letters: ar for Arabic, en for English.
error-voice-transcript = Please write what is said in the recording in words, at most 600 characters.
error-voice-transcript-unfit = These words don't fit the recording. Please write exactly what is said in it, no more and no less, or leave them out.
error-voice-no-consent = A voice is added only with the consent of the person who speaks. Please confirm it first.

voice-note-narrow = Please note: this recording sounds like a telephone call, and so will the voice. A voice message or a microphone makes it clearer.
voice-note-short = Please note: there are less than 8 seconds of speech in the recording. With 10 to 20 seconds the voice is more like the speaker's.

## Both

error-name = Please give a name of up to 60 characters: at least one letter, no quotation marks, no invisible characters.
error-id-wrong = An id has 1 to 48 characters: small Latin letters, digits, - and _.
error-id-taken = The id { $id } is in use or was used before. Please choose another one.
error-avatar-shipped = This avatar belongs to SmartTalker and can't be removed.
error-voice-shipped-recording = This voice belongs to SmartTalker. Recordings can be added only to voices that were added.
error-voice-shipped = This voice belongs to SmartTalker and can't be removed.
