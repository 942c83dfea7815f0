"""A demo model: an OpenAI-compatible server that needs no key, no database and nothing of the rest of this code."""
