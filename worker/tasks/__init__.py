"""Work that takes time: one module a kind, with `async def run(office, task) -> Done`, run by the courier."""
