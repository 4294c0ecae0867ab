### كل رسالة هنا لها المعرّف نفسه والوسائط نفسها في en/admin.ftl.

## نظرة عامة

command-admin-short = إدارة الخدمة: الأرقام والطابور والشخصيات والأصوات والأشخاص
admin-overview =
    الخدمة تعمل. { $waiting ->
        [zero] لا رسائل في الانتظار
        [one] رسالة واحدة في الانتظار
        [two] رسالتان في الانتظار
        [few] { $waiting } رسائل في الانتظار
        [many] { $waiting } رسالة في الانتظار
       *[other] { $waiting } رسالة في الانتظار
    }، { $failed ->
        [zero] ولم يتعذّر شيء اليوم
        [one] وتعذّرت واحدة اليوم
        [two] وتعذّرت اثنتان اليوم
        [few] وتعذّرت { $failed } رسائل اليوم
        [many] وتعذّرت { $failed } رسالة اليوم
       *[other] وتعذّرت { $failed } رسالة اليوم
    }.

    مع ‎/admin turn‎ و‎/admin retry‎ و‎/admin cancel‎ اكتب المعرّف القصير للرسالة، ومع ‎/admin ban‎ و‎/admin allow‎ اكتب الشخص (telegram:123).
    لإضافة شخصية أرسل صورة واكتب الاسم تحتها، ولإضافة صوت اكتب ‎/admin voice add‎ ثم الاسم.
admin-overview-paused =
    الخدمة متوقفة مؤقتًا: نستلم الرسائل وتبقى في الانتظار. { $waiting ->
        [zero] لا رسائل في الانتظار
        [one] رسالة واحدة في الانتظار
        [two] رسالتان في الانتظار
        [few] { $waiting } رسائل في الانتظار
        [many] { $waiting } رسالة في الانتظار
       *[other] { $waiting } رسالة في الانتظار
    }، { $failed ->
        [zero] ولم يتعذّر شيء اليوم
        [one] وتعذّرت واحدة اليوم
        [two] وتعذّرت اثنتان اليوم
        [few] وتعذّرت { $failed } رسائل اليوم
        [many] وتعذّرت { $failed } رسالة اليوم
       *[other] وتعذّرت { $failed } رسالة اليوم
    }.

    مع ‎/admin turn‎ و‎/admin retry‎ و‎/admin cancel‎ اكتب المعرّف القصير للرسالة، ومع ‎/admin ban‎ و‎/admin allow‎ اكتب الشخص (telegram:123).
    لإضافة شخصية أرسل صورة واكتب الاسم تحتها، ولإضافة صوت اكتب ‎/admin voice add‎ ثم الاسم.
admin-unknown-act = لا يوجد «{ $act }» في ‎/admin‎. إليك ما يوجد:

admin-title-stats = الأرقام
admin-title-queue = الطابور
admin-title-pause = إيقاف مؤقت
admin-title-resume = استئناف
admin-title-avatar = الشخصيات
admin-title-voice = الأصوات
admin-title-log = السجل
admin-title-menu = القائمة
admin-title-turn = تفاصيل { $turn }
admin-title-retry = إعادة { $turn }
admin-title-cancel = إلغاء { $turn }
admin-title-more = تسجيل آخر
admin-title-remove = حذف
admin-title-yes = نعم، احذف
admin-title-no = لا، أبقِ
admin-title-agreed = المتكلم موافق
admin-title-leave = تراجع
admin-use-here = استخدام هنا
admin-use-everyone = للجميع

## الأرقام

admin-stats-title = الخدمة بالأرقام
admin-stats-running = ▶ تعمل
admin-stats-paused = ⏸ متوقفة مؤقتًا
admin-stats-count = { $what } { $n }
admin-stats-queue = في الانتظار أو قيد الإعداد: { $n }
admin-stats-states = الرسائل الجارية والمنتهية اليوم، حسب الحالة: { $states }
admin-stats-today = اليوم (بالتوقيت العالمي): الرسائل { $turns }، ثواني الفيديو { $seconds }
admin-stats-waits = الانتظار حتى اكتمال الإجابة بالثواني: الوسيط { $median }، الأطول { $worst }
admin-stats-failures = ما تعذّر اليوم: { $failures }
admin-stats-people = { $channel }: الأشخاص { $known }، اليوم { $today }، المحظورون { $banned }

admin-state-received = قيد الجلب
admin-state-queued = في الانتظار
admin-state-running = قيد الإعداد
admin-state-rendered = قيد الإرسال
admin-state-done = اكتملت
admin-state-failed = تعذّرت
admin-state-cancelled = أُلغيت
admin-state-superseded = صُحّحت
admin-state-merged = دُمجت

admin-age-seconds =
    { $n ->
        [zero] الآن
        [one] ثانية واحدة
        [two] ثانيتان
        [few] { $n } ثوانٍ
        [many] { $n } ثانية
       *[other] { $n } ثانية
    }
admin-age-minutes =
    { $n ->
        [zero] أقل من دقيقة
        [one] دقيقة واحدة
        [two] دقيقتان
        [few] { $n } دقائق
        [many] { $n } دقيقة
       *[other] { $n } دقيقة
    }
admin-age-hours =
    { $n ->
        [zero] أقل من ساعة
        [one] ساعة واحدة
        [two] ساعتان
        [few] { $n } ساعات
        [many] { $n } ساعة
       *[other] { $n } ساعة
    }
admin-age-days =
    { $n ->
        [zero] أقل من يوم
        [one] يوم واحد
        [two] يومان
        [few] { $n } أيام
        [many] { $n } يومًا
       *[other] { $n } يوم
    }

## الطابور

admin-queue-empty = لا شيء في الانتظار، ولم يتعذّر شيء.
admin-queue-title =
    { $n ->
        [zero] لا رسائل:
        [one] رسالة واحدة مفتوحة أو تعذّرت:
        [two] رسالتان مفتوحتان أو تعذّرتا:
        [few] { $n } رسائل مفتوحة أو تعذّرت:
        [many] { $n } رسالة مفتوحة أو تعذّرت:
       *[other] { $n } رسالة مفتوحة أو تعذّرت:
    }
admin-queue-line = { $turn }: { $told }
admin-retried = ستُعاد الرسالة من جديد، ومعرّفها { $turn }.
admin-cancelled = أُلغيت { $turn }.
admin-paused = توقفت الخدمة مؤقتًا. يكتمل ما هو قيد الإعداد، وتبقى الرسائل الجديدة في الانتظار.
admin-paused-already = الخدمة متوقفة مؤقتًا من قبل.
admin-resumed =
    عادت الخدمة إلى العمل. { $n ->
        [zero] لا شيء في الانتظار.
        [one] رسالة واحدة مفتوحة أو تعذّرت.
        [two] رسالتان مفتوحتان أو تعذّرتا.
        [few] { $n } رسائل مفتوحة أو تعذّرت.
        [many] { $n } رسالة مفتوحة أو تعذّرت.
       *[other] { $n } رسالة مفتوحة أو تعذّرت.
    }
admin-not-paused = الخدمة ليست متوقفة.
admin-left = تراجعنا، ولم يُضف شيء.
admin-nothing-to-leave = لا يوجد ما نتراجع عنه. لإلغاء رسالة اكتب معرّفها القصير: ‎/admin cancel 0b8ce2a6‎

admin-turn-title = { $turn }: { $told }
admin-turn-attempts = عدد المحاولات: { $n }
admin-turn-stopping = طُلب إيقافها.
admin-turn-error = { $layer ->
        [none] الخطأ: { $code }
       *[other] الخطأ: { $code }، في الطبقة { $layer }
    }
admin-turn-remedy = الحل: { $code ->
        [worker_died] توقفت عملية المحركات أو علقت في كل محاولة، وسجلّها يذكر الطبقة. إن نفدت الذاكرة فاختر محركًا أصغر، ثم أعد المحاولة.
        [storage] أفرغ مساحة على القرص، أو تحقق من صلاحيات مجلد البيانات، ثم أعد المحاولة.
        [llm_failed] نفّذ smarttalker doctor، فهو يفحص خادم النموذج اللغوي، ثم أعد المحاولة.
        [asr_failed] نفّذ smarttalker doctor، فهو يفحص المحركات ونماذجها، ثم أعد المحاولة.
        [emotion_failed] نفّذ smarttalker doctor، فهو يفحص المحركات ونماذجها، ثم أعد المحاولة.
        [model_missing] نزّل النموذج بالأمر smarttalker models fetch، ثم أعد المحاولة.
        [configuration] نفّذ smarttalker doctor، فهو يذكر الإعداد الخاطئ، ثم أعد المحاولة.
        [language_unsupported] اختر محركًا يعرف لغة الرسالة.
        [not_understood] لم يُقل شيء في التسجيل، وطلبنا من صاحبه أن يتكلم مرة أخرى.
        [audio_invalid] تعذّرت قراءة التسجيل، وأخبرنا صاحبه بما يمكن إرساله.
        [media_gone] لم يعد التسجيل عند المنصة، وعلى صاحبه أن يرسله من جديد.
        [account_refused] تحقق من رمز القناة ومن الحساب في لوحة المنصة، ثم أعد المحاولة.
        [platform_away] لم تستجب المنصة وقتًا طويلًا. أعد المحاولة حين تعود.
       *[other] ابحث عن معرّف الرسالة في سجل العملية، ثم أعد المحاولة.
    }
admin-turn-replaced = أُعيدت بالمعرّف { $turn }.
admin-turn-merged = أُجيب عنها مع { $turn }.
admin-turn-steps = ما استُعيض عنه: { $steps }
admin-turn-engine = { $layer } { $engine } { $seconds } ث
admin-turn-engines = المحركات: { $engines }
admin-turn-sent = ما أُرسل: { $parts }
admin-turn-unsent = لم يُرسل منها شيء.
admin-turn-part = { $kind } ({ $state })
admin-part-text = النص
admin-part-voice = الرسالة الصوتية
admin-part-video = الفيديو
admin-part-menu = القائمة
admin-part-notice = الإشعار
admin-part-document = المستند
admin-sent-pending = في الانتظار
admin-sent-sending = قيد الإرسال
admin-sent-sent = تم الإرسال
admin-sent-delivered = تم التسليم
admin-sent-failed = تعذّر الإرسال
admin-sent-held = أُوقف الإرسال
admin-sent-unknown = ربما تم الإرسال

error-turn-unknown = لا توجد رسالة يبدأ معرّفها بـ { $turn }. تجد المعرّفات في ‎/admin queue‎.
error-turn-ambiguous = أكثر من رسالة يبدأ معرّفها بـ { $turn }. من فضلك اكتب جزءًا أطول منه.
error-turn-ended = انتهت { $turn } من قبل.
error-turn-not-failed = لم تتعذّر { $turn }، أو أُعيدت من قبل.
error-turn-gone = تسجيل { $turn } لم يعد موجودًا، ويجب إرساله من جديد.

## الأشخاص

admin-banned = لن تصل أي إجابة إلى { $person } بعد الآن.
admin-unbanned = رُفع الحظر عن { $person }، ويمكنه الإرسال بلا حد.
admin-allowed = يمكن لـ { $person } الإرسال بلا حد.
error-person-missing = من فضلك اكتب الشخص المقصود: ‎/admin ban telegram:123‎
error-person-unknown = لم يراسل هذا البوت أحد باسم { $person }.
error-ban-admin = لا يمكن حظر أحد المديرين.

## الشخصيات

admin-avatar-menu =
    أي شخصية؟ المعلَّمة هي التي تجيب حيث لم تُختر شخصية.
    لإضافة شخصية أرسل صورة لشخص واحد ينظر إلى الكاميرا واكتب الاسم تحتها.
admin-avatar-offer = { $name } ({ $id })
admin-avatar-everyone = من الآن تجيب { $name } الجميع.
admin-avatar-here = من الآن تجيب { $name } هنا.
admin-avatar-some = من الآن تجيب { $name } على { $whom }.
admin-avatar-ask-photo = من فضلك أرسل الصورة: شخص واحد ينظر إلى الكاميرا وعلى وجهه ضوء جيد. للتراجع: ‎/cancel‎
admin-avatar-ask-name = ما اسم الشخصية؟ إن أردت اسمًا في كل لغة فاكتب الاسمين وبينهما شرطة مائلة: نور / Noor. للتراجع: ‎/cancel‎
admin-avatar-begun = يجري إعداد { $name } بالمعرّف { $id }، ويستغرق ذلك نحو دقيقة. ستأخذ معلومات { $template } والصوت المستخدم هنا.
admin-avatar-ready = أصبحت { $name } جاهزة، وستحييك بعد لحظات. لاختيارها: { $command }
admin-avatar-sure = هل تريد حذف { $name } ({ $id }) نهائيًا؟ من يتحدث معها ستجيبه الشخصية المعتادة.
admin-removing = يجري حذف { $name }.
admin-avatar-gone = حُذفت الشخصية { $id }.
error-avatar-unknown = لا توجد شخصية باسم { $avatar }.
error-avatar-default = هذه الشخصية تجيب حيث لم تُختر شخصية. من فضلك اختر غيرها للجميع أولًا.
error-photo-gone = تعذّر جلب الصورة. من فضلك أرسلها مرة أخرى.
error-target-unknown = لا توجد محادثة كهذه. اكتب «هنا» أو شخصًا (telegram:123) أو بداية معرّف محادثة.
error-target-ambiguous = أكثر من محادثة يبدأ معرّفها بـ { $target }. من فضلك اكتب جزءًا أطول منه.

## الأصوات

admin-voice-menu =
    الأصوات المتاحة. لإضافة صوت اكتب ‎/admin voice add‎ ثم الاسم.
admin-voice-how = من فضلك اكتب الاسم أيضًا: ‎/admin voice add‎ نور
admin-voice-offer =
    { $name } ({ $id })
    { $languages ->
        [none] لا تسجيل له.
       *[other] لغات تسجيلاته: { $languages }.
    }
admin-voice-language = { $code ->
    [ar] العربية
    [de] الألمانية
    [en] الإنجليزية
    [es] الإسبانية
    [fr] الفرنسية
    [it] الإيطالية
    [ja] اليابانية
    [ko] الكورية
    [ru] الروسية
    [tr] التركية
    [ur] الأردية
    [zh] الصينية
    [und] لغة غير محددة
   *[other] { $code }
}
admin-voice-ask-note = أرسل الآن رسالة صوتية من 3 إلى 30 ثانية لشخص واحد يتكلم بوضوح في مكان هادئ. الأفضل من 10 إلى 20 ثانية. للتراجع: ‎/cancel‎
admin-voice-ask-which = يوجد صوت مضاف باسم { $name }. لإضافة تسجيل إليه بلغة أخرى اضغط على الزر. ولإنشاء صوت جديد بالاسم نفسه أرسل الآن رسالة صوتية من 3 إلى 30 ثانية لشخص واحد يتكلم بوضوح في مكان هادئ.
admin-voice-ask-more = أرسل الآن رسالة صوتية أخرى من 3 إلى 30 ثانية للشخص نفسه ({ $name }) وهو يتكلم بلغة أخرى. إن كان للصوت تسجيل باللغة نفسها حلّ الجديد محله. للتراجع: ‎/cancel‎
admin-voice-ask-consent =
    لا نقلّد صوتًا إلا بموافقة صاحبه. بالضغط على الزر تقرّ بما يلي، ونحفظ إقرارك مع اسمك والوقت:

    «{ $words }»
admin-consent-words = الشخص الذي يتكلم في هذا التسجيل يعلم أن هذه الخدمة ستقلّد صوته، وقد وافق على ذلك.
admin-voice-consent-late = لم نعد ننتظر هذا الرد. ابدأ من جديد: ‎/admin voice add‎ ثم الاسم.
admin-voice-begun = يجري إعداد الصوت { $name } بالمعرّف { $id }، وقد حفظنا إقرارك.
admin-voice-more-begun = يجري إعداد التسجيل الجديد للصوت { $name } ({ $id })، وقد حفظنا إقرارك.
admin-voice-extended = أُضيف التسجيل إلى الصوت { $name }، وستسمعه بعد لحظات. لاختياره: { $command }
admin-voice-ready = أصبح الصوت { $name } جاهزًا، وستسمعه بعد لحظات. لاختياره: { $command }
admin-voice-sure = هل تريد حذف الصوت { $name } ({ $id }) نهائيًا؟ من اختاره سيسمع الصوت الأصلي لكل شخصية.
admin-voice-gone = حُذف الصوت { $id }.
error-voice-unknown = لا يوجد صوت باسم { $voice }.
error-voice-in-use = هناك شخصيات تتكلم بهذا الصوت: { $avatars }. من فضلك احذفها أولًا.

## السجل

admin-log-title = آخر ما فعله المديرون (بالتوقيت العالمي):
admin-log-empty = لم يفعل أي مدير شيئًا بعد.
admin-log-line = { $actor }: { $act }
admin-log-target = { $target }
admin-act-pause = إيقاف مؤقت
admin-act-resume = استئناف
admin-act-retry = إعادة رسالة
admin-act-cancel = إلغاء رسالة
admin-act-ban = حظر
admin-act-allow = سماح
admin-act-avatar-everyone = شخصية للجميع
admin-act-avatar-one = شخصية لمحادثة
admin-act-avatar-add = بدء إعداد شخصية
admin-act-avatar-added = شخصية جديدة جاهزة
admin-act-avatar-remove = بدء حذف شخصية
admin-act-avatar-removed = حذف شخصية
admin-act-voice-consent = إقرار بموافقة
admin-act-voice-add = بدء إعداد صوت
admin-act-voice-extend = بدء إعداد تسجيل آخر لصوت
admin-act-voice-extended = تسجيل آخر جاهز لصوت
admin-act-voice-added = صوت جديد جاهز
admin-act-voice-remove = بدء حذف صوت
admin-act-voice-removed = حذف صوت

## عبر HTTP

error-form-type = أرسل نموذجًا (multipart/form-data) فيه الملف «{ $field }».
error-consent-field = لا يُضاف صوت إلا بموافقة صاحبه. أرسل الحقل consent=yes لتقرّ بما يلي: «{ $words }»
