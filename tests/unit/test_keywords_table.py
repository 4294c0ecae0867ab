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
شو هالاستهبال، كل يوم بتأجلوا الموعد
عن جد طلعتوا خلقي
بدي احكي مع المدير هلق، ما بيصير هيك
شو هالمسخرة يا جماعة
صرلي شهر بتصل وما حدا بيرد
انتو ما عندكن ضمير؟
خلص بيكفي كذب
إنتو بتضحكوا عليا؟
أنا على آخري منكم
مستفزين بجد
ده اسمه نصب
فين فلوسي؟ بقالكم شهر بتماطلوا
لقد طفح بي الكيل من وعودكم الكاذبة
أطالب بتعويض فورا، هذا غير مقبول
كيف تجرؤون على إلغاء حجزي دون إخباري
انتظرت ثلاث ساعات ولم يأت أحد
حسابكم عسير، راح أشتكي عليكم في التجارة
لا تستغفلني
أسلوبكم يرفع الضغط
خربتوا علي يومي
مليت من أعذاركم
وش هالاستخفاف بالعملاء
I'm done with you
My order is wrong for the second time and support keeps ignoring me
You should be ashamed of yourselves
I am extremely dissatisfied and want a manager immediately
it is outrageous that I paid twice
Don't tell me to calm down!
I'm losing it with this company
You left my father on the street with his luggage
I've called five times already and no one picks up
لا تضيعون وقتي
My refund was promised two weeks ago and every time I call I get a different story
The courier threw the box over the fence, absolutely careless
You cancelled my appointment without asking me
nobody bothered to tell us the bus was cancelled
ما عندكم ذوق في التعامل
السواق كان قليل أدب معايا
انتو بتستهتروا بالناس
لي ثلاثة أيام أراسلكم ولا حياة لمن تنادي
والله لأشتكي عليكم
سايبيني على الانتظار من نص ساعة
اتقوا الله في الناس
لقد سئمت من هذه المماطلة
تعبت وأنا أتصل وما حد معبرني
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
القرف كله بهالمطعم
شو هالريحة المقرفة
طلع في دود بالتمر
ريحته بتقرف
صابني الغثيان من منظر الحمام
قرفت من المكان
الحمام وسخان كتير
I almost puked when I opened the box
this meat smells off
There were ants crawling in the rice
the pillow had someone's hair on it
what a revolting sight
The cup had lipstick marks and something floating in it
I feel sick just thinking of that bathroom
Rats in the kitchen, seriously gross
الكنبة ريحتها طالعة
في شعر في الأكل
مستحيل آكل من هنا، المطبخ قذر
معدتي قلبت من الريحة
المياه لونها أصفر وريحتها مقرفة
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
قلبي عم يدق بسرعة قبل العملية
خايفة كتير عالولد
مرعوبة من فكرة العملية
مش متطمنة للعملية دي
جسمي كله بيرتعش
أنا متوتر وايد من الموعد
أخاف ما ألحق على الباص
لا أستطيع التوقف عن القلق
I have a bad feeling about this operation
I'm scared it might be cancer
I get panicky in tunnels
my stomach is in knots before the surgery
is it normal that I'm so frightened?
My daughter is terrified of the dentist
I'm not sure I'll survive this
I'm not feeling safe in this taxi
my baby isn't breathing properly, please hurry!
I have my first chemo tomorrow and I'm petrified
I hope it's nothing serious, I'm so anxious
There's a strange man outside my door and I'm alone
does it hurt? I'm really nervous
خايفة البنج ما يمسك
أول مرة أسافر بالطيارة وقلبي بيدق
يارب سترك، النتيجة بكرة
مرعوبين من المطبات
ولدي ما يتنفس زين، وش أسوي
أنا قلقة بشأن نتائج التحاليل
حاسة برعب من غرفة العمليات
"""

JOY = """
You made my day!
I've never been happier
This is the best trip I have ever had
I passed my exam, I'm over the moon
I love the new phone, it works like a charm
we are so excited about the trip!!
I can't wait to see my family
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
كتير انبسطت بالرحلة
شكلها بتاخد العقل
يسلمو هالإيدين، كتير حلوة
فرحتي ما بتنوصف
الحمد لله طلعت النتيجة سليمة
اتبسطنا جدا، شكرا من القلب
ولا أروع من هيك
والله إنكم كفو
وناسة الرحلة
أشكركم من أعماق قلبي
غمرتني السعادة
I'm on top of the world today
best purchase ever
the kids had so much fun
Great job, I'm impressed!
so happy with how it turned out
finally some good news!
great, thank you so much, you're the best
سعيد جدا بخدمتكم
أنا سعيد لأنكم رديتوا
فرحنا كثيرا بالخبر
You guys are the best, five stars!
We finally got the keys to our new home!
It fits perfectly, I'm delighted
My son loved the gift, thank you
cheers, that really made me smile
الهدية وصلت وتجنن، ألف شكر
ولدي نجح وطاير من الفرحة
رحلة ولا أروع
بصراحة شغلكم يفتح النفس
الله يفرح قلبكم زي ما فرحتوني
انبسطت منكم وايد
أنا ممتنة لكم جدا
كتير حبيت المكان
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
I cried all night after the call
I feel like nobody cares about me
we buried my grandfather this morning
I'm not okay, everything is falling apart
It breaks my heart to cancel this trip
I had hoped to see her one last time
things have been hard since my husband left
I've never felt so alone
my dream is gone
I'm really down today
I regret ever leaving home
it's so sad that the shop is closing
No one came to my birthday
the result wasn't what I hoped for
من لما راح وأنا مش قادرة أفرح
قلبي عم يوجعني على ولادي
كتير زعلت عالخبر
ما عاد إلي خلق لشي
تعبت من الوحدة
الله يرحمه، كان أعز صديق
بكيت كتير امبارح
حلمي راح
كنت أتمنى أن أحضر لكن لم أستطع، يعتصرني الألم
رحل أبي وتركني وحيدا
أشعر بغصة في قلبي
كان نفسي أحضر الفرح بس الرحلة اتلغت
زعلان أوي إني مش هشوف أهلي في العيد
نفسي مكسورة
ما في حدا بيسأل عني
دنيتي سودا من بعدها
فرقاكم صعب
ما طلعت النتيجة مثل ما تمنيت، متضايقة حيل
ودي أصيح
خسرنا كل شيء
مشاعري مجروحة منكم
وحشتوني أوي ومش عارف أشوفكم
وحيدة ومالي أحد
I really hoped to make it to the graduation, but the tickets are gone
It's been a year since mom died and I still cry
I feel so low these days
my best friend moved away and the house is so quiet
they didn't invite me, it hurts
والله انكسر قلبي لما شفت الرد
ضاع علي حلم العمر
حاسة حالي لوحدي بهالدنيا
اتقطع قلبي عليها
ما قدرت أودع أبوي قبل ما يموت
يوم حزين جدا علينا
تمنيت لو كنت معهم
أبكي كل ليلة
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
Wait, you already finished it?!
I honestly had no idea you were open at night
Hold on, that's the whole price? I can't believe it
Oh my goodness, it arrived the same day
Who would have thought a bus could be this fast
I was stunned when I saw the bill
That is the last thing I expected
Say that again? Five riyals only?
Huh, I didn't see that coming
What?! The clinic moved?
it blew my mind
I nearly fell off my chair when I saw the price
Are you serious? It's free?
I'm amazed, I thought it would take weeks
well, this is unexpected
never in a million years did I think you'd answer
My eyes nearly popped out
You must be kidding, it's half the price!
شو هالمفاجأة! ما كنت متوقعة أبدا
عم تمزح معي؟ بهالسرعة؟
ما خطر على بالي إنكم بتوصلوا لهون
وقفت مندهشة من الفرق
أول مرة أشوف شي مثل كذا
صج؟ مجاني؟
والله انذهلت من السعر
لم يخطر ببالي أنكم تعملون ليلا
كيف حدث هذا بهذه السرعة!
يا لها من مفاجأة
إيه ده بجد؟ خلص في يوم واحد؟
أنا متفاجئة إنها وصلت النهارده
مين كان يتخيل إن السعر ينزل كده
يا خبر! ده أنا كنت فاكرها بألف جنيه
وش؟! من متى؟
من جدك؟!
غريبة، ما كانت كذا أمس
لا تقول! وصل؟
فاجأتوني بالهدية
عقلي ما عم يستوعب
أدهشتني سرعة الرد
what a lovely surprise, thank you so much!
That was quick! I only ordered an hour ago
Hang on, you deliver on Fridays too? Since when!
I'm lost for words
What?? Forty riyals only?
never thought I'd see this
ايش! خلصتوا بهالسرعة؟
ما كنت أدري إنكم فاتحين ليل نهار، عجيب
إيه المفاجأة دي
ما صدقت لما قالوا لي السعر
شو؟! سكرتوا الفرع؟
يا سبحان الله، نفس اليوم وصل
صدمتوني بالسرعة
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
كم رسوم تغيير اسم الراكب
بدي اعرف اذا في باص المسا
ما عندي رقم الحجز
لا، ما وصلتني الرسالة
في موقف سيارات عندكن؟
شو الأوراق المطلوبة
أنا من سكان جدة وأعمل مدرسا
ممكن اعرف ليه التطبيق مش بيفتح
هي الرحلة مباشرة ولا بتقف
دفعت بالبطاقة أمس الساعة خمسة
عايزة فستان فرح أبيض
أختي اسمها سعادة
I've got two bags and a stroller
Please tell the doctor I'll be ten minutes late
my order number is 4471
Could you repeat that please
Is there a fun area for kids
my son is seven and has a cough since Monday
do I need to be worried about visa fees
I'd be glad to have a receipt
no need to apologise, it's fine
The package is lovely wrapped or plain?
can I get a refund if the bus is late
It's cold in here, can you turn up the heating
I prefer mornings
My order is already paid
I have a question about my bill, the amount looks odd
the line was engaged so I am writing instead
My son keeps vomiting since yesterday, do you have an appointment
There is a stain on the shirt I received, can I exchange it
the website has been down since noon
I'm going down to the station now
We need a room for a birthday party, eight kids
Can my child sit alone
It says delivered but I never got it, please check
I was charged on the third, not the fifth
my knee hurts when I walk
I have a stomach ache and a headache
I need an eye test, I see badly at night
I'd appreciate a quick reply
please cancel my booking and refund the ticket
one adult and one child to Jeddah on Friday
could you tell me what the worst seats are
how long do I have to wait for the results
the first one was too small so I want a bigger one
I think I left my umbrella on the bus
We have waited list numbers 12 and 13
My flight lands at nine and the bus leaves at ten, is that enough time
are dogs allowed
my mother is eighty and uses a wheelchair
my wife is pregnant, can she travel
is there parking nearby
I already have an account
I'll take the cheaper one
can you hold the line
do you have a cure for hair loss
my tooth is broken, when can I come
what's the difference between gold and silver tickets
I don't need a bag, thanks
Thanks, that's all
see you tomorrow
My card was declined, can I pay cash
the colour is darker than in the picture, can I return it
which doctor is good with children
Is honey good for a cough
we'll be three, not two
I want to complain about a driver
who do I call about a late parcel
My name is Grace and I booked for four
Is the Happy Family package available
I work nights so mornings are difficult
عندي وجع في بطني من أمس
ابني عنده حرارة وكحة
شنطتي ضايعة، مين أكلم؟
الجزمة ضيقة، ممكن مقاس أكبر
محتار بين اللونين
كم سعر كيلو العسل
بكرة إن شاء الله بمر عليكم
وصلتني رسالة إن الرحلة تأجلت، متى الموعد الجديد
أبي أحسن غرفة عندكم
الطلب لسه في الطريق؟
أنا ساكن في حي السعادة
أختي فرح بتيجي معي
أستاذ وحيد موجود اليوم
عندكم رش حشرات للبيت
ما عندي بطاقة تأمين
مو لازم اليوم، بكرة عادي
لا، شكرا، غيرت رأيي
ما أقدر أجي قبل العصر
لم أستلم رمز التحقق
الرمز غير صحيح
أخي مسافر معي وعنده شنطتين
الشاشة مكسورة، كم تصليحها
بدي شي حلو لعيد ميلاد
في مطعم قريب؟
زوجي محتاج نظارة
أسكن قرب المستشفى
مين أحسن دكتور عظام
أنا عند الباب، أدخل؟
تمام شكرا، أشوفكم بكرة
اوكي حلو
ايه ده؟ السعر كام؟
عايزة أعرف لو في خصم للطلبة
الفستان ده متوفر أحمر؟
ممكن أدفع كاش لما يوصل
وين أحط العفش
أريد إلغاء الحجز واسترجاع المبلغ
أحتاج فاتورة باسم الشركة
عندي حساسية من البنسلين
هل يجوز السفر للحامل
كم مرة لازم آخذ الدواء في اليوم
اتصلت أمس وقالوا لي أرسل على الواتساب
السائق قال إن الموقف تغير
رقمي القديم ما عاد شغال
ما وصلني الإيميل، ممكن ترسلونه مرة ثانية
كيف أشتكي على سائق
أي باص يروح المطار
لو تأخرت ساعة يلغى الموعد؟
إذا خفت من الإبرة هل فيه بديل
اشتريت عطر من عندكم الأسبوع الماضي
معك أمل من قسم المبيعات
I only wanted to know whether the shop is open
It's the blue one on the left
We are a group of twelve
I sent you the photo of the receipt
I'm calling about the invoice from March
no, the other branch
It isn't urgent, tomorrow is fine
could you spell that for me
أبغى أرسل هدية لأمي
الفاتورة فيها رقمين
أنا جاي من المطار
قالوا لي أراجعكم اليوم
ما أبغى تأمين
مش عارف أفتح الرابط
ما عندي مانع
ابني بيخاف من الحقن، في دكتور أطفال شاطر؟
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
