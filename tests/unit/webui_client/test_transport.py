"""Everything that can go wrong on the wire becomes one error that says what to do."""

from __future__ import annotations

import socket
import threading

import pytest

from tests.replay import ReplayServer, Reply, answer_json
from tests.unit.webui_client.answers import asked
from tests.unit.webui_client.conftest import QUICK
from webui_client.client import WebuiClient
from webui_client.errors import (
    BadAnswer,
    RequestRefused,
    ServerFailed,
    ServerTimeout,
    ServerUnreachable,
    WebuiError,
)
from webui_client.transport import Transport, error_text, normal_url
from webui_client.values import Timeouts

TXT2IMG = "/sdapi/v1/txt2img"


def failing(client: WebuiClient) -> WebuiError:
    with pytest.raises(WebuiError) as caught:
        client.txt2img(asked())
    return caught.value


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_nobody_there_is_unreachable_and_worth_a_retry() -> None:
    client = WebuiClient(f"http://127.0.0.1:{closed_port()}", timeouts=QUICK)
    with pytest.raises(ServerUnreachable, match=r"refused|cannot be reached") as caught:
        client.probe()
    assert caught.value.retryable
    assert not caught.value.sent


def test_a_name_that_does_not_exist_is_unreachable() -> None:
    with pytest.raises(ServerUnreachable) as caught:
        WebuiClient("http://no-such-host.invalid:7860", timeouts=QUICK).probe()
    assert not caught.value.sent


def test_a_connection_that_breaks_in_the_answer_may_have_run(
    server: ReplayServer, client: WebuiClient
) -> None:
    server.on("POST", TXT2IMG, Reply(200, b'{"images": [', (("Content-Length", "5000"),)))
    error = failing(client)
    assert isinstance(error, ServerUnreachable)
    assert error.sent
    assert not error.retryable


def test_a_generation_is_never_sent_twice(server: ReplayServer, client: WebuiClient) -> None:
    server.on("POST", TXT2IMG, Reply(200, b"", (("Content-Length", "5000"),)))
    failing(client)
    assert len(server.calls(TXT2IMG)) == 1


def test_a_broken_listing_is_read_again(server: ReplayServer, client: WebuiClient) -> None:
    answers = iter([Reply(200, b"[", (("Content-Length", "50"),)), Reply(200, [])])
    transport = Transport(server.url, None, QUICK)
    server.on("GET", "/sdapi/v1/loras", lambda asked: next(answers))
    with pytest.raises(ServerUnreachable):
        transport.get("/sdapi/v1/loras")
    assert transport.get("/sdapi/v1/loras") == []


def test_no_answer_in_time_is_a_timeout_and_frees_the_server(server: ReplayServer) -> None:
    released = threading.Event()
    client = WebuiClient(server.url, timeouts=Timeouts(connect=1, read=2, generation=0.3, poll=0.02))

    def slow(asked_for: object) -> Reply:
        server.active_task = server.calls(TXT2IMG)[0].json["force_task_id"]
        released.wait(30)
        return Reply(500)

    server.on("POST", TXT2IMG, slow)
    server.on("POST", "/sdapi/v1/interrupt", Reply(200, {}))
    error = failing(client)
    released.set()
    assert isinstance(error, ServerTimeout)
    assert error.seconds == 0.3
    assert len(server.calls("/sdapi/v1/interrupt")) == 1


def test_an_answer_that_trickles_is_cut_off_at_the_deadline() -> None:
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=trickle, args=(listener, stop))
        thread.start()
        transport = Transport(f"http://127.0.0.1:{listener.getsockname()[1]}", None, Timeouts(read=0.4))
        with pytest.raises(ServerTimeout):
            transport.get("/sdapi/v1/options")
        stop.set()
        thread.join()


def trickle(listener: socket.socket, stop: threading.Event) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not stop.wait(0.05):
            try:
                connection.sendall(b"1\r\n \r\n")
            except OSError:
                return


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>proxy</html>", "no JSON"),
        (b"[]", "no object"),
        (b"{}", "no list of images"),
        (b'{"images": ["!!!"], "info": "{}"}', "picture 0"),
        (b'{"images": ["aGVsbG8="], "info": "{}"}', "neither PNG"),
        (b'{"images": [null], "info": "{}"}', "no text"),
        (b'{"images": [], "info": "not json"}', "info"),
    ],
)
def test_garbage_is_a_bad_answer(server: ReplayServer, client: WebuiClient, body: bytes, reason: str) -> None:
    server.on("POST", TXT2IMG, Reply(200, body))
    error = failing(client)
    assert isinstance(error, BadAnswer)
    assert reason in error.reason
    assert error.retryable


def test_a_truncated_picture_is_a_bad_answer(server: ReplayServer, client: WebuiClient) -> None:
    answer = answer_json(55)
    answer["images"] = [answer["images"][0][: len(answer["images"][0]) // 8 * 4]]
    server.on("POST", TXT2IMG, Reply(200, answer))
    assert isinstance(failing(client), BadAnswer)


def test_a_failure_of_the_server_is_told_in_its_own_words(server: ReplayServer, client: WebuiClient) -> None:
    server.replay(53)
    error = failing(client)
    assert isinstance(error, ServerFailed)
    assert error.status == 500
    assert "NaN" in error.detail
    assert error.retryable


def test_a_proxy_that_gave_up_leaves_open_whether_it_ran(server: ReplayServer, client: WebuiClient) -> None:
    server.on("POST", TXT2IMG, Reply(504, b"Gateway Timeout"))
    assert not failing(client).retryable


def test_a_refusal_is_told_in_the_servers_own_words(server: ReplayServer, client: WebuiClient) -> None:
    server.replay(121)
    error = failing(client)
    assert isinstance(error, RequestRefused)
    assert error.status == 422
    assert "not found" in error.detail
    assert not error.retryable


def test_both_shapes_of_error_bodies_are_read() -> None:
    assert error_text(b'{"error":"TypeError","detail":"","body":"","errors":"boom"}') == "boom"
    assert error_text(b'{"error":"HTTPException","detail":"no init image","errors":""}') == "no init image"
    schema = b'{"detail":[{"loc":["body","steps"],"msg":"value is not a valid integer","type":"x"}]}'
    assert error_text(schema) == "body.steps: value is not a valid integer"
    assert error_text(b"Internal Server Error") == "Internal Server Error"


def test_pictures_are_kept_out_of_error_texts() -> None:
    text = error_text(b'{"detail": "bad image ' + b"A" * 5000 + b'"}')
    assert len(text) < 100


def test_gzip_is_not_asked_for(server: ReplayServer, client: WebuiClient) -> None:
    client.samplers()
    assert server.asked[-1].headers["Accept-Encoding"] == "identity"


def test_addresses_are_cleaned_and_never_show_a_password() -> None:
    assert normal_url(" http://me:secret@gpu:7860/webui/ ") == "http://gpu:7860/webui"


@pytest.mark.parametrize("url", ["", "gpu:7860", "ftp://gpu", "http://", "file:///etc/passwd"])
def test_what_is_no_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        normal_url(url)
