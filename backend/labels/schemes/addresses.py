"""Web addresses by exact host: label platforms, EPREL, configured registries, Digital Links, strangers."""

from backend.labels.carriers import digital_link, web_address
from backend.labels.carriers.web_address import WebAddress
from backend.labels.model import Reading
from backend.labels.normalise import Code, respelled
from backend.labels.schemes import certificates, efficiency, foreign, organic

_NUMBER_PARAMETERS = ("certnumber", "certno", "certificateno")


def read(code: Code) -> Reading | None:
    text = code.text
    if "." not in text:
        return None
    hosts = efficiency.HOSTS | foreign.HOSTS | code.trust.certificate_hosts | code.trust.gs1_hosts
    address = web_address.taken_apart(text, hosts)
    if address is None:
        return None
    return _of_known_host(address, code) or digital_link.read(address, code.trust) or _stranger(address, hosts)


def _of_known_host(address: WebAddress, code: Code) -> Reading | None:
    if address.bare_host in efficiency.HOSTS:
        reading = efficiency.read_address(address, has_case=code.text != code.upper)
        return reading or web_address.stranger(address, "unknown_page")
    if address.bare_host in foreign.HOSTS:
        return foreign.read_address(address) or web_address.stranger(address, "unknown_page")
    if address.host in code.trust.certificate_hosts or address.bare_host in code.trust.certificate_hosts:
        return _certificate(address, code)
    return None


def _certificate(address: WebAddress, code: Code) -> Reading:
    """A registry page that shows one certificate is a spelling of its number."""
    for parameter in _NUMBER_PARAMETERS:
        number = address.only(parameter)
        if number:
            spelled = respelled(code, number)
            for read_number in (organic.read_certificate, certificates.read_named, certificates.read_opaque):
                reading = read_number(spelled)
                if reading is not None:
                    return reading
    return web_address.registry_page(address)


def _stranger(address: WebAddress, hosts: frozenset[str]) -> Reading:
    imitated = web_address.imitates(address, hosts)
    return web_address.stranger(address, "look_alike_host" if imitated else "unknown_host")
