"""``--test``: what a first run would meet, without reading more than a page of each stream."""
