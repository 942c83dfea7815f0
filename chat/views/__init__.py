"""The pages of conversations: each view translates, calls a verb, and shows rows."""
