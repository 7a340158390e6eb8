"""A route: it checks a request as a whole, calls its operation, and answers.

The endpoint's signature says what a request may have; FastAPI reads the same for `/openapi.json`, once
somebody asks for that (`openapi.py`). Requests are checked here because all faults of path, query, headers
and body belong into one answer, because a body that is not JSON is another problem than one with faults, and
because it takes a quarter of the time.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl

import structlog
from pydantic import ValidationError, create_model
from pydantic_core import from_json
from starlette.routing import compile_path

from rota.api import answer
from rota.api.body import read_body
from rota.api.call import Call, ClientGone
from rota.api.form import NOTHING, Empty, Form, faults_of, names_of, repeated_takes
from rota.api.front_end import faults_of_front_end
from rota.api.problems import internal_error, problem_of
from rota.api.refused import MalformedBody
from rota.model.error import Fault, Invalid, RotaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import Receive, Scope, Send

    from rota.api.problems import Problem

log = structlog.get_logger(__name__)

Endpoint = TypeVar("Endpoint", bound="Callable[..., Any]")

#: More parameters than any request has use for.
MOST_PARAMETERS = 1000

#: So many short queries of a route are read once.
KNOWN_QUERIES = 100
LONGEST_KNOWN = 100


class Route:
    """One method of one path."""

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        method: str,
        include_in_schema: bool = True,
        **description: Any,
    ) -> None:
        """`description` is what FastAPI's `APIRoute` takes, for the document."""
        self.path = path
        self.endpoint = endpoint
        self.method = method
        self.include_in_schema = include_in_schema
        self.description = description
        #: The methods that it answers; `method` is what is documented.
        self.takes = frozenset({method, "HEAD"} if method == "GET" else {method})
        self.path_regex, _, in_path = compile_path(path)
        self.in_path = frozenset(in_path)
        self.parameters = inspect.signature(endpoint, eval_str=True).parameters
        kinds = {name: parameter.annotation for name, parameter in self.parameters.items()}
        path_fields: dict[str, Any] = {name: (kinds[name], ...) for name in in_path}
        self._path = create_model("InPath", **path_fields)
        self._query = _form(kinds.get("query", Empty))
        self._headers = _form(kinds["headers"]) if "headers" in kinds else None
        self._header_names = names_of(self._headers) if self._headers is not None else []
        self._body = _form(kinds.get("body", Empty)) if method == "POST" else None
        given = self.parameters["body"].default if "body" in kinds else NOTHING
        self._no_body: Form | None = given if isinstance(given, Form) else None
        self._wanted = frozenset(kinds) & {"query", "headers", "body", *in_path}
        self._repeated = repeated_takes(self._query)
        self._known_queries: dict[bytes, Form] = {}

    def is_open(self, _scope: Scope) -> bool:
        """Whether the route is there for who comes this way."""
        return True

    async def respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the request, have its operation done, and answer."""
        call = Call(scope, receive)
        it: answer.Answer
        try:
            it = await self.endpoint(call, **await self._asked(call))
        except ClientGone:
            return
        except RotaError as error:
            it = _refused(call, problem_of(error), error)
        except Exception as error:  # noqa: BLE001  a request's turn: the server goes on, its log tells
            it = _refused(call, internal_error(), error)
        await it.send(scope, receive, send)

    async def _asked(self, call: Call) -> dict[str, Any]:
        faults: list[Fault] = []
        found: dict[str, Any] = {}
        try:
            found |= vars(self._path.model_validate(call.path_params))
        except ValidationError as error:
            faults += faults_of(error, "path", ())
        try:
            found["query"] = self._read_query(call.scope["query_string"], faults)
        except ValidationError as error:
            faults += faults_of(error, "query", names_of(self._query))
        if self._headers is not None:
            try:
                found["headers"] = self._headers.model_validate(self._headers_of(call, faults))
            except ValidationError as error:
                faults += faults_of(error, "header", ())
        if self._body is not None:
            faults += faults_of_front_end(call)
            body = await read_body(call)
            try:
                found["body"] = (
                    self._body.model_validate_json(body) if body else self._no_body or self._body()
                )
            except ValidationError as error:
                _check_json(error)
                faults += faults_of(error, "body", names_of(self._body))
            if faults:
                faults += self._body.further_faults(call, from_json(body) if body else None)
        if faults:
            raise Invalid(faults)
        return {name: value for name, value in found.items() if name in self._wanted}

    def _headers_of(self, call: Call, faults: list[Fault]) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in self._header_names:
            values = call.given(name.lower().encode())
            if len(values) > 1:
                faults.append(
                    Fault(location=f"header.{name}", message="it is given more than once", value=values)
                )
            elif values:
                found[name] = values[0]
        return found

    def _read_query(self, text: bytes, faults: list[Fault]) -> Form:
        """The form that a query fills; most are one of a few, and those are kept."""
        form = self._known_queries.get(text)
        if form is None:
            form = self._query.model_validate(self._query_of(text, faults))
            if not faults and len(self._known_queries) < KNOWN_QUERIES and len(text) < LONGEST_KNOWN:
                self._known_queries[text] = form
        return form

    def _query_of(self, text: bytes, faults: list[Fault]) -> dict[str, Any]:
        try:
            pairs = parse_qsl(text.decode("latin-1"), keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
        except ValueError:
            faults.append(Fault(location="query", message=f"it has more than {MOST_PARAMETERS} parameters"))
            return {}
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in self._repeated:
                found.setdefault(name, []).append(value)
            elif name in found:
                faults.append(
                    Fault(location=f"query.{name}", message="it is given more than once", value=value)
                )
            else:
                found[name] = value
        return found


class OwnersRoute(Route):
    """A route that is there for those who come by the Unix socket; over TCP there is nothing."""

    def is_open(self, scope: Scope) -> bool:
        """Only for what came by the socket."""
        return bool(scope["rota.by_socket"])


class Routes:
    """The routes of a verb."""

    def __init__(self, kind: type[Route] = Route) -> None:
        self._kind = kind
        self._routes: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def get(self, path: str, **settings: Any) -> Callable[[Endpoint], Endpoint]:
        """The decorated function answers GET at this path. See `Route` for the settings."""
        return self._route(path, "GET", settings)

    def post(self, path: str, **settings: Any) -> Callable[[Endpoint], Endpoint]:
        """Likewise POST."""
        return self._route(path, "POST", settings)

    def delete(self, path: str, **settings: Any) -> Callable[[Endpoint], Endpoint]:
        """Likewise DELETE."""
        return self._route(path, "DELETE", settings)

    def _route(self, path: str, method: str, settings: dict[str, Any]) -> Callable[[Endpoint], Endpoint]:
        def take(endpoint: Endpoint) -> Endpoint:
            self._routes.append(self._kind(path, endpoint, method=method, **settings))
            return endpoint

        return take


def _refused(call: Call, refusal: Problem, error: Exception) -> answer.Whole:
    if refusal.kind.status >= 500:
        log.error(
            "a request failed",
            method=call.method,
            path=call.scope["path"],
            instance=refusal.instance,
            reason=str(error),
            exc_info=error if refusal.kind.status == 500 else None,
        )
    return answer.problem(refusal, call.origin)


def _form(annotation: Any) -> type[Form]:
    """The form that an annotation such as `Annotated[Query, …]` or `Body | None` speaks of."""
    for each in (annotation, *getattr(annotation, "__args__", ()), getattr(annotation, "__origin__", None)):
        if isinstance(each, type) and issubclass(each, Form):
            return each
    raise TypeError(f"{annotation} holds no form")


def _check_json(error: ValidationError) -> None:
    for each in error.errors(include_url=False, include_input=False):
        if each["type"] == "json_invalid":
            raise MalformedBody(str(each.get("ctx", {}).get("error", each["msg"]))) from error
