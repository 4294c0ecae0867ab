"""Processes that hold an engine with an environment of its own: made, asked, watched, told to stop, and survived.

Ours: `host.Host` starts a `program.Program` and streams the pieces that its methods give. Theirs: `boot` and `serving`
run in any Python from 3.10 on with the standard library alone, make the class that the program names
(`served.Served`), and call it. Between them lies one socket with frames (`worker.frames`):

    ours to theirs   {"do": "make", "served", "arguments"}, {"do": "call", "call", "method", "arguments", "only"},
                     {"do": "cancel", "call"}, {"do": "end"}
    theirs to ours   {"kind": "ready", "memory"}, {"kind": "progress", "call", "what"},
                     {"kind": "piece", "call", "header"} with a payload, {"kind": "end", "call", "memory"},
                     or both in one, where there is only one piece: {"kind": "piece", …, "last", "memory"},
                     {"kind": "failed", "call", "type", "text", "exhausted", "refused", "lost", "memory"}

Whatever the engine's libraries print goes into another pipe, whose last lines are kept (`tail`). This file imports
nothing, because both sides import it.
"""
