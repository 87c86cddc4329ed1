"""Further streams of Statsig: what segments hold."""

from __future__ import annotations

from typing import Any

from tap_analytics.apis.experimentation.statsig.client import (
    StatsigPages,
    StatsigStream,
    WholeList,
)
from tap_analytics.apis.experimentation.statsig.core import Segments


class MemberPages(StatsigPages):
    """Pages of the ids of one segment, ``count`` in all."""

    size = 1000
    surely = 100
    total_path = ("data", "count")


class SegmentMembers(StatsigStream):
    """The ids of each segment that lists them: one row an id, however many there are."""

    name = "experimentation_segment_members"
    path = "/v1/segments/{segment_id}/id_list"
    parent_stream_type = Segments
    paginator_class = MemberPages
    of_every_parent = True
    primary_keys = ("segment_id", "id")
    records_jsonpath = "$.data.members[*]"

    def unwrap(self, body: Any) -> Any:
        """Return the body with a row for each id of its one object, which may have none."""
        body = super().unwrap(body)
        data = body.get("data") if isinstance(body, dict) else None
        if not data and data is not None:
            data = {}
        if not isinstance(data, dict):
            return body
        return {**body, "data": {**data, "members": [{"id": one} for one in data.get("ids") or ()]}}


class SegmentsIdlistMetadata(StatsigStream):
    """State of the list of each segment that has one."""

    name = "experimentation_segments_idlist_metadata"
    path = "/v1/segments/{segment_id}/idlist_metadata"
    parent_stream_type = Segments
    paginator_class = WholeList
    of_every_parent = True
    primary_keys = ("segment_id",)


STREAMS = (SegmentMembers, SegmentsIdlistMetadata)
