"""Pages, a module for each; and in `streams` what lasts longer than a thread of the API may be held."""
