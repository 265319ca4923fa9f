"""Telling systemd how we are: READY, WATCHDOG, STOPPING. Without systemd it does nothing."""

import os
import socket


def notify(message: str) -> None:
    """Send one state line to the manager, when there is one. An address beginning with `@` is abstract."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        link.connect("\0" + address[1:] if address.startswith("@") else address)
        link.sendall(message.encode())
