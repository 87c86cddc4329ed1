"""The contracts of some APIs as an ASGI application."""

from __future__ import annotations

import re
import time
from collections import deque
from dataclasses import replace
from datetime import date
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from tap_analytics.sandbox.contract import json
from tap_analytics.sandbox.http.bodies import Bodies
from tap_analytics.sandbox.http.exchange import Answer, Request
from tap_analytics.sandbox.http.limits import Limits, OverLimitError
from tap_analytics.sandbox.http.tokens import GrantError, Tokens
from tap_analytics.sandbox.http.wire import Reply, deliver, spoil
from tap_analytics.sandbox.paging import BadRequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_analytics.sandbox.contract import Api, Route
    from tap_analytics.sandbox.data.store import Store
    from tap_analytics.sandbox.http.exchange import Fault
    from tap_analytics.sandbox.http.limits import Quota
    from tap_analytics.sandbox.http.wire import Receive, Send, Transports

_OK = 200
_DAY_SECONDS = 86_400
_UNAUTHORIZED = 401
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class _Target(NamedTuple):
    """What a path leads to."""

    api: Api
    route: Route
    parents: tuple[str, ...]
    """The parents that the path names, decoded."""

    def takes(self, params: dict[str, str]) -> bool:
        """Whether the route is the one that `params` tell from others on the same path."""
        options = self.route.options
        return all(
            name in params and (not options[name] or params[name] in options[name])
            for name in self.route.needs
        )


class _RefusedError(Exception):
    """The answer is not 200."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


class App:
    """Answers requests from a store."""

    def __init__(  # noqa: PLR0913
        self,
        apis: Sequence[Api],
        store: Store,
        transports: Transports,
        *,
        latency: float,
        rate: int | None,
        quota: Quota | None,
        token_seconds: float | None,
        log: int,
    ) -> None:
        """Answer from `store` over the connections in `transports`; see `Sandbox` for the rest."""
        self.faults: list[Fault] = []
        self.requests: deque[Request] = deque(maxlen=log)
        self.refused: deque[Request] = deque(maxlen=log)
        self._store = store
        self._transports = transports
        self._latency = latency
        self._bodies = Bodies()
        self._limits = {
            api.name: Limits(rate, quota, announced=api.announces, retry_after=api.retry_after)
            for api in apis
        }
        self._tokens: dict[str, Tokens] = {}
        self._grants: dict[str, Tokens] = {}
        started = time.monotonic()
        for api in apis:
            if api.grant:
                tokens = Tokens(
                    api.grant,
                    api.authorization[1].removeprefix("Bearer "),
                    api.grant.days * _DAY_SECONDS if token_seconds is None else token_seconds,
                    lambda: store.now.timestamp() + time.monotonic() - started,
                )
                self._tokens[api.name] = self._grants[api.grant.path] = tokens
        self._fixed: dict[str, list[_Target]] = {}
        self._below: dict[str, list[_Target]] = {}
        for api in apis:
            asked = [route for route in api.routes if not route.inside]
            for path, route in product(api.prefixes, asked):
                pattern, gaps = re.subn(r"{\w+}", "([^/]+)", path + route.path)
                places = self._below if gaps else self._fixed
                places.setdefault(pattern, []).append(_Target(api, route, ()))

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        path = scope["raw_path"].decode("latin-1")
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        target = self._target(path, dict(query))
        request = Request(
            api=target.api.name if target else "",
            stream=target.route.stream if target else "",
            method=scope["method"],
            path=path,
            params=dict(query),
            headers={k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]},
            time=time.time(),
        )
        self.requests.append(request)
        fault = next(filter(None, (find(request) for find in tuple(self.faults))), None)
        if path in self._grants and request.method == "POST":
            reply = _renewed(self._grants[path], request, await _read(receive))
        else:
            reply = self._reply(target, request, [name for name, _ in query])
        if reply.status != _OK:
            self.refused.append(request)
        if fault is None and not self._latency:
            await deliver(send, reply)
            return
        fault = fault or Answer()
        fault = replace(fault, delay=fault.delay + self._latency)
        await spoil(send, reply, fault, self._transports, scope["client"])

    def _target(self, path: str, params: dict[str, str]) -> _Target | None:
        if path in self._fixed:
            targets = self._fixed[path]
            return next((target for target in targets if target.takes(params)), targets[0])
        for pattern, targets in self._below.items():
            match = re.fullmatch(pattern, path)
            if match:
                parents = tuple(map(unquote, match.groups()))
                told = [target for target in targets if target.takes(params)] or targets
                return self._seen(told, parents[0])._replace(parents=parents)
        return None

    def _seen(self, targets: list[_Target], parent: str) -> _Target:
        """The target that shows what the view `parent` does; the first one if none does."""
        if not targets[0].route.view:
            return targets[0]
        view = self._store.view(targets[0].route, parent)
        return next((target for target in targets if target.route.view == view), targets[0])

    def _reply(self, target: _Target | None, request: Request, names: list[str]) -> Reply:
        if target is None:
            return Reply(404, {}, json({"message": f"no such path: {request.path}"}))
        headers: dict[str, str] = {}
        try:
            headers = self._admit(target, request)
            return Reply(_OK, headers, self._body(target, request, names))
        except _RefusedError as refused:
            body = json(target.api.error(refused.status, str(refused)))
            status = refused.status
            if status == _UNAUTHORIZED:
                status = target.api.unauthorized
            return Reply(status, {**headers, **refused.headers}, body)

    def _admit(self, target: _Target, request: Request) -> dict[str, str]:
        """Refuse what does not even get to the data; returns headers for the answer."""
        if request.method != "GET":
            raise _RefusedError(405, f"{request.method} is not allowed", {"allow": "GET"})
        header, secret = target.route.authorization or target.api.authorization
        given = request.headers.get(header)
        tokens = None if target.route.authorization else self._tokens.get(target.api.name)
        if not (tokens.takes(given) if tokens else given == secret):
            raise _RefusedError(_UNAUTHORIZED, f"the header {header} is missing or wrong")
        try:
            return self._limits[target.api.name].admit()
        except OverLimitError as over:
            raise _RefusedError(429, str(over), over.headers) from None

    def _body(self, target: _Target, request: Request, names: list[str]) -> bytes:
        route, params = target.route, request.params
        allowed = (*route.paging.params, *route.dates, *route.options)
        for name in names:
            if name not in allowed:
                raise _RefusedError(400, f"unknown parameter: {name}")
            if names.count(name) > 1:
                raise _RefusedError(400, f"parameter given twice: {name}")
        for name, values in route.options.items():
            if name in route.needs and name not in params:
                raise _RefusedError(400, f"{name} is required")
            if values and params.get(name, values[0]) not in values:
                raise _RefusedError(400, f"{name} must be one of: {', '.join(values)}")
        key = (request.path, tuple(params.get(name) for name in allowed))
        revision = self._store.revision
        body = self._bodies.get(revision, key)
        if body is None:
            body = self._compute(target, request)
            self._bodies.put(key, body)
        return body

    def _compute(self, target: _Target, request: Request) -> bytes:
        route = target.route
        days = [_day(request.params, name) for name in route.dates]
        try:
            window = route.paging.window(request.params)
        except BadRequestError as error:
            raise _RefusedError(400, str(error)) from None
        parents = target.parents or tuple(days[:1])
        parent = self._parent(route, parents)
        if parent is None:
            raise _RefusedError(404, f"no such parent: {' / '.join(parents)}")
        if route.refusal:
            raise _RefusedError(route.refusal, "this is not part of your plan")
        found = self._store.find(route, parent, window, request.params)
        if window.offset and not found.rows:
            if route.past_end:
                raise _RefusedError(route.past_end, "there is no such page")
            if route.repeats and found.total:
                last = (found.total - 1) // window.limit * window.limit
                window = window._replace(offset=last)
                found = self._store.find(route, parent, window, request.params)
        if route.absent and not found.rows:
            raise _RefusedError(route.absent, "there is none of it")
        return route.envelope(found, window, request.path)

    def _parent(self, route: Route, names: tuple[str, ...]) -> int | None:
        """The place of the parent whose list is asked for, 0 for one that is nobody's."""
        if route.view:
            return 0 if self._store.view(route, names[0]) == route.view else None
        return self._store.parent(route, *names) if route.context else 0


async def _read(receive: Receive) -> str:
    """The body of a request."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body.decode("latin-1")


def _renewed(tokens: Tokens, request: Request, form: str) -> Reply:
    try:
        return Reply(_OK, {}, json(tokens.renew(request.headers.get("authorization"), form)))
    except GrantError as error:
        return Reply(error.status, {}, json({"error": str(error)}))


def _day(params: dict[str, str], name: str) -> str:
    """The day a required parameter names, as YYYY-MM-DD."""
    text = params.get(name, "")
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise _RefusedError(400, f"{name} is required and must be a day (YYYY-MM-DD), not {text!r}")
