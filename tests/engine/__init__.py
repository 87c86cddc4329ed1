"""Tests of what every stream shares."""
