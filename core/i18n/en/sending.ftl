## What administrators are told of sending

notice-held = An answer to { $person } on { $channel } is held back: they have not written for so long that the platform takes no more answers to them. The newest answer goes out as soon as they write again.
