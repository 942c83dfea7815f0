class ServiceError(Exception):
    """A service cannot run; the message is one sentence that says why and what to do."""
