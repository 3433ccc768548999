"""REST: what is answered, how errors look, who is let in."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import jsonschema
import pytest
from msgspec import structs

from gateway.parts import Parts
from gateway.problems import PROBLEM_MEDIA_TYPE
from gateway.system_documents import HealthDocument, ModelsDocument
from schemas.codec import UndecodableError
from schemas.events import HoldOutScore, ServiceState
from schemas.json_schemas import schema_of
from schemas.public import PublicPrediction
from schemas.times import NS_PER_SECOND
from tests.gateway.samples import DAY_NS, NOON_NS, make_parts, model_event, model_member, prediction, status
from tests.gateway.web import client_of


@pytest.fixture
def parts() -> Parts:
    parts = make_parts(prediction("AAPL", 1), prediction("GOOG", 2), prediction("BRK.B", 3))
    parts.board.set_state(ServiceState.READY)
    return parts


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(parts) as client:
        yield client


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """Check that an answer is the problem document that it should be, and give it."""
    body: dict[str, Any] = answer.json()
    assert answer.status_code == status, body
    assert answer.headers["content-type"] == PROBLEM_MEDIA_TYPE
    assert {"type", "title", "status", "detail"} <= body.keys()
    assert body["status"] == status
    assert float(answer.headers["x-response-time"]) >= 0
    return body


@pytest.mark.parametrize("path", ["/predict/AAPL", "/predict/aapl", "/predict/brk.b"])
async def test_predict_gives_the_bytes_of_the_view_in_any_case(
    client: httpx.AsyncClient, parts: Parts, path: str
) -> None:
    answer = await client.get(path)
    entry = parts.latest.get(path.rpartition("/")[2].upper())
    assert entry is not None
    assert (answer.status_code, answer.content) == (200, entry.body)
    assert answer.headers["content-type"] == "application/json"


async def test_every_path_is_also_there_under_its_full_name(client: httpx.AsyncClient) -> None:
    for path in ("/predict/AAPL", "/predictions", "/docs", "/openapi.json"):
        short, full = await client.get(path), await client.get("/api/v1" + path)
        assert (full.status_code, full.content) == (200, short.content)
    problem(await client.get("/api/v1"), 404)
    problem(await client.get("/api/v1predict/AAPL"), 404)
    problem(await client.get("/api/v1/api/v1/predict/AAPL"), 404)


@pytest.mark.parametrize("symbol", ["1AAPL", "A$", "AAAAAAAAAAAAAA", "AA%20PL", "A/B", "", "%00", "%C5%BF", "A%0AB"])
async def test_an_invalid_symbol_is_400_and_names_the_field(client: httpx.AsyncClient, symbol: str) -> None:
    body = problem(await client.get(f"/predict/{symbol}"), 400)
    assert body["field"] == "ticker"
    assert "BRK.B" in body["detail"]


async def test_an_unknown_ticker_is_404_with_near_ones_and_the_number_of_known_ones(client: httpx.AsyncClient) -> None:
    body = problem(await client.get("/predict/GOOGL"), 404)
    assert body["near_matches"] == ["GOOG"]
    assert body["known_tickers"] == 3
    assert "GOOG" in body["detail"]


async def test_predictions_gives_all_latest_by_ticker(client: httpx.AsyncClient) -> None:
    body = (await client.get("/predictions")).json()
    assert [one["ticker"] for one in body["predictions"]] == ["AAPL", "BRK.B", "GOOG"]
    assert body["count"] == 3


@pytest.mark.parametrize("path", ["/predict/AAPL", "/predict/ZZZ", "/predictions", "/models/status", "/health"])
async def test_nothing_is_claimed_before_the_view_has_caught_up(path: str) -> None:
    async with client_of(make_parts(prediction("AAPL"), caught_up=False)) as client:
        answer = await client.get(path)
        problem(answer, 503)
        assert int(answer.headers["retry-after"]) >= 1


async def test_an_invalid_symbol_is_400_even_before_the_view_has_caught_up() -> None:
    async with client_of(make_parts(caught_up=False)) as client:
        problem(await client.get("/predict/$"), 400)


async def test_live_looks_at_nothing_and_ready_at_the_view_and_the_stop() -> None:
    parts = make_parts(prediction("AAPL"), caught_up=False)
    async with client_of(parts) as client:
        for path, status_code in (("/health/live", 200), ("/health/ready", 503)):
            assert (await client.get(path)).status_code == status_code
        parts.latest.caught_up = True
        parts.board.set_state(ServiceState.DEGRADED, "Kafka is not answering")
        assert (await client.get("/health/ready")).json() == {"status": "ready"}
        parts.condition.draining = True
        for path in ("/health/ready", "/health"):
            assert problem(await client.get(path), 503)["type"].endswith("stopping")
        assert (await client.get("/health/live")).json() == {"status": "alive"}
        assert (await client.get("/predict/AAPL")).status_code == 200


async def test_health_is_healthy_where_every_service_is(client: httpx.AsyncClient, parts: Parts) -> None:
    parts.services.accept(status("predictor"), NOON_NS)
    assert (await client.get("/health")).json()["status"] == "healthy"


async def test_health_says_the_state_of_each_service(client: httpx.AsyncClient, parts: Parts) -> None:
    parts.services.accept(status("predictor", "one"), NOON_NS)
    parts.services.accept(status("predictor", "two", state=ServiceState.DEGRADED, message="untrained"), NOON_NS)
    parts.services.accept(status("ingestor", state=ServiceState.ENDED), NOON_NS)
    answer = await client.get("/health")
    body = answer.json()
    assert (answer.status_code, body["status"]) == (200, "degraded")
    states = {name: service["state"] for name, service in body["services"].items()}
    assert states == {"gateway": "ready", "predictor": "degraded", "ingestor": "ended"}
    assert body["services"]["predictor"]["message"] == "untrained"
    assert body["services"]["predictor"]["age_seconds"] == 0.0
    HealthDocument.model_validate_json(answer.content, strict=True)


async def test_the_last_word_of_a_service_that_died_is_not_believed_for_long_and_its_absence_is_seen(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    for service, silent_seconds in (("ingestor", 14), ("predictor", 20), ("feature_stream", 3_600), ("old", 3_601)):
        parts.services.accept(status(service, updated_at_ns=NOON_NS - silent_seconds * NS_PER_SECOND), NOON_NS)
    services = (await client.get("/health")).json()["services"]
    assert {name: service["state"] for name, service in services.items()} == {
        "gateway": "ready",
        "ingestor": "ready",
        "predictor": "degraded",
        "feature_stream": "degraded",
    }
    assert services["predictor"]["message"] == "no report for 20 s; last state: ready"
    assert services["feature_stream"]["message"] == "no report for 3600 s; last state: ready"


async def test_an_instance_that_is_gone_is_forgotten_once_another_one_of_its_service_reports(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    parts.services.accept(status(instance="died", updated_at_ns=NOON_NS - 61 * NS_PER_SECOND), NOON_NS)
    parts.services.accept(status("ingestor", "stopped", state=ServiceState.STOPPING), NOON_NS)
    for service in ("predictor", "ingestor"):
        parts.services.accept(status(service, "its successor"), NOON_NS)
    answer = await client.get("/health")
    services = answer.json()["services"]
    for service in ("predictor", "ingestor"):
        assert services[service]["state"] == "ready"
        assert [one["instance"] for one in services[service]["instances"]] == ["its successor"]
    HealthDocument.model_validate_json(answer.content, strict=True)


async def test_a_service_that_was_stopped_and_not_replaced_is_seen_to_be_stopping_for_an_hour(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    parts.services.accept(status(state=ServiceState.STOPPING, updated_at_ns=NOON_NS - 90 * NS_PER_SECOND), NOON_NS)
    answer = await client.get("/health")
    predictor = answer.json()["services"]["predictor"]
    assert (answer.status_code, predictor["state"], predictor["message"]) == (200, "stopping", "stopped 90 s ago")
    assert "predictor" not in parts.services.document(NOON_NS + 3_600 * NS_PER_SECOND)


async def test_a_clock_that_is_ahead_keeps_nobody_alive(parts: Parts) -> None:
    parts.services.accept(status(updated_at_ns=NOON_NS + 365 * DAY_NS), NOON_NS)
    later = parts.services.document(NOON_NS + 20 * NS_PER_SECOND)
    assert later["predictor"]["message"] == "no report for 20 s; last state: ready"


async def test_health_stays_200_and_says_degraded_while_the_broker_is_away(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    parts.board.set_state(ServiceState.DEGRADED, "Kafka is not answering")
    body = (await client.get("/health")).json()
    assert (body["status"], body["state"], body["message"]) == ("degraded", "degraded", "Kafka is not answering")


async def test_models_status_gives_the_newest_decision(client: httpx.AsyncClient, parts: Parts) -> None:
    before = await client.get("/models/status")
    assert before.json()["serving"] is None
    ModelsDocument.model_validate_json(before.content, strict=True)
    scores: dict[str, Any] = {"hold_out": [SCORE], "baselines": {"no_change": [SCORE]}}
    member = model_member(hold_out=[SCORE])
    parts.models.accept(model_event("set-2", NOON_NS + 1, members=[member], **scores), 0)
    parts.models.accept(model_event("set-1", NOON_NS), 1)
    after = await client.get("/models/status")
    assert after.json()["serving"] == "set-2"
    assert after.json()["hold_out"] == after.json()["baselines"]["no_change"]
    assert after.json()["hold_out"][0]["mean_absolute_error"] == 0.1
    assert after.json()["train_end"] == "2023-12-31T12:00:00Z"
    ModelsDocument.model_validate_json(after.content, strict=True)


SCORE = HoldOutScore(horizon=1, count=9, mean_absolute_error=0.1, root_mean_squared_error=0.2)
TOO_LARGE = structs.replace(SCORE, count=2**53)


@pytest.mark.parametrize(
    "changes",
    [
        {"horizons": [1, 2**53]},
        {"hold_out": [TOO_LARGE]},
        {"hold_out": [structs.replace(SCORE, horizon=-(2**53))]},
        {"baselines": {"no_change": [SCORE, TOO_LARGE]}},
        {"members": [model_member(hold_out=[TOO_LARGE])]},
    ],
)
async def test_a_decision_with_integers_that_javascript_cannot_read_is_refused(
    parts: Parts, changes: dict[str, Any]
) -> None:
    before = parts.models.body
    with pytest.raises(UndecodableError, match=r"2\^53"):
        parts.models.accept(model_event(**changes), 0)
    assert parts.models.body == before


async def test_models_status_follows_the_log_where_a_clock_went_back(client: httpx.AsyncClient, parts: Parts) -> None:
    for name, decided_at_ns in (("set-1", NOON_NS + 1), ("set-2", NOON_NS)):
        parts.models.accept(model_event(name, decided_at_ns), 0)
    assert (await client.get("/models/status")).json()["serving"] == "set-2"


async def test_metrics_count_answers_by_route_and_never_by_path(client: httpx.AsyncClient) -> None:
    for path in ("/predict/AAPL", "/api/v1/predict/GOOG", "/predict/ZZZ", "/no/such/path"):
        await client.get(path)
    text = (await client.get("/metrics")).text
    assert 'tickcast_http_request_seconds_count{route="/predict/{ticker}",status="200"} 2.0' in text
    assert 'tickcast_http_request_seconds_count{route="/predict/{ticker}",status="404"} 1.0' in text
    assert "/no/such" not in text


async def test_errors_of_routing_are_problems_too(client: httpx.AsyncClient) -> None:
    problem(await client.get("/no/such/path"), 404)
    problem(await client.get("/health/"), 404)
    problem(await client.get("/static-offline-docs/none.js"), 404)
    answer = await client.delete("/predictions")
    problem(answer, 405)
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
    problem(await client.options("/no/such/path"), 404)


async def test_plain_http_at_the_address_of_the_socket_is_told_so(client: httpx.AsyncClient) -> None:
    answer = await client.get("/ws/predictions")
    problem(answer, 426)
    assert answer.headers["upgrade"] == "websocket"


async def test_an_unexpected_error_is_a_500_problem_that_tells_nothing_of_the_inside(
    client: httpx.AsyncClient, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> bytes:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(parts.latest, "all_bytes", fail)
    answer = await client.get("/predictions")
    problem(answer, 500)
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "localhost:8000", "localhost.", "127.0.0.1:1", "[::1]:8000", "LOCALHOST"),
        *("one.example", "two.example", "two.example:9", "three.example:8000", "[2001:db8::1]", "[2001:db8::2]:80"),
    ],
)
async def test_our_own_names_are_let_in_at_any_port_however_the_setting_writes_them(host: str) -> None:
    allowed = "one.example, Two.example:8000, three.example., 2001:db8::1, [2001:db8::2]:8000"
    async with client_of(make_parts(allowed_hosts=allowed)) as client:
        assert (await client.get("/health", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "evil@localhost", "localhost/..", "", "a:b:c", "localhost:x"]
)
async def test_a_foreign_host_is_refused_everywhere(client: httpx.AsyncClient, host: str) -> None:
    for path in ("/health", "/predict/AAPL", "/docs", "/"):
        problem(await client.get(path, headers={"Host": host}), 421)


async def test_the_advice_for_a_foreign_host_can_be_followed(client: httpx.AsyncClient) -> None:
    detail = problem(await client.get("/health", headers={"Host": "gateway.example:8000"}), 421)["detail"]
    assert "'gateway.example'" in detail
    assert "TICKCAST_ALLOWED_HOSTS" in detail
    async with client_of(make_parts(allowed_hosts="gateway.example")) as listening:
        assert (await listening.get("/health", headers={"Host": "gateway.example:8000"})).status_code == 200


@pytest.mark.parametrize("hosts", [[], ["localhost", "localhost"], ["localhost", "evil.example"]])
async def test_a_request_without_a_host_or_with_two_is_invalid(hosts: list[str]) -> None:
    request = httpx.Request("GET", "http://localhost/health", headers=[("Host", host) for host in hosts])
    if not hosts:
        del request.headers["Host"]
    async with client_of(make_parts()) as client:
        assert "Host" in problem(await client.send(request), 400)["detail"]


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:3000", "https://localhost:8000x"])
async def test_a_changing_request_from_a_foreign_origin_is_refused_before_anything_else(
    client: httpx.AsyncClient, origin: str
) -> None:
    problem(await client.post("/predictions", headers={"Origin": origin}), 403)
    assert (await client.get("/predictions", headers={"Origin": origin})).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://localhost:8000", "https://board.example", "https://BOARD.example:443", "app://board", None]
)
async def test_a_changing_request_of_our_own_or_an_allowed_origin_goes_on(origin: str | None) -> None:
    headers = {"Origin": origin} if origin else {}
    async with client_of(make_parts(allowed_origins="https://board.example, app://board")) as client:
        assert (
            "/predictions does not accept POST"
            in problem(await client.post("/predictions", headers=headers), 405)["detail"]
        )


async def test_only_an_allowed_origin_may_read_across_origins() -> None:
    async with client_of(make_parts(allowed_origins="https://board.example/")) as client:
        ours = await client.get("/predictions", headers={"Origin": "https://board.example"})
        theirs = await client.get("/predictions", headers={"Origin": "https://evil.example"})
        nobodys = await client.get("/predictions")
    assert ours.headers["access-control-allow-origin"] == "https://board.example"
    assert {"ETag", "Retry-After", "X-Response-Time"} <= {*ours.headers["access-control-expose-headers"].split(", ")}
    for answer in (ours, theirs, nobodys):  # a cache must not give the answer of one to the other
        assert "origin" in answer.headers["vary"].lower()
    assert not {name for answer in (theirs, nobodys) for name in answer.headers if name.startswith("access-control")}


def preflight(origin: str, method: str = "POST") -> dict[str, str]:
    return {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "x-api-key"}


async def test_a_preflight_of_an_allowed_origin_is_answered_before_anybody_is_asked_for_a_key() -> None:
    parts = make_parts(auth_required=True, allowed_origins="https://board.example")
    async with client_of(parts) as client:
        for path, methods in (
            ("/predict/batch", "OPTIONS, POST"),
            ("/api/v1/predictions", "GET, HEAD, OPTIONS"),
            ("/models/rollback", "OPTIONS, POST"),
            ("/nothing", ""),
        ):
            answer = await client.options(path, headers=preflight("https://board.example"))
            assert (answer.status_code, answer.content) == (204, b"")
            assert answer.headers["access-control-allow-origin"] == "https://board.example"
            assert answer.headers["access-control-allow-methods"] == methods
            allowed = answer.headers["access-control-allow-headers"].split(", ")
            assert {"X-API-Key", "Authorization", "Content-Type", "If-None-Match", "Last-Event-ID"} <= {*allowed}
            assert "origin" in answer.headers["vary"].lower()
        refused = await client.post("/predict/batch", headers={"Origin": "https://board.example"}, json=["AAPL"])
    assert problem(refused, 401)  # and the page may read why:
    assert refused.headers["access-control-allow-origin"] == "https://board.example"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://board.example:8443"])
@pytest.mark.parametrize("allowed_origins", ["", "https://board.example"])
async def test_a_preflight_of_a_foreign_origin_is_refused(origin: str, allowed_origins: str) -> None:
    async with client_of(make_parts(allowed_origins=allowed_origins)) as client:
        for method in ("GET", "POST"):
            answer = await client.options("/predictions", headers=preflight(origin, method))
            assert "TICKCAST_ALLOWED_ORIGINS" in problem(answer, 403)["detail"] or origin == "null"
            assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/page/main.js", "/page/style/base.css", "/docs", "/redoc", "/openapi.json"])
async def test_pages_need_nothing_from_elsewhere(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert float(answer.headers["x-response-time"]) >= 0
    if answer.headers["content-type"].startswith("text/html"):
        assert "http" not in answer.headers["content-security-policy"]
    links = [part.split('"')[0] for name in ("src", "href") for part in answer.text.split(f'{name}="')[1:]]
    assert not [link for link in links if link.startswith(("http:", "https:", "//"))]


async def test_the_scripts_of_the_documentation_come_from_here(client: httpx.AsyncClient) -> None:
    page = (await client.get("/docs")).text
    script = page.split('<script src="')[1].split('"')[0]
    assert (await client.get(script)).status_code == 200


def _responses(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for operations in document["paths"].values():
        for operation in operations.values():
            yield from operation["responses"].items()


async def test_the_openapi_document_knows_no_422_and_says_that_errors_are_problems(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert '"422"' not in json.dumps(document)
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert all(path.startswith("/api/v1/") for path in document["paths"])
    short = {path.removeprefix("/api/v1") for path in document["paths"]}
    assert short >= {
        "/predict/{ticker}",
        "/predictions",
        "/health",
        "/models/status",
        "/metrics",
        "/events/predictions",
    }
    for status_code, response in _responses(document):
        if not status_code.startswith(("2", "3")):
            assert list(response["content"]) == [PROBLEM_MEDIA_TYPE]


async def test_the_openapi_document_has_all_that_it_refers_to_and_predictions_are_those_of_the_contract(
    client: httpx.AsyncClient,
) -> None:
    document = (await client.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    named = {
        name.removeprefix("#/components/schemas/") for name in re.findall(r'"\$ref": "([^"]+)"', json.dumps(document))
    }
    assert named <= schemas.keys()
    assert {"PublicPrediction", "PublicPredictions", "MemberPrediction"} <= named
    assert schemas["PublicPrediction"]["properties"].keys() == schema_of(PublicPrediction)["properties"].keys()


def _has_example(content: dict[str, Any], schemas: dict[str, Any]) -> bool:
    """Tell whether a media type has an example, or what it refers to has one."""
    names = re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(content))
    return "example" in json.dumps(content) or any("examples" in schemas[name] for name in names)


async def test_every_path_of_the_openapi_document_shows_an_answer_and_says_that_there_are_errors(
    client: httpx.AsyncClient,
) -> None:
    document = (await client.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert "default" in operation["responses"], path
            good = {status: said for status, said in operation["responses"].items() if status.startswith("2")}
            for status_code, response in good.items():
                media = list(response.get("content", {}).values())[:1]  # that of CSV is shown as JSON
                assert (status_code == "204") is not bool(media), (method, path)
                assert all(_has_example(content, schemas) for content in media), (method, path)


async def test_the_examples_of_the_openapi_document_are_as_their_schemas_say(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    shown = {name: schema["examples"] for name, schema in schemas.items() if "examples" in schema}
    assert {"History", "HealthDocument", "TickerModelsDocument", "PerformanceMetrics"} <= shown.keys()
    for name, examples in shown.items():
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        for example in examples:
            jsonschema.Draft202012Validator(schema).validate(example)
            unknown = example.keys() - schemas[name].get("properties", example).keys()
            assert not unknown, (name, unknown)
