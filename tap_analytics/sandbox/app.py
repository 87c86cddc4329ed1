"""The five contracts as an ASGI application."""

from __future__ import annotations

import math
import re
import time
from collections import deque
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from tap_analytics.sandbox.bodies import Bodies
from tap_analytics.sandbox.contract import json
from tap_analytics.sandbox.contracts import APIS
from tap_analytics.sandbox.exchange import Answer, Request
from tap_analytics.sandbox.paging import BadRequestError
from tap_analytics.sandbox.wire import Reply, deliver, spoil

if TYPE_CHECKING:
    from tap_analytics.sandbox.contract import Api, Route
    from tap_analytics.sandbox.exchange import Fault
    from tap_analytics.sandbox.store import Store
    from tap_analytics.sandbox.wire import Send, Transports

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class _Target(NamedTuple):
    """What a path leads to."""

    api: Api
    route: Route
    parent: str
    """The parent that the path names, decoded."""


class _RefusedError(Exception):
    """The answer is not 200."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


class App:
    """Answers requests from a store."""

    def __init__(
        self, store: Store, transports: Transports, *, latency: float, rate: int | None, log: int
    ) -> None:
        """Answer from `store` over the connections in `transports`; see `Sandbox` for the rest."""
        self.faults: list[Fault] = []
        self.requests: deque[Request] = deque(maxlen=log)
        self._store = store
        self._transports = transports
        self._latency = latency
        self._rate = rate
        self._bodies = Bodies()
        self._let_through: dict[str, deque[float]] = {api.name: deque() for api in APIS}
        self._fixed: dict[str, _Target] = {}
        self._below: list[tuple[re.Pattern[str], _Target]] = []
        for api in APIS:
            for route in api.routes:
                pattern, gaps = re.subn(r"{\w+}", "([^/]+)", route.path)
                if gaps:
                    self._below.append((re.compile(pattern), _Target(api, route, "")))
                else:
                    self._fixed[route.path] = _Target(api, route, "")

    async def __call__(self, scope: dict[str, Any], _: object, send: Send) -> None:
        """Answer one request (ASGI)."""
        path = scope["raw_path"].decode("latin-1")
        target = self._target(path)
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
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
        reply = self._reply(target, request, [name for name, _ in query])
        if fault is None and not self._latency:
            await deliver(send, reply)
            return
        fault = fault or Answer()
        fault = replace(fault, delay=fault.delay + self._latency)
        await spoil(send, reply, fault, self._transports, scope["client"])

    def _target(self, path: str) -> _Target | None:
        if path in self._fixed:
            return self._fixed[path]
        for pattern, target in self._below:
            match = pattern.fullmatch(path)
            if match:
                return target._replace(parent=unquote(match[1]))
        return None

    def _reply(self, target: _Target | None, request: Request, names: list[str]) -> Reply:
        if target is None:
            return Reply(404, {}, json({"message": f"no such path: {request.path}"}))
        try:
            self._admit(target, request)
            return Reply(200, {}, self._body(target, request, names))
        except _RefusedError as refused:
            body = json(target.api.error(refused.status, str(refused)))
            return Reply(refused.status, refused.headers, body)

    def _admit(self, target: _Target, request: Request) -> None:
        """Refuse what does not even get to the data."""
        if request.method != "GET":
            raise _RefusedError(405, f"{request.method} is not allowed", {"allow": "GET"})
        header, secret = target.route.authorization or target.api.authorization
        if request.headers.get(header) != secret:
            raise _RefusedError(401, f"the header {header} is missing or wrong")
        if self._rate is None:
            return
        now = time.monotonic()
        let_through = self._let_through[target.api.name]
        while let_through and now - let_through[0] >= 1:
            let_through.popleft()
        if len(let_through) >= self._rate:
            wait = math.ceil(let_through[0] + 1 - now)
            raise _RefusedError(429, "too many requests", {"retry-after": str(wait)})
        let_through.append(now)

    def _body(self, target: _Target, request: Request, names: list[str]) -> bytes:
        route, params = target.route, request.params
        allowed = (*route.paging.params, *route.dates)
        for name in names:
            if name not in allowed:
                raise _RefusedError(400, f"unknown parameter: {name}")
            if names.count(name) > 1:
                raise _RefusedError(400, f"parameter given twice: {name}")
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
        parent = self._store.parent(route, target.parent or days[0]) if route.context else 0
        if parent is None:
            raise _RefusedError(404, f"no such parent: {target.parent}")
        found = self._store.find(route, parent, window, days)
        return route.envelope(found, window, request.path)


def _day(params: dict[str, str], name: str) -> str:
    """The day a required parameter names, as YYYY-MM-DD."""
    text = params.get(name, "")
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise _RefusedError(400, f"{name} is required and must be a day (YYYY-MM-DD), not {text!r}")
