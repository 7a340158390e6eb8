"""Who may come in by which door, and how everybody else is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from api_bed import TOKEN, api_of

from rota.model.task import Task

if TYPE_CHECKING:
    from pathlib import Path

JOB = Task(name="job", run="true")


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "Bearer wrong")],
        [("Authorization", f"Bearer {TOKEN}x")],
        [("Authorization", f"Basic {TOKEN}")],
        [("Authorization", TOKEN)],
        [("Authorization", f"Bearer {TOKEN}"), ("Authorization", "Bearer wrong")],
    ],
)
@pytest.mark.parametrize("path", ["/api/info", "/openapi.json", "/nowhere"])
async def test_without_the_token_nothing_is_told_over_tcp(
    tmp_path: Path, headers: list[tuple[str, str]], path: str
) -> None:
    async with api_of(tmp_path, JOB) as api:
        answer = await api.stranger.get(path, headers=headers)

        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/token-needed")
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_the_scheme_of_the_token_may_be_written_in_any_case(tmp_path: Path) -> None:
    async with api_of(tmp_path, JOB) as api:
        assert (
            await api.stranger.get("/api/info", headers={"Authorization": f"bEARER {TOKEN}"})
        ).status_code == 200


async def test_the_owners_socket_asks_for_nothing(tmp_path: Path) -> None:
    async with api_of(tmp_path, JOB) as api:
        answer = await api.socket.get(
            "/api/info", headers={"Host": "whatever", "Origin": "http://else.where"}
        )

        assert answer.status_code == 200
        assert answer.json()["$schema"] == "http://127.0.0.1:9477/schemas/Info.json"


async def test_without_authentication_the_host_and_the_origin_are_still_looked_at(tmp_path: Path) -> None:
    async with api_of(tmp_path, JOB, token=None) as api:
        assert (await api.stranger.get("/api/info")).status_code == 200
        assert (await api.stranger.get("/api/info", headers={"Host": "evil.example"})).status_code == 421
        assert (
            await api.stranger.post("/api/tasks/job/run", headers={"Origin": "http://evil.example"})
        ).status_code == 403
        assert (await api.tcp.get("/api/runs")).json()["items"] == []


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:9477", 200),
        ("127.0.0.1", 200),
        ("localhost:9477", 200),
        ("LOCALHOST", 200),
        ("[::1]:9477", 200),
        ("localhost:2222", 200),  # through a tunnel
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example:9477", 421),
        ("192.168.1.5:9477", 421),
        ("", 421),
    ],
)
async def test_only_a_loopback_name_is_answered(tmp_path: Path, host: str, status: int) -> None:
    async with api_of(tmp_path, JOB) as api:
        answer = await api.tcp.get("/api/info", headers={"Host": host})

        assert answer.status_code == status
        if status == 200:
            assert answer.json()["$schema"] == f"http://{host.lower()}/schemas/Info.json"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:9477", 200),
        ("http://localhost:9477", 403),  # another name is another origin
        ("http://127.0.0.1:3000", 403),
        ("https://127.0.0.1:9477", 403),
        ("http://evil.example", 403),
        ("null", 403),
    ],
)
async def test_only_our_own_pages_may_ask(tmp_path: Path, origin: str, status: int) -> None:
    async with api_of(tmp_path, JOB) as api:
        answer = await api.tcp.get("/api/info", headers={"Origin": origin})

        assert answer.status_code == status
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/api/tasks/job/run", "POST"),
        ("HEAD", "/api/tasks/job/run", "POST"),
        ("DELETE", "/api/runs", "GET, HEAD"),
        ("OPTIONS", "/api/info", "GET, HEAD"),
        ("PUT", "/docs", "GET, HEAD"),
        ("TRACE", "/health", "GET, HEAD"),
    ],
)
async def test_another_method_is_answered_with_those_that_are_taken(
    tmp_path: Path, method: str, path: str, allow: str
) -> None:
    async with api_of(tmp_path, JOB) as api:
        answer = await api.tcp.request(method, path)

        assert answer.status_code == 405
        assert answer.headers.get_list("allow") == [allow]


@pytest.mark.parametrize(
    "path", ["/", "/api", "/api/nosuch", "/api/tasks/", "/api/tasks//run", "/schemas/No.json"]
)
async def test_what_is_not_there_is_a_problem_and_never_a_page(tmp_path: Path, path: str) -> None:
    async with api_of(tmp_path, JOB) as api:
        answer = await api.tcp.get(path)

        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/route-not-found")


async def test_every_problem_has_one_form_and_explains_itself(tmp_path: Path) -> None:
    async with api_of(tmp_path, JOB) as api:
        answers = [
            await api.stranger.get("/api/info"),
            await api.tcp.get("/api/info", headers={"Host": "evil"}),
            await api.tcp.get("/api/info", headers={"Origin": "null"}),
            await api.tcp.get("/nowhere"),
            await api.tcp.delete("/health"),
            await api.tcp.get("/api/runs?limit=x"),
            await api.tcp.get("/api/tasks/none"),
            await api.tcp.post(
                "/api/tasks/job/run", content=b"{", headers={"Content-Type": "application/json"}
            ),
            await api.tcp.post("/api/tasks/job/run", content=b"{", headers={"Content-Type": "text/xml"}),
        ]

        for answer in answers:
            problem = answer.json()
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["link"] == '</schemas/Problem.json>; rel="describedBy"'
            assert problem["$schema"].endswith("/schemas/Problem.json")
            assert problem["status"] == answer.status_code
            assert problem["instance"].startswith("urn:uuid:")
            assert problem["detail"]
            explained = await api.tcp.get(problem["type"])
            assert (explained.status_code, explained.json()["title"]) == (200, problem["title"])
        assert len({answer.json()["instance"] for answer in answers}) == len(answers)


async def test_every_answer_is_protected(tmp_path: Path) -> None:
    async with api_of(tmp_path, JOB) as api:
        for answer in (
            await api.tcp.get("/api/info"),
            await api.stranger.get("/api/info"),
            await api.tcp.get("/nowhere"),
            await api.stranger.get("/docs"),
        ):
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["x-frame-options"] == "DENY"
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["cache-control"] == "no-store"


async def test_head_is_answered_as_get_without_the_body(tmp_path: Path) -> None:
    async with api_of(tmp_path, JOB) as api:
        for path in ("/health", "/api/info", "/api/tasks/job", "/api/nosuch", "/docs", "/openapi.json"):
            got, headed = await api.tcp.get(path), await api.tcp.head(path)

            assert headed.status_code == got.status_code
            assert headed.content == b""
            assert headed.headers["content-type"] == got.headers["content-type"]


async def test_shutting_down_is_the_sockets_alone(tmp_path: Path) -> None:
    async with api_of(tmp_path, JOB) as api:
        for method in ("POST", "GET", "DELETE"):
            there = await api.tcp.request(method, "/api/shutdown")
            nowhere = await api.tcp.request(method, "/api/nowhere")
            assert (there.status_code, there.json()["type"]) == (404, nowhere.json()["type"])
        assert not api.rota.shutdown_asked.is_set()
        assert "shutdown" not in (await api.tcp.get("/openapi.json")).text.lower().replace(
            "shutting down", ""
        )

        answer = await api.socket.post("/api/shutdown")

        assert (answer.status_code, answer.json()["pid"]) == (202, 4711)
        assert api.rota.shutdown_asked.is_set()


async def test_the_page_of_the_api_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    async with api_of(tmp_path, JOB) as api:
        page = await api.stranger.get("/docs")

        policy = page.headers["content-security-policy"]
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert "unsafe" not in policy
        assert "sha256-" in policy
        assert "http://" not in page.text
        assert "https://" not in page.text
