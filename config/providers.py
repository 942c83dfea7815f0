"""What the environment says of providers of models, by their names in the table: keys, addresses, models."""

from config import env
from generation.llm.specs import KNOWN

ACCOUNTS = tuple(dict.fromkeys(spec.account for spec in KNOWN.values()))
VARIABLES = tuple(f"{name.upper()}_{what}" for name in ACCOUNTS for what in ("API_KEY", "BASE_URL", "MODEL"))


def keys() -> dict[str, str]:
    return {name: key for name in ACCOUNTS if (key := env.text(f"{name.upper()}_API_KEY"))}


def urls() -> dict[str, str]:
    return {name: url for name in ACCOUNTS if (url := env.url(f"{name.upper()}_BASE_URL", {"http", "https"}))}


def models() -> dict[str, str]:
    """Who answers where no agent names a model."""
    return {name: model for name in ACCOUNTS if (model := env.text(f"{name.upper()}_MODEL"))}
