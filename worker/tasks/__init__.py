"""Work that takes time and needs no engines: one module a kind, with `async def run(office, task) -> Done`."""
