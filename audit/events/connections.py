"""What happens to live connections by somebody's hand."""

from audit.events.base import Event, event


@event("connection.hung_up", about="person", towards="connection")
class ConnectionHungUp(Event):
    """A person's connection was ended: by themselves or by an administrator."""

    person: str
    connection: str
    reason: str = ""


@event("connections.hung_up", about="person")
class ConnectionsHungUp(Event):
    """All connections that a person had at that moment were ended."""

    person: str
    reason: str = ""


@event("ticket.issued", about="person", towards="server")
class TicketIssued(Event):
    """A person was given a ticket for one WebSocket to a server, or to the portal itself."""

    person: str
    server: str
    origin: str
