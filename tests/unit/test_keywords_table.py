"""The sentences that the engine's words are worked out with; how well it reads others is measured elsewhere."""

from __future__ import annotations

import pytest

from core.kinds import Emotion
from worker.engines.emotion.keywords import Keywords

ANGER = """
I have been on hold for forty minutes and then you hung up on me
You kept me waiting for three hours and nobody apologised
this is the third time my parcel goes missing, I'm livid
Your driver was so rude to my mother, I can't believe you employ him
I'm sick and tired of your excuses
nobody answers the phone in this place
You charged me twice and you don't even reply to my emails!
What a complete waste of my time
I want my money back right now!!!
how dare you cancel my booking without telling me
WORST SERVICE EVER
Ughhh I'm sooo mad right now
Honestly I've had enough of this company
why does nobody ever pick up?
thanks for nothing 😡
The receptionist treated me like dirt
I am not happy at all, in fact I am furious
You promised it would be here on Monday and it still hasn't arrived
it makes my blood boil
the staff was lovely but the manager was incompetent and rude
this is getting on my nerves
Great, another delay. Just what I needed.
you people are a joke
I'm quite annoyed with the way I was spoken to
this is not acceptable
أنا معصبة مرة من تعاملكم
ثالث مرة أتصل ولا أحد يرد
طفح الكيل معكم
صار لي ساعتين أنتظر ومحد سأل فيني
دمي بيغلي من الصبح بسببكم
خدمتكم زفت بصراحة
حسبي الله ونعم الوكيل فيكم
والله قهرتوني
انتو نصابين وأنا هشتكيكم
بقالي أسبوع مستني الطلب ومحدش بيرد عليا
إيه الاستهتار ده؟!
أنا متنرفز أوي من الموضوع ده
شو هالخدمة الزفت
ناطرة من ساعتين وما حدا عم يرد
عيب عليكم والله
لن أتعامل معكم مرة أخرى أبدًا
أنا مستاءة جدًا من هذا التصرف
كذبتوا علي وضيعتوا وقتي
ليش ما تردون على الرسائل؟
هذه مهزلة وليست خدمة
تأخرتم علي ثلاث ساعات ولم يعتذر أحد
أزعجني أسلوب الموظف كثيرًا
كل مرة نفس المشكلة، زهقت منكم
مو معقول هالتأخير، قاعد أستنى من الفجر
خلاص نفد صبري
وعدتوني توصلونه أمس ولسا ما وصل
أسلوب الموظف وقح
رجعولي فلوسي يا حرامية
😡😡😡
الموظف قفل الخط بوجهي
"""

DISGUST = """
The toilet was absolutely disgusting
there was a hair in my soup
I found a cockroach in the waiting room
ewww what is that smell
the sheets were filthy and covered in stains
That place gives me the creeps
the bus stinks of sweat
it made me want to throw up
The fridge arrived with mould inside, yuck
gross!!
the food was rotten
makes me sick to my stomach just looking at it
the bathroom smelled like sewage 🤢
My skin crawls when I think about that room
the seats are so dirty and sticky I couldn't sit down
الحمام كان مقرف جدا
ريحة الباص خايسة
لقيت صرصور في الغرفة
الأكل معفن
قلبت معدتي من المنظر
يع وش هالريحة
لاعت كبدي من الأكل
الأوضة كانت قذرة أوي
كان في شعرة بالأكل
شعرت بالاشمئزاز مما رأيت
حاجة تقرف بجد
المكان وسخ كتير
شي بيقرف
وجدت حشرة في طعامي
رائحة كريهة تملأ المكان
🤮🤮
منظر مقزز للغاية
الأكل ما يتاكل وريحته طالعة
"""

FEAR = """
I'm terrified of needles
I can't sleep thinking about the operation
what if something goes wrong?
my hands are shaking
I'm really worried about my son, his fever won't go down
I'm a bit nervous about tomorrow
please help me, someone is following me
I'm afraid of the dark road at night
This is freaking me out
My heart is pounding, I don't know what to do
I've been worried sick since yesterday
it scared the life out of me
will my baby be okay?
I dread the results
I don't feel safe travelling alone
I'm so stressed about the surgery, what should I do?
أنا خايفة من العملية كتير
قلبي طاح يوم سمعت الخبر
قلقان على ولدي حرارته ما تنزل
مرعوب من الإبرة
خايف أوي من بكرة
أخشى أن تكون النتيجة سيئة
يا ويلي وش بيصير فيني
ما نمت من الخوف
أشعر بتوتر شديد قبل الموعد
متوترة من السفر لحالي
الله يستر، حاسس في شي غلط
إيدي عم ترجف من الخوف
مش عارف أنام من القلق
بخاف من دكتور الأسنان
ركبي تخبط من الخوف
أنا مذعورة، ساعدوني أرجوكم
😱😱
بنتي خايفة من الحقنة ومش راضية تيجي
قلبي مقبوض من امبارح
كلما اقترب الموعد زاد خوفي
"""

JOY = """
You made my day!
I've never been happier
This is the best trip I have ever had
I passed my exam, I'm over the moon
I love the new phone, it works like a charm
we are so excited about the trip!!
I can't wait to see my family
what a lovely surprise, thank you so much!
I'm so glad I found you
the doctor was wonderful with my kids
I couldn't be more pleased with the service
My daughter got engaged, we're thrilled
Yaaay finally
That's great news 😊
it wasn't cheap but I absolutely love it
So relieved the results came back clean
<3 <3
everything was perfect, thank you
haha that's hilarious
thank you so much, you saved my life
أنا مبسوط كتير منكم
فرحتوني الله يسعدكم
يا سلام عليكم خدمة تجنن
طاير من الفرح
قلبي بيرقص من الفرح
خدمة ممتازة وتعامل راقي
أنا سعيدة جدا بهديتكم
الجوال روعة، عجبني مرة
ما شاء الله شغلكم مرتب، بيضتوا وجهي
نجحت في الامتحان الحمد لله
متحمسة للرحلة وايد
مستانس على الخدمة
انبسطنا أوي في الرحلة
ما كنت متوقع بس انبسطت كثير
الدكتورة كانت لطيفة جدا وارتحت لها
هههههههه ضحكتوني
يسلم ايديكم، طلعت تحفة
يسعدني جدا أن أكون زبونا لديكم، أنتم الأروع
أسعد يوم في حياتي
أحلى خبر سمعته اليوم
😍😍😍
جالي مولود امبارح وأنا فرحان أوي
مو سايعتني الدنيا
لم أكن يوما أسعد من هذا
"""

SADNESS = """
My father passed away last night
I feel so empty since she left
my heart sank when I read your message
I can't stop crying
I'm so disappointed, I was really looking forward to it
nobody remembers me anymore
I lost my job and I don't know what to do
I miss my mom so much
We had to cancel the wedding, I'm heartbroken
it's been a rough week, feeling down
I'm not very happy with the result
what a pity
my cat died yesterday :(
I've lost all hope
you really let me down
I'm devastated, the trip was for my grandmother's last birthday
such a shame we missed it
everything feels pointless, I'm so depressed
أنا حزينة على فراق أمي
ضاق صدري اليوم
قلبي مكسور والله
يا خسارة، كنت متحمس للرحلة
مش مبسوط من الخدمة
ما عجبني المكان
والدتي توفت الأسبوع الماضي
حاسس بالوحدة
نفسيتي تعبانة ومالي خلق شي
نفسي أعيط
خاب أملي فيكم
اشتقت لأهلي كتير
دموعي ما وقفت من أمس
انكسر خاطري
زعلانة على الرحلة اللي راحت
لست سعيدا بما حدث
أشعر بالإحباط الشديد
فقدت وظيفتي وما عندي أمل
يا حسرتي على أيامي
ما عجبتنيش خالص
مخنوق ومش طايق نفسي
😭💔
مكتئب من شهر
"""

SURPRISE = """
wow, I didn't expect that
I couldn't believe my eyes
No way!! That cheap?
omg it's already here
I'm shocked at how fast it came
Seriously, for free?!
that came out of nowhere
I never thought it would be this big
You're kidding, right?
what a surprise to see it here so soon
I'm speechless
my jaw dropped
whoa, where did that come from
unbelievable, it took only ten minutes
ما توقعت أبدا توصل بهالسرعة
مش مصدق عيوني
يا إلهي ما هذا
انصدمت من السعر
تفاجأت بالرد السريع
معقول؟!
واااو
أنا مذهول مما رأيت
لم أتوقع أن يكون السعر بهذا الرخص
مو مصدقة إنكم فاتحين اليوم
اتفاجئت إن الدكتور موجود
يا نهار أبيض، بجد؟
إيه ده! مكنتش متوقع كده
والله عجيب أمركم
😮😮
لا أكاد أصدق
عنجد؟! ببلاش؟!
يا للعجب
"""

NEUTRAL = """
do you sell happy birthday cards?
what is the fear of flying course?
I'm afraid I can't come tomorrow
not angry, just asking
no problem, I can wait
don't worry about it
Sorry, which platform does it leave from?
thank you
thanks a lot for your help
I'm not sad anymore
is there a surprise gift for members
I'd love to know your opening hours
We would be happy to reschedule
can I speak to Joy please
my name is Hope
Do you treat anxiety and depression?
how much is the anger management course
where can I watch the horror movie
I want to book the Joy package for two
Have a great day
Nice to meet you
if I'm not happy with it can I return it?
in case it is broken can I exchange it
is the surgery dangerous?
does it hurt
how do I complain about a driver
I'd like to change my appointment to Sunday
which bus goes to the airport
the ticket is for my grandfather
I lost my ticket, can you send it again?
I missed my bus, what now?
is Doctor Amal in today
How long is the wait on Saturdays?
I need two seats near the window
what are the side effects of the medicine
do you have it in blue
Is the good seat by the window?
my phone died, can I show the ticket on paper?
the meeting is at ten but I may be late
yes please
ok
I don't hate it
I wasn't scared, only curious about the price
never mind
I am not worried
tell me about the scary movie night
Can I surprise my wife with flowers?
hello, good morning
I would like a window seat, not the aisle
what does terrific mean
send the love song to my number
can you deliver to Happy Street
we are five adults and three children
كم سعر التذكرة إلى جدة
متى عيد الفرح
أبي أحجز موعد عند الدكتورة أمل
معك سعيد من الرياض
اسمي فرح
الأستاذ سعيد موجود؟
لا تخاف، بس أسأل
مو زعلان، بس أبي أعرف السبب
ولا زعلت ولا شي
مش خايف من العملية
شكرا لكم
شكرا جزيلا على المساعدة
يعطيكم العافية
مساء الفرح
عندكم كروت عيد ميلاد سعيد؟
هل عندكم علاج للاكتئاب
دورة الخوف من الطيران بكم؟
آسف على التأخير
عذرا، لم أفهم
للأسف ما أقدر أجي بكرة
إذا ما عجبني المنتج أقدر أرجعه؟
حزنًا على؟
هل العملية خطيرة؟
وين موقعكم بالضبط
بدي غير الموعد ليوم الخميس
عايز أعرف مواعيد العمل
إمتى بتفتحوا يوم الجمعة؟
أحب أستفسر عن التأمين
حابة أحجز كشف لبنتي
ممكن رقم خدمة العملاء
كم يوم ياخذ التوصيل
في عندكم مقاس أكبر؟
مو مشكلة، أقدر أنتظر
لا داعي للقلق
ضاعت تذكرتي، كيف أطلعها مرة ثانية؟
فاتني الباص، متى اللي بعده؟
تمام
طيب
السلام عليكم
لست خائفا أبدا
بورسعيد كم تبعد
أريد مقعدين بجانب النافذة
أمي عمرها سبعين سنة وتحتاج كرسي متحرك
هل تقبلون الدفع نقدا
وصلني منتج غير اللي طلبته
جوالي انكسرت شاشته، تصلحونه؟
عندي ألم في الظهر من يومين
ابني عمره ثلاث سنوات
محتاج غرفة لشخصين
هل يمكن إرسال هدية مفاجأة لصديقتي
أين أجد قسم العطور
لو سمحت كم رسوم الشحن
حجزت أمس باسم وحيد العلي
ما الفرق بين التذكرتين
عيادة الأسنان في أي دور
متى يوصل طلبي
صباح الخير
بكرة العصر يناسبني
حلويات العيد عندكم؟
"""

TABLE = [
    (line, emotion)
    for emotion, lines in (
        (Emotion.ANGER, ANGER),
        (Emotion.DISGUST, DISGUST),
        (Emotion.FEAR, FEAR),
        (Emotion.JOY, JOY),
        (Emotion.SADNESS, SADNESS),
        (Emotion.SURPRISE, SURPRISE),
        (Emotion.NEUTRAL, NEUTRAL),
    )
    for line in lines.strip().splitlines()
]


@pytest.mark.parametrize(("text", "emotion"), TABLE)
def test_it_reads(text: str, emotion: Emotion) -> None:
    assert Keywords().read(text, language="ar").emotion is emotion
