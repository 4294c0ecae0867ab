"""`smarttalker models`: what the engines need, and how it comes here."""
