"""WhatsApp's Cloud API (Graph) as a simulator: `create_app(Config())`, or `python -m simulators whatsapp`."""
