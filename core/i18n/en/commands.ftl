### What the bot says of itself and of its commands. Every message has the same id and arguments in ar/commands.ftl.

-help = /help
-privacy = /privacy
-delete-me = /delete_me
-export = /export
-reset = /reset
-avatar = /avatar
-voice = /voice
-cancel = /cancel
-emotion-off = /emotion off
-voice-default = /voice default

## One line a command, in the menu of commands and in /help

command-start-short = Who I am and what I keep
command-help-short = Everything I can do
command-avatar-short = Choose who answers you
command-voice-short = Choose the voice
command-language-short = Speak Arabic or English
command-mode-short = Get video, voice or text
command-emotion-short = Reading emotion from your words: on or off
command-reset-short = Start afresh and forget what was said
command-cancel-short = Cancel answers that are not here yet
command-usage-short = Your messages and videos, counted
command-privacy-short = What is kept, where and for how long
command-export-short = A copy of everything I keep about you
command-delete_me-short = Delete everything about you

## Beginning and help

start =
    I am an AI, not a person, and the videos that you get are generated, too. Write to me or send a voice message, in Arabic or English.

    • I keep your messages and my answers on the operator's own machine { $kept } with { -delete-me }. More about that: { -privacy }
    • I read emotion from your words, to answer in a fitting tone. To turn that off: { -emotion-off }
    • Everything I can do: { -help }

help = Write your question or send a voice message, and I will answer. These are my commands:
help-line = { $command } — { $does }
help-end = Arabic names work, too, such as «/مساعدة».

notice-welcome = Welcome! I am an AI, not a person. I keep your messages on the operator's machine { $kept }, and I read emotion from your words; to turn that off: { -emotion-off }. Everything I can do: { -help }, privacy: { -privacy }
notice-paused = The service is taking a break. Your message is safe, and the answer will come when it is back.
notice-flood = That is a lot of messages at once. I can take { $rate ->
    [one] one message
   *[other] { $rate } messages
} a minute, so please wait a little and send it again.
notice-busy = So many people are writing to me right now that I can't take any more messages. Please send yours again in a few minutes.
notice-open = I am still working on { $number ->
    [one] one message of yours
   *[other] { $number } messages of yours
}, so I can't take another yet. Please send it again when the next answer is there.
notice-video-day = You have had all the video that I can make for you in a day. Until tomorrow I answer you without video.
notice-correction-late = Your correction came after the answer was made. Please send it as a new message.

kept-for = { $days ->
    [0] until you delete them
    [one] for one day at most, unless you delete them earlier
   *[other] for { $days } days at most, unless you delete them earlier
}

## What can't be answered

unsupported-sticker = A nice sticker, but I don't understand stickers. Write to me or send a voice message.
unsupported-location = I can't do anything with a location. Write to me what you need, or send a voice message.
unsupported-document = I can't read files. Write me your question or send a voice message.
unsupported-poll = I can't take part in polls. Write me your question or send a voice message.
unsupported-contact = I can't do anything with a contact. Write to me what you need, or send a voice message.
unsupported-reaction = Thank you for the reaction! If you want to say something, write to me or send a voice message.
unsupported-video = I can't watch videos. Write me your question or send a voice message.
unsupported-photo = I can't see photos. Write me your question or send a voice message.
unsupported-game = Games are not for me. Write me your question or send a voice message.
unsupported-order = I can't take orders this way. Write to me what you need, or send a voice message.
unsupported-other = I don't understand this kind of message. Write me your question or send a voice message.

unknown-command = I don't know this command. All that I know are here: { -help }
unknown-command-like = I don't know this command. Did you mean { $command }? All that I know are here: { -help }
unknown-button = This button no longer works. All my commands are here: { -help }
only-in-private = This command is personal. Please send { $command } in a private chat with me.

## Menus

menu-button = Choose
menu-more = More…
menu-earlier = Back…

avatar-menu = Who shall answer you? Tap a name, or write { -avatar } and the name or the number.
avatar-unknown = I found nobody of that name. These are all there are:
avatar-none = There are no avatars yet. Please tell the operator.
avatar-chosen = Done. From now on { $name } answers you: { $business }.

voice-menu = In which voice would you like to hear the answers? Tap a name, or write { -voice } and the name or the number.
voice-unknown = I found no voice of that name. These are all there are:
voice-own-title = The avatar's own
voice-own = Done. Each avatar speaks in its own voice.
voice-chosen = Done. You will hear the answers in the voice of { $name }. Back to the avatar's own: { -voice-default }

language-menu = Which language shall we speak? بأي لغة نتحدث؟
language-unknown = I speak Arabic and English. Which do you prefer?
language-auto-title = As I write
language-auto = Done. I will answer each message in its own language.
language-chosen = Done. I will speak English with you.

mode-menu = How would you like to get the answers?
mode-unknown = I did not understand that choice. How would you like to get the answers?
mode-all = Text, voice, video
mode-video = Video only
mode-text-video = Text and video
mode-text-voice = Text and voice
mode-text = Text only
mode-chosen = Done. You will get the answers as: { $parts }.
part-text = text
part-voice = voice
part-video = video

emotion-menu = I guess from your words how you feel (glad, sad or worried, for example), to answer in a fitting tone. I never read it from your voice or your face. Shall I go on?
emotion-unknown = I did not understand that choice. Shall I read emotion from your words, to answer in a fitting tone?
emotion-on = Done. I will read emotion from your words, to answer in a fitting tone.
emotion-off = Done. I will not read emotion from your words, and answer in a plain tone.
switch-on = On
switch-off = Off

## The talk

reset-done = Done. I have forgotten what we talked about; your choices stay. What shall we begin with?
reset-nothing = There is nothing to forget yet. What shall we begin with?
cancel-done = Cancelled: { $count }.
cancel-question = Cancelled.
cancel-nothing = There is nothing to cancel: no answer is being made.
count-answers = { $n ->
    [one] one answer
   *[other] { $n } answers
}

## What is kept of you

usage =
    Last 24 hours: { $today }, { $today_video }.
    In all: { $messages }, { $video }.
count-messages = { $n ->
    [0] no messages
    [one] one message
   *[other] { $n } messages
}
count-seconds = { $n ->
    [0] no video
    [one] one second of video
   *[other] { $n } seconds of video
}

privacy =
    What is kept? Your written and spoken messages, my answers as text, voice and video, the emotion guessed from your words unless you turned that off, your choices, and your id and name as the app sends them.

    Where? On the operator's own machine. Messages also pass through the app that you write in, of course.

    For how long? Messages and answers { $kept }; voice and video may go sooner where room runs out. Your choices, id and name until you delete them.

    Who sees them? The operator alone. Other users see nothing but what is written in a group.

    What can you do?
    • Get a copy of everything: { -export }
    • Have the talk forgotten: { -reset }
    • Turn off the reading of emotion: { -emotion-off }
    • Delete everything, voice and video too: { -delete-me }

export-begun = I am collecting everything that I keep about you, and will send it here as a file in a moment.
export-under-way = Your copy is being made, and will be here soon.
export-done = This is everything that I keep about you, with the voice and video files.
export-without-media = This is everything that I keep about you in writing. The voice and video files can't be sent along here; you find them in this chat.

delete-menu = I will delete everything that I keep about you: messages, answers, voice, video and choices. This can't be undone. What you see in the app stays there until you delete it yourself, and what was written in groups stays with them. Shall I delete?
delete-yes-title = Yes, delete it all
delete-no-title = No, keep it
delete-begun = I am deleting everything about you…
delete-kept = All right, nothing was deleted.
delete-done = Done. Everything that was kept about you is deleted, and nothing is left. If you come back one day, we start anew. Goodbye!
