"""What the environment says of searching the web: WEB_SEARCH names the engine; without it, the one that is set up."""

from config import env

NEEDS = {"searxng": "SEARXNG_URL", "tavily": "TAVILY_API_KEY"}


def engine() -> str:
    """`searxng`, `tavily` or `none`. Refuses an engine that is unknown, or lacks what it needs."""
    set_up = [name for name, needed in NEEDS.items() if env.text(needed)]
    name = env.text("WEB_SEARCH", set_up[0] if set_up else "none").lower()
    if name not in (*NEEDS, "none"):
        raise env.BadEnvironment(f"WEB_SEARCH must be one of {', '.join(NEEDS)}, none, not {name!r}.")
    if name in NEEDS and name not in set_up:
        raise env.BadEnvironment(f"WEB_SEARCH={name} needs {NEEDS[name]}.")
    return name
