"""Nothing that anybody names leads behind our walls: not by a number, a name, a redirect, or a change of mind."""

import asyncio
import socket
import ssl
import threading
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pytest_django.fixtures import Settings

from generation.web import addresses, fetching
from generation.web.fetching import fetch
from generation.web.network import Internet, is_public, of_settings
from memory.base.errors import ToolFailed
from tests.generation.web.conftest import Canary
from tests.web import PUBLIC, Page, Pretended, Web, article, moved

# However loopback, or another place of ours, can be written. Each by the resolver of the system, where it has one.
HOSTS = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "0x7f.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "0177.0.0.1",
    "017700000001",
    "2130706433",
    "127.0.0.1.",
    "0",
    "0.0.0.0",  # noqa: S104 nobody binds to it
    "localhost",
    "LOCALHOST",
    "①②⑦.⓪.⓪.①",
    "１２７.０.０.１",
    "127。0。0。1",
    "127．0．0．1",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "local­host",
    "%6c%6f%63%61%6c%68%6f%73%74",
    "10.0.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.192",
    "192.168.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[::]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fe80::1%lo]",
    "[fec0::1]",
    "[fc00::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[100::1]",
    "[127.0.0.1]",
    "[v1.127.0.0.1]",
]
URLS = [
    "http://127.0.0.1\\@a.test/",
    "http://a.test\\@127.0.0.1/",
    "http://a.test@127.0.0.1/",
    "http://127.0.0.1@a.test/",
    "http://user:word@a.test/",
    "http://a.test:80:80/",
    "http://a.test:8080/",
    "http://a.test:22/",
    "http://a.test:0/",
    "http://a.test:65616/",
    "http://a.test:８０/",
    "http:///a.test/",
    "http:a.test/",
    "//a.test/",
    "a.test",
    "",
    "http://",
    "http:// a.test/",
    "http://a.test/ b",
    "http://a\ttest/",
    "http://a.test/\r\nHost: b",
    "http://a.test\x00.b/",
    "http://a.test /",
    "http://a\u200b.test/",
    "http://a..test/",
    "http://-a.test/",
    "http://a.test%2f@b.test/",
    "http://a／b.test/",
    "http://[::1/",
    "http://[::1]x/",
    "http://" + "a" * 64 + ".test/",
    "http://a.test/" + "a" * 2_000,
    "ftp://a.test/",
    "file:///etc/passwd",
    "gopher://a.test/",
    "javascript:alert(1)",
    "data:text/html,a",
]


@dataclass
class Names:
    """A network in which names mean what a test says, one answer after the other; all ways lead to one port."""

    answers: list[Sequence[str]]
    port: int
    asked: list[str] = field(default_factory=list)

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def way(self, address: str, port: int) -> tuple[str, int]:
        return "127.0.0.1", self.port


@dataclass
class Trapped(Internet):
    """The Internet, but that whoever would be connected to is the canary."""

    port: int

    def way(self, address: str, port: int) -> tuple[str, int]:
        return "127.0.0.1", self.port


async def refusal_of(url: str, network: object = None) -> ToolFailed:
    with pytest.raises(ToolFailed) as refused:
        await fetch(url, network or of_settings())  # type: ignore[arg-type]
    return refused.value


# --- where nobody goes


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_no_way_to_write_a_place_of_ours_leads_there(host: str, scheme: str, canary: Canary) -> None:
    refused = await refusal_of(f"{scheme}://{host}/", Trapped(canary.port))
    assert refused.code == "tool.web_address"
    assert not canary.was_touched()


@pytest.mark.parametrize("url", URLS)
async def test_what_two_programs_may_read_differently_is_no_address(url: str, canary: Canary) -> None:
    refused = await refusal_of(url, Names([[PUBLIC]], canary.port))
    assert refused.code == "tool.web_address"
    assert not canary.was_touched()


@pytest.mark.parametrize(
    "found",
    [
        [PUBLIC, "127.0.0.1"],
        ["127.0.0.1", PUBLIC],
        [PUBLIC, "::1"],
        [PUBLIC, "::ffff:10.0.0.1"],
        [PUBLIC, "fe80::1%2"],
        [],
    ],
)
async def test_a_name_of_which_one_address_is_not_public_is_refused(found: list[str], canary: Canary) -> None:
    assert (await refusal_of("http://a.test/", Names([found], canary.port))).code == "tool.web_address"
    assert not canary.was_touched()


async def test_a_name_that_means_something_else_a_moment_later_is_asked_once(web: Web, canary: Canary) -> None:
    class Changing(Names):
        def way(self, address: str, port: int) -> tuple[str, int]:
            return "127.0.0.1", web.port if address == PUBLIC else canary.port

    names = Changing([[PUBLIC], ["127.0.0.1"]], canary.port)
    page = await fetch("http://acme.test/", names)
    assert b"valves" in page.content
    assert names.asked == ["acme.test"]
    assert not canary.was_touched()


@pytest.mark.parametrize(
    "to",
    [
        "http://127.0.0.1:{port}/",
        "http://127.0.0.1/",
        "//127.0.0.1/",
        "http://[::1]/",
        "http://2130706433/",
        "http://localhost/",
        "http://inside.example/",
        "file:///etc/passwd",
        "http://acme.test\\@127.0.0.1/",
        "http://acme.test:{port}/",
    ],
)
async def test_a_redirect_is_checked_like_the_first_address(to: str, web: Web, canary: Canary) -> None:
    class Inside(Pretended):
        async def resolve(self, host: str, port: int) -> Sequence[str]:
            return await super().resolve(host, port) if host.endswith(".test") else ["127.0.0.1"]

    web.pages["acme.test/away"] = moved(to.format(port=canary.port))
    assert (await refusal_of("http://acme.test/away", Inside())).code == "tool.web_address"
    assert not canary.was_touched()
    assert [each.path for each in web.hits()] == ["/away"]


def test_addresses_are_public_or_not() -> None:
    public = ["8.8.8.8", "93.184.215.14", "1.1.1.1", "2606:4700::1111", "2a00:1450:4007::200e", "2001:4860:4860::8888"]
    assert [each for each in public if not is_public(each)] == []
    # What `is_global` of Python 3.11.7 takes for public (TRAPS, 3.8).
    wrong = ["64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1", "fec0::1", "224.0.0.1", "192.0.0.192"]
    assert [each for each in wrong if is_public(each)] == []


async def test_the_internet_is_resolved_by_the_system() -> None:
    assert set(await Internet().resolve("localhost", 80)) <= {"127.0.0.1", "::1"}
    assert Internet().way(PUBLIC, 443) == (PUBLIC, 443)


def test_the_house_reaches_pages_over_the_internet(settings: Settings) -> None:
    settings.WEB_NETWORK = "generation.web.network.Internet"
    assert isinstance(of_settings(), Internet)


# --- what addresses mean


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("HTTP://Acme.TEST", "http://acme.test/"),
        ("http://acme.test:80/a?b=c#d", "http://acme.test/a?b=c"),
        ("https://acme.test:443", "https://acme.test/"),
        ("https://acme.test:80/", "https://acme.test:80/"),
        ("https://élan.test/é?è=ê", "https://xn--lan-9la.test/%C3%A9?%C3%A8=%C3%AA"),
        ("http://[2606:4700:0::1111]/", "http://[2606:4700::1111]/"),
        ("http://a_b.acme.test/a%20b", "http://a_b.acme.test/a%20b"),
    ],
)
def test_an_address_has_one_way_to_be_written(url: str, same: str) -> None:
    assert str(addresses.parse(url)) == same
    assert str(addresses.parse(same)) == same


# --- what comes back


async def test_redirects_are_followed_to_where_they_lead(web: Web) -> None:
    web.pages |= {"a.test/": moved("http://b.test/x", 301), "b.test/x": moved("../about", 307)}
    web.pages["b.test/about"] = article("There")
    page = await fetch("http://a.test/", of_settings())
    assert page.url == "http://b.test/about"
    assert [each.host for each in web.hits()] == ["a.test", "b.test", "b.test"]


async def test_five_redirects_are_enough(web: Web) -> None:
    web.pages |= {f"a.test/{n}": moved(f"/{n + 1}") for n in range(10)}
    assert (await refusal_of("http://a.test/0")).code == "tool.web_redirects"
    assert len(web.hits()) == 6


async def test_nothing_of_ours_goes_along(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    web.pages |= {"a.test/": moved("/b"), "a.test/b": article("B")}
    web.pages["a.test/"].headers["Set-Cookie"] = "id=1"
    await fetch("http://a.test/", of_settings())
    names = {name.lower() for each in web.hits() for name in each.headers}
    assert names == {"host", "accept", "accept-encoding", "user-agent", "connection"}


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (Page(status=404), "tool.web_status"),
        (Page(status=500), "tool.web_status"),
        (Page(status=304), "tool.web_status"),
        (Page("%PDF", type="application/pdf"), "tool.web_not_text"),
        (Page("{}", type="application/json"), "tool.web_not_text"),
        (Page("x", type=""), "tool.web_not_text"),
        (Page("x", headers={"Content-Encoding": "br"}), "tool.web_encoding"),
        (Page("x", headers={"Content-Encoding": "zstd"}), "tool.web_encoding"),
        (Page("not gzip", headers={"Content-Encoding": "gzip"}), "tool.web_encoding"),
        (Page("x" * (fetching.MOST_BYTES + 1)), "tool.web_too_large"),
        (Page(how="endless"), "tool.web_too_large"),
        (Page(how="bomb"), "tool.web_too_large"),
        (Page("x" * 100_000, headers={"Content-Length": "200000"}, how="cut"), "tool.web_unreachable"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_page_that_is_no_page_is_refused(web: Web, page: Page, code: str) -> None:
    web.pages["a.test/"] = page
    assert (await refusal_of("http://a.test/")).code == code


@pytest.mark.parametrize("how", ["hang", "drip"])
async def test_a_page_has_so_many_seconds_in_all(web: Web, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "SECONDS", 1)
    web.pages["a.test/"] = Page(how=how)
    refused = await refusal_of("http://a.test/")
    assert (refused.code, refused.permanent) == ("tool.web_too_slow", False)
    assert await nobody_waits(web)


async def test_who_is_stopped_closes_the_connection(web: Web) -> None:
    web.pages["a.test/"] = Page(how="hang")
    asking = asyncio.create_task(fetch("http://a.test/", of_settings()))
    while not web.open:
        await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await nobody_waits(web)


async def nobody_waits(web: Web) -> bool:
    async with asyncio.timeout(5):
        while web.open:
            await asyncio.sleep(0.01)
    return True


async def test_who_is_not_there_cannot_be_reached(web: Web, canary: Canary) -> None:
    for network in (Names([[PUBLIC]], 1), of_settings()):
        url = "http://a.test/" if isinstance(network, Names) else "http://a.example/"
        refused = await refusal_of(url, network)
        assert (refused.code, refused.permanent) == ("tool.web_unreachable", False)


@pytest.mark.parametrize("wbits", [31, 15, -15], ids=["gzip", "zlib", "raw"])
async def test_what_is_packed_is_unpacked(web: Web, wbits: int) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    packed = packer.compress(b"Loops repeat. " * 20_000) + packer.flush()
    body = packed.decode("utf-8", "surrogateescape")
    web.pages["a.test/"] = Page(body, headers={"Content-Encoding": "gzip" if wbits == 31 else "deflate"})
    assert (await fetch("http://a.test/", of_settings())).content == b"Loops repeat. " * 20_000


# --- over TLS


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[tuple[int, list[str | None]]]:
    """A server with a certificate that nobody vouches for, and the names it was asked by."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a.test")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("a.test")]), critical=False)
    signed = made.sign(key, hashes.SHA256())
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (tmp_path / "pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + signed.public_bytes(pem)
    )
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pem")
    context.sni_callback = lambda _, name, __: names.append(name)
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=shake_hands, args=(server, context))
        thread.start()
        yield server.getsockname()[1], names
        thread.join()


def shake_hands(server: socket.socket, context: ssl.SSLContext) -> None:
    connection, _ = server.accept()
    with connection:
        try:
            context.wrap_socket(connection, server_side=True).close()
        except OSError:
            return


async def test_a_host_is_asked_by_its_name_and_has_to_prove_it(secured: tuple[int, list[str | None]]) -> None:
    port, names = secured
    refused = await refusal_of("https://a.test/", Names([[PUBLIC]], port))
    assert refused.code == "tool.web_unreachable"
    assert names == ["a.test"]
