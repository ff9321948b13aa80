"""From the key of a label back to the keys under which the certificate registry may know it."""

from backend.labels.model import Scheme

_GTIN_IN_SGTIN = slice(len("(01)"), len("(01)") + 14)
_TYPE_IN_GRAI = slice(len("(8003)") + 14)
_BODY_IN_ORGANIC = slice(4)


def registry_keys(key: str) -> tuple[str, ...]:
    """The `registry_keys` of every reading that has this key and may support an award, most specific first."""
    scheme, _, canonical = key.partition(":")
    match scheme:
        case Scheme.SGTIN:
            return (f"{Scheme.GTIN}:{canonical[_GTIN_IN_SGTIN]}",)
        case Scheme.GRAI:
            return (f"{Scheme.GRAI}:{canonical[_TYPE_IN_GRAI]}",)
        case Scheme.ORGANIC:
            return (key, f"organic_body:{canonical[_BODY_IN_ORGANIC]}")
        case Scheme.ORGANIC_CERTIFICATE if "-" in canonical:
            return (key, f"{scheme}:{canonical.partition('-')[0]}")
    return (key,)
