"""PostgreSQL and Redis from wheels, for one machine and for tests. Nothing here knows Django."""

from config.services.errors import ServiceError
from config.services.postgresql import PostgreSQL
from config.services.redis import Redis
from config.services.service import Service

__all__ = ["PostgreSQL", "Redis", "Service", "ServiceError"]
