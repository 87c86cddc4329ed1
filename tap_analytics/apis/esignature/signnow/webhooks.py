"""Further streams of SignNow: subscriptions to events, and what was sent for them."""

from __future__ import annotations

from tap_analytics.apis.esignature.signnow.client import SignNowPages, SignNowStream


class EventPages(SignNowPages):
    """``page`` from 1 with ``per_page`` 50."""

    size = 50


class EventSubscriptions(SignNowStream):
    """Subscriptions to events, without their secrets and headers."""

    name = "esignature_event_subscriptions"
    path = "/v2/event-subscriptions"
    paginator_class = EventPages
    fixed_params = {"sort[created]": "asc", "include_event_count": "true"}
    left_out = ("json_attributes.secret_key", "json_attributes.headers")


class CallbackPages(EventPages):
    """Events that happen meanwhile add a row in front."""

    newest_first = True
    repeat_ends = False


class EventCallbacks(SignNowStream):
    """Calls that were made for events, without the tokens in them."""

    name = "esignature_event_callbacks"
    path = "/v2/event-subscriptions/callbacks"
    paginator_class = CallbackPages
    replication_key = "request_start_time"
    lookback_days = 1
    append_only = True
    left_out = ("request_content.meta.access_token", "request_headers")
    references = {"event_subscription_id": "esignature_event_subscriptions.id"}


STREAMS = (EventSubscriptions, EventCallbacks)
