"""Telegram's Bot API, WhatsApp's Cloud API and Ollama over HTTP, as strict as the real ones, for tests and the demo.

Each simulator is a FastAPI application with its state in memory: the platform's own interface at the platform's own
paths, and under `/control` what the people on the other side do (`simulators.control`), or what the model says.
`simulators.phone.Phone` is the client for the people's side. They listen on loopback only; nothing here belongs into an
installation that serves people.
"""
