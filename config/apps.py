from django.apps import AppConfig


class HouseConfig(AppConfig):
    """The entry of the house, listed so that its commands and checks are found."""

    name = "config"
