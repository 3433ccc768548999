"""Where a server of this machine is reached, and how."""

import ssl

#: Who listens everywhere is asked on the loopback.
_EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not listened on


def url_of(host: str, port: int | str, *, https: bool = False) -> str:
    """Give the address of a server that listens on a host and a port."""
    reached = _EVERYWHERE.get(host, host)
    authority = f"[{reached}]:{port}" if ":" in reached else f"{reached}:{port}"
    return f"{'https' if https else 'http'}://{authority}"


def own_server_context() -> ssl.SSLContext:
    """Give a context that takes any certificate.

    We ask a server of ours, on this machine, for what is no secret, and its certificate is for the name under which
    others know it. Whether that is still valid is for them to judge: a restart would not renew it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
