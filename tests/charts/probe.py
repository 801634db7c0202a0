"""A kubelet's question to a gRPC health port, and a Prometheus' to a metrics page. Standard library only: of HTTP/2 just
what one question and its answer need."""

import contextlib
import http.client
import socket
import ssl
import struct

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _SETTINGS, _GOAWAY = 0, 1, 4, 7
_END_STREAM, _END_HEADERS, _ACK = 1, 4, 1


def _frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _header(name, value):
    """HPACK: a literal that is not kept, without Huffman's code."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def _question(service):
    message = b"\x0a" + bytes([len(service)]) + service.encode() if service else b""
    head = b"".join(_header(*it) for it in (
        (":method", "POST"), (":scheme", "http"), (":path", "/grpc.health.v1.Health/Check"), (":authority", "kubelet"),
        ("content-type", "application/grpc"), ("te", "trailers")))
    body = b"\0" + struct.pack(">I", len(message)) + message
    return _PREFACE + _frame(_SETTINGS, 0, 0) + _frame(_HEADERS, _END_HEADERS, 1, head) + _frame(_DATA, _END_STREAM, 1, body)


def is_serving(port, service):
    """Whether a probe of this service succeeds; an error, as that nobody listens, is raised."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(_question(service))
        stream = connection.makefile("rb")
        body = b""
        while head := stream.read(9):
            size, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
            payload = stream.read(size)
            if kind == _SETTINGS and not flags & _ACK:
                connection.sendall(_frame(_SETTINGS, _ACK, 0))
            if kind == _DATA:
                body += payload
            if kind == _GOAWAY or kind in (_DATA, _HEADERS) and flags & _END_STREAM:
                break
    # HealthCheckResponse.status = 1, after the 5 bytes of the message's head.
    return body[5:] == b"\x08\x01"


@contextlib.contextmanager
def _secure(port, server_name, tls):
    context = ssl.create_default_context(cafile=f"{tls}/ca.crt")
    context.load_cert_chain(f"{tls}/tls.crt", f"{tls}/tls.key")
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        with context.wrap_socket(plain, server_hostname=server_name) as connection:
            yield connection


def page(port, path, server_name, tls):
    """Status and text of a page behind mTLS; the certificate must have this name. `tls`: folder of ca.crt, tls.crt, tls.key."""
    with _secure(port, server_name, tls) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {server_name}\r\nConnection: close\r\n\r\n".encode())
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, answer.read().decode()


def certificate(port, server_name, tls):
    """The one that is shown there."""
    with _secure(port, server_name, tls) as connection:
        return connection.getpeercert(binary_form=True)
