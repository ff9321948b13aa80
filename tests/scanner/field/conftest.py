from tests.scanner.till.conftest import backend, new_broker, settings, shop

__all__ = ["backend", "new_broker", "settings", "shop"]
