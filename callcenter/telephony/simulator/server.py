"""The HTTP server: Werkzeug's threaded server on the loopback interface, with kept-alive connections.

A thread belongs to a connection, never to a call; a softphone's event stream gives its thread back. Bodies
are small and read whole before the application runs, which is what makes keeping a connection safe here.
"""

import io
import socket
from collections.abc import Iterable
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wrappers import Request, Response

from . import phone_face, rest
from .chance import BadPlan
from .control import ControlFace
from .exchange import Exchange
from .faults import BadFaults
from .phone_face import PhoneFace
from .rest import TwilioFace
from .rest_shapes import AnswerCut
from .scenario import Director, read_scenario
from .settings import LOOPBACK, BadSettings
from .streams import Streams, Wanted
from .world import World

MAX_BODY_BYTES = 262_144
IDLE_CONNECTION_S = 120


class Application:
    """The WSGI application: the Twilio face under its version prefix, softphones and the control face."""

    def __init__(self, world: World, exchange: Exchange, streams: Streams) -> None:
        self.world = world
        self.director = Director(world, exchange)
        self._twilio = TwilioFace(world, exchange)
        self._phone = PhoneFace(world.settings, exchange.phones, streams)
        self._control = ControlFace(world, exchange, self.director)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        if request.path.startswith(rest.PREFIX):
            response = self._twilio.handle(request)
        elif request.path.startswith(phone_face.PREFIX):
            response = self._phone.handle(request, int(environ["SERVER_PORT"]))
        else:
            response = self._control.handle(request, int(environ["SERVER_PORT"]))
        return response(environ, start_response)


class Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_CONNECTION_S
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        """Read the body, run the application, write one whole response; keep the connection."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self._write(Response("body too large or of unknown length", status=413))
            return
        environ = self.make_environ()
        environ["wsgi.input"] = io.BytesIO(self.rfile.read(int(length)))
        try:
            response = Response.from_app(self.server.app, environ, buffered=True)
        except AnswerCut:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        except Wanted as wanted:
            self._hand_over(wanted)
            return
        except Exception as error:  # the client gets a 500, the log the place
            self.server.app.world.journal.note_error(error)  # type: ignore[attr-defined]
            response = Response('{"error": "simulator failure"}', status=500)
        self._write(response)

    def _hand_over(self, wanted: Wanted) -> None:
        """Begin the stream, give the socket away and let this thread go."""
        self.close_connection = True
        self.send_response(200)
        for name, value in wanted.headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.flush()
        wanted.attach(self.connection.dup())
        self.server.given_away.add(self.connection)  # type: ignore[attr-defined]

    def _write(self, response: Response) -> None:
        body = response.get_data()
        self.send_response(response.status_code)
        for name, value in response.headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        if response.status_code != 204:
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Silent: a request line can carry a whole number. The journal notes what matters."""

    def log_error(self, format: str, *args: Any) -> None:
        """Silent, for the same reason."""


class Server(ThreadedWSGIServer):
    """Leaves the connections alone that have become event streams."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.given_away: set[Any] = set()

    def shutdown_request(self, request: Any) -> None:
        """Shutting down a socket would end the stream that goes on over its copy."""
        if request in self.given_away:
            self.given_away.discard(request)
            self.close_request(request)
        else:
            super().shutdown_request(request)


def open_server(world: World) -> Server:
    """Bind, listen and begin the scenario, if one is set. Raises `BadSettings` when that cannot be."""
    exchange = Exchange(world)
    streams = Streams(exchange.phones.expire, world.journal.note_error)
    application = Application(world, exchange, streams)
    if world.settings.scenario is not None:
        try:
            application.director.begin(read_scenario(world.settings.scenario))
        except (BadPlan, BadFaults) as error:
            raise BadSettings(f"carrier-sim cannot play {world.settings.scenario}: {error}") from error
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, world.settings.port))
            listener.listen(512)
        except OSError as error:
            raise BadSettings(
                f"carrier-sim cannot listen on {LOOPBACK}:{world.settings.port}: {error.strerror}; "
                "stop the other program or choose another --port"
            ) from error
        server = Server(LOOPBACK, world.settings.port, application, Handler, fd=listener.fileno())
    world.port = server.port
    streams.start()
    return server
