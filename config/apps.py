from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class HouseConfig(AppConfig):
    """The entry of the house, listed so that its commands and checks are found."""

    name = "config"

    def ready(self) -> None:
        # Checks look at rows, so they can be imported only now that models are there.
        autodiscover_modules("checks")
