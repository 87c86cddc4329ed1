"""Further streams of Factorial: values of custom fields."""

from __future__ import annotations

from tap_analytics.apis.workforce.factorial.client import FactorialStream


class CustomFieldsValues(FactorialStream):
    """Values of custom fields.

    Their labels change with the field and leave the time alone, so they are read in full.
    """

    name = "workforce_custom_fields_values"
    path = "/custom_fields/values"
    references = {
        "field_id": "workforce_fields.id",
    }


STREAMS = (CustomFieldsValues,)
